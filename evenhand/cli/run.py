"""`evenhand run STUDY`."""

import evenhand
from evenhand.cli.options import ROOT, AsJson, MaxCost, MaxTokens, Root, StudyFile, exit_code, tell_unasked
from evenhand.progress import Bars

NAME = "run"


def command(
    study: StudyFile,
    out: Root = ROOT,
    max_cost: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    as_json: AsJson = False,
) -> None:
    """Generate, score, analyze and report; goes on where it stopped."""
    from evenhand.cli.tables import print_analysis  # noqa: PLC0415

    budget = evenhand.Budget(max_tokens_total, max_cost)
    result = evenhand.run(study, root=out, progress=Bars(), budget=budget)
    print_analysis(result.analysis, as_json=as_json, report=result.report)
    tell_unasked(result.unasked)
    exit_code(result.failed + result.unasked)
