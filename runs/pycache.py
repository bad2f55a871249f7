"""Our folder for what can be made again, and byte code as one such thing."""

import importlib.util
import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for what can be made again: `evenhand` in XDG_CACHE_HOME, or in ~/.cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "evenhand"


def bytecode_environment(package: str) -> dict[str, str]:
    """Return environment variables with which `package` and what it imports keep their compiled byte code.

    Where Python is told not to write byte code, or may not, vLLM and each of its processes compile thousands of modules
    again at every start: 68 s instead of 37 s until it was ready. The byte code then goes to our cache folder.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None or "PYTHONPYCACHEPREFIX" in os.environ:
        return {}
    compiled = Path(importlib.util.cache_from_source(spec.origin)).exists()
    writable = not os.environ.get("PYTHONDONTWRITEBYTECODE") and os.access(Path(spec.origin).parent, os.W_OK)
    if compiled or writable:
        return {}
    # An empty PYTHONDONTWRITEBYTECODE counts as unset.
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache_folder() / "bytecode")}
