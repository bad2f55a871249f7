"""Mutations that know what input looks like: most plain ones die in the first check of a parser."""

import json
import random
from typing import Any

NASTY = (
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\x1b[2J", b"\x1f\x8b\x08",
    b"\r", b"\n", b"\t", b"\xe2\x80\xae", b"\xc2\x85", b"\xe2\x80\xa8", b"1e999", b"-1e999", b"NaN", b"nan",
    b"inf", b"-Infinity", b"-0", b"0x" + b"f" * 5000, b"9" * 25, b"9" * 5000, b"1e-400", b"1_0", b"true",
    b"null", b"[]", b"{}", b'""', b"''", b'"""', b"[" * 40, b"{" * 40, b"[[" * 600, b'{"a":' * 1200, b"a." * 50,
    b"../" * 4, b"/dev/zero", b"C:\\", b"con", b"~", b"$(id)", b"%s", b"{country.__class__}", b"{0}", b"{{",
    b"}", b"{country!r}", b"{country:>9999999999}", b"\\ud800", b"\\u0000", b"\\x00", b"<think>", b"</think>",
    b"</think" * 50, b"=1+1", b"@x", b",", b",,,,", b'"', b";", b"\\", b"9223372036854775808", b"-1", b"1.5",
    b"2024-01-01", b"0001-01-01T00:00:00Z", b"not_applicable", b"x" * 3000, b"\xcc\x81" * 200, b"\n---\n",
    b"PAR1", b"openness", b"score", b"kind", b"key", b"--out", b"--judge", b"--json", b"--all", b"--alpha",
    b"--seed", b"--by", b"--test", b"--survive", b"--name", b"--verdicts", b"--rubric", b"-h", b"--help",
    b"/etc/passwd",
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 2**31, 2**63, 10**30, 1e308, -0.0, "", "x", "\0", "\ud800", "9" * 30, [], {},
    [[]], [None], {"a": {}}, "1e999", float("inf"), float("nan"), [1, "a"], "ok", {"": ""}, "\u202e", "q/CN/en",
)  # fmt: skip
"""What takes the place of a value in JSON."""


def mutated(data: bytes, seeds: tuple[bytes, ...], form: str, chance: random.Random) -> bytes:
    """Return `data`, or a seed in its place, changed in one to four ways."""
    if not data or chance.random() < 0.1:
        data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        ways = [_token, _token, _splice, _cut, _flip, _repeat]
        if form in ("toml", "csv", "text"):
            ways += [_line, _line]
        if form == "json":
            ways += [_tree] * 5
        if form == "parquet":
            ways += [_flip] * 6
        if form == "words":
            ways += [_word] * 6
        data = chance.choice(ways)(data, seeds, chance)
    return data


def _token(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """Put something nasty in, or in the place of a word or a number."""
    at = chance.randrange(len(data) + 1)
    end = at
    if chance.random() < 0.7:
        while end < len(data) and (data[end : end + 1].isalnum() or data[end] in b"_-."):
            end += 1
    return data[:at] + chance.choice(NASTY) + data[end:]


def _splice(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    start = chance.randrange(len(other) + 1)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start : start + chance.randrange(200)] + data[at:]


def _cut(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:start] if chance.random() < 0.3 else data[:start] + data[min(end, start + 60) :]


def _flip(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    changed = bytearray(data or b" ")
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    return bytes(changed)


def _repeat(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.choice((1, 2, 5, 30))]
    return data[:start] + part * chance.choice((2, 3, 50, 1000)) + data[start:]


def _line(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(chance.randrange(len(lines)), lines[at])
        case 2:
            chance.shuffle(lines)
        case _:
            lines[at] = chance.choice(chance.choice(seeds).split(b"\n"))
    return b"\n".join(lines)


def _word(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    words = data.split(b"\0")
    words.insert(chance.randrange(len(words) + 1), chance.choice((*NASTY, *chance.choice(seeds).split(b"\0"))))
    return b"\0".join(words)


def _tree(data: bytes, seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """Change one value somewhere in one of the JSON documents, one a line, that `data` is made of."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    try:
        tree = json.loads(lines[at])
        lines[at] = json.dumps(_changed(tree, chance)).encode()
    except (ValueError, RecursionError):
        return _token(data, seeds, chance)
    return b"\n".join(lines)


def _changed(tree: Any, chance: random.Random) -> Any:
    if not tree or not isinstance(tree, dict | list) or chance.random() < 0.15:
        return chance.choice(VALUES)
    if isinstance(tree, list):
        at = chance.randrange(len(tree))
        return [*tree[:at], _changed(tree[at], chance), *tree[at + 1 :]]
    name = chance.choice(list(tree))
    if chance.random() < 0.15:
        return {other: value for other, value in tree.items() if other != name}
    return {**tree, name: _changed(tree[name], chance)}
