"""`evenhand agree RUN`."""

import evenhand
from evenhand.cli.options import AsJson, Focal, RunFolder, show_json
from evenhand.cli.tables import print_frame

NAME = "agree"


def command(run: RunFolder, focal: Focal = None, as_json: AsJson = False) -> None:
    """Do the judges, and the humans, agree; and does the contrast depend on who judges."""
    result = evenhand.agree(run, focal=focal)
    if as_json:
        show_json({name: frame.to_dicts() for name, frame in vars(result).items()})
        return
    print_frame("Agreement between raters, and of each with itself", result.agreement.drop("scale"))
    print_frame("Does the contrast depend on the judge", result.interaction)
    print_frame("Contrasts corrected by human labels (PPI++)", result.corrected)
