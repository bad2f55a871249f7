"""Items → responses: every item asked in every epoch, as fast as the endpoint lets us."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from runs.budget import Budget
from runs.calls import CallError, HeldBack, Tally, Work, work
from runs.chat import ChatClient
from runs.digest import digest
from runs.errors import InputError
from runs.frames import FailureKind, Status
from runs.gate import Gate
from runs.prices import cost
from runs.progress import Progress
from runs.settings import Generation
from runs.store import Run
from runs.thinking import opened_by_template, parts_joined, split_thinking


@dataclass(frozen=True)
class Asked:
    """One answer to get."""

    key: str
    item_id: str
    epoch: int
    prompt: str


def plan(items: pl.DataFrame, generation: Generation) -> list[Asked]:
    """Return every answer that the design calls for, epoch by epoch, so that an early stop leaves whole epochs.

    Raises:
        InputError: an item has no prompt (imported answers cannot be asked again).
    """
    missing = items.filter(pl.col("prompt").is_null())
    if missing.height:
        raise InputError(f"item {missing['item_id'][0]!r} has no prompt: imported answers cannot be generated again.")
    asked = []
    for epoch in range(1, generation.epochs + 1):
        for item_id, prompt in items.select("item_id", "prompt").iter_rows():
            key = _key(generation.identity, item_id, prompt, epoch)
            asked.append(Asked(key, item_id, epoch, prompt))
    return asked


def keys(items: pl.DataFrame, identity: Mapping[str, Any], epochs: int) -> dict[str, tuple[str, int]]:
    """Return every key that answers to `items` have under a generation's identity, with its item's id and epoch."""
    return {
        _key(identity, item_id, prompt, epoch): (item_id, epoch)
        for epoch in range(1, epochs + 1)
        for item_id, prompt in items.select("item_id", "prompt").iter_rows()
    }


def _key(identity: Mapping[str, Any], item_id: str, prompt: str, epoch: int) -> str:
    return digest([identity, item_id, prompt, epoch])


def pending(run: Run, generation: Generation) -> list[Asked]:
    """Return the answers of `run` that are not there yet.

    Answers to the same prompts under the same settings in other runs of the study are taken over, not asked again.

    Raises:
        InputError: see `plan`.
        StoreError: the disk refuses.
    """
    asked = plan(run.items(), generation)
    wanted = {task.key for task in asked} - run.ledger.keys()
    if wanted:
        wanted -= run.ledger.adopt((sibling.ledger for sibling in run.siblings()), wanted)
    return [task for task in asked if task.key in wanted]


async def generate(
    run: Run, generation: Generation, asked: Sequence[Asked], client: ChatClient, progress: Progress, budget: Budget
) -> Tally:
    """Ask for the answers in `asked` and write them to `run`, as far as the budget goes.

    Raises:
        EndpointError: the endpoint cannot serve; what came before is on disk.
        StoreError: the disk refuses.
    """
    total = run.items().height * generation.epochs
    opened = opened_by_template(generation.model) if generation.thinking is None else generation.thinking

    async def call(task: Asked) -> Mapping[str, Any]:
        started = time.monotonic()
        try:
            reply = await client.complete(generation.request(task.prompt, task.epoch))
        except HeldBack as held:
            read: dict[str, Any] = {"status": Status.FILTERED, "message": str(held)}
        else:
            read = read_reply(reply, opened=opened)
        record = {**_of(task, generation), **read, "seconds": time.monotonic() - started}
        return {**record, "cost": cost(generation, generation.model, record)}

    stage = progress.stage("answers", total=total, done=total - len(asked))
    try:
        return await work(
            Work(
                tasks=asked,
                call=call,
                identify=lambda task: {**_of(task, generation), "status": Status.ERROR},
                ledger=run.ledger,
                gate=Gate(generation.concurrency),
                attempts=generation.attempts,
                stage=stage,
                budget=budget,
                warn=progress.warn,
            )
        )
    finally:
        stage.end()


def read_reply(reply: Mapping[str, Any], *, opened: bool) -> dict[str, Any]:
    """Return what a chat completion says, as columns of RESPONSES.

    Args:
        reply: the endpoint's JSON.
        opened: whether the chat template opened the thinking.

    Raises:
        CallError: something stands where text is expected.
    """
    choice = reply["choices"][0]
    message, finish = parts_joined(choice["message"]), _text(choice, "finish_reason")
    apart = _text(message, "reasoning_content") or _text(message, "reasoning")
    split = split_thinking(_text(message, "content"), opened=opened and not apart, cut_off=finish == "length")
    text = split.text or _text(message, "refusal")
    usage = reply.get("usage")
    return {
        "status": _status(finish, text),
        "text": text,
        "reasoning": apart or split.reasoning,
        "finish_reason": finish,
        "prompt_tokens": _count(usage, "prompt_tokens"),
        "completion_tokens": _count(usage, "completion_tokens"),
    }


def _text(content: Mapping[str, Any], name: str) -> str | None:
    """Return the text under `name`; null: there is none."""
    value = content.get(name)
    if value is None or isinstance(value, str):
        return value
    told = f"the reply's {name!r} is no text but of another kind."
    raise CallError(FailureKind.ENDPOINT, told, again=True)


def _count(usage: Any, name: str) -> int | None:
    """Return a number of tokens; null where the server says none that can be one."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _status(finish: str | None, text: str | None) -> Status:
    # Truncation outranks the rest: a model that ran out of tokens is not to be taken for a silenced one.
    if finish == "length":
        return Status.TRUNCATED
    if finish == "content_filter":
        return Status.FILTERED
    return Status.OK if text else Status.EMPTY


def _of(task: Asked, generation: Generation) -> dict[str, Any]:
    return {"key": task.key, "item_id": task.item_id, "epoch": task.epoch, "model": generation.model}
