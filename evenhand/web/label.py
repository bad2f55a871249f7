"""`evenhand label`: the routes of blind labelling. The only thing they write is a label."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from evenhand.labelling import Labels
from evenhand.sampling import Drawn, Sample
from evenhand.web.html import href
from evenhand.web.label_page import finished, sheet
from evenhand.web.layout import page
from evenhand.web.server import Served
from runs.errors import EvenhandError, InputError

WRITES = "/label"
"""The path that takes labels."""


class Desk:
    """One person's sample, answer by answer.

    Args:
        sample: what is to be labelled.
        shown: its answers as the person sees them.
        labels: where the labels go.
    """

    def __init__(self, sample: Sample, shown: Sequence[Drawn], labels: Labels) -> None:
        self._sample, self._shown, self._labels = sample, shown, labels
        self._numbers = {(one.item_id, one.epoch): number for number, one in enumerate(shown, start=1)}

    def served(self) -> Served:
        """Return the pages."""
        routes = [
            Route("/", self.entry, methods=["GET"]),
            Route("/answer/{number:int}", self.answer, methods=["GET"]),
            Route("/finished", self.finished, methods=["GET"]),
            Route(WRITES, self.label, methods=["POST"]),
        ]
        return Served(routes, (WRITES,))

    def entry(self, _: Request) -> Response:
        """Go on at the first answer that lacks a label."""
        return RedirectResponse(self._next(), 303)

    def answer(self, request: Request) -> Response:
        """One answer and the levels to choose from."""
        number, now = request.path_params["number"], request.query_params.get("criterion")
        if not 1 <= number <= len(self._shown):
            raise HTTPException(404)
        answer = self._shown[number - 1]
        content = sheet(answer, self._labels.rubric, self._labels.of(answer), self._told(number))
        addresses = {
            "data_before": f"/answer/{number - 1}" if number > 1 else None,
            "data_after": f"/answer/{number + 1}" if number < len(self._shown) else "/finished",
            "data_undo": self._undo(number, now),
            "data_now": now,
            "data_number": number,
        }
        return HTMLResponse(page(self._told(number), content, script="label.js", **addresses))

    def finished(self, _: Request) -> Response:
        """What has been labelled, and what is still to be."""
        content = finished(self._done(), len(self._shown), self._next())
        return HTMLResponse(page("Labelling", content, script="label.js", data_before=f"/answer/{len(self._shown)}"))

    async def label(self, request: Request) -> Response:
        """Take one label; the reply comes when it is on disk."""
        try:
            told = await request.json()
            number, criterion, value, reason = _read(told, len(self._shown))
            answer = self._shown[number - 1]
            await run_in_threadpool(self._labels.give, answer, criterion, value, reason)
        except (ValueError, RecursionError):
            return JSONResponse({"problem": "This is no JSON."}, 400)
        except EvenhandError as error:
            return JSONResponse({"problem": str(error)}, 400 if isinstance(error, InputError) else 500)
        facts = {"complete": self._labels.complete(answer), "next": self._next(number), "done": self._done()}
        return JSONResponse({**facts, "undo": self._undo(number, None)})

    def _next(self, after: int = 0) -> str:
        """Return the address of the next answer that lacks a label, from the first again if there is none behind."""
        order = [*self._shown[after:], *self._shown[:after]]
        open_ = next((one for one in order if not self._labels.complete(one)), None)
        return "/finished" if open_ is None else f"/answer/{self._numbers[open_.item_id, open_.epoch]}"

    def _undo(self, number: int, criterion: str | None) -> str | None:
        """Return the address of the label given last, or of the one before that of `criterion`."""
        given = [
            (self._numbers[item_id, epoch], name)
            for item_id, epoch, name in self._labels.places()
            if (item_id, epoch) in self._numbers
        ]
        if (number, criterion) in given:
            given = given[: given.index((number, str(criterion)))]
        if not given:
            return None
        last, name = given[-1]
        return href(f"/answer/{last}", {"criterion": name})

    def _done(self) -> int:
        return sum(map(self._labels.complete, self._shown))

    def _told(self, number: int) -> str:
        return f"Answer {number} of {len(self._shown)}"


def _read(told: Any, answers: int) -> tuple[int, str, object, str | None]:
    """Return number, criterion, value and reason of a label as the page sends it. Raises `InputError`."""
    if not isinstance(told, Mapping):
        raise InputError("A label is a JSON object.")
    number, criterion, reason = told.get("number"), told.get("criterion"), told.get("reason")
    if type(number) is not int or not 1 <= number <= answers:
        raise InputError(f"number {number!r}: expected 1 to {answers}.")
    if not isinstance(criterion, str) or not isinstance(reason, str | None):
        raise InputError("criterion and reason: expected text.")
    return number, criterion, told.get("value"), (reason or "").strip() or None
