"""What can go wrong for a user, as one tree.

    EvenhandError            one sentence: what, where, expected, fix; the command line exits with 2
    ├── InputError           a file, flag or value that cannot be used; asking again cannot help
    ├── StoreError           the disk or the store refuses (locked, full, unreadable)
    └── EndpointError        no model could be reached or started; asking again may help
        └── Unresponsive     one that was asked no longer answers; a new start may help

A response or verdict that does not come is not an error but a row with a kind (`runs.frames.FailureKind`).
"""

import difflib
from collections.abc import Iterable, Mapping

LONGEST = 2000
"""Characters of a sentence: what a file holds is quoted in it, and may be of any length."""


class EvenhandError(Exception):
    """A problem told in one sentence, without a traceback."""

    def __init__(self, told: str) -> None:
        super().__init__(told if len(told) <= LONGEST else f"{told[: LONGEST // 2]} … {told[-LONGEST // 2 :]}")


class InputError(EvenhandError):
    """A user's file, flag or value cannot be used; nothing was done with it."""


class StoreError(EvenhandError):
    """The store cannot be read or written; what was on disk is untouched."""


class EndpointError(EvenhandError):
    """No model answered where one was expected."""

    spent: Mapping[str, object] | None = None
    """What the call took that found it out, as columns of its row; null: nothing."""


class Unresponsive(EndpointError):  # noqa: N818 — a state, as `Stopped` is
    """An endpoint that was asked no longer gives any reply."""


class Stopped(Exception):  # noqa: N818 — nobody's error
    """A signal ended the work; what was counted is on disk."""


LONGEST_WORD = 200
"""Characters of a name that may be a misspelt one."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `known` as help for someone who wrote `word`: the closest match if there is one, else the whole list."""
    names = sorted(known)
    if len(word) > LONGEST_WORD:  # comparing takes the square of the length
        word = ""
    close = difflib.get_close_matches(
        word.lower(), [name.lower() for name in names if len(name) <= LONGEST_WORD], n=1, cutoff=0.6
    )
    if close:
        match = next(name for name in names if name.lower() == close[0])
        return f"did you mean {match!r}?"
    return f"known: {', '.join(names)}." if names else "none are known here."
