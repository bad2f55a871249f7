"""What long work tells whoever watches; the front draws it."""

from typing import Protocol


class Progress(Protocol):
    """One stage of work with a known number of steps."""

    def start(self, stage: str, total: int, done: int) -> None:
        """Begin `stage`: `total` steps, of which `done` were there already."""

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Count steps that are on disk, and the tokens that the model wrote for them."""

    def note(self, text: str) -> None:
        """Show what is going on, while nothing can be counted."""

    def end(self) -> None:
        """End the stage."""


class Silent:
    """Progress that nobody watches."""

    def start(self, stage: str, total: int, done: int) -> None:
        """Do nothing."""

    def advance(self, *, done: int, failed: int, tokens: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
