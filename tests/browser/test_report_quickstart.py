"""The report of the quickstart, whose answers and verdicts come from a real engine, in a real browser."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.vllm]

ROOT = Path(__file__).parents[2]


def test_the_report_of_the_quickstart_is_drawn(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    command = [sys.executable, "-m", "evenhand", "run", str(ROOT / "examples" / "quickstart.toml"), "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    page = open_page(tmp_path / told["report"])
    table = pl.read_parquet(tmp_path / told["run"] / "analysis" / "contrasts.parquet")
    pooled = table.filter(pl.col("family") == "confirmatory", pl.col("n_questions") > 0)
    drawn = "#contrasts [role=img] .role-mark[class*=' values_'] > *"
    boxes = page.locator(drawn).evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    # The total variation distance of a nominal criterion as a whole has no line of its own.
    lines = pooled.filter((pl.col("scale") != "nominal") | pl.col("category").is_not_null())
    assert sum(width > 0 for width in boxes) == len(lines) > 0
    assert page.locator("#verdict-section").inner_text().startswith("The verdict")
    assert page.locator("figure [role=img]:visible").count() >= 4
