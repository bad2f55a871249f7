"""Whatever a user gets wrong is told in one sentence: what, where, what was expected, the fix; the exit code is 2."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]


@pytest.fixture
def refused(cli: Make) -> Callable[..., str]:
    """Return a function that runs a command which must be refused, and returns the sentence."""

    def call(*arguments: object) -> str:
        told = cli(*arguments)
        assert told.code == 2, told.err
        assert told.out == ""
        (line,) = [line for line in told.err.splitlines() if line.startswith("error: ")]
        assert told.err.strip().endswith(line)  # the sentence comes last, on one line
        return str(line)

    return call


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


STUDY_MISTAKES = {
    "missing field": ('model = "org/model"\n', "", "'generation.model' is missing; add it."),
    "unknown key": ("max_tokens", "max_tokns", "unknown key 'generation.max_tokns'; did you mean 'max_tokens'?"),
    "unknown table": ("[questions]", "[questionss]", "unknown key 'questionss'; did you mean 'questions'?"),
    "slid into a table": (
        'rubric = "candour"\n\n[questions]', '[questions]\nrubric = "candour"',
        "'rubric' stands under [questions]; in TOML a key belongs to the table above it, so move the line "
        "`rubric = …` to the top of the file.",
    ),
    "unknown country": ('"NO"]', '"Norwayland"]', "'Norwayland'"),
    "one country": ('["CN", "US", "NO"]', '["CN"]', "questions.countries holds one country"),
    "no country": ('["CN", "US", "NO"]', "[]", "'questions.countries' is []"),
    "focal elsewhere": ('focal = "CN"', 'focal = "RU"', "focal = 'RU' is not one of questions.countries;"),
    "focal unknown": ('focal = "CN"', 'focal = "Chyna"', "'Chyna'"),
    "unknown set": ("few.toml", "governence", "Question set 'governence' is not shipped; did you mean 'governance'?"),
    "no such set file": ("few.toml", "fewer.toml", "fewer.toml: there is no such file."),
    "unknown language": ('"NO"]', '"NO"]\nlanguages = ["xx"]', "has no questions in 'xx'"),
    "unknown rubric": ('"candour"', '"candor"', "rubric 'candor': no rubric of this name is shipped;"),
    "no such rubric file": ('"candour"', '"mine.toml"', "mine.toml: there is no such file."),
    "two judges of a name": ("[[judges]]", '[[judges]]\nmodel = "first"\n[[judges]]', "two judges are called 'first'"),
    "wrong type": ("epochs = 2", 'epochs = "two"', "'generation.epochs' is 'two'"),
    "out of range": ("epochs = 2", "epochs = 0", "'generation.epochs' is 0"),
    "no URL": ('endpoint = "http', 'endpoint = "htp', 'expected "vllm" or a URL such as'),
    "unknown criterion": (
        "[[judges]]", '[[analysis.contrasts]]\ncriterion = "evasiveness"\n[[judges]]', "has no criterion 'evasiveness'"
    ),
    "unknown judge": (
        "[[judges]]", '[[analysis.contrasts]]\njudge = "firts"\n[[judges]]', "no judge 'firts'; did you mean 'first'?"
    ),
    "not TOML": ("focal = ", "focal : ", "not valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", STUDY_MISTAKES)
def test_a_mistake_in_a_study(refused: Make, study: Make, mistake: str) -> None:
    right, wrong, told = STUDY_MISTAKES[mistake]
    path = study()
    text = path.read_text("utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), "utf-8")
    sentence = refused("check", path)
    assert told in sentence
    assert len(sentence) < 500


def test_a_question_without_a_country(refused: Make, study: Make) -> None:
    path = study()
    questions = path.with_name("few.toml")
    questions.write_text(questions.read_text("utf-8").replace("{in_country}", "there", 1), "utf-8")
    sentence = refused("check", path)
    assert (
        "few.toml: Question 'q0', text.en: 'How free is the press there, in respect number 0?' names no country"
        in sentence
    )
    assert "add a field such as {country} or {in_country}" in sentence


@pytest.mark.parametrize("content", [b"\x00\x01\x02\xff" * 100, b"\xff\xfen\x00a\x00m\x00e\x00", b"\x89PNG\r\n\x1a\n"])
@pytest.mark.parametrize("name", ["study.toml", "few.toml"])
def test_garbage_in_place_of_a_file(refused: Make, study: Make, name: str, content: bytes) -> None:
    path = study()
    path.with_name(name).write_bytes(content)
    assert f"{path.with_name(name)}: " in refused("check", path)


def test_files_that_are_not_there_or_no_files(refused: Make, tmp_path: Path) -> None:
    assert f"{tmp_path}/gone.toml: there is no such file." in refused("check", tmp_path / "gone.toml")
    assert f"{tmp_path}/study.toml: there is no such file." in refused("run", tmp_path)
    assert "there is no run; `evenhand list` shows what there is." in refused("analyze", tmp_path)
    assert "there is no run" in refused("show", tmp_path / "gone")
    assert "there is no run" in refused("score", tmp_path)


def test_an_endpoint_where_nobody_answers(refused: Make, study: Make, silent_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{silent_port}/v1"
    sentence = refused("run", study(url), "--out", tmp_path / "r")
    assert f"error: {url}: cannot be reached (cannot connect" in sentence
    assert "Start it or correct `endpoint`." in sentence


def test_a_key_that_is_refused_or_not_set(
    refused: Make, study: Make, scripted: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study(scripted(key="right").url)
    assert "the API key was refused (HTTP 401)" in refused("generate", path, "--out", tmp_path / "r")
    path.write_text(path.read_text("utf-8").replace("epochs = 2", 'epochs = 2\napi_key_env = "SOME_KEY"'), "utf-8")
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert "set the environment variable SOME_KEY" in refused("generate", path, "--out", tmp_path / "r")
    monkeypatch.setenv("SOME_KEY", "wrong-and-secret")
    sentence = refused("generate", path, "--out", tmp_path / "r")
    assert "the API key was refused" in sentence
    assert "wrong-and-secret" not in sentence


def test_a_key_stands_in_no_file(
    cli: Make, study: Make, scripted: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study(scripted(key="right-and-secret").url)
    keyed = path.read_text("utf-8").replace("endpoint =", 'api_key_env = "SOME_KEY"\nendpoint =')
    path.write_text(keyed, "utf-8")
    monkeypatch.setenv("SOME_KEY", "right-and-secret")
    assert cli("run", path, "--out", tmp_path / "r").code == 0
    files = [file for file in (tmp_path / "r").rglob("*") if file.is_file()]
    assert len(files) > 8
    assert [file for file in files if b"right-and-secret" in file.read_bytes()] == []


def test_a_model_that_the_endpoint_does_not_know(refused: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    sentence = refused("generate", study(scripted(models=["org/other"]).url), "--out", tmp_path / "r")
    assert "HTTP 404 for model 'org/model': The model `org/model` does not exist." in sentence
    assert "Correct the model's name" in sentence


def test_mistakes_about_a_finished_run(refused: Make, cli: Make, finished: Path, tmp_path: Path) -> None:
    assert "judge 'fist' is not in the study (did you mean 'first'?)" in refused("score", finished, "--judge", "fist")
    assert "rubric 'candor': no rubric of this name is shipped" in refused("score", finished, "--rubric", "candor")
    assert "country 'RU' is not in this run; it has CN, NO, US." in refused("analyze", finished, "--focal", "RU")
    assert "country 'RU' is not in this run" in refused("analyze", finished, "--reference", "US,RU")
    assert "analysis: 'alpha' is 2.0" in refused("analyze", finished, "--alpha", "2")
    assert "analysis: 'by[1]' is 'colour'" in refused("analyze", finished, "--by", "colour")
    assert "'no-such/judge' cannot be used" in refused("score", finished, "--judge", "no-such/judge")
    (tmp_path / "judge.toml").write_text('model = "m"\nendpoint = "http://127.0.0.1:9"\nrepeat = 2\n')
    assert "unknown key 'repeat'; did you mean 'repeats'?" in refused(
        "score", finished, "--judge", tmp_path / "judge.toml"
    )
    assert cli("analyze", finished, "--focal", "china").code == 0  # by name, in any case


@pytest.mark.parametrize("verb", ["score", "label"])
def test_a_rubric_that_is_not_clear(refused: Make, cli: Make, tmp_path: Path, scripted: Make, verb: str) -> None:
    judge = ("--judge", "judge-a", "--endpoint", scripted().url)
    (tmp_path / "answers.jsonl").write_text(
        "".join(f'{{"question_id": "q", "country": "{country}", "text": "Yes."}}\n' for country in ("CN", "US"))
    )
    told = cli("import", tmp_path / "answers.jsonl", "--focal", "CN", "--out", tmp_path / "r", "--json")
    asked = (verb, told.json["runs"][0]["run"], *(judge if verb == "score" else ()))
    assert "its study names no rubric; say which with --rubric, such as candour." in refused(*asked)
    for rubric in ("candour", "refusal"):
        assert cli("score", asked[1], *judge, "--rubric", rubric, "--json").code == 0
    assert "has been scored on candour@1, refusal@1; say which is meant with --rubric." in refused(*asked)


@pytest.mark.parametrize("name", ["run.json", "items.parquet", "scoring.json", "rubric.toml"])
def test_a_store_that_was_damaged(cli: Make, finished: Path, name: str) -> None:
    (path,) = finished.rglob(name)
    path.write_bytes(b"\x00\xff" * 50)
    for verb in ("analyze", "show", "score"):
        told = cli(verb, finished)
        if (verb, name) == ("show", "rubric.toml"):  # it does without
            assert told.code == 0
        else:
            assert told.code == 2
            assert told.err.startswith(f"error: {path}: ")


def test_a_damaged_journal_or_seal_loses_nothing_that_can_be_read(cli: Make, finished: Path, scripted: Make) -> None:
    before = cli("analyze", finished, "--json").json
    (finished / "responses.parquet").write_bytes(b"garbage")
    (verdicts,) = finished.rglob("verdicts.parquet")
    verdicts.write_bytes(b"")
    assert cli("analyze", finished, "--json").json == before


def test_wrong_options_are_refused_without_a_traceback(cli: Make, study: Make) -> None:
    assert cli("check", study(), "--colour").code == 2
    assert cli("chek").code == 2
    assert cli("score").code == 2
