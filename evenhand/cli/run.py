"""`evenhand run STUDY`."""

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, StudyFile, exit_code
from evenhand.progress import Bars

NAME = "run"


def command(study: StudyFile, out: Root = ROOT, as_json: AsJson = False) -> None:
    """Generate, score, analyze and report; goes on where it stopped."""
    from evenhand.cli.tables import print_analysis  # noqa: PLC0415

    result = evenhand.run(study, root=out, progress=Bars())
    print_analysis(result.analysis, as_json=as_json, report=result.report)
    exit_code(result.failed)
