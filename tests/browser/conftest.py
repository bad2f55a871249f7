"""A real headless Chromium, the one of the system: pages are looked at as a user's browser would show them."""

import shutil
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
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


def _origin(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"
