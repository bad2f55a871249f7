"""Files from outside: nothing hangs, nothing is read without bound, and a run's folder keeps its readers inside."""

import os
from pathlib import Path

import pytest

from runs.errors import InputError, StoreError
from runs.files import check_reach, is_folder, is_there, read_file


def _told(path: Path, largest: int = 100) -> str:
    with pytest.raises(InputError) as problem:
        read_file(path, largest)
    return str(problem.value)


def test_a_file_is_read_whole_also_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    (tmp_path / "b").symlink_to("a")
    assert read_file(tmp_path / "b", 100) == b"x" * 100


def test_what_is_no_file_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "endless").symlink_to("/dev/zero")
    assert _told(tmp_path / "gone").endswith("gone: there is no such file.")
    assert _told(tmp_path).endswith(": is a folder; name a file.")
    assert "is a pipe or a device" in _told(tmp_path / "pipe")
    assert "is a pipe or a device" in _told(tmp_path / "endless")
    assert "cannot be read (Too many levels of symbolic links)" in _told(tmp_path / "circle")
    assert "cannot be read (File name too long)" in _told(tmp_path / ("x" * 5000))
    assert "is no path" in _told(Path("a\0b"))
    assert "is no path" in _told(Path("a\ud800"))


def test_no_more_is_read_than_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 101)
    assert "is larger than" in _told(tmp_path / "a")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a\ud800", "a/" * 3000])
def test_names_that_no_file_can_have_are_there_not(tmp_path: Path, name: str) -> None:
    assert not is_there(tmp_path / name)
    assert not is_folder(tmp_path / name)


def _leads_out(folder: Path) -> str:
    with pytest.raises(StoreError) as problem:
        check_reach(folder)
    return str(problem.value)


def test_a_folder_is_not_left_through_symlinks(tmp_path: Path) -> None:
    run, secret = tmp_path / "run", tmp_path / "secret"
    (run / "scorings" / "s").mkdir(parents=True)
    secret.write_text("s")
    (run / "inside").symlink_to("scorings/s")
    check_reach(run)
    (tmp_path / "named").symlink_to(run)
    check_reach(tmp_path / "named")  # the user named the folder, however it is reached
    for target in (secret, Path("../../../secret"), tmp_path, Path("/dev/zero")):
        link = run / "scorings" / "s" / "verdicts.parquet"
        link.symlink_to(target)
        assert _leads_out(run).startswith(f"{link}: is a symlink that leads out of {run};")
        link.unlink()


@pytest.mark.parametrize("target", ["gone", "link", "../run2/x"])
def test_a_symlink_to_nowhere_or_to_itself_leads_out(tmp_path: Path, target: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(target)  # what is written through it would stand elsewhere
    assert "is a symlink that leads out of" in _leads_out(tmp_path / "run")


def test_a_pipe_in_a_run_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "responses.jsonl")
    assert "is a pipe or a device" in _leads_out(tmp_path)
