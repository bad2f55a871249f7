"""Everything that reads bytes from outside, one function each: any bytes are read, or refused in one sentence.

A reader returns or raises; what may be raised is `EvenhandError` (a sentence, exit code 2) and, where an endpoint
spoke, `CallError` (a failure's row). Anything else is a find.
"""

import asyncio
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import openai
from typer.testing import CliRunner

from evenhand import import_, show_failures, show_item, show_run
from evenhand.analysing import analyze
from evenhand.cli import app
from evenhand.study import read_study
from evenhand.tabular import Misfit, place_of, read_table
from judging.client import JudgeClient
from judging.levels import expected_scores
from judging.lines import Meter
from judging.objects import last_object
from judging.replies import Message, refusal, verdict_text
from judging.settings import Judge
from judging.variants import mask, swap
from rubrics import Rubric, dump_toml, instructions, lint_rubric, load_rubric, read_reply, response_model
from runs import chat, countries, vllm_log
from runs import generate as answers
from runs.calls import CallError
from runs.errors import LONGEST, EvenhandError
from runs.frames import ITEMS, RESPONSES, VERDICTS, frame
from runs.items import preview
from runs.journal import Damaged
from runs.ledger import Ledger
from runs.prices import cost
from runs.question_lint import lint_questions
from runs.questions import QuestionSet
from runs.settings import Endpoint
from runs.store import open_run
from runs.templates import parse_template
from runs.thinking import opened_by_template, split_thinking
from runs.tomlfile import parse, parse_toml

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
"""A disk in memory where there is one: files are written for every input."""
URL = "http://127.0.0.1:9/v1"


@dataclass(frozen=True)
class Reader:
    """One way in."""

    name: str
    read: Callable[[bytes], object]
    """Takes any bytes; raises nothing but `REFUSALS`."""
    format: str
    """What valid input looks like (`toml`, `json`, `csv`, `parquet`, `text`, `words`): how it is mutated."""
    share: float
    """Of a whole run's inputs."""


REFUSALS = (EvenhandError, CallError)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder in memory, the same for all inputs of a process, and empty it again."""
    home = _home()
    try:
        yield home
    finally:
        for root, folders, files in os.walk(home, topdown=False):
            for name in files:
                os.unlink(os.path.join(root, name))  # noqa: PTH108, PTH118 — the fast way
            for name in folders:
                os.rmdir(os.path.join(root, name))  # noqa: PTH106, PTH118


@cache
def _home() -> Path:
    return Path(tempfile.mkdtemp(prefix="evenhand-fuzz-", dir=MEMORY))


def _text(data: bytes) -> str:
    """Return any text, half surrogate pairs among it."""
    return (
        data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")
        if _is_wtf8(data)
        else data.decode("latin-1")
    )


def _is_wtf8(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes) -> list[str]:
    return _text(data).split("\n")


def toml(data: bytes) -> object:
    return parse_toml(data, "x.toml")


def study(data: bytes) -> object:
    plan = read_study(parse_toml(data, "x.toml"), Path("x/study.toml"))
    return json.dumps(plan.resolved(), allow_nan=False)


def rubric(data: bytes) -> object:
    read = parse(Rubric, parse_toml(data, "x.toml"), "x.toml")
    assert parse(Rubric, parse_toml(dump_toml(read).encode(), "y.toml"), "y.toml") == read
    response_model(read.criteria[:5])
    return read.digest, instructions(read.criteria), lint_rubric(read, ("China", "Chinese"))


def questions(data: bytes) -> object:
    read = parse(QuestionSet, parse_toml(data, "x.toml"), "x.toml")
    return lint_questions(read), [preview(read, "CN", language) for language in read.languages]


def template(data: bytes) -> object:
    text = _text(data)
    try:
        parsed = parse_template(text)
    except ValueError as error:  # which a question set says with the question's name
        return str(error)
    return [parsed.render(code, countries.get("NL").forms(code)) for code in ("en", "fr", "es", "ar", "de", "zh")]


def country(data: bytes) -> object:
    return countries.resolve(_lines(data))


RESPONSE_COLUMNS = ("question_id", "country", "text"), ("language", "epoch", "model", "status", "sensitive")


def _table(suffix: str, data: bytes) -> object:
    with folder() as home:
        path = home / f"a{suffix}"
        path.write_bytes(data)
        table = read_table(path, {"answer": "text"}, *RESPONSE_COLUMNS)
        for _, row in table:
            with contextlib.suppress(Misfit):
                place_of(row)
        return table


def csv(data: bytes) -> object:
    return _table(".csv", data)


def jsonl(data: bytes) -> object:
    return _table(".jsonl", data)


def parquet(data: bytes) -> object:
    return _table(".parquet", data)


def imported(data: bytes) -> object:
    """Answers and verdicts into a store, as `evenhand import` does; a line `---` stands between the two files."""
    first, _, second = data.partition(b"\n---\n")
    with folder() as home:
        (home / "a.jsonl").write_bytes(first)
        (home / "v.csv").write_bytes(second)
        result = import_(home / "a.jsonl", verdicts=home / "v.csv" if second else None, root=home / "r")
        return [one.run.responses().collect() for one in result.runs]


def journal(data: bytes) -> object:
    """Records and failures of a ledger; a line `---` stands between the two files."""
    first, _, second = data.partition(b"\n---\n")
    with folder() as home:
        (home / "verdicts.jsonl").write_bytes(first)
        if second:
            (home / "failures.jsonl").write_bytes(second)
        ledger = Ledger(home, "verdicts", VERDICTS)
        keys = ledger.keys()
        found = ledger.scan().collect()
        assert keys <= set(found["key"])
        assert found["key"].is_unique().all()
        assert all(isinstance(line, Damaged) for line in ledger.damaged())
        return found


def manifest(data: bytes) -> object:
    """A run's folder that came from elsewhere: run.json, then scoring.json after a line `---`."""
    first, _, second = data.partition(b"\n---\n")
    with folder() as home:
        run = home / "run"
        scoring = run / "scorings" / "s"
        scoring.mkdir(parents=True)
        for name, content in _store().items():
            (run / name).write_bytes(content)
        (run / "run.json").write_bytes(first)
        if second:
            (scoring / "scoring.json").write_bytes(second)
        opened = open_run(run)
        return show_run(opened), show_item(opened, "q/CN/en"), show_failures(opened), analyze(opened)


@cache
def _store() -> dict[str, bytes]:
    """Return the other files of a run with one question and two countries."""
    items = [
        {"item_id": f"q/{code}/en", "question_id": "q", "country": code, "language": "en", "prompt": "p"}
        for code in ("CN", "US")
    ]
    rows = [
        {"key": one["item_id"], "item_id": one["item_id"], "epoch": 1, "model": "m", "status": "ok", "text": "t"}
        for one in items
    ]
    verdicts = [
        {
            "key": one["item_id"],
            "item_id": one["item_id"],
            "epoch": 1,
            "repeat": 1,
            "scores": [{"criterion": "refusal", "score": 0.0}],
        }
        for one in items
    ]
    return {
        "items.parquet": _parquet(frame(items, ITEMS)),
        "responses.parquet": _parquet(frame(rows, RESPONSES)),
        "scorings/s/verdicts.parquet": _parquet(frame(verdicts, VERDICTS)),
        "scorings/s/rubric.toml": dump_toml(load_rubric("refusal")).encode(),
    }


def _parquet(content: Any) -> bytes:
    buffer = io.BytesIO()
    content.write_parquet(buffer)
    return buffer.getvalue()


def thinking(data: bytes) -> object:
    text = _text(data)
    return opened_by_template(text), [split_thinking(text, opened=opened, cut_off=opened) for opened in (False, True)]


def masked(data: bytes) -> object:
    text = _text(data)
    return mask(text, "CN", "en"), swap(text, "US", "NL", "fr")


def reply(data: bytes) -> object:
    """The body of an answer."""
    body = data.decode("utf-8", "replace")
    said = answers.read_reply(chat._completion(URL, body), opened=True)
    return frame([{**said, "cost": cost(Endpoint(endpoint=URL), "m", said)}], RESPONSES)


def refused(data: bytes) -> object:
    """An error's body, and a Retry-After header in its first line."""
    head, _, body = data.partition(b"\n")
    after = chat.retry_after({"Retry-After": _text(head)})
    assert after is None or 0 <= after < float("inf")
    return [
        chat.http_failure(URL, "m", status, body.decode("utf-8", "replace"), after) for status in (400, 401, 429, 500)
    ]


def verdict(data: bytes) -> object:
    """The content of a judge's message, without the way there: the parts that instructor calls, and the levels'."""
    text = _text(data)
    criteria = load_rubric("candour").criteria
    place = verdict_text(Message(content=text, reasoning=text))
    refusal(text)
    found = last_object(text)
    spans = found.values.values() if found else ()
    assert found is None or all(found.start < start < end < found.end <= len(text) for start, end in spans)
    top = [openai.types.chat.chat_completion_token_logprob.TopLogprob(token=text[-9:], logprob=-1.0)]
    tokens = [
        openai.types.chat.ChatCompletionTokenLogprob(token=part, logprob=-0.1, top_logprobs=top)
        for part in (text[:9], text[9:])
    ]
    expected_scores(tokens, criteria, reasons=True)
    try:
        read = _form().model_validate_json(place or text)
    except ValueError:
        return None
    return read_reply(criteria, read)


@cache
def _form() -> Any:
    return response_model(load_rubric("candour").criteria)


def judged(data: bytes) -> object:
    """The body of a judge's reply, through openai's and instructor's clients; the network alone is left out."""
    return _loop().run_until_complete(_judged(data))


async def _judged(data: bytes) -> object:
    client, body = _judge()
    body[0] = data
    meter = Meter()
    try:
        criteria = load_rubric("candour").criteria
        scores = read_reply(criteria, await client.ask(_form(), [{"role": "user", "content": "x"}], 1, meter))
    except CallError as failure:
        frame([{**meter.facts(), **failure.facts, "kind": failure.kind, "message": str(failure)}], VERDICTS)
        raise
    return frame(
        [{**meter.facts(), "scores": [{"criterion": one.criterion, "score": one.score} for one in scores]}], VERDICTS
    )


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _judge() -> tuple[JudgeClient, list[bytes]]:
    body = [b""]
    client = JudgeClient(Judge(model="j", endpoint=URL, repairs=1, logprobs=True), [URL], "sk-long-and-secret")
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body[0]))
    line: Any = client._line
    line._client = line._client.copy(http_client=httpx2.AsyncClient(transport=transport))
    return client, body


def log(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return (
        vllm_log.latest(text),
        vllm_log.refusal(text),
        vllm_log.cause(text),
        vllm_log.engine_lost(text),
        vllm_log.tail(text),
    )


def price(data: bytes) -> object:
    first, _, second = _text(data).partition("\n")
    endpoint = parse(Judge, {"model": second or "m", "endpoint": first} if first else {"model": second or "m"}, "x")
    found = cost(endpoint, endpoint.served_model, {"prompt_tokens": 1, "completion_tokens": None})
    assert found is None or 0 <= found < 1e9
    return found


VERBS = ("analyze", "agree", "show", "list", "questions", "rubrics", "check", "power", "import", "report", "score")


def options(data: bytes) -> object:
    """A command line: words between NULs, after one of the verbs that start nothing."""
    words = [word for word in _text(data).split("\0") if word != "--endpoint"]
    if not words or words[0] not in VERBS:
        words = [VERBS[len(data) % len(VERBS)], *words]
    with folder() as home, contextlib.chdir(home):
        (home / "a.csv").write_bytes(b"question_id,country,text\nq,CN,x\nq,US,y\n")
        outcome = CliRunner().invoke(app, words, catch_exceptions=True)
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit | EvenhandError):
        raise outcome.exception
    return outcome.exit_code


READERS = {
    reader.name: reader
    for reader in (
        Reader("toml", toml, "toml", 0.1),
        Reader("study", study, "toml", 0.01),
        Reader("rubric", rubric, "toml", 0.02),
        Reader("questions", questions, "toml", 0.02),
        Reader("template", template, "text", 0.06),
        Reader("country", country, "text", 0.02),
        Reader("csv", csv, "csv", 0.02),
        Reader("jsonl", jsonl, "json", 0.06),
        Reader("parquet", parquet, "parquet", 0.0003),
        Reader("imported", imported, "json", 0.002),
        Reader("journal", journal, "json", 0.005),
        Reader("manifest", manifest, "json", 0.002),
        Reader("thinking", thinking, "text", 0.3),
        Reader("masked", masked, "text", 0.03),
        Reader("reply", reply, "json", 0.12),
        Reader("refused", refused, "json", 0.1),
        Reader("verdict", verdict, "json", 0.03),
        Reader("judged", judged, "json", 0.002),
        Reader("log", log, "text", 0.06),
        Reader("price", price, "text", 0.02),
        Reader("options", options, "words", 0.004),
    )
}
"""Every reader by name."""


def finds(reader: Reader, data: bytes) -> str | None:
    """Return what went wrong as `kind at file:line`; null if `data` was read or refused."""
    try:
        reader.read(data)
    except REFUSALS as refusal:
        told = str(refusal)
        longest = 10_000 if isinstance(refusal, CallError) else LONGEST + 10
        return None if told.strip() and len(told) <= longest else f"no sentence but {len(told)} characters"
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        return f"{type(error).__name__} at {_where(error)}: {str(error)[:200]!r}"
    return None


def _where(error: BaseException) -> str:
    root, place, trace = str(Path(__file__).parents[2]), "?", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(root) and ".venv" not in file and "/tests/" not in file:
            place = f"{file.removeprefix(root + os.sep)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
