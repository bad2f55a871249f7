"""The ledger: two journals sealed into one frame in which every key stands once."""

import json
import resource
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.errors import StoreError
from runs.journal import Damaged, Journal
from runs.ledger import ROW_GROUP, Ledger

SCHEMA = pl.Schema({"key": pl.String, "n": pl.Int64, "kind": pl.String})


def _ledger(folder: Path) -> Ledger:
    folder.mkdir(exist_ok=True)
    return Ledger(folder, "records", SCHEMA)


def _row(key: str, n: int | None = None, kind: str | None = None) -> dict[str, Any]:
    return {"key": key, "n": n, "kind": kind}


def _rows(ledger: Ledger) -> list[dict[str, Any]]:
    return ledger.scan().collect().to_dicts()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return _ledger(tmp_path)


def test_a_record_beats_its_failures_and_else_the_last_failure_stands(ledger: Ledger) -> None:
    ledger.append([], [_row("a", kind="timeout"), _row("b", kind="timeout")])
    ledger.append([_row("a", 1)], [_row("b", kind="endpoint")])
    assert _rows(ledger) == [_row("a", 1), _row("b", kind="endpoint")]
    assert ledger.keys() == {"a"}
    assert len(list(ledger.failures.read())) == 3  # what failed once is still told


@pytest.mark.parametrize("sealed", [False, True])
def test_every_failure_is_told_once(ledger: Ledger, sealed: bool) -> None:
    ledger.append([], [_row("a", 1, "timeout"), _row("b", 2, "timeout")])
    ledger.append([_row("a", 3)], [_row("b", 4, "endpoint")])
    if sealed:
        ledger.seal()
    assert ledger.every_failure(["n"])["n"].sort().to_list() == [1, 2, 4]
    ledger.close()
    ledger.seal()
    ledger.failures.path.unlink()  # the Parquet file alone has the last ones still
    assert ledger.every_failure(["n", "kind"]).to_dicts() == [{"n": 4, "kind": "endpoint"}]


def test_of_two_records_under_one_key_the_first_stands(ledger: Ledger) -> None:
    ledger.append([_row("a", 1), _row("a", 2)])
    ledger.append([_row("a", 3)])
    assert _rows(ledger) == [_row("a", 1)]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12), st.integers(0, 12))
def test_sealed_or_not_the_frame_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, bool]], sealed_after: int
) -> None:
    ledger = _ledger(tmp_path_factory.mktemp("ledger"))
    for number, (key, came) in enumerate(events):
        rows = [_row(key, number, None if came else "timeout")]
        ledger.append(rows if came else [], [] if came else rows)
        if number == sealed_after:
            ledger.seal()
    ledger.close()
    came_first: dict[str, int] = {}
    for number, (key, came) in enumerate(events):
        if came:
            came_first.setdefault(key, number)
    failed_last = {key: number for number, (key, came) in enumerate(events) if not came and key not in came_first}
    expected = {**came_first, **failed_last}
    assert {row["key"]: row["n"] for row in _rows(ledger)} == expected
    assert ledger.keys() == set(came_first)
    before = _rows(ledger)
    ledger.seal()
    assert ledger.is_sealed()
    assert _rows(ledger) == before
    assert _rows(Ledger(ledger.folder, "records", SCHEMA)) == before


def test_a_seal_that_is_up_to_date_is_left_alone_and_a_stale_one_is_not_read(ledger: Ledger) -> None:
    ledger.append([_row("a", 1)])
    first = ledger.seal().stat()
    assert ledger.seal().stat().st_mtime_ns == first.st_mtime_ns
    ledger.append([_row("b", 2)])
    assert not ledger.is_sealed()
    assert ledger.keys() == {"a", "b"}
    assert _rows(ledger) == [_row("a", 1), _row("b", 2)]
    ledger.seal()
    assert pl.read_parquet(ledger.sealed).to_dicts() == [_row("a", 1), _row("b", 2)]


@pytest.mark.parametrize("spoil", ["cut", "garbage", "empty"])
def test_an_unreadable_seal_is_made_again(ledger: Ledger, spoil: str) -> None:
    ledger.append([_row("a", 1)], [_row("b", kind="timeout")])
    whole = ledger.seal().read_bytes()
    ledger.sealed.write_bytes({"cut": whole[:-9], "garbage": b"\x00" * 300, "empty": b""}[spoil])
    assert not ledger.is_sealed()
    assert ledger.keys() == {"a"}
    ledger.seal()
    assert pl.read_parquet(ledger.sealed).to_dicts() == [_row("a", 1), _row("b", kind="timeout")]


def test_a_seal_alone_is_enough(ledger: Ledger) -> None:
    ledger.append([_row("a", 1)], [_row("b", kind="timeout")])
    before = _rows(ledger)
    ledger.seal()
    ledger.close()
    ledger.records.path.unlink()
    ledger.failures.path.unlink()
    assert ledger.is_sealed()
    assert ledger.keys() == {"a"}
    assert _rows(ledger) == before


def test_records_that_only_the_seal_still_holds_are_not_lost_to_a_new_one(ledger: Ledger) -> None:
    ledger.append([_row("a", 1)], [_row("b", kind="timeout"), _row("c", kind="timeout")])
    ledger.seal()
    ledger.close()
    ledger.records.path.unlink()  # somebody made room
    ledger.failures.path.unlink()
    ledger.append([_row("b", 2)])
    assert ledger.keys() == {"a", "b"}
    ledger.seal()
    assert sorted(_rows(ledger), key=lambda row: str(row["key"])) == [
        _row("a", 1),
        _row("b", 2),
        _row("c", kind="timeout"),
    ]


def test_a_seal_under_another_schema_is_made_again(ledger: Ledger) -> None:
    older = Ledger(ledger.folder, "records", pl.Schema({"key": pl.String, "kind": pl.String}))
    older.append([_row("a", 1)])
    older.seal()
    assert _rows(ledger) == [_row("a", 1)]
    older.close()
    older.records.path.unlink()
    ledger.append([_row("b", 2)])
    assert _rows(ledger) == [_row("b", 2), _row("a")]  # what the older version did not write is missing, not lost


def test_a_seal_alone_that_cannot_be_read_is_told(ledger: Ledger) -> None:
    ledger.sealed.write_bytes(b"\x00" * 300)
    with pytest.raises(StoreError, match=r"records\.parquet: cannot be read"):
        ledger.scan()
    with pytest.raises(StoreError, match=r"records\.parquet: cannot be read"):
        ledger.keys()


def test_an_older_seal_with_a_broken_page_hides_nothing_and_is_set_aside(ledger: Ledger) -> None:
    ledger.append(_row(f"k{number}", number) for number in range(3000))
    ledger.seal()
    content = bytearray(ledger.sealed.read_bytes())
    content[4:40] = bytes(36)  # the header of the first page; the schema stands at the end
    ledger.sealed.write_bytes(content)
    ledger.append([_row("late", 1)])
    assert len(ledger.keys()) == len(_rows(ledger)) == 3001
    ledger.seal()
    assert pl.read_parquet(ledger.sealed).height == 3001
    assert ledger.sealed.with_name("records.parquet.damaged").read_bytes() == content


def test_nothing_is_an_empty_frame(ledger: Ledger) -> None:
    assert ledger.keys() == set()
    assert ledger.scan().collect().schema == SCHEMA
    ledger.seal()
    assert _rows(ledger) == []


def test_a_damaged_line_is_listed_and_its_record_counts_as_not_there(ledger: Ledger) -> None:
    ledger.append([_row("a", 1), _row("b", 2), _row("c", 3)], [_row("d", kind="timeout")])
    lines = ledger.records.path.read_bytes().splitlines(keepends=True)
    ledger.records.path.write_bytes(lines[0] + b"\x00" * 30 + b"\n" + lines[2])
    ledger.failures.path.write_bytes(b"{}\n" + ledger.failures.path.read_bytes())
    assert ledger.keys() == {"a", "c"}
    assert ledger.damaged() == [Damaged(ledger.records.path, 2), Damaged(ledger.failures.path, 1)]
    ledger.append([_row("b", 2)])
    assert [row["key"] for row in _rows(ledger)] == ["a", "c", "b", "d"]


def test_lines_without_a_key_and_columns_that_are_not_ours_are_passed_over(ledger: Ledger) -> None:
    lines = [{"n": 1}, {"key": None}, {"key": 5}, {"key": "a", "n": 1, "colour": "red"}]
    ledger.records.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert _rows(ledger) == [_row("a", 1)]


@pytest.mark.parametrize(
    "wrong", [{"key": "b", "n": "2"}, {"key": "b", "n": 2.5}, {"key": "b", "n": 2**63}, {"kez": "b"}]
)
def test_a_line_without_a_checksum_that_no_column_can_hold_is_damaged(ledger: Ledger, wrong: dict[str, Any]) -> None:
    lines = [_row("a", 1), wrong, _row("c", 3)]
    ledger.records.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert ledger.keys() == {"a", "c"}
    assert ledger.damaged() == [Damaged(ledger.records.path, 2)]
    assert _rows(ledger) == [_row("a", 1), _row("c", 3)]


def test_more_records_than_a_chunk_are_sealed(ledger: Ledger) -> None:
    ledger.append(_row(f"k{number}", number) for number in range(41_000))
    ledger.seal()
    assert pl.read_parquet(ledger.sealed)["n"].sum() == 41_000 * 40_999 // 2


def test_siblings_lend_what_is_wanted_once(tmp_path: Path) -> None:
    mine, first, second = (_ledger(tmp_path / name) for name in ("mine", "first", "second"))
    first.append([_row("a", 1), _row("b", 2)], [_row("c", kind="timeout")])
    second.append([_row("b", 20), _row("d", 4), _row("e", 5)])
    assert mine.adopt([first, second], {"a", "b", "c", "d"}) == {"a", "b", "d"}
    assert _rows(mine) == [_row("a", 1), _row("b", 2), _row("d", 4)]
    assert len(list(mine.records.read())) == 3


def test_a_disk_that_fills_while_sealing_leaves_the_old_seal(ledger: Ledger) -> None:
    ledger.append([_row("a", 1)])
    old = ledger.seal().read_bytes()
    ledger.append([_row("b", 2)])
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, unlimited[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            ledger.seal()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert ledger.sealed.read_bytes() == old
    assert not list(ledger.folder.glob(".*"))
    ledger.seal()
    assert len(_rows(ledger)) == 2


def _break_page(ledger: Ledger, at: int = 4) -> None:
    content = bytearray(ledger.sealed.read_bytes())
    content[at : at + 36] = bytes(36)  # the header of a page; the schema stands at the end
    ledger.sealed.write_bytes(content)


def test_a_sealed_file_with_a_broken_page_is_made_again_from_its_journals(ledger: Ledger) -> None:
    ledger.append([_row("a", 1), _row("b", 2)])
    ledger.seal()
    _break_page(ledger)
    assert ledger.keys() == {"a", "b"}
    ledger.seal()
    assert pl.read_parquet(ledger.sealed).to_dicts() == [_row("a", 1), _row("b", 2)]
    assert (ledger.folder / "records.parquet.damaged").exists()


def test_what_can_be_read_of_a_broken_seal_is_kept_where_the_journal_is_gone(ledger: Ledger) -> None:
    count = 3 * ROW_GROUP
    ledger.append(_row(f"k{n:06}", n) for n in range(count))
    ledger.seal()
    ledger.close()
    ledger.records.path.unlink()
    _break_page(ledger)  # the first of three row groups
    ledger.append([_row("new", 0)])
    assert len(ledger.keys()) >= 1 + count // 2
    ledger.seal()
    assert pl.read_parquet(ledger.sealed).height >= 1 + count // 2
    assert (ledger.folder / "records.parquet.damaged").exists()


def test_a_file_that_the_system_does_not_open_is_not_taken_for_a_broken_one(ledger: Ledger) -> None:
    ledger.append([_row("a", 1)])
    ledger.seal()
    ledger.append([_row("b", 2)])
    whole = ledger.sealed.read_bytes()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, most))
    try:
        with pytest.raises((StoreError, OSError)):
            ledger.seal()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    ledger.seal()
    assert not list(ledger.folder.glob("*.damaged*"))
    assert ledger.keys() == {"a", "b"}
    assert whole != ledger.sealed.read_bytes()


@pytest.mark.parametrize("record", [{"a": 1}, {"key": 1}, {"key": "k", "n": "many"}])
def test_a_line_with_a_good_checksum_is_still_checked(ledger: Ledger, record: dict[str, Any]) -> None:
    Journal(ledger.records.path).append([record])  # as a stranger, or a later version, may write it
    assert ledger.damaged() == [Damaged(ledger.records.path, 1)]
    assert ledger.keys() == set()
