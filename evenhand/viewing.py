"""A store, or one run, in the browser: to look at, and to label."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evenhand.analysing import focal_of
from evenhand.choosing import rubric_for
from evenhand.labelling import Labels, masked
from evenhand.sampling import draw
from evenhand.web.label import Desk
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


@dataclass(frozen=True)
class Labelled:
    """What a labelling came to."""

    judge: str
    """`human:<name>`."""
    answers: int
    """Answers of the sample whose criteria are all labelled."""
    of: int
    """Answers of the sample."""


def label(  # noqa: PLR0913 — each is an option of the command
    run: Run | Path | str,
    *,
    rubric: str | None = None,
    n: int = 60,
    name: str | None = None,
    mask: bool = False,
    seed: int = 0,
    focal: str | None = None,
    port: int = 0,
    open_browser: bool = True,
    ready: Callable[[str, int], None] | None = None,
) -> Labelled:
    """Let a person label answers blindly in a local page until Ctrl-C; every label is on disk at once.

    Whole questions are drawn at random (`evenhand.sampling`), so that the labels can correct a judge's contrasts. They
    are verdicts of the judge `human:<name>`, which `agree` and `analyze` take as they are.

    Args:
        run: the run, or its folder.
        rubric: a shipped rubric or a path; null: the one that it has been scored on, else the study's.
        n: answers to be labelled, from 1, rounded up to whole questions.
        name: who labels; null: the user's login name.
        mask: whether the country's name is taken out of questions and answers.
        seed: of what is drawn and in which order; the same for all who shall label the same answers.
        focal: the country under test; null: the study's. The page does not say which it is.
        port: of the page on 127.0.0.1; 0: any that is free.
        open_browser: whether to open it in the user's browser.
        ready: is told its address, and how many answers there are, as soon as it can be asked for.

    Raises:
        InputError: no run, rubric, focal country or answers; a country that cannot be masked; a port that is taken.
        StoreError: the disk refuses, or the same person labels in another window.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    present = run.items()["country"].unique().sort().to_list()
    sample = draw(run, focal_of(run, focal, present), n, seed)
    shown = tuple(map(masked, sample.answers)) if mask else sample.answers
    labels = Labels(run, rubric_for(run, rubric), getpass.getuser() if name is None else name, masked=mask)
    with labels.alone():
        facts = {"n": n, "seed": seed, "questions": sample.questions, "of_questions": sample.of_questions}
        labels.scoring.note(sample=facts | {"references": sample.references, "answers": len(shown)})

        def told(address: str) -> None:
            if ready is not None:
                ready(address, len(shown))

        try:
            serve(Desk(sample, shown, labels).served(), port=port, open_browser=open_browser, ready=told)
        finally:
            labels.close(sample)
    return Labelled(labels.judge, sum(map(labels.complete, sample.answers)), len(shown))
