"""`evenhand analyze RUN`."""

from enum import StrEnum
from typing import Annotated

import typer

import evenhand
from evenhand.cli.options import AsJson, Focal, RunFolder

NAME = "analyze"


class Format(StrEnum):
    """How the significance table is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"


def command(
    run: RunFolder,
    focal: Focal = None,
    reference: Annotated[str, typer.Option(help="`others`, a country, or several joined by commas.")] = "others",
    by: Annotated[list[str] | None, typer.Option(help="Split by topic, sensitive, language or stance.")] = None,
    every_country: Annotated[bool, typer.Option("--every-country", help="Every country as the focal one.")] = False,
    test: Annotated[
        list[str] | None, typer.Option(help="A familiar test as well: wilcoxon, t, welch, mannwhitney, fisher, …")
    ] = None,
    survive: Annotated[
        bool, typer.Option("--survive", help="Leave out one judge, country, question … at a time.")
    ] = False,
    alpha: Annotated[float | None, typer.Option(help="Level of the tests; by default the study's.")] = None,
    margin: Annotated[float | None, typer.Option(help="Equivalence margin; by default the study's.")] = None,
    mid_p: Annotated[bool, typer.Option("--mid-p", help="Mid-p for binary and nominal criteria.")] = False,
    max_t: Annotated[bool, typer.Option("--max-t", help="Adjust by the largest statistic too.")] = False,
    panel: Annotated[str | None, typer.Option(help="How judges are joined: `mean`, `median` or `none`.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of random flips and permutations.")] = None,
    written: Annotated[Format, typer.Option("--format", help="How the table is written.")] = Format.TABLE,
    everything: Annotated[bool, typer.Option("--all", help="Print the exploratory rows too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Test whether the focal country is treated differently: the significance table."""
    from evenhand.cli.tables import print_analysis, print_as  # noqa: PLC0415

    result = evenhand.analyze(
        run,
        focal=focal,
        references=reference,
        survive=survive,
        tests=test or (),
        by=by or None,
        every_country=every_country or None,
        alpha=alpha,
        margin=margin,
        mid_p=mid_p or None,
        max_t=max_t or None,
        panel=panel,
        seed=seed,
    )
    if written in (Format.TABLE, Format.JSON):
        print_analysis(result, as_json=as_json or written is Format.JSON, everything=everything)
    else:
        print_as(result.contrasts, written.value, everything=everything)
