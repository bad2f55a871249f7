"""An analysis → the report: one HTML file, and the plots as files."""

from collections.abc import Sequence
from pathlib import Path

from analysis.overview import overview
from analysis.report import Content, write_figures, write_report
from evenhand.agreeing import agreed
from evenhand.analysing import Analyzed, write_frame
from runs.folder import make_folder


def report(result: Analyzed, *, figures: Path | str | None = None) -> Path:
    """Write `analysis/report.html` of a run and return its path.

    Args:
        result: what `analyze` returned; what it was not asked for, the report says so.
        figures: a folder for each plot as PNG, SVG and PDF, and its data as CSV; null: none.

    Raises:
        StoreError: the disk refuses.
    """
    content = content_of(result)
    folder = result.run.path / "analysis"
    make_folder(folder)
    for name in ("countries", "topics", "agreement"):
        write_frame(folder / f"{name}.parquet", getattr(content, name))
    path = folder / "report.html"
    write_report(path, content)
    if figures is not None:
        write_figures(Path(figures), content)
    return path


def content_of(result: Analyzed) -> Content:
    """Return every frame of the report, computed before anything is drawn."""
    scores, criteria, focal = result.scores, result.criteria, result.focal
    references: str | Sequence[str] = result.references
    countries, topics = overview(scores, criteria, focal=focal, references=references, analysis=result.settings)
    return Content(
        run=result.run,
        focal=focal,
        alpha=result.settings.alpha,
        contrasts=result.contrasts,
        missing=result.missing,
        countries=countries,
        topics=topics,
        omnibus=result.omnibus,
        moved=result.moved,
        unexpected=result.unexpected,
        survival=result.survival,
        **vars(agreed(scores, criteria, focal, result.settings)),
    )
