"""A store, or one run, to look at in the browser."""

from collections.abc import Callable
from pathlib import Path

from evenhand.web.server import serve
from evenhand.web.view import Library
from runs.errors import InputError
from runs.store import DEFAULT_ROOT, Run, find_runs, open_run


def view(
    run: Run | Path | str | None = None,
    *,
    root: Path = DEFAULT_ROOT,
    port: int = 0,
    open_browser: bool = True,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Show a run's answers, verdicts and significance table in local pages until Ctrl-C; nothing is written.

    The pages are on 127.0.0.1 only, and open to whoever has the token in their address.

    Args:
        run: the run, or its folder; null: all runs below `root`.
        root: the store.
        port: of the pages; 0: any that is free.
        open_browser: whether to open them in the user's browser.
        ready: is told their address as soon as they can be asked for.

    Raises:
        InputError: there is no run, or the port is taken.
        StoreError: the run cannot be read.
    """
    if run is not None and not isinstance(run, Run):
        run = open_run(Path(run))
    if run is None and not find_runs(root):
        raise InputError(f"{root}: there is no run; `evenhand run` or `evenhand import` makes one.")
    library = Library(run, root)
    library.prepare()
    serve(library.served(), port=port, open_browser=open_browser, ready=ready)
