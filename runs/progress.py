"""What long work tells whoever watches; the front draws it."""

from typing import Protocol


class Stage(Protocol):
    """A stage of work with a known number of steps."""

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Count steps that are on disk, and the tokens that the model wrote for them."""

    def end(self) -> None:
        """End the stage."""


class Progress(Protocol):
    """Whoever watches. Stages may overlap."""

    def stage(self, name: str, total: int, done: int) -> Stage:
        """Begin a stage: `total` steps, of which `done` were there already."""

    def note(self, text: str) -> None:
        """Show what is going on, while nothing can be counted."""

    def warn(self, text: str) -> None:
        """Show what must be read: something was found damaged, or was lost and is started again."""


class Silent:
    """Progress that nobody watches; its own stage."""

    def stage(self, name: str, total: int, done: int) -> Stage:  # noqa: ARG002
        """Return a stage that nobody watches."""
        return self

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
