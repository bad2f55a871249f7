"""API keys: they come from the environment, go into one header, and are written nowhere."""

import json
import os
import re
from urllib.parse import quote

from runs.errors import InputError
from runs.tomlfile import SecretError

HIDDEN = "[API key]"
"""What stands where an endpoint repeated its key."""
SHORTEST, LONGEST_WORD = 8, 20
"""Characters; shorter ones, and plain words such as "EMPTY", are no secrets, and answers may hold them."""

_NAMES = {
    *("apikey", "xapikey", "openaiapikey", "authorization", "proxyauthorization", "bearer", "bearertoken"),
    *("token", "accesstoken", "authtoken", "apitoken", "hftoken", "secret", "secretkey", "apisecret", "password"),
    *("auth", "credentials"),
}
_ENDINGS = ("apikey", "password", "secret", "authtoken", "accesstoken", "hftoken")


def key_from(variable: str, needed_by: str) -> str:
    """Return the key in the environment variable `variable`.

    Raises:
        InputError: the variable is not set, or holds what no key holds; its value is not repeated.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(f"{needed_by} needs a key: set the environment variable {variable} (api_key_env names it).")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            f"the environment variable {variable} holds characters that no key has; set it to the key alone."
        )
    return key


def hide(text: str, key: str | None) -> str:
    """Return `text`, which an endpoint sent, without the key that was sent to it: some repeat it in what they say."""
    if key is None or len(key) < SHORTEST or (key.isalpha() and len(key) <= LONGEST_WORD):
        return text
    in_json = json.dumps(key)[1:-1]
    for form in {key, in_json, in_json.replace("/", "\\/"), quote(key), quote(key, safe="")}:
        text = text.replace(form, HIDDEN)
    return text


def check_no_key(content: object) -> None:
    """Raise a SecretError if a table of `content` has a key that names a secret: it would be stored with the run."""
    if isinstance(content, dict):
        for name, value in content.items():
            bare = re.sub(r"[^a-z]", "", str(name).lower())
            if bare in _NAMES or bare.endswith(_ENDINGS):
                raise SecretError(
                    f"{name!r} holds a secret, and no file of a study may; put it into the environment "
                    "(api_key_env names the variable of an API key, HF_TOKEN is the hub's)"
                )
            check_no_key(value)
    elif isinstance(content, list | tuple):
        for value in content:
            check_no_key(value)


def checked_variable(name: str) -> str:
    """Return `name` if it can be that of an environment variable. Raises a SecretError: it may be the key itself."""
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise SecretError(
            "expected the name of an environment variable, in capitals such as MY_API_KEY; the key itself stands in "
            "the environment, never in a file"
        )
    return name
