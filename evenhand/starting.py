"""A study of one's own to start from."""

from importlib import resources
from pathlib import Path

from runs.errors import InputError
from runs.journal import write_whole
from runs.store import make_folder


def init(folder: Path | str) -> Path:
    """Write a commented `study.toml` into `folder` and return its path.

    Raises:
        InputError: there is one already.
        StoreError: the disk refuses.
    """
    path = Path(folder) / "study.toml"
    if path.exists():
        raise InputError(f"{path} is there already; choose another folder, or edit it.")
    make_folder(path.parent)
    write_whole(path, resources.files("evenhand").joinpath("data", "study.toml").read_bytes())
    return path
