"""Nobody else gets in: not other machines, not other users without the token, not other pages in the same browser.

The token stands in the address that the command prints. At the first load it moves into a cookie that scripts cannot
read and other sites cannot send, so that it is in no address, history entry or referrer afterwards.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
"""Bytes of a request."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""What every response carries."""


@dataclass(frozen=True)
class Door:
    """Where the pages are, and what opens them."""

    port: int
    writable: tuple[str, ...] = ()
    """The paths that take POST."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def address(self) -> str:
        """The address that lets its reader in."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The cookie's name; browsers share cookies between the ports of a machine."""
        return f"evenhand-{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """How this machine calls us; any other name is another site's that points here (DNS rebinding)."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"


class Guard:
    """An application that is only asked by whoever may."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        answer = self._refusal(scope) or self._admission(scope) or self._app
        await answer(scope, receive, told)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that comes from elsewhere, or is none of ours."""
        headers = Headers(scope=scope)
        here = [f"http://{host}" for host in self._door.hosts]
        if headers.getlist("host") not in ([host] for host in self._door.hosts):
            return _no(f"These pages are at {here[0]} only; a tunnel to them must end at the same port.")
        origins = headers.getlist("origin")
        if any(origin not in here for origin in origins):
            return _no("This request was made by another page.")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _no("Another page led here; paste the address that the command printed into the address bar.")
        return None if scope["method"] in ("GET", "HEAD") else self._unwritable(scope, headers)

    def _unwritable(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that would write what, or as, nobody may."""
        if scope["method"] != "POST" or scope["path"] not in self._door.writable:
            return _no("These pages can only be read.", 405)
        if len(headers.getlist("origin")) != 1:
            return _no("This request does not say which page made it.")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _no("Expected JSON.", 415)
        if not 0 < _length(headers) <= LARGEST_BODY:
            return _no(f"Expected a body of at most {LARGEST_BODY} bytes, and its length.", 413)
        return None

    def _admission(self, scope: Scope) -> Response | None:
        """Return the answer to a request without the cookie: the cookie, if it brings the token."""
        query = QueryParams(scope["query_string"])
        if (shown := query.get("token")) is not None and self._opens(shown) and scope["method"] == "GET":
            rest = urlencode([(name, value) for name, value in query.multi_items() if name != "token"])
            # Two slashes at the beginning would be another machine's name.
            path = "/" + scope["path"].lstrip("/\\")
            response = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
            response.set_cookie(self._door.cookie, self._door.token, httponly=True, samesite="strict", path="/")
            return response
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        if self._opens(cookies.get(self._door.cookie, "")):
            return None
        return _no("Open the address that the command printed: it holds the token that lets you in.")

    def _opens(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), self._door.token.encode())


def _length(headers: Headers) -> int:
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0


def _no(why: str, status: int = 403) -> Response:
    return PlainTextResponse(why + "\n", status)
