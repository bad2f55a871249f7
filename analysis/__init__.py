"""From scores to findings: contrasts between countries, agreement between judges, tables."""

from analysis.contrasts import CONTRASTS, contrasts
from analysis.footnotes import footnotes
from analysis.missing import MISSING, missing_counts
from analysis.settings import OTHERS, Analysis, Contrast
from analysis.signflip import SignFlip, sign_flip
from analysis.tables import rich_table
from analysis.verdict import Finding, Standing

__all__ = [
    "CONTRASTS",
    "MISSING",
    "OTHERS",
    "Analysis",
    "Contrast",
    "Finding",
    "SignFlip",
    "Standing",
    "contrasts",
    "footnotes",
    "missing_counts",
    "rich_table",
    "sign_flip",
]
