"""`evenhand score --placebo` on answers from elsewhere, which name countries in their own words."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Any]

CALLED = {"china": "China", "USA": "America", "Russia": "Russia", "eu": "The EU"}


@pytest.fixture
def imported(cli: Make, tmp_path: Path) -> Callable[..., str]:
    """Return a function that imports answers to three questions about countries, and returns the run's path."""

    def make(countries: Mapping[str, str]) -> str:
        rows = [
            {"question_id": f"q{number}", "country": country, "text": f"{name} is fine, as no. {number}{place} says."}
            for number in range(3)
            for place, (country, name) in enumerate(countries.items())
        ]
        path = tmp_path / "answers.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        told = cli("import", path, "--out", tmp_path / "r", "--json")
        return str(told.json["runs"][0]["run"])

    return make


@pytest.mark.parametrize("placebo", ["mask", "swap"])
def test_what_is_no_country_is_left_out_and_told(cli: Make, scripted: Make, imported: Make, placebo: str) -> None:
    run, endpoint = imported(CALLED), scripted()
    asked = ("score", run, "--judge", "j", "--endpoint", endpoint.url, "--rubric", "candour")
    plain = cli(*asked, "--json")
    assert plain.json["scorings"][0]["scored"] == 12
    assert "placebo" not in plain.err
    told = cli(*asked, "--placebo", placebo, "--json")
    assert told.code == 0
    assert told.json["scorings"][0]["scored"] == 9
    assert f"warning: {run}: --placebo {placebo} leaves out 3 answers: it knows no names of 'eu'." in told.err
    assert "the placebo changed 9 of 9 answers" in told.err
    masked = sum("Country X is fine" in one["prompt"] for one in endpoint.stats()["prompts"])
    assert masked == (9 if placebo == "mask" else 0)
    moved = cli("analyze", run, "--focal", "CN", "--json")
    assert moved.code == 0
    assert cli("verify", run).code == 0


def test_where_no_country_is_known_there_is_no_placebo(cli: Make, imported: Make) -> None:
    run = imported({"eu": "The EU", "mercosur": "Mercosur"})
    for placebo in ("mask", "swap"):
        told = cli("score", run, "--judge", "j", "--endpoint", "http://127.0.0.1:9/v1", "--rubric", "candour",
                   "--placebo", placebo)  # fmt: skip
        assert told.code == 2
        assert f"{run}: --placebo {placebo} knows no names of 'eu', 'mercosur'" in told.err
        assert "write countries as ISO codes or English names, or leave --placebo out." in told.err


def test_a_placebo_that_changes_nothing_is_told_and_asks_for_nothing(cli: Make, scripted: Make, imported: Make) -> None:
    run, endpoint = imported({"CN": "It", "US": "It"}), scripted()
    asked = ("score", run, "--judge", "j", "--endpoint", endpoint.url, "--rubric", "candour")
    assert cli(*asked).code == 0
    told = cli(*asked, "--placebo", "mask")
    assert told.code == 0
    assert "changed none of 6 answers: they name no country, so it shows nothing." in told.err
    assert len(endpoint.stats()["prompts"]) == 6
