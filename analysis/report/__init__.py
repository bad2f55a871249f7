"""The report of a run: one HTML file that opens anywhere, and its plots as files for papers.

content → figures → sections → page. Everything is computed before the first tag is written.
"""

from typing import TYPE_CHECKING, Any

from analysis.report.content import Content
from analysis.report.style import STYLE

if TYPE_CHECKING:
    from analysis.report.page import write_figures, write_report

__all__ = ["STYLE", "Content", "write_figures", "write_report"]


def __getattr__(name: str) -> Any:
    # What draws takes more than a second to import: the local pages, which read the style sheet, do without.
    if name not in __all__:
        raise AttributeError(f"module 'analysis.report' has no attribute {name!r}")
    from analysis.report import page  # noqa: PLC0415

    return getattr(page, name)
