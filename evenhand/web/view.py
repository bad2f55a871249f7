"""`evenhand view`: the routes over one run, or over all runs of a store. Everything is read, nothing written."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from evenhand import reading
from evenhand.filters import read
from evenhand.indexing import Index, Reader
from evenhand.web.answer import answer, compare
from evenhand.web.answers import PAGE, Listed, answers
from evenhand.web.html import Child, Markup, bdi, el, href, joined
from evenhand.web.layout import facts, page
from evenhand.web.server import Served
from evenhand.web.table import table
from runs.errors import InputError
from runs.store import Run, find_runs

KEPT = 4
"""Runs whose index stays in memory."""


class Library:
    """The runs that are shown, by their names in addresses."""

    def __init__(self, run: Run | None, root: Path) -> None:
        self._run, self._root = run, root
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, Reader] = OrderedDict()

    def runs(self) -> dict[str, Path]:
        """Return name → folder; a name from an address is only ever looked up here."""
        found = find_runs(self._root) if self._run is None else [self._run]
        return {"/".join(run.path.absolute().parts[-2:]): run.path for run in found}

    def prepare(self) -> None:
        """Read the run, if it is one, so that its first page comes at once. Raises `StoreError` if it cannot be."""
        if self._run is not None:
            (name,) = self.runs()
            self._readers[name] = Reader(self._run.path)
            self._readers[name].index()

    def reader(self, request: Request) -> tuple[str, Reader]:
        """Return the address of the run that a request is about, and what reads it."""
        name = "{study}/{run}".format_map(request.path_params)
        path = self.runs().get(name)
        if path is None:
            raise HTTPException(404)
        with self._lock:
            reader = self._readers.setdefault(name, Reader(path))
            self._readers.move_to_end(name)
            while len(self._readers) > KEPT:
                self._readers.popitem(last=False)
        return f"/run/{name}", reader

    def served(self) -> Served:
        """Return the pages."""
        pages = {
            "/": self.entry,
            "/run/{study}/{run}": self.overview,
            "/run/{study}/{run}/answers": self.answers,
            "/run/{study}/{run}/answer": self.answer,
            "/run/{study}/{run}/compare": self.compare,
            "/run/{study}/{run}/stamp": self.stamp,
        }
        return Served([Route(path, endpoint, methods=["GET"]) for path, endpoint in pages.items()])

    def entry(self, _: Request) -> Response:
        """The runs that there are; one alone is shown at once."""
        runs = self.runs()
        if self._run is not None:
            return RedirectResponse(href(f"/run/{next(iter(runs))}"), 303)
        entries = [
            el(
                "li",
                el("a", bdi(name), href=href(f"/run/{name}")),
                " ",
                el("span", Run(path).manifest["model"], class_="muted"),
            )
            for name, path in runs.items()
        ]
        nothing = el("p", f"There is no run in {self._root}.", class_="note")
        return HTMLResponse(page("Runs", joined(el("h1", "Runs"), el("ul", entries) if entries else nothing)))

    def overview(self, request: Request) -> Response:
        """What a run holds, and its significance table."""
        at, reader = self.reader(request)
        index, everything = reader.index(), request.query_params.get("all") == "yes"
        content = joined(
            el("h1", bdi(reader.run.manifest["study"]["name"]), ": ", bdi(reader.run.manifest["model"])),
            el(
                "div",
                _facts(at, reader, index),
                _significance(at, reader, index, everything=everything),
                id="overview",
                data_live=True,
            ),
        )
        return _page(at, index, "Overview", content)

    def answers(self, request: Request) -> Response:
        """The answers that the filters in the address leave."""
        at, reader = self.reader(request)
        index, filters = reader.index(), read(request.query_params.multi_items())
        chosen = reading.select(reader, index, filters)
        number = min(_whole(request, "page", 1), max(1, -(-len(chosen.nr) // PAGE)))
        shown = reading.rows(reader, index, chosen.nr.slice((number - 1) * PAGE, PAGE))
        return _page(at, index, "Answers", answers(Listed(at, filters, chosen, shown, number), index))

    def answer(self, request: Request) -> Response:
        """One answer with every verdict on it."""
        at, reader = self.reader(request)
        index, item, epoch = reader.index(), request.query_params.get("item", ""), _whole(request, "epoch", 1)
        (shown,) = reading.whole(reader, [item], epoch)
        epochs = index.answers.filter(item_id=item)["epoch"].to_list()
        title = f"{shown['question_id']}, {shown['country']}"
        return _page(at, index, title, answer(at, shown, epochs))

    def compare(self, request: Request) -> Response:
        """The answers to one question about two countries."""
        at, reader = self.reader(request)
        index = reader.index()
        chosen = _pair(reader, index, request)
        items = [f"{chosen['question']}/{chosen[side]}/{chosen['language']}" for side in ("a", "b")]
        found = {one["item_id"]: one for one in reading.whole(reader, items, int(chosen["epoch"]))}
        asked = index.answers.filter(question_id=chosen["question"], language=chosen["language"])
        countries = asked["country"].cast(str).unique().sort().to_list()
        around = _around(at, index, chosen)
        pair = found[items[0]], found[items[1]]
        content = compare(at, pair, chosen, countries, around)
        return _page(at, index, f"{chosen['question']}: {chosen['a']} and {chosen['b']}", content)

    def stamp(self, request: Request) -> Response:
        """What the pages ask every other second: has anything changed?"""
        _, reader = self.reader(request)
        index = reader.index()
        return JSONResponse({"stamp": index.stamp, "growing": index.growing})


def _page(at: str, index: Index, title: str, content: Child) -> Response:
    links = {"Overview": href(at), "Answers": href(f"{at}/answers"), "Side by side": href(f"{at}/compare")}
    growing = el(
        "p",
        "This run is still being made; the page follows.",
        id="growing",
        role="status",
        class_="note",
        hidden=not index.growing,
    )
    body = joined(growing, content)
    whole = page(title, body, links=links, script="view.js", data_stamp=index.stamp, data_at=href(at))
    return HTMLResponse(whole)


def _facts(at: str, reader: Reader, index: Index) -> Markup:
    counts = index.answers["status"].cast(str).value_counts(sort=True).rows()
    statuses = [
        el("li", el("a", f"{count:,} {status}", href=href(f"{at}/answers", {"status": status})))
        for status, count in counts
    ]
    scorings = [
        el(
            "li",
            bdi(scoring.judge),
            " on ",
            bdi(scoring.manifest["rubric"]),
            el("span", f" ({shown})", class_="muted")
            if (
                shown := scoring.manifest.get("placebo")
                or (scoring.manifest.get("on") if scoring.manifest.get("on") != "answer" else None)
            )
            else None,
        )
        for scoring in reader.run.scorings()
    ]
    return facts(
        {
            "focal country": bdi(reader.run.focal) if reader.run.focal else None,
            "questions": f"{index.answers['unit'].n_unique():,}",
            "countries": f"{index.answers['country'].n_unique():,}",
            "answers": el("ul", statuses, class_="chips"),
            "scored by": el("ul", scorings, class_="chips") if scorings else "nobody yet",
            "folder": el("code", str(reader.run.path)),
        }
    )


def _significance(at: str, reader: Reader, index: Index, *, everything: bool) -> Markup:
    contrasts, command = reading.contrasts(reader), f"evenhand analyze {reader.run.path}"
    title = el("h2", "Significance table")
    if contrasts is None:
        return joined(title, el("p", "Not computed yet: ", el("code", command), class_="note"))
    stale = el("p", "Verdicts have come since this table was computed: ", el("code", command), class_="note")
    other = {"all": None if everything else "yes"}
    switch = el("a", "declared rows only" if everything else "exploratory rows too", href=href(at, other))
    hint = el("p", "Every number leads to the answers behind it. ", switch, class_="muted")
    shown = table(at, contrasts, index.values("country"), everything=everything)
    return joined(title, stale if reading.is_stale(reader) else None, hint, shown)


def _pair(reader: Reader, index: Index, request: Request) -> dict[str, str]:
    """Return what is compared, what the address leaves open filled in."""
    said, answers = request.query_params, index.answers
    question = said.get("question") or str(answers["question_id"][0])
    own = answers.filter(question_id=question)
    if own.is_empty():
        raise InputError(f"There is no question {question!r} in this run.")
    language = said.get("language") or str(own["language"][0])
    countries = own.filter(language=language)["country"].cast(str).unique().sort().to_list()
    first = said.get("a") or _first(countries, reader.run.focal)
    second = said.get("b") or _first([one for one in countries if one != first], reader.run.focal)
    epoch = str(_whole(request, "epoch", 1))
    return {"question": question, "language": language, "a": first, "b": second, "epoch": epoch}


def _first(countries: list[str], preferred: str | None) -> str:
    if not countries:
        raise InputError("This question was asked about one country only.")
    folded = {country.casefold(): country for country in countries}
    return folded.get((preferred or "").casefold(), countries[0])


def _around(at: str, index: Index, chosen: dict[str, str]) -> dict[str, str | None]:
    questions = index.answers.filter(language=chosen["language"])["question_id"].unique(maintain_order=True).to_list()
    place = questions.index(chosen["question"])
    near = {"previous question": place - 1, "next question": place + 1}
    return {
        text: href(f"{at}/compare", chosen | {"question": questions[to]}) if 0 <= to < len(questions) else None
        for text, to in near.items()
    }


def _whole(request: Request, name: str, otherwise: int) -> int:
    said: Any = request.query_params.get(name, otherwise)
    if not str(said).isascii() or not str(said).isdigit() or not 1 <= int(said) < 10**9:
        raise InputError(f"{name}={said!r}: expected a whole number from 1.")
    return int(said)
