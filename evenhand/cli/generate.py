"""`evenhand generate STUDY`."""

import evenhand
from evenhand.cli.options import (
    ROOT,
    AsJson,
    MaxCost,
    MaxTokens,
    Root,
    StudyFile,
    exit_code,
    show_json,
    tell_unasked,
)
from evenhand.progress import Bars, console

NAME = "generate"


def command(
    study: StudyFile,
    out: Root = ROOT,
    max_cost: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    as_json: AsJson = False,
) -> None:
    """Get every answer of a study that is not there yet."""
    budget = evenhand.Budget(max_tokens_total, max_cost)
    result = evenhand.generate(study, root=out, progress=Bars(), budget=budget)
    tally = result.tally
    if as_json:
        counts = {"answered": tally.done, "failed": tally.failed, "unasked": tally.unasked}
        show_json({"run": str(result.run.path), **counts})
    else:
        console.print(f"run: {result.run.path}", markup=False, soft_wrap=True)
    tell_unasked(tally.unasked)
    exit_code(tally.failed + tally.unasked)
