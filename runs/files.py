"""Files from outside: read whole, never without bound, never anything but a regular file."""

import stat
from pathlib import Path

from runs.errors import InputError, StoreError


def read_file(path: Path, largest: int) -> bytes:
    """Return the bytes of the file at `path`.

    Args:
        path: what a user named; a symlink is followed.
        largest: bytes; one file more is an error, and no more than this is read.

    Raises:
        InputError: there is no such file, it is none (a folder, a pipe, a device), too large, or cannot be read.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    if len(content) > largest:
        raise InputError(f"{path}: is larger than {largest // 2**20} MiB, too large for a file of this kind; split it.")
    return content


def check_regular(path: Path) -> None:
    """Raise an InputError if `path` is there and no regular file: a pipe can hang, a device never ends.

    Raises:
        InputError: it is a folder, a pipe, a socket or a device, or no path at all.
        OSError: it is not there, or cannot be reached.
    """
    try:
        mode = path.stat().st_mode
    except ValueError:  # a NUL, or half a surrogate pair
        raise InputError(f"{str(path)!r} is no path; take the character out that no path can hold.") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a folder; name a file.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is a pipe or a device; write its content to a file, and name that.")


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder; of a name that no file can have it is not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether something is at `path`; at a name that no file can have there is nothing."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def check_reach(folder: Path) -> None:
    """Raise if anything in `folder`, which may come from elsewhere, leads out of it or is neither file nor folder.

    `folder` itself may be reached through symlinks: the user named it. Symlinks within it are followed.

    Raises:
        StoreError: a symlink leads out or in a circle, or there is a pipe, a socket or a device.
    """
    home = folder.resolve()
    for path in _below(folder):
        try:
            inside = path.resolve(strict=True).is_relative_to(home) if path.is_symlink() else True
            mode = path.stat().st_mode
        except (OSError, RuntimeError):  # leads nowhere, or in a circle
            inside, mode = not path.is_symlink(), stat.S_IFREG
        if not inside:
            raise StoreError(f"{path}: is a symlink that leads out of {folder}; put there what it means, or remove it.")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise StoreError(f"{path}: is a pipe or a device, which no run holds; remove it.")


def _below(folder: Path) -> list[Path]:
    """Return everything below `folder`; what symlinks lead to is not entered, for it stands elsewhere below."""
    found: list[Path] = []
    waiting = [folder]
    while waiting:
        try:
            inside = sorted(waiting.pop().iterdir())
        except OSError:  # a folder that cannot be listed is told by whoever reads it
            continue
        found += inside
        waiting += [path for path in inside if path.is_dir() and not path.is_symlink()]
    return found
