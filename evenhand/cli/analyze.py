"""`evenhand analyze RUN`."""

from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, Focal, RunFolder

NAME = "analyze"


def command(
    run: RunFolder,
    focal: Focal = None,
    reference: Annotated[str, typer.Option(help="`others`, a country, or several joined by commas.")] = "others",
    by: Annotated[list[str] | None, typer.Option(help="Split by topic, sensitive, language or stance.")] = None,
    every_country: Annotated[bool, typer.Option("--every-country", help="Every country as the focal one.")] = False,
    alpha: Annotated[float | None, typer.Option(help="Level of the tests; by default the study's.")] = None,
    margin: Annotated[float | None, typer.Option(help="Equivalence margin; by default the study's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of random flips and permutations.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print the exploratory rows too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Test whether the focal country is treated differently: the significance table."""
    from evenhand.cli.tables import print_analysis  # noqa: PLC0415

    result = evenhand.analyze(
        run,
        focal=focal,
        references=reference,
        by=by or None,
        every_country=every_country or None,
        alpha=alpha,
        margin=margin,
        seed=seed,
    )
    print_analysis(result, as_json=as_json, everything=everything)
