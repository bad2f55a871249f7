"""The page as a whole: one file that needs nothing else, runs no script and asks nobody for anything."""

from collections.abc import Mapping
from pathlib import Path

from analysis.export import to_csv
from analysis.report.content import Content
from analysis.report.drawing import PAPER, WIDE, Figure, pdf, png, svg
from analysis.report.figures import line_figures
from analysis.report.html import text
from analysis.report.maps import missing_figure, topic_figures
from analysis.report.sections import TITLES, section
from analysis.report.style import STYLE
from runs.folder import make_folder
from runs.journal import write_whole

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""No script and no request; names and answers come from files, and what slips through could do nothing."""


def figures(content: Content) -> dict[str, Figure]:
    """Return every plot that there are data for, by name."""
    found = [*line_figures(content), *topic_figures(content)]
    missing = missing_figure(content)
    return {figure.name: figure for figure in [*found, *([] if missing is None else [missing])]}


def write_report(path: Path, content: Content) -> None:
    """Write the report to `path`: the same content gives the same bytes.

    Raises:
        StoreError: the disk refuses; what was at `path` is untouched.
    """
    write_whole(path, page(content, figures(content)).encode("utf-8", "replace"))


def write_figures(folder: Path, content: Content) -> list[Path]:
    """Write each plot as PNG (twice the pixels), SVG and PDF, its data as CSV, and return the paths.

    Raises:
        StoreError: the disk refuses.
    """
    make_folder(folder)
    written = []
    for name, figure in figures(content).items():
        files = {
            "svg": svg(figure, WIDE, PAPER).encode(),
            "png": png(figure),
            "pdf": pdf(figure),
            "csv": to_csv(figure.data).encode(),
        }
        for suffix, made in files.items():
            write_whole(folder / f"{name}.{suffix}", made)
            written.append(folder / f"{name}.{suffix}")
    return written


def page(content: Content, drawn: Mapping[str, Figure]) -> str:
    """Return the page."""
    study, model = content.run.manifest["study"]["name"], content.run.manifest["model"]
    links = "".join(f'<li><a href="#{name}-section">{title}</a></li>' for name, title in TITLES.items())
    sections = "\n".join(
        f'<section id="{name}-section" aria-labelledby="{name}-heading"><h2 id="{name}-heading">{title}</h2>\n'
        f"{section(name, content, drawn)}</section>"
        for name, title in TITLES.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">
<title>{text(f"{study}: {model}")}</title><style>{STYLE}</style></head>
<body><a class="skip" href="#main">Skip to the verdict</a>
<header><h1>{text(model)}</h1>
<p>{text(f"{study}: is {content.focal} treated differently?")}</p></header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main" tabindex="-1">
{sections}
</main>
<footer><p>Made by evenhand {text(content.contrasts["version"][0])} from {text(content.run.path.name)}. This file asks
nothing of any server.</p></footer>
</body></html>
"""
