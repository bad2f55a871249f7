"""Environments of their own for the programs that evenhand is measured against, made with uv and kept in the cache."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runs.pycache import cache_folder


def python_with(packages: Sequence[str]) -> str:
    """Return a Python that has the newest `packages` of the day when it was first asked for, and nothing of ours."""
    name = f"{packages[0]}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"
    folder = cache_folder() / "benchmarks" / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {' and '.join(packages)} into an environment of their own …", file=sys.stderr)
        _uv("venv", "--allow-existing", "--python", f"{sys.version_info.major}.{sys.version_info.minor}", str(folder))
        _uv("pip", "install", "--python", str(python), *packages)
        (folder / "installed").touch()
    return str(python)


def _uv(*arguments: str) -> None:
    beside = Path(__file__).parents[1] / ".uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    command = [found] if found else [sys.executable, "-m", "uv"]
    # uv does not read pip's settings: where pip is told to look for wheels, uv is told as well.
    links = ",".join(os.environ.get("PIP_FIND_LINKS", "").split())
    environment = {**({"UV_FIND_LINKS": links} if links else {}), **os.environ}
    subprocess.run([*command, *arguments, "--quiet"], check=True, env=environment)
