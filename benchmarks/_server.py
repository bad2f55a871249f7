"""A server that answers every chat completion with the same reply, fast enough never to be what is measured.

`python _server.py REPLIES CORE` prints its port; REPLIES is a JSON file: name → what the model says. The first part of
a path names the reply and its latency in milliseconds: `/verdict-0/v1` answers at once, `/verdict-100/v1` after a tenth
of a second. It does not read what it is asked: about 11,000 replies a second from one core, where the tests' scripted
endpoint, which reads and counts every request, gives 3,000.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

PROMPT_TOKENS = 812


def completion(content: str) -> bytes:
    """Return a whole HTTP reply that says `content`."""
    body = json.dumps(
        {
            "id": "chatcmpl-0",
            "object": "chat.completion",
            "created": 1,
            "model": "judge",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, "refusal": None},
                    "finish_reason": "stop",
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": PROMPT_TOKENS,
                "completion_tokens": len(content) // 4,
                "total_tokens": PROMPT_TOKENS + len(content) // 4,
            },
        }
    ).encode()
    return _http(b"200 OK", body)


def _http(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


MODELS = _http(b"200 OK", b'{"object":"list","data":[{"id":"judge","object":"model"}]}')
UNKNOWN = _http(b"404 Not Found", b'{"error":{"message":"unknown path"}}')


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other, each read to its end and answered."""

    def __init__(self, replies: dict[bytes, bytes]) -> None:
        self._replies = replies
        self._seen = b""
        self._end: int | None = None
        """Where the request that is coming in ends; null: its head is not complete."""
        self._path: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where replies go."""
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        """Answer if the request is complete."""
        self._seen += data
        if self._end is None:
            self._read_head()
        if self._end is not None and len(self._seen) >= self._end:
            self._seen, self._end = self._seen[self._end :], None
            self._answer()

    def _read_head(self) -> None:
        head = self._seen.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = self._seen[:head].lower().split(b"\r\n")
        self._path = lines[0].split(b" ")[1].split(b"/")
        lengths = (int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        self._end = head + 4 + next(lengths, 0)

    def _answer(self) -> None:
        name, _, latency = self._path[1].partition(b"-")
        reply = MODELS if self._path[-1] == b"models" else self._replies.get(name, UNKNOWN)
        if int(latency or 0):
            asyncio.get_running_loop().call_later(int(latency) / 1000, self._out.write, reply)
        else:
            self._out.write(reply)


async def main(replies: dict[bytes, bytes]) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(replies), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    said = json.loads(Path(sys.argv[1]).read_text())
    os.sched_setaffinity(0, {int(sys.argv[2])})
    asyncio.run(main({name.encode(): completion(content) for name, content in said.items()}))
