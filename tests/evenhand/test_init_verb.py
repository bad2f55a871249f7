"""`evenhand init`: a study to start from, whichever set and rubric."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import evenhand
from rubrics import load_rubric
from rubrics import shipped as shipped_rubrics
from runs import countries
from runs.questions import load_questions
from runs.questions import shipped as shipped_sets

Make = Callable[..., Any]


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("questions", shipped_sets())
@pytest.mark.parametrize("copy", [False, True])
def test_every_set_and_rubric_makes_a_study_that_check_understands(
    cli: Make, tmp_path: Path, questions: str, copy: bool
) -> None:
    for rubric in shipped_rubrics():
        folder = tmp_path / rubric
        made = ["--questions", questions, "--rubric", rubric, *(["--copy"] if copy else [])]
        assert cli("init", folder, *made).code == 0
        content = cli("check", folder, "--json").json
        assert content["rubric"] == f"{rubric}@{load_rubric(rubric).version}"
        assert content["questions"] == len(load_questions(questions).questions)
        assert (len(list(folder.iterdir())) > 1) == copy


def test_copies_stand_beside_the_study_and_are_what_it_reads(cli: Make, tmp_path: Path) -> None:
    evenhand.init(tmp_path, questions="ethics", rubric="ethics", copy=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ethics.questions.toml",
        "ethics.rubric.examples.toml",
        "ethics.rubric.toml",
        "study.toml",
    ]
    study = read(tmp_path / "study.toml")
    assert (study["rubric"], study["questions"]["set"]) == ("ethics.rubric.toml", "ethics.questions.toml")
    assert load_questions(tmp_path / "ethics.questions.toml") == load_questions("ethics")
    assert load_rubric(tmp_path / "ethics.rubric.toml") == load_rubric("ethics")
    copied = tmp_path / "ethics.questions.toml"
    copied.write_text(copied.read_text("utf-8").replace("{in_country}", "{where}", 1), "utf-8")
    told = cli("check", tmp_path)
    assert told.code == 2
    assert "ethics.questions.toml" in told.err


def test_a_copy_of_a_copy_keeps_its_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    evenhand.init(first, copy=True)
    evenhand.init(second, questions=first / "quick.questions.toml", rubric=first / "candour.rubric.toml", copy=True)
    assert {path.name for path in second.iterdir()} == {path.name for path in first.iterdir()}


def test_sets_and_rubrics_of_my_own_are_named_as_seen_from_the_study(
    cli: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evenhand.init(tmp_path / "mine", copy=True)
    monkeypatch.chdir(tmp_path)
    told = cli(
        *("init", "new", "--questions", "mine/quick.questions.toml", "--rubric", "mine/candour.rubric.toml"),
    )
    assert told.code == 0
    study = read(tmp_path / "new" / "study.toml")
    assert (study["rubric"], study["questions"]["set"]) == (
        "../mine/candour.rubric.toml",
        "../mine/quick.questions.toml",
    )
    monkeypatch.chdir("/")
    assert cli("check", tmp_path / "new").code == 0


@pytest.mark.parametrize(
    ("focal", "named", "expected"),
    [
        ("NO", "SE,FI", ["NO", "SE", "FI"]),
        ("Iran", "p5", ["IR", "p5"]),
        ("FR", "p5", ["FR", "p5"]),
        ("US", "CN, US ,NO", ["US", "CN", "NO"]),
    ],
)
def test_the_focal_country_is_among_the_countries(
    cli: Make, tmp_path: Path, focal: str, named: str, expected: list[str]
) -> None:
    assert cli("init", tmp_path, "--focal", focal, "--countries", named).code == 0
    study = read(tmp_path / "study.toml")
    assert (study["focal"], study["questions"]["countries"]) == (expected[0], expected)
    content = cli("check", tmp_path, "--json").json
    assert content["countries"] == len(countries.resolve(expected))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--questions", "govern"], "Question set 'govern' is not shipped"),
        (["--rubric", "candor"], "did you mean 'candour'?"),
        (["--focal", "g20"], "name one of them"),
        (["--countries", "CN,XX"], "Country 'XX' is unknown"),
    ],
)
def test_nothing_is_written_when_something_does_not_fit(
    cli: Make, tmp_path: Path, arguments: list[str], said: str
) -> None:
    told = cli("init", tmp_path / "new", "--copy", *arguments)
    assert told.code == 2
    assert said in told.err
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(cli: Make, tmp_path: Path) -> None:
    (tmp_path / "quick.questions.toml").write_text("mine", "utf-8")
    told = cli("init", tmp_path, "--copy")
    assert told.code == 2
    assert "quick.questions.toml is there already" in told.err
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["mine"]


@settings(max_examples=40)
@example(name='\x7f " # \\ $focal')
@given(name=st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=40))
def test_any_folder_name_makes_valid_toml(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("t") / f"x{name}"
    assert read(evenhand.init(folder))["name"] == f"x{name}"


def test_the_file_is_commented_in_one_column(tmp_path: Path) -> None:
    lines = evenhand.init(tmp_path).read_text("utf-8").splitlines()
    columns = {line.index(" # ") for line in lines if " # " in line and not line.startswith(("#", "countries"))}
    assert columns == {35}
    assert sum("#" in line for line in lines) > 15
