"""The command line: one module per verb. Tables go to stdout, everything else to stderr."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from importlib import import_module
from inspect import Parameter, signature
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from evenhand.progress import console, refuse_colour
from runs.errors import EvenhandError, Stopped

_MODULES = {
    name.rstrip("_"): name
    for name in (
        *("init", "questions", "rubrics", "check", "power", "run", "generate", "score", "analyze", "agree", "report"),
        *("list_", "show", "view", "label", "import_", "verify"),
    )
}


def _without_color(value: bool) -> None:
    if value:
        refuse_colour()


NoColor = Annotated[
    bool,
    typer.Option(
        "--no-color",
        help="No colours; the environment variable NO_COLOR does the same.",
        callback=_without_color,
        is_eager=True,
    ),
]


def _with_no_color(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with the option that every verb has; whoever types it need not know where it belongs."""

    @wraps(command)
    def without(*, no_color: bool = False, **arguments: Any) -> None:  # noqa: ARG001 (its callback has done it)
        command(**arguments)

    declared = signature(command)
    last = Parameter("no_color", Parameter.KEYWORD_ONLY, default=False, annotation=NoColor)
    without.__signature__ = declared.replace(parameters=[*declared.parameters.values(), last])  # type: ignore[attr-defined]
    without.__annotations__ = {**command.__annotations__, "no_color": NoColor}
    return without


class _Verbs(Mapping[str, Any]):
    """The verbs as commands. A verb's module is imported when it is asked for: all of them take seconds."""

    def __getitem__(self, name: str) -> Any:
        verb = import_module(f"evenhand.cli.{_MODULES[name]}")
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(verb.NAME)(_with_no_color(verb.command))
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Verbs()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 — asks each verb only when it is shown
        return list(self.commands)


app = typer.Typer(
    name="evenhand",
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _evenhand(no_color: NoColor = False) -> None:
    """Does a model treat one country differently, how sure are we, and would another judge say the same?"""


def main() -> None:
    """Run the program; exit with 0 (done), 1 (done with failures) or 2 (could not)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character gets its number
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # not under nohup
            signal.signal(number, _stop)
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
    except BaseException as error:
        # polars' own, by name: importing it for that takes half a second
        if not type(error).__module__.startswith("polars") and type(error).__name__ != "PanicException":
            raise
        told = f"error: a Parquet file of the store is damaged ({str(error).partition(chr(10))[0]}); "
        fix = "`evenhand verify RUN` names it; the command that made it makes it again if its journal is there."
        console.print(told + fix, style="red", markup=False, soft_wrap=True)
        sys.exit(2)


def _stop(number: int, _: object) -> None:
    """End in order: files that are being written are taken away. Typer would swallow a KeyboardInterrupt in silence."""
    raise Stopped(signal.Signals(number).name)
