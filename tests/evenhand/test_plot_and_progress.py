"""What a terminal shows of a run, also a narrow one, a pipe, in ASCII, and where no colours are wanted."""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from evenhand.cli.lines import ASCII, FINE, plot, signs_for

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def _row(
    name: str, low: float | None, value: float, high: float | None, finding: str = "inconclusive"
) -> dict[str, Any]:
    return {
        "criterion": name, "reference": "others", "scale": "ordinal", "difference": value, "interval_low": low,
        "interval_high": high, "finding": finding,
    }  # fmt: skip


def test_the_signs_stand_where_the_numbers_are() -> None:
    # The axis runs from -1 to 1 and 5 % of 2 more on both sides: -1.1 to 1.1. A line of 51 leaves 23 characters beside
    # 6 for names, 18 for "+0.50 inconclusive" and 4 between: each is 0.1, and zero stands at 11.
    head, line, unbounded = plot([_row("a", -1.0, -0.5, 1.0, "differs"), _row("b", None, 0.5, None)], 51, FINE)
    assert head.split() == ["points", "-1.10", "+1.10"]
    assert line == "a       " + " │────●────┼─────────│ " + "  -0.50 differs"
    assert unbounded == "b       " + "◂──────────┼────○─────▸" + "  +0.50 inconclusive"


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120, 240])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    rows = [_row(f"a criterion with quite a long name {n}", -n, 0.1 * n, n + 1.0) for n in range(1, 4)]
    for signs in (FINE, ASCII):
        lines = plot(rows, width, signs)
        assert len(lines) == 4
        assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize(
    ("encoding", "signs"), [("utf-8", FINE), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("no-such", ASCII)]
)
def test_signs_are_those_that_the_encoding_holds(encoding: str | None, signs: object) -> None:
    assert signs_for(encoding) is signs


def test_show_tells_the_story_and_says_when_it_is_stale(cli: Make, study: Make, scripted: Make, tmp_path: Path) -> None:
    endpoint = scripted(lean={"China": -2})
    path = study(endpoint.url)
    run = cli("generate", path, "--out", tmp_path / "r", "--json").json["run"]
    assert "nothing has been scored yet; run: evenhand score" in cli("show", run).err
    cli("score", run)
    assert "nothing has been analyzed yet; run: evenhand analyze" in cli("show", run).err
    table = cli("analyze", run, "--json").json["contrasts"]
    shown = cli("show", run)
    assert shown.code == 0
    assert "CN minus others, judged by first" in shown.out
    drawn = cli("show", run, "--json").json["analysis"]
    declared = [row for row in table if row["family"] == "confirmatory" and row["mean_focal"] is not None]
    assert [row["difference"] for row in drawn["contrasts"]] == [row["difference"] for row in declared]
    for row in drawn["contrasts"]:
        assert re.search(rf"^{re.escape(row['criterion'])} .* {row['finding']}$", shown.out, re.MULTILINE)

    cli("score", run, "--judge", "judge-b", "--endpoint", endpoint.url)
    assert "have come since the last analysis; run: evenhand analyze" in cli("show", run).err
    assert cli("show", run, "--json").json["analysis"] == {"is_current": False}
    cli("analyze", run)
    assert "judged by panel" in cli("show", run).out


def _in_a_terminal(command: list[str], columns: int, **environment: str) -> str:
    """Return what `command` writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    settings = {**os.environ, "TERM": "xterm-256color", **environment}
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        if name not in environment:
            settings.pop(name, None)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=settings) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            written += part
        process.wait()
    os.close(ours)
    return written.decode()


PROGRESS = """
from evenhand.progress import Bars
bars = Bars()
bars.note("starting vLLM with a model whose name is far longer than the line that it has to stand in: org/model-70b")
stage = bars.stage("verdicts by a-judge-with-a-long-name", 100, 0)
other = bars.stage("answers", 50, 10)
for _ in range(20):
    stage.advance(done=4, failed=1, tokens=900)
    other.advance(done=2, failed=0, tokens=100)
stage.end()
other.end()
"""


@pytest.mark.parametrize("columns", [24, 40, 60, 80, 120])
def test_bars_stay_on_one_line_each(columns: int) -> None:
    written = _in_a_terminal([sys.executable, "-c", PROGRESS], columns)
    told = "verdicts by a-judge-with-a-long-name: 80 of 100, 20 failed"
    assert told in written
    assert "answers: 50 of 50" in written
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    drawn = [line for part in text.split("\n") for line in part.split("\r") if "/100" in line or "…" in line]
    assert drawn
    assert all(cell_len(line) <= columns for line in drawn)


def test_into_a_pipe_go_plain_lines_only() -> None:
    for more in ({}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}):
        done = subprocess.run(
            [sys.executable, "-c", PROGRESS], cwd=ROOT, capture_output=True, check=True, env={**os.environ, **more}
        )
        assert done.stdout == b""
        lines = done.stderr.decode().splitlines()
        assert lines[0].startswith("starting vLLM")
        assert lines[-1].startswith("answers: 50 of 50")
        assert len(lines) <= 4
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "environment", "coloured"),
    [
        ([], [], {}, True), (["--no-color"], [], {}, False), ([], ["--no-color"], {}, False),
        ([], [], {"NO_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_one_wish_for_no_colours_is_enough(
    tmp_path: Path, before: list[str], after: list[str], environment: dict[str, str], coloured: bool
) -> None:
    command = [sys.executable, "-m", "evenhand", *before, "show", str(tmp_path / "nothing"), *after]
    written = _in_a_terminal(command, 100, **environment)
    assert "error: " in written
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", written)) is coloured
