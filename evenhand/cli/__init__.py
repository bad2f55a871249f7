"""The command line: one module per verb. Tables go to stdout, everything else to stderr."""

import os
import sys

import typer

from evenhand.cli import agree, analyze, check, generate, import_, init, list_, power, report, run, score, show
from evenhand.progress import console
from runs.errors import EvenhandError, Stopped

app = typer.Typer(
    name="evenhand",
    help="Does a language model treat one country differently from the others, how sure are we, "
    "and would another judge say the same?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (init, check, power, run, generate, score, analyze, agree, report, list_, show, import_):
    app.command(verb.NAME)(verb.command)


def main() -> None:
    """Run the program; exit with 0 (done), 1 (done with failures) or 2 (could not)."""
    try:
        app()
    except EvenhandError as error:
        console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except (Stopped, KeyboardInterrupt):
        console.print("stopped; what was counted is on disk, and the same command goes on from there.", soft_wrap=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more while it flushes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
