"""What all pages share: the frame around them, and how long texts stand in them."""

from collections.abc import Mapping

from evenhand.web.html import Child, Markup, bdi, el, joined

FOLDED = 3_000
"""Characters above which a text is folded."""
SHOWN = 1_500
"""Characters of a folded text that are shown."""


def page(
    title: str, body: Child, *, links: Mapping[str, str] | None = None, script: str | None = None, **data: object
) -> str:
    """Return a whole page.

    Args:
        title: plain text.
        body: what stands in `main`.
        links: of the navigation: text → address.
        script: the file in `static/` that the page runs.
        data: attributes of `body`, for the script.
    """
    head = (
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{title} – evenhand"),
        el("link", rel="icon", href="data:,"),
        el("link", rel="stylesheet", href="/static/style.css"),
        el("link", rel="stylesheet", href="/static/local.css"),
        el("script", type="module", src=f"/static/{script}") if script else None,
    )
    places = [el("li", el("a", text, href=address)) for text, address in (links or {}).items()]
    navigation = el("nav", el("ul", places), aria_label="Pages") if places else None
    content = (
        el("a", "Skip to the content", href="#main", class_="skip"),
        el("header", navigation, class_="top") if navigation else None,
        el("main", body, id="main", tabindex="-1"),
    )
    whole = el("html", el("head", head), el("body", content, **data), lang="en")
    return f"<!doctype html>\n{whole}\n"


def prose(text: str | None, nothing: str = "(no text)") -> Markup:
    """Return a text of any length as it is, folded if it is long; `nothing` if there is none."""
    if not text:
        return el("p", nothing, class_="muted")
    if len(text) <= FOLDED:
        return el("div", text, class_="prose", dir="auto")
    rest = el("details", el("summary", f"the other {len(text) - SHOWN:,} characters"), _block(text[SHOWN:]))
    return joined(_block(text[:SHOWN]), rest)


def scrolling(table: Markup, name: str) -> Markup:
    """Return a table that may be wider than the page, in a region that the keyboard can scroll."""
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label=name)


def facts(pairs: Mapping[str, Child]) -> Markup:
    """Return names and values; null values are left out."""
    shown = ((el("dt", name), el("dd", value)) for name, value in pairs.items() if value is not None)
    return el("dl", shown, class_="facts")


def options(values: Mapping[str, str], chosen: str | None) -> list[Markup]:
    """Return the options of a select: value → text."""
    return [el("option", text, value=value, selected=value == (chosen or "")) for value, text in values.items()]


def name(text: str | None) -> Markup:
    """Return a name out of the data, which may be in any script; a dash if there is none."""
    return bdi(text) if text else el("span", "–", class_="muted")


def _block(text: str) -> Markup:
    return el("div", text, class_="prose", dir="auto")
