"""The journal: a record is on disk before it counts, and no crash, damage or full disk loses one that did."""

import errno
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.errors import StoreError
from runs.journal import Damaged, Journal, write_whole

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
RECORDS = st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journals")


def _fresh(folder: Path) -> Journal:
    """Return a journal without a file; property-based tests share one folder."""
    for path in folder.iterdir():
        path.unlink()
    return Journal(folder / "a.jsonl")


@settings(max_examples=40)
@given(first=RECORDS, second=RECORDS)
def test_what_was_appended_is_read_back_in_order(folder: Path, first: list[Any], second: list[Any]) -> None:
    journal = _fresh(folder)
    journal.append(first)
    journal.append(second)
    journal.close()
    assert list(Journal(journal.path).read()) == first + second


def test_characters_that_utf8_cannot_say_survive(tmp_path: Path) -> None:
    record = {"text": "\ud800 \u202e \x00 \u2028 \r\n 中文"}
    journal = Journal(tmp_path / "a.jsonl")
    journal.append([record])
    assert list(journal.read()) == [record]
    assert journal.path.read_bytes().count(b"\n") == 1
    journal.close()


@settings(max_examples=40)
@given(records=RECORDS, data=st.data())
def test_after_a_cut_anywhere_whole_lines_count_and_the_tail_is_set_aside(
    folder: Path, records: list[Any], data: st.DataObject
) -> None:
    journal = _fresh(folder)
    journal.append(records)
    journal.close()
    whole = journal.path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    journal.path.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    assert list(journal.read()) == records[:kept]

    again = Journal(journal.path)
    again.append([{"later": True}])
    again.close()
    assert list(again.read()) == [*records[:kept], {"later": True}]
    tail = whole[:cut].rpartition(b"\n")[2]
    aside = folder / "a.jsonl.torn"
    assert (aside.read_bytes() if aside.exists() else b"") == (tail + b"\n" if tail else b"")


def test_a_tail_longer_than_any_buffer_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n{"text":"' + b"x" * 300_000)
    journal = Journal(path)
    journal.append([{"n": 2}])
    journal.close()
    assert list(journal.read()) == [{"n": 1}, {"n": 2}]
    assert (tmp_path / "a.jsonl.torn").stat().st_size == len(b'{"text":"') + 300_000 + 1


@given(record=st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), data=st.data())
def test_no_flipped_bit_gives_another_record(folder: Path, record: dict[str, Any], data: st.DataObject) -> None:
    journal = _fresh(folder)
    journal.append([record])
    journal.close()
    line = bytearray(journal.path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(line) - 1))
    line[bit // 8] ^= 1 << bit % 8
    journal.path.write_bytes(line)
    # Where the word "crc" is hit, the line has a member more, and the record is still the one that was written.
    assert [one for one in journal.read() if isinstance(one, dict) and not one.items() >= record.items()] == []


def test_a_checksum_is_a_member_of_the_line_and_none_of_the_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.append([{"score": 4}])
    journal.close()
    # CRC-32 as zlib and gzip have it: printf '{"score":4}' | gzip -c | tail -c8 | od -An -tx4 | cut -c2-9
    assert journal.path.read_bytes() == b'{"score":4,"crc":"b6f97e80"}\n'
    journal.path.write_bytes(journal.path.read_bytes().replace(b":4", b":5") + b'{"score":3}\n')
    assert list(journal.read()) == [Damaged(journal.path, 1), {"score": 3}]  # the second has none, as of old


@pytest.mark.parametrize(
    "damage", [b'{"n": 2', b"\x00" * 20, b"\xff\xfe", b"[1]", b"2", b"{" * 100_000, b'{"n":' + b"9" * 5000 + b"}"]
)
def test_a_damaged_line_is_reported_stays_and_hides_no_other(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n' + damage + b'\n{"n":3}\n')
    journal = Journal(path)
    journal.append([{"n": 4}])
    journal.close()
    assert list(journal.read()) == [{"n": 1}, Damaged(path, 2), {"n": 3}, {"n": 4}]
    told = f"{path}:2 is damaged; it stays there; a record that is nowhere else is made again."
    assert str(Damaged(path, 2)) == told
    assert damage in path.read_bytes()


def test_a_group_of_records_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def counted(file: int) -> None:
        synced.append(journal.size())
        real(file)

    monkeypatch.setattr(os, "fdatasync", counted)
    journal = Journal(tmp_path / "a.jsonl")
    journal.append({"n": number} for number in range(500))
    journal.append([])
    journal.close()
    assert synced == [journal.size()]  # once, after all 500 were written


def test_nothing_is_made_for_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.append([])
    assert not journal.path.exists()
    assert journal.size() == 0
    assert list(journal.read()) == []


def test_a_record_that_json_cannot_say_leaves_no_part_of_its_group(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.append([{"n": 1}, {"n": float("nan")}])
    assert not journal.path.exists()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.symlink_to("/dev/full")
    journal = Journal(path)
    with pytest.raises(StoreError, match=r"a\.jsonl: the disk is full; make room and run the same command again"):
        journal.append([{"n": 1}])
    journal.close()


def test_a_write_that_the_disk_breaks_off_tears_no_later_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.append([{"n": 1}])
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size() + 10, unlimited[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            journal.append([{"text": "x" * 100}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    journal.append([{"n": 2}])  # there is room again, and the process is the same
    journal.close()
    assert list(journal.read()) == [{"n": 1}, {"n": 2}]
    assert (tmp_path / "a.jsonl.torn").read_bytes() == b'{"text":"x\n'


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        Journal(tmp_path / "gone" / "a.jsonl").append([{"n": 1}])


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="the disk is full"):
            write_whole(path, json.dumps({"new": 1}).encode())
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["run.json"]
    assert path.read_bytes() == b"new"


def test_a_line_without_end_is_passed_over_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.journal.LONGEST_LINE", 64)
    journal = Journal(tmp_path / "records.jsonl")
    journal.append([{"n": 1}])
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'{"n": "' + b"x" * 1000 + b'"}\n')
    journal.append([{"n": 2}])
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b"y" * 1000)
    assert list(journal.read()) == [{"n": 1}, Damaged(journal.path, 2), {"n": 2}]
