"""From scores to findings: contrasts between countries, agreement between judges, tables."""

from analysis.contrasts import CONTRASTS, contrasts
from analysis.export import to_csv, to_html, to_json, to_latex, to_markdown, to_records
from analysis.footnotes import footnotes
from analysis.missing import MISSING, missing_counts
from analysis.panel import PANEL
from analysis.settings import OTHERS, Analysis, Contrast
from analysis.signflip import Interval, SignFlip, sign_flip
from analysis.tables import rich_table
from analysis.verdict import Finding, Standing

__all__ = [
    "CONTRASTS",
    "MISSING",
    "OTHERS",
    "PANEL",
    "Analysis",
    "Contrast",
    "Finding",
    "Interval",
    "SignFlip",
    "Standing",
    "contrasts",
    "footnotes",
    "missing_counts",
    "rich_table",
    "sign_flip",
    "to_csv",
    "to_html",
    "to_json",
    "to_latex",
    "to_markdown",
    "to_records",
]
