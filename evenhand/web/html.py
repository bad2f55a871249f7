"""HTML from text that nobody vouches for: what is no `Markup` is escaped, always."""

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import quote, urlencode

VOID = {"br", "hr", "input", "link", "meta"}
"""Elements without an end tag."""

# A browser drops NUL and hides the other control characters; their pictures show that they are there.
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


class Markup(str):
    """HTML that was made here."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
"""What can stand in an element: text, markup, nothing, or several of them."""


def el(tag: str, /, *children: Child, **attributes: object) -> Markup:
    """Return an element.

    Args:
        tag: such as `p`.
        children: text is escaped, `Markup` is not.
        attributes: `class_` is `class`, `aria_label` is `aria-label`; null and false are left out, true has no value.
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    content = "" if tag in VOID else f"{joined(*children)}</{tag}>"
    return Markup(f"<{tag}{said}>{content}")


def joined(*children: Child) -> Markup:
    """Return `children` one after the other, escaped where they are text."""
    return Markup("".join(_rendered(child) for child in children))


def plain(text: str) -> str:
    """Return `text` as a page can hold it: control characters as their pictures, half a surrogate pair as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").translate(_PICTURES)


def bdi(text: str) -> Markup:
    """Return `text` in a line of other text, whose direction it cannot change."""
    return el("bdi", text)


def href(path: str, query: Mapping[str, object] | None = None) -> str:
    """Return a link within the site; values of `query` that are null or empty are left out, lists are repeated."""
    said = {key: value for key, value in (query or {}).items() if value not in (None, "", (), [])}
    return quote(path) + (f"?{urlencode(said, doseq=True)}" if said else "")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{escape(plain(str(value)))}"'


def _rendered(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int):
        return escape(plain(str(child)), quote=False)
    return "".join(_rendered(one) for one in child)
