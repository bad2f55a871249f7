"""Read vLLM's log: what it is doing, and why it died."""

import re
from collections.abc import Iterator

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = re.compile(
    r"^(?:\([\w.-]+ pid=\d+\) )*"
    r"(?:(?:INFO|WARNING|ERROR|DEBUG|CRITICAL) [\d:. -]+\[[^\]]+\] ?)?"
    r"(?:(?:INFO|WARNING|ERROR): +)?"
)
_DULL = re.compile(
    r"^\W*$|^Route: |^non-default args|█|▀|Warning|warnings\.warn|deprecated|[Tt]riton|libtcmalloc|libiomp|ulimit|"
    r"^(usage: |\[-|File \"|Traceback|Final IR op|Enabled custom|Available routes|The global random seed|wrapper = |"
    r"if hasattr|Reset SSM|Scale-out|Supported tasks)"
)
_RAISED = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?([A-Z]\w*(?:Error|Exception|Interrupt|Exit|NotFound))(?:: (.*))?$")
_REFUSED = re.compile(r"^[\w.-]+\.py: error: (.+)$")
_ENGINE_LOST = re.compile(r"EngineDeadError|Engine core initialization failed|died unexpectedly")
_POINTS_ELSEWHERE = re.compile(_ENGINE_LOST.pattern + r"|See (?:root cause|stack trace)|SystemExit|KeyboardInterrupt")
_ENDS = re.compile(
    r" \[type=|^Traceback|^\s*For further information visit|^\s+File \"|^\s*$|^During handling|^The above exception"
)

NO_SUCH_MODEL = (
    "is not a valid model identifier",
    "is not a local folder",
    "Invalid repository ID",
    "Repo id must",
    "RepositoryNotFound",
    "Repository Not Found",
    "GatedRepo",
    "Cannot access gated repo",
    "401 Client Error",
)
"""What the hub and vLLM say of a name that leads to no model."""


def clean(line: str) -> str:
    """Return what a log line says, without colours, process, level, time and place."""
    return _PREFIX.sub("", _ANSI.sub("", line.rpartition("\r")[2])).rstrip()


def latest(text: str) -> str | None:
    """Return the last line of `text` that tells someone who waits what is going on; null if there is none."""
    told = (clean(line).strip() for line in reversed(text.split("\n")) if " WARNING " not in line)
    return next((line[:160] for line in told if line and not _DULL.search(line)), None)


def refusal(text: str) -> str | None:
    """Return what vLLM's command line said against its arguments; null if it took them."""
    found = [match[1] for line in text.split("\n") if (match := _REFUSED.match(clean(line)))]
    return found[-1] if found else None


def cause(text: str) -> str | None:
    """Return the error that ended vLLM, as one line; null if the log holds none that tells.

    It is the last one raised that does not merely point at another: a failed worker makes the engine fail, and the
    engine the server, and each prints its own traceback.
    """
    telling = [error for error in _raised(text.split("\n")) if not _POINTS_ELSEWHERE.search(error)]
    return telling[-1] if telling else None


def engine_lost(text: str) -> bool:
    """Whether the server says that its engine is gone."""
    return bool(_ENGINE_LOST.search(text))


def tail(text: str, lines: int = 5) -> list[str]:
    """Return the last `lines` of a log that say anything."""
    return [line for raw in text.split("\n") if (line := clean(raw)).strip()][-lines:]


def _raised(lines: list[str]) -> Iterator[str]:
    """Yield the last part of every traceback in `lines`, on one line."""
    for number, line in enumerate(lines):
        match = _RAISED.match(clean(line))
        if match is None:
            continue
        message = [match[2] or ""]
        for following in lines[number + 1 : number + 10]:
            if _prefix(following) != _prefix(line):  # the next thing that was logged
                break
            told = clean(following)
            message.append(_ENDS.split(told)[0])
            if _ENDS.search(told):
                break
        yield _one_line(match[1], message)


def _prefix(line: str) -> str:
    match = _PREFIX.match(_ANSI.sub("", line))
    return match[0].rstrip() if match else ""


def _one_line(name: str, message: list[str]) -> str:
    told = " ".join(" ".join(message).split())
    told = re.sub(r"^\d+ validation errors? for \w+ ", "", told).removeprefix("Value error, ")
    told = told if len(told) <= 400 else told[:397] + "..."
    return f"{name}: {told}" if told and name != "ValidationError" else told or name
