"""A real headless Chromium, the one of the system: pages are looked at as a user's browser would show them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Chromium asks its maker's servers for updates and the like unless told not to; as root it has no sandbox.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium. Playwright keeps an event loop going meanwhile, so not beyond one module."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine; install the distribution's package `chromium`")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a file or an address in a context of its own (options: Playwright's `new_context`).

    An error in the console, an exception, or a request to anywhere else fails the test that opened the page.
    """
    contexts, wrong = [], []

    def opened(target: Path | str, **options: object) -> Page:
        address = target.as_uri() if isinstance(target, Path) else target
        home = (address if isinstance(target, Path) else _origin(address), "data:", "blob:")

        def requested(request: Request) -> None:
            if not request.url.startswith(home):
                wrong.append(f"asked for {request.url}")

        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", requested)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@dataclass
class Server:
    """`evenhand view` or `evenhand label` in a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    """What it printed: with the token."""

    @property
    def at(self) -> str:
        """The address without the token, and without a slash at its end."""
        return self.address.partition("/?")[0]

    @property
    def port(self) -> int:
        return int(self.at.rpartition(":")[2])

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send it a signal; return its exit code and all that it said on stderr."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Server]]:
    """Return a function that starts `evenhand` with arguments and waits until it has printed its address."""
    servers: list[Server] = []

    def start(*arguments: object) -> Server:
        command = [sys.executable, "-m", "evenhand", *map(str, arguments), "--no-open"]
        environment = os.environ | {"NO_COLOR": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        servers.append(Server(process, process.stdout.readline().strip()))
        assert servers[-1].address.startswith("http://127.0.0.1:"), process.communicate()
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            code, err = server.end()
            assert code == 0, err
            assert "Traceback" not in err, err
        for pipe in (server.process.stdout, server.process.stderr):
            if pipe is not None:
                pipe.close()


def _origin(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"
