"""`evenhand generate STUDY`."""

import evenhand
from evenhand.cli.options import ROOT, AsJson, Root, StudyFile, exit_code, show_json
from evenhand.progress import Bars, console

NAME = "generate"


def command(study: StudyFile, out: Root = ROOT, as_json: AsJson = False) -> None:
    """Get every answer of a study that is not there yet."""
    result = evenhand.generate(study, root=out, progress=Bars())
    if as_json:
        show_json({"run": str(result.run.path), "answered": result.tally.done, "failed": result.tally.failed})
    else:
        console.print(f"run: {result.run.path}", markup=False, soft_wrap=True)
    exit_code(result.tally.failed)
