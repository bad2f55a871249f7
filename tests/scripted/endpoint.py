"""An endpoint that speaks OpenAI's chat protocol, answers by script, and counts what it is asked.

    python -m tests.scripted.endpoint [--port 0] [--script script.json]     prints its port, serves until it is killed

    POST /v1/chat/completions, GET /v1/models, GET /health
    POST /v1/messages               the same in Anthropic's protocol, as far as a judge's tool call needs it
    GET  /stats                     requests, tokens, most under way at once, and per prompt: requests, replies, faults;
                                    the systems' messages, whole
    GET  /wait?requests=N           answers as soon as so many requests have come (or ?replies=N)
    POST /release                   answers the requests that hang, in the order in which they came
    POST /scripts                   a further endpoint under a path of its own: {"path": "/s1"} (/s1/v1/…, /s1/stats)

One process, one thread, no framework: its own cost must not show in a benchmark.
"""

import argparse
import asyncio
import email.utils
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.scripted import replies
from tests.scripted.script import BROKEN, Rule, Script

SHOWN = 600
"""Characters of a prompt that the counts keep."""
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Count:
    """How often one prompt was asked (of one model, with one seed)."""

    kind: str
    model: str
    seed: int | None
    prompt: str
    """Its beginning."""
    system: int
    """Which of the book's systems' messages stood before it."""
    requests: int = 0
    replies: int = 0
    """Replies without a fault."""
    faults: dict[str, int] = field(default_factory=dict)


class Book:
    """One endpoint: its script, and what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.counts: dict[tuple[str, str, str, object], Count] = {}
        self.systems: dict[str, int] = {}
        """Systems' messages, numbered as they came: few, for they are the same for many prompts."""
        self.requests = self.replies = self.under_way = self.most_under_way = self.tokens = 0
        self.hanging: list[Callable[[], None]] = []
        self._waiting: list[tuple[str, int, Callable[[], None]]] = []

    def facts(self) -> dict[str, Any]:
        """Return all counts."""
        names = ("requests", "replies", "under_way", "most_under_way", "tokens")
        numbers = {name: getattr(self, name) for name in names}
        return {**numbers, "prompts": [asdict(count) for count in self.counts.values()], "systems": list(self.systems)}

    def came(self) -> None:
        """Count a request."""
        self.requests += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self._waiting:
            self.wake()

    def went(self) -> None:
        """Count a request that was answered or broken off."""
        self.replies += 1
        self.under_way -= 1
        if self._waiting:
            self.wake()

    def wait(self, name: str, number: int, then: Callable[[], None]) -> None:
        """Call `then` once the count `name` has reached `number`."""
        self._waiting.append((name, number, then))
        self.wake()

    def wake(self) -> None:
        """Answer those who wait for what has come to pass."""
        ready = [one for one in self._waiting if getattr(self, one[0]) >= one[1]]
        self._waiting = [one for one in self._waiting if one not in ready]
        for _, _, then in ready:
            then()


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests on it are answered one after the other."""

    def __init__(self, books: dict[str, Book]) -> None:
        self._books = books
        self._data = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request once all of it is there."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].decode("latin-1")
        line, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        length = int(headers.get("content-length", 0))
        if len(self._data) < end + 4 + length:
            return
        content = bytes(self._data[end + 4 : end + 4 + length])
        del self._data[: end + 4 + length]
        method, target, _ = line.split(" ")
        self._route(method, target, headers, content)

    def _route(self, method: str, target: str, headers: dict[str, str], content: bytes) -> None:
        url = urlsplit(target)
        name, _, path = url.path.partition("/v1/") if "/v1/" in url.path else url.path.rpartition("/")
        book = self._books.get(name)
        if book is None:
            self._send(404, {"error": {"message": f"there is no {target}"}})
        elif path in ("chat/completions", "messages") and method == "POST":
            self._chat(book, headers, content)
        elif path == "scripts" and method == "POST":
            self._books[f"/s{len(self._books)}"] = Book(Script.read(json.loads(content)))
            self._send(200, {"path": f"/s{len(self._books) - 1}"})
        elif path == "release" and method == "POST":
            held, book.hanging = book.hanging, []
            for release in held:
                release()
            self._send(200, {"released": len(held)})
        elif path == "wait":
            ((what, (number, *_)),) = parse_qs(url.query).items()
            book.wait(what, int(number), lambda: self._send(200, {"requests": book.requests, "replies": book.replies}))
        else:
            self._look(book, path, headers)

    def _look(self, book: Book, path: str, headers: dict[str, str]) -> None:
        if path == "stats":
            self._send(200, book.facts())
        elif path == "health":
            self._send(200, {})
        elif not self._key_fits(book, headers):
            self._send(401, {"error": {"message": "Incorrect API key provided."}})
        elif path == "models":
            models = [{"id": model, "object": "model"} for model in book.script.models or ("scripted",)]
            self._send(200, {"object": "list", "data": models})
        else:
            self._send(404, {"error": {"message": f"there is no {path}"}})

    def _key_fits(self, book: Book, headers: dict[str, str]) -> bool:
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        return book.script.key is None or given == book.script.key

    def _chat(self, book: Book, headers: dict[str, str], content: bytes) -> None:
        book.came()
        if book.script.capacity is not None and book.under_way > book.script.capacity:
            self._send(429, {"error": {"message": "Too many requests at once."}})
            book.went()
            return
        request = json.loads(content)
        model = str(request.get("model"))
        if not self._key_fits(book, headers):
            self._answer(book, lambda: self._send(401, {"error": {"message": "Incorrect API key provided."}}))
            return
        if book.script.models and model not in book.script.models:
            told = {"error": {"message": f"The model `{model}` does not exist.", "code": 404}}
            self._answer(book, lambda: self._send(404, told))
            return
        refused = book.script.refused(request)
        if refused is not None:
            told = {"error": {"message": f"Unsupported parameter: '{refused}' is not supported.", "param": refused}}
            self._answer(book, lambda: self._send(400, told))
            return
        schema = _schema(request)
        kind = "answer" if schema is None else "verdict"
        system, prompt = replies.prompt_of(request)
        key = (system, prompt, model, request.get("seed"))
        count = book.counts.get(key)
        if count is None:
            number = book.systems.setdefault(system, len(book.systems))
            count = book.counts[key] = Count(kind, model, request.get("seed"), prompt[:SHOWN], number)
        count.requests += 1
        rule = self._rule(book, kind, prompt, repr(key) if book.script.rules else "", count.requests)
        if rule is None:
            count.replies += 1
        else:
            count.faults[rule.fault] = count.faults.get(rule.fault, 0) + 1
        if schema is None:
            said = replies.answer(prompt, request.get("seed"), model, book.script.words)
        else:
            said = replies.verdict(schema, prompt, model, book.script)
        reply = replies.body(said, request, rule, prompt_tokens=len(content) // 4)
        if rule is None or rule.fault not in BROKEN:
            book.tokens += reply.get("usage", {}).get("total_tokens", 0)
        if "tools" in request:
            reply = replies.as_message(reply, request["tools"][0]["name"])
        self._answer(book, lambda: self._deliver(reply, rule), rule)

    @staticmethod
    def _rule(book: Book, kind: str, prompt: str, key: str, attempt: int) -> Rule | None:
        seed = book.script.seed
        return next((rule for rule in book.script.rules if rule.meets(kind, prompt, key, attempt, seed)), None)

    def _answer(self, book: Book, send: Callable[[], None], rule: Rule | None = None) -> None:
        """Send a reply when it is due."""

        def due() -> None:
            if not self._transport.is_closing():
                send()
            book.went()

        if rule is not None and rule.fault == "hang":
            book.hanging.append(due)
            return
        later = book.script.latency + (rule.seconds if rule is not None else 0)
        if later:
            asyncio.get_running_loop().call_later(later, due)
        else:
            due()

    def _deliver(self, reply: dict[str, Any], rule: Rule | None) -> None:
        match rule.fault if rule is not None and rule.fault in BROKEN else None:
            case "rate_limit":
                self._send(429, {"error": {"message": "Rate limit reached."}}, _retry_after(rule))
            case "http":
                status = rule.status if rule is not None else 500
                told = (rule.text if rule is not None else "") or "The server had an error."
                self._send(status, {"error": {"message": told}}, _retry_after(rule))
            case "cut_headers":
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
                self._transport.close()
            case "cut_body":
                whole = _http(200, _json(reply))
                self._transport.write(whole[: len(whole) - len(_json(reply)) // 2])
                self._transport.close()
            case "malformed_json":
                self._transport.write(_http(200, _json(reply)[:-20] + b"}"))
            case "no_completion":
                self._send(200, {"object": "list", "data": []})
            case "no_choices":
                self._send(200, {**reply, "choices": []})
            case _:
                self._send(200, reply)

    def _send(self, status: int, content: dict[str, Any], header: str = "") -> None:
        self._transport.write(_http(status, _json(content), header))


def _schema(request: dict[str, Any]) -> dict[str, Any] | None:
    wanted = request.get("response_format") or {}
    (tool,) = request.get("tools") or [{}]
    schema: dict[str, Any] | None = tool.get("input_schema") or (wanted.get("json_schema") or {}).get("schema")
    return schema


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode("ascii")


def _http(status: int, content: bytes, header: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n{header}"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode("ascii") + content


def _retry_after(rule: Rule | None) -> str:
    if rule is None or rule.retry_after is None:
        return ""
    date = email.utils.formatdate(time.time() + rule.retry_after, usegmt=True)
    return f"Retry-After: {date if rule.as_date else rule.retry_after}\r\n"


async def serve(port: int, script: Script) -> None:
    """Serve until the process ends; say the port on stdout first."""
    books = {"": Book(script)}
    server = await asyncio.get_running_loop().create_server(lambda: Connection(books), "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="An endpoint that answers by script.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--script", type=Path, help="a JSON file; none: no faults, no latency")
    options = parser.parse_args()
    script = Script.read(json.loads(options.script.read_text("utf-8"))) if options.script else Script()
    asyncio.run(serve(options.port, script))


if __name__ == "__main__":
    main()
