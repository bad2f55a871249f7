"""A store that was damaged while nobody looked: the same command completes, and names what it could not repair."""

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def whole(starter: Any, stoppable: Make, scripted: Make) -> Any:
    """A study that has come to its end."""
    study = stoppable(scripted())
    assert starter.run(*study.command) == 0, starter.log.read_text()
    return study


@pytest.fixture
def study(whole: Any, tmp_path: Path) -> Any:
    """Its copy, to be damaged."""
    copied = copy.copy(whole)
    copied.out = tmp_path / "results"
    shutil.copytree(whole.out, copied.out)
    return copied


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nothing(path: Path) -> None:
    path.write_bytes(b"\x00" * path.stat().st_size)


def remove(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    """Flip a bit in the middle of it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def duplicated(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:20], *lines[10:]]))


def tail_of_nothing(path: Path) -> None:
    """Append what ext4 and xfs may leave behind a power cut."""
    path.write_bytes(path.read_bytes() + b"\x00" * 4096)


def line(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what changes the 21st line."""

    def damage(path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True)
        changed = change(lines[20])
        assert changed != lines[20]
        path.write_bytes(b"".join([*lines[:20], changed, *lines[21:]]))

    damage.__name__ = change.__name__
    return damage


def another_key(content: bytes) -> bytes:
    return re.sub(rb'"key":"(.)', lambda found: b'"key":"%x' % (int(found[1], 16) ^ 1), content)


def another_place(content: bytes) -> bytes:
    return re.sub(rb'"epoch":(.)', lambda found: b'"epoch":%d' % (int(found[1]) % 3 + 1), content)


def another_kind_of_value(content: bytes) -> bytes:
    """Give a line without a checksum, as older versions wrote them, a word for a number."""
    return re.sub(rb'"epoch":(.)(.*),"crc":"........"', rb'"epoch":"\1"\2', content)


def garbage(content: bytes) -> bytes:
    return b"\xff\xfe\x00" * 20 + b"\n"


def two_in_one(content: bytes) -> bytes:
    """Lose the end of the line."""
    return content[:-1] + b" "


IN_JOURNALS = (
    *(line(one) for one in (another_key, another_place, another_kind_of_value, garbage, two_in_one)),
    *(flip, cut, torn, duplicated, tail_of_nothing),
)
IN_FILES = (cut, empty, nothing, remove, flip)


def found(study: Any, name: str) -> Path:
    """Return the file of that name."""
    (path,) = study.out.rglob(name)
    return Path(path)


def complete(starter: Any, study: Any) -> None:
    """Do what is left to do."""
    said = starter.log.stat().st_size
    assert starter.run("generate", study.path, "--out", study.out) == 0, starter.since(said)
    (run,) = study.out.glob("*/*/run.json")
    assert starter.run("score", run.parent, "--rubric", "refusal") == 0, starter.since(said)
    assert starter.run("analyze", run.parent) == 0, starter.since(said)


def check(study: Any, clean: list[Any]) -> None:
    """Assert that everything is there once, and comes to the same."""
    for name in ("responses", "verdicts"):
        keys = pl.read_parquet(found(study, f"{name}.parquet"))["key"]
        assert keys.n_unique() == len(keys) == study.answers
    assert study.results() == clean


@pytest.mark.parametrize("damage", IN_JOURNALS, ids=lambda one: one.__name__)
def test_damaged_journals_alone(starter: Any, whole: Any, study: Any, damage: Any) -> None:
    journals = [found(study, f"{name}.jsonl") for name in ("responses", "verdicts")]
    for journal in journals:
        journal.with_suffix(".parquet").unlink()
        damage(journal)
    spoilt, said = [one.read_bytes() for one in journals], starter.log.stat().st_size
    complete(starter, study)
    check(study, whole.results())
    for journal, content in zip(journals, spoilt, strict=True):
        aside = journal.with_name(f"{journal.name}.torn")
        kept = journal.read_bytes() + (aside.read_bytes() if aside.exists() else b"")
        assert all(part in kept for part in content.split(b"\n"))  # nothing was deleted
        if damage not in (cut, torn, duplicated, tail_of_nothing):
            assert re.search(re.escape(f"{journal}:") + "[0-9]+ is damaged", starter.since(said))


FILES = ("run.json", "items.parquet", "scoring.json", "rubric.toml")


@pytest.mark.parametrize("damage", IN_FILES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("names", [FILES[:2], FILES[2:]], ids=["run", "scoring"])
def test_damaged_files_beside_the_journals(
    starter: Any, whole: Any, study: Any, names: tuple[str, ...], damage: Any
) -> None:
    paths = [found(study, name) for name in names]
    for path in paths:
        damage(path)
    spoilt, said = [path.read_bytes() if path.exists() else None for path in paths], starter.log.stat().st_size
    assert starter.run("list", "--out", study.out) in (0, 2)
    assert starter.run("analyze", study.out) in (0, 2)  # a sentence, or what can still be told
    complete(starter, study)
    check(study, whole.results())
    for path, content in zip(paths, spoilt, strict=True):
        if content is not None and path.read_bytes() != content:  # not every bit matters
            aside = path.with_name(f"{path.name}.damaged")
            assert aside.read_bytes() == content
            assert f"{path} was damaged: it stands as {aside.name} now, and was written anew." in starter.since(said)


@pytest.mark.parametrize("damage", [one for one in IN_FILES if one is not flip], ids=lambda one: one.__name__)
def test_damaged_frames_are_made_again(starter: Any, whole: Any, study: Any, damage: Any) -> None:
    for name in ("responses", "verdicts", "contrasts", "missing"):
        damage(found(study, f"{name}.parquet"))
    asked = study.endpoint.stats()["requests"]
    complete(starter, study)
    check(study, whole.results())
    assert study.endpoint.stats()["requests"] == asked  # not a call was made
