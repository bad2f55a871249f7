"""The store: identity by content, one process at a time, and what is said where there is no run."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runs.digest import digest, short
from runs.errors import EvenhandError, InputError, StoreError
from runs.frames import ITEMS, RESPONSES, frame
from runs.store import Run, create_run, find_runs, open_run, slug

FACTS = {"judge": "j", "rubric": "r", "rubric_version": "1", "repeats": 1, "status": "running"}


def _items(*ids: str) -> pl.DataFrame:
    rows = [{"item_id": one, "question_id": "q", "country": "CN", "language": "en", "prompt": f"{one}?"} for one in ids]
    return frame(rows, ITEMS)


def _run(root: Path, *, model: str = "org/Some-Model 7B", items: pl.DataFrame | None = None, **identity: Any) -> Run:
    facts = {"study": {"name": "A study!", "focal": "CN"}, "epochs": 1, "status": "running"}
    return create_run(root, "A study!", model, _items("a", "b") if items is None else items, identity, facts)


def test_equal_content_is_one_run_and_anything_else_another(tmp_path: Path) -> None:
    run = _run(tmp_path, temperature=0.5)
    same = _run(tmp_path, items=_items("b", "a"), temperature=0.5)
    assert same.path == run.path
    others = [_run(tmp_path, temperature=0.6), _run(tmp_path, items=_items("a"), temperature=0.5)]
    assert len({run.path, *(other.path for other in others)}) == 3
    assert run.path.parent == tmp_path / "a-study"
    assert run.path.name.startswith("some-model-7b-")
    assert {one.path for one in find_runs(tmp_path)} == {run.path, *(other.path for other in others)}
    assert {one.path for one in run.siblings()} == {other.path for other in others}


def test_a_run_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    run = _run(tmp_path)
    run.note(status="complete")
    assert _run(tmp_path).manifest["status"] == "complete"
    assert run.items().equals(_items("a", "b"))
    assert run.focal == "CN"


def test_a_run_that_broke_off_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run.path / "run.json").unlink()  # the manifest is written last
    assert find_runs(tmp_path) == []
    assert _run(tmp_path).items().equals(_items("a", "b"))


def test_a_scoring_stands_beside_its_siblings(tmp_path: Path) -> None:
    run = _run(tmp_path)
    first = run.scoring("r@1-j", {"judge": 1, "rubric": "d"}, FACTS, "name = 1")
    again = run.scoring("r@1-j", {"judge": 1, "rubric": "d"}, FACTS, "name = 2")
    other = run.scoring("r@1-j", {"judge": 2, "rubric": "d"}, FACTS, "name = 1")
    assert first.path == again.path
    assert first.rubric_path.read_text() == "name = 1"
    assert [one.path for one in run.scorings()] == sorted([first.path, other.path])
    assert {one.judge for one in run.scorings()} == {"j"}


def test_what_is_damaged_is_set_aside_and_written_anew(tmp_path: Path) -> None:
    before = _run(tmp_path)
    names = [before.path / "run.json", before.path / "items.parquet"]
    for number in (1, 2):
        for path in names:
            path.write_bytes(b"{" * number)
        run = _run(tmp_path)
        end = "damaged" if number == 1 else "damaged.2"
        assert sorted(run.damage()) == sorted(
            f"{path} was damaged: it stands as {path.name}.{end} now, and was written anew." for path in names
        )
        assert all(path.with_name(f"{path.name}.{end}").read_bytes() == b"{" * number for path in names)
        assert run.items().equals(before.items())
        assert run.manifest == before.manifest
    assert _run(tmp_path).damage() == []


def test_a_second_writer_is_refused_and_the_next_one_is_not(tmp_path: Path) -> None:
    run = _run(tmp_path)
    with (
        run.lock(),
        pytest.raises(StoreError, match="another evenhand is writing to this run; wait until it ends"),
        Run(run.path).lock(),
    ):
        pytest.fail("two hold the same run")
    with Run(run.path).lock():
        pass


def test_a_run_is_found_by_its_folder_and_by_its_studys(tmp_path: Path) -> None:
    run = _run(tmp_path)
    assert open_run(run.path).path == open_run(run.path.parent).path == open_run(tmp_path).path == run.path
    second = _run(tmp_path, more=1)
    with pytest.raises(InputError, match=rf"holds 2 runs; name one of .*{second.path.name}"):
        open_run(tmp_path)
    with pytest.raises(InputError, match="there is no run; `evenhand list` shows what there is"):
        open_run(tmp_path / "gone")


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[1]", b'{"model": "m"'])
def test_a_damaged_manifest_is_told(tmp_path: Path, content: bytes) -> None:
    run = _run(tmp_path)
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(EvenhandError, match=r"run\.json: .*; restore it from a copy\.$"):
        _ = open_run(run.path).manifest


def test_damaged_items_are_told(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run.path / "items.parquet").write_bytes(b"\x00" * 100)
    with pytest.raises(StoreError, match=r"items\.parquet: cannot be read .*; restore it from a copy, or "):
        run.items()
    (run.path / "items.parquet").unlink()
    with pytest.raises(StoreError, match=r"items\.parquet: cannot be read"):
        run.items()


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        _run(tmp_path / "file")


def test_notes_are_kept_beside_what_stands_there(tmp_path: Path) -> None:
    run = _run(tmp_path)
    run.note(engine={"version": "1"})
    run.note(status="complete")
    content = json.loads((run.path / "run.json").read_text("utf-8"))
    assert (content["engine"], content["status"], content["model"]) == (
        {"version": "1"},
        "complete",
        run.manifest["model"],
    )


def test_responses_are_an_empty_frame_at_first(tmp_path: Path) -> None:
    assert _run(tmp_path).responses().collect().schema == RESPONSES


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DeepSeek-R1 70B", "deepseek-r1-70b"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 300, "x" * 80),
        ("..", short(digest(".."))),  # the parent folder is no place for a run
        ("日本", short(digest("日本"))),
    ],
)
def test_any_text_makes_a_plain_folder_name(text: str, name: str) -> None:
    assert slug(text) == name


@pytest.mark.parametrize(
    "change",
    [
        {"study": []},
        {"study": {"focal": "CN"}},
        {"study": {"name": "s", "judges": "all"}},
        {"model": None},
        {"epochs": 10**12},
        {"epochs": "2"},
        {"digest": 5},
    ],
)
def test_a_manifest_from_elsewhere_is_checked_before_it_is_believed(tmp_path: Path, change: dict[str, Any]) -> None:
    run = _run(tmp_path)
    path = run.path / "run.json"
    path.write_text(json.dumps({**run.manifest, **change}))
    with pytest.raises(
        StoreError, match=rf"run\.json: '{next(iter(change))}.* does not fit .*; restore it from a copy\.$"
    ):
        open_run(run.path).manifest  # noqa: B018 — reads the file
    for content in (b"[" * 100_000, b"[]", b"\xff", b'{"a": ' + b"9" * 5000 + b"}"):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="restore it from a copy"):
            open_run(run.path).manifest  # noqa: B018


@pytest.mark.parametrize(
    "place", ["responses.jsonl", "responses.parquet", "items.parquet", "analysis", "scorings", ".lock"]
)
def test_a_run_that_leads_out_of_itself_is_not_opened(tmp_path: Path, place: str) -> None:
    run = _run(tmp_path / "results")
    secret = tmp_path / "secret"
    secret.write_text("s")
    (run.path / place).unlink(missing_ok=True)
    (run.path / place).symlink_to(secret)
    for look in (
        lambda: open_run(run.path),
        lambda: find_runs(tmp_path / "results"),
        lambda: _run(tmp_path / "results"),
    ):
        with pytest.raises(StoreError, match=rf"{place}: is a symlink that leads out of"):
            look()
    assert secret.read_text() == "s"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a\ud800"])
def test_at_a_name_that_no_file_can_have_there_is_no_run(tmp_path: Path, name: str) -> None:
    assert find_runs(tmp_path / name) == []
    with pytest.raises(InputError, match="there is no run"):
        open_run(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["../../x", "/etc", "..", ".", "", "a\0b", "x" * 1000, "a\nb", "CON", "ａ／ｂ", "\ud800", "..\\x", "~"]
)
def test_a_name_stays_one_folder(tmp_path: Path, name: str) -> None:
    assert slug(name) == Path(slug(name)).name
    assert not slug(name).startswith((".", "-"))
    facts = {"study": {"name": name, "focal": None}, "epochs": None, "status": "complete"}
    run = create_run(tmp_path, name, name or "m", _items("a"), {}, facts)
    scoring = run.scoring(f"r@1-{slug(name)}", {"rubric": "d"}, {**FACTS, "judge": name}, "")
    assert run.path.parent.parent == tmp_path
    assert scoring.path.parent == run.path / "scorings"
    assert [one.path for one in open_run(run.path).scorings()] == [scoring.path]
