"""An append-only journal: one JSON object a line, on disk before it counts.

A crash can tear only the last line, for a group of lines is written in one call and synced. What cannot be read is
never deleted: a torn tail moves to `<journal>.torn`, a damaged line in the middle stays where it is and is reported.

The last member of a line, `crc`, is the CRC-32 of the line without it: a bit that flips on the disk may leave a line
good JSON with another score. Lines without one (written by hand, or by an early version) are taken as they are.
"""

import errno
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs.errors import StoreError

_SEALED = re.compile(rb',"crc":"([0-9a-f]{8})"}\n\Z')
_SEAL = 19
"""Bytes that a line's checksum takes."""


@dataclass(frozen=True)
class Damaged:
    """A line that is no JSON object, or not the one that was written."""

    path: Path
    line: int
    """Counted from 1."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line} is damaged; it stays there; a record that is nowhere else is made again."


LONGEST_LINE = 2**28
"""Bytes; replies are bounded at a sixteenth of it (`runs.chat`), and a stranger's line may have any length."""


class Journal:
    """One journal file; it is made at the first append.

    `fits` says of a line without a checksum whether it is a record.
    """

    def __init__(self, path: Path, fits: Callable[[dict[str, Any]], bool] = bool) -> None:
        self.path = path
        self._fits = fits
        self._file: int | None = None

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write `records`, one line each, and return when they are on disk.

        Raises:
            StoreError: the disk refuses; what was there before is untouched.
        """
        lines = b"".join(_line(record) for record in records)
        if not lines:
            return
        try:
            file = self._open()
            while lines:
                lines = lines[os.write(file, lines) :]
            os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)
        except BaseException as error:
            self.close()  # what was half written is a torn tail, which the next append sets aside
            if isinstance(error, OSError):
                raise refusal(self.path, error) from None
            raise

    def size(self) -> int:
        """Return the journal's length in bytes, 0 if there is none."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self) -> Iterator[dict[str, Any] | Damaged]:
        """Yield every record in the order of writing, without its checksum, and a `Damaged` where a line is none.

        An unfinished last line is passed over: it never counted.
        """
        return (record for _, record in self.lines())

    def lines(self) -> Iterator[tuple[int, dict[str, Any] | Damaged]]:
        """Yield what `read` does, each with the number of its line, counted from 1."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
                whole = line.endswith(b"\n")
                rest = line
                while rest and not rest.endswith(b"\n"):  # longer than any of ours: passed over, not held
                    rest = file.readline(LONGEST_LINE)
                if rest and line.strip():
                    yield number, (self._record(line) if whole else None) or Damaged(self.path, number)

    def torn(self) -> int:
        """Return how many bytes stand after the last whole line."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            return end - _after_last_newline(file, end)

    def close(self) -> None:
        """Let the file go; a later append opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _record(self, line: bytes) -> dict[str, Any] | None:
        sealed = _SEALED.search(line, max(0, len(line) - _SEAL))
        if sealed:
            line = line[: sealed.start()] + b"}"
            if zlib.crc32(line) != int(sealed[1], 16):
                return None
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) and self._fits(record) else None

    def _open(self) -> int:
        if self._file is None:
            _set_torn_tail_aside(self.path)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            sync_folder(self.path.parent)
        return self._file


def refusal(path: Path, error: OSError) -> StoreError:
    """Return the sentence for a disk that refuses to write `path`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreError(
            f"{path}: the disk is full; make room and run the same command again, nothing counted is lost."
        )
    return StoreError(f"{path}: cannot be written ({error.strerror}); nothing is lost.")


def sync_folder(folder: Path) -> None:
    """Make a new or renamed name in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Hand out a temporary name beside `path` to write to, which takes the place of `path` when all is written.

    A reader sees the whole of what is new, or what was there before.

    Raises:
        StoreError: the disk refuses; what was at `path` is untouched.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        with aside.open("rb") as file:  # the content is on disk before the name is
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise refusal(path, error) from None
    finally:
        with suppress(OSError):
            aside.unlink()


def set_aside(path: Path) -> Path:
    """Rename what is at `path` and cannot be read, for it may still tell something to a person; return its new name.

    Raises:
        StoreError: the disk refuses.
    """
    number = sum(1 for _ in path.parent.glob(f"{path.name}.damaged*")) + 1
    aside = path.with_name(f"{path.name}.damaged" + (f".{number}" if number > 1 else ""))
    try:
        path.rename(aside)
    except OSError as error:
        raise refusal(path, error) from None
    return aside


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` as `replacing` does. Raises `StoreError` if the disk refuses."""
    with replacing(path) as aside:
        aside.write_bytes(content)


def _line(record: Mapping[str, Any]) -> bytes:
    # Surrogates cannot be written as UTF-8; escaping everything outside ASCII keeps them, and any text, whole.
    content = json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b'%s,"crc":"%08x"}\n' % (content[:-1], zlib.crc32(content))


def _set_torn_tail_aside(path: Path) -> None:
    """Move an unfinished last line of an earlier process out of the way of the next record."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        start = _after_last_newline(file, end)
        if start == end:
            return
        file.seek(start)
        with path.with_name(path.name + ".torn").open("ab") as torn:
            torn.write(file.read() + b"\n")
            torn.flush()
            os.fsync(torn.fileno())
        file.truncate(start)


def _after_last_newline(file: Any, end: int, block: int = 1 << 16) -> int:
    position = end
    while position > 0:
        start = max(0, position - block)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        position = start
    return 0
