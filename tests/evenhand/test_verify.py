"""`evenhand verify`: what was tampered with, damaged or lost is named, and what is as recorded is called so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenhand
from runs.journal import Damaged, Journal

Make = Callable[..., Any]


@pytest.fixture
def run(finished: Path) -> Path:
    return finished


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the records of a journal, with checksums that fit: what nobody but the keys can tell."""
    records = [record for record in Journal(path).read() if not isinstance(record, Damaged)]
    path.unlink()
    for record in records:
        change(record)
    journal = Journal(path)
    journal.append(records)
    journal.close()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def one(run: Path, name: str) -> Path:
    (path,) = run.rglob(name)
    return path


def whats(result: Any) -> set[str]:
    return {difference.what for difference in result.differences}


def test_a_run_as_it_was_made_is_as_recorded_and_nothing_is_written(cli: Make, run: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}
    told = cli("verify", run, "--json")
    assert told.code == 0
    assert (told.json["responses"], told.json["verdicts"]) == (36, 36)
    assert told.json["differences"] == told.json["notes"] == []
    # A key of each answer and verdict; identity and folder's name of run and scoring; items, generation, rubric, judge.
    assert told.json["digests"] == 36 + 36 + 2 * 2 + 4
    assert told.json["tables"] == ["contrasts", "missing", "omnibus"]
    assert "computed again: all is as recorded." in cli("verify", run).err
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()} == before


def test_an_import_is_verified_by_what_it_holds(cli: Make, tmp_path: Path) -> None:
    place = [{"question_id": f"q{n // 2}", "country": ("CN", "US")[n % 2]} for n in range(12)]
    answers, labels = tmp_path / "a.jsonl", tmp_path / "v.jsonl"
    answers.write_text("".join(json.dumps({**one, "text": f"t{n}"}) + "\n" for n, one in enumerate(place)))
    rows = [{**one, "judge": "human:a", "criterion": "c", "score": n % 5} for n, one in enumerate(place)]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = Path(cli("import", answers, "--verdicts", labels, "--focal", "CN", "--out", tmp_path / "r").out.strip())
    assert cli("analyze", path).code == 0
    assert cli("verify", path, "--json").json["differences"] == []
    rewrite(one(path, "verdicts.jsonl"), lambda row: row["scores"][0].update(score=4.0))
    assert "digest of the imported verdicts" in whats(evenhand.verify(path))


def test_an_edited_answer_no_longer_has_its_verdicts(cli: Make, run: Path) -> None:
    keys = []

    def change(row: dict[str, Any]) -> None:
        if (row["item_id"], row["epoch"]) == ("q1/CN/en", 2):
            row["text"] += " Long live everybody."
            keys.append(row["key"])

    rewrite(run / "responses.jsonl", change)
    told = cli("verify", run, "--json")
    assert told.code == 1
    by_what = {difference["what"]: difference for difference in told.json["differences"]}
    assert by_what["key"]["file"].endswith("verdicts.jsonl")  # made for another answer
    assert by_what["key"]["found"] is None
    # The frame was sealed before: it still holds the answer that was given.
    (text,) = [row for row in evenhand.verify(run).differences if row.what == "text"]
    assert (text.file.name, text.where) == ("responses.parquet", keys[0])
    assert text.found == f"{text.recorded} Long live everybody."


def test_a_score_that_was_changed_in_the_frame_is_named(cli: Make, run: Path) -> None:
    path = one(run, "verdicts.parquet")
    frame = pl.read_parquet(path)
    rows = frame.to_dicts()
    rows[7]["scores"][0]["score"] = 5.0 - rows[7]["scores"][0]["score"]
    pl.DataFrame(rows, schema=frame.schema).write_parquet(path, metadata=pl.read_parquet_metadata(path))
    told = cli("verify", run)
    assert told.code == 1
    assert f"{path}:{rows[7]['key']}: scores: recorded " in told.out
    assert told.out.count("\n") == 1  # the table was computed before that, and comes from the journals again


def test_a_number_that_was_changed_in_the_table_is_named(cli: Make, run: Path) -> None:
    path = run / "analysis" / "contrasts.parquet"
    frame = pl.read_parquet(path)
    first = pl.int_range(pl.len()) == 0
    frame.with_columns(p=pl.when(first).then(1e-9).otherwise("p")).write_parquet(path)
    told = cli("verify", run, "--json")
    assert told.code == 1
    (difference,) = told.json["differences"]
    assert (difference["what"], difference["file"]) == ("p", str(path))
    assert (difference["recorded"], difference["found"]) == ("1e-09", str(frame["p"][0]))
    assert difference["where"].startswith(f"{frame['criterion'][0]} {frame['judge'][0]} CN others")


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("run.json", '"temperature": null', '"temperature": 0.5', "digest of the generation"),
        ("run.json", '"items": "', '"items": "0', "digest of the identity"),
        ("scoring.json", '"reasons": true', '"reasons": false', "digest of the judge"),
        ("rubric.toml", 'question = "', 'question = "Really: ', "digest of the rubric"),
    ],
)
def test_an_edited_manifest_or_rubric_is_named(run: Path, name: str, old: str, new: str, what: str) -> None:
    edit(one(run, name), old, new)
    assert what in whats(evenhand.verify(run))


def test_another_prompt_in_the_items_is_named(run: Path) -> None:
    path = run / "items.parquet"
    items = pl.read_parquet(path)
    items.with_columns(pl.col("prompt").str.replace("China", "Taiwan")).write_parquet(path)
    result = evenhand.verify(run)
    assert {difference.file.name for difference in result.differences} >= {"items.parquet", "responses.jsonl"}


def test_a_lost_record_contradicts_a_run_that_calls_itself_complete(run: Path) -> None:
    journal = run / "responses.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:5] + lines[6:]))
    in_the_frame = evenhand.verify(run)
    assert in_the_frame.differences == ()
    assert any("1 records stand in it alone" in note for note in in_the_frame.notes)
    (run / "responses.parquet").unlink()
    (gone, verdict) = evenhand.verify(run).differences
    assert (gone.what, gone.recorded, gone.found) == ("status", "complete", "1 records are missing")
    assert verdict.what == "key"  # of the answer that is gone


def test_what_breaks_leave_behind_is_noted(run: Path) -> None:
    journal = run / "responses.jsonl"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b"\x00" * 9 + b"\n", *lines, b'{"key":"torn']))
    (run / ".run.json.4711").write_bytes(b"{")
    (run / "responses.jsonl.torn").write_bytes(b"{\n")
    result = evenhand.verify(run)
    assert result.differences == ()
    for told in (
        f"{journal}:2: is damaged; its record was made again.",
        f"{journal}:3: repeats the key of an earlier line, which counts.",
        f"{journal}: ends in 12 bytes that are no whole line; the next append sets them aside.",
        f"{run / '.run.json.4711'}: left by a program that was killed; it may be removed when none is at work.",
        f"{run / 'responses.jsonl.torn'}: was set aside when it was found broken; nothing reads it.",
        f"{run / 'responses.parquet'}: 0 records came since it was sealed; the next command seals anew.",
    ):
        assert told in result.notes
    journal.write_bytes(whole.replace(lines[3], b"\x00" * 9 + b"\n"))
    (run / "responses.parquet").unlink()
    differences = evenhand.verify(run).differences
    assert ("line", "4") in {(difference.what, difference.where) for difference in differences}


def test_the_frames_alone_are_verified_too(cli: Make, run: Path) -> None:
    for path in run.rglob("*.jsonl"):
        path.unlink()
    result = evenhand.verify(run)
    assert result.differences == ()
    assert (result.responses, result.verdicts) == (36, 36)
    (run / "responses.parquet").write_bytes(b"PAR1")
    told = cli("verify", run)
    assert told.code == 2
    assert "restore it from a copy" in told.err
