"""`evenhand power STUDY`."""

from pathlib import Path
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, StudyFile, show_json
from evenhand.cli.tables import print_frame
from evenhand.progress import console

NAME = "power"


def command(
    study: StudyFile,
    effect: Annotated[float | None, typer.Option(help="Wanted difference; by default a tenth of each scale.")] = None,
    pilot: Annotated[Path | None, typer.Option(help="A scored run to take variances from.")] = None,
    power: Annotated[float, typer.Option(help="Wanted power.")] = 0.8,
    as_json: AsJson = False,
) -> None:
    """How many questions, epochs and countries does a wanted effect need?"""
    with console.status("simulating"):
        result = evenhand.power(study, effect=effect, pilot=pilot, wanted=power)
    if as_json:
        show_json({name: frame.to_dicts() for name, frame in vars(result).items()})
        return
    print_frame("Smallest detectable effect of the study as it stands", result.smallest)
    print_frame("What the wanted effect needs, each number alone", result.needed)
