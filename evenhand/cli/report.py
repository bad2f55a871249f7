"""`evenhand report RUN`."""

import evenhand
from evenhand.cli.options import AsJson, Focal, RunFolder, show_json

NAME = "report"


def command(run: RunFolder, focal: Focal = None, as_json: AsJson = False) -> None:
    """Analyze a run and write one self-contained HTML file."""
    path = evenhand.report(evenhand.analyze(run, focal=focal))
    if as_json:
        show_json({"report": str(path)})
    else:
        print(path)  # noqa: T201
