"""What is scored: criteria, their scales, and the shipped rubrics."""

from rubrics.criterion import NOT_APPLICABLE, Criterion, Scale, Score, as_id
from rubrics.examples import Example, load_examples
from rubrics.infer import infer_rubric
from rubrics.lint import Finding, lint_rubric
from rubrics.rubric import Rubric, dump_toml, load_rubric, shipped
from rubrics.scales import LONGEST_REASON, instructions, read_reply, response_model, shuffled

__all__ = [
    "LONGEST_REASON",
    "NOT_APPLICABLE",
    "Criterion",
    "Example",
    "Finding",
    "Rubric",
    "Scale",
    "Score",
    "as_id",
    "dump_toml",
    "infer_rubric",
    "instructions",
    "lint_rubric",
    "load_examples",
    "load_rubric",
    "read_reply",
    "response_model",
    "shipped",
    "shuffled",
]
