"""A server for this machine alone, from the first request until Ctrl-C."""

import contextlib
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from evenhand.web.guard import Door, Guard
from evenhand.web.html import el
from evenhand.web.layout import page
from runs.errors import EvenhandError, InputError

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """What a server shows."""

    routes: Sequence[BaseRoute]
    writable: tuple[str, ...] = ()
    """The paths that take POST."""


def serve(
    served: Served, *, port: int = 0, open_browser: bool = False, ready: Callable[[str], None] | None = None
) -> None:
    """Show `served` until SIGINT, SIGTERM or SIGHUP.

    Args:
        served: the pages.
        port: where on 127.0.0.1; 0: any that is free.
        open_browser: whether to open the address in the user's browser.
        ready: is told the address, token included, once the pages can be asked for.

    Raises:
        InputError: the port is taken or not ours to take.
    """
    with _listening(port) as listening:
        door = Door(listening.getsockname()[1], served.writable)
        server = uvicorn.Server(_configuration(Guard(application(served.routes), door)))
        # In a thread of its own, so that it also works where an event loop runs already (a notebook).
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        with _ended_by_signals(server):
            thread.start()
            if ready is not None:
                ready(door.address)  # connections wait in the socket until the server takes them
            if open_browser:
                webbrowser.open(door.address)
            thread.join()


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """Return the pages at `routes`, the style sheets and scripts, and errors as pages of one sentence."""
    handlers: dict[Any, Any] = {EvenhandError: _sentence, 404: _nothing, Exception: _broken}
    return Starlette(routes=[*routes, *_static()], exception_handlers=handlers)


def _configuration(app: Guard) -> uvicorn.Config:
    # No access log: it would hold the token. One process, no WebSockets, no headers that claim another address.
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http="h11",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(128)
        except (OSError, OverflowError) as error:
            told = error.strerror if isinstance(error, OSError) else "ports end at 65535"
            raise InputError(
                f"--port {port}: cannot be used ({told}); name another, or leave it out for one that is free."
            ) from None
        yield listening


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let the signals that end a program end the server in order; in a thread of somebody else's do nothing."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the shape of a handler
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _static() -> Iterator[Route]:
    """Yield a route for each file that pages ask for; there is no path in a request that could name another."""
    own, kinds = files("evenhand.web") / "static", {"css": "text/css", "js": "text/javascript"}
    shipped = {file.name: file for file in own.iterdir() if file.name.rpartition(".")[2] in kinds}
    # The report's, so that the colours are said once; by path, for importing the report takes a second.
    shipped["style.css"] = files("analysis") / "report" / "style.css"
    for name, file in sorted(shipped.items()):
        content, kind = file.read_bytes(), kinds[name.rpartition(".")[2]]
        yield Route(f"/static/{name}", _sender(content, kind))


def _sender(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda _: Response(content, media_type=kind)


def _sentence(_: Request, error: Exception) -> Response:
    return _told(str(error), 400 if isinstance(error, InputError) else 500)


def _nothing(_: Request, error: Exception) -> Response:  # noqa: ARG001 — the shape of a handler
    return _told("There is no such page.", 404)


def _broken(_: Request, error: Exception) -> Response:
    # Whatever this is, it is a defect of ours: the traceback goes to the terminal, not to the page.
    return _told(f"This page failed ({type(error).__name__}); the terminal says why.", 500)


def _told(sentence: str, status: int) -> Response:
    body = [el("h1", "Not found" if status == 404 else "Not possible"), el("p", sentence)]
    return HTMLResponse(page("Not possible", body), status)
