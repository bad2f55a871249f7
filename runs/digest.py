"""Identity by content: the same content always has the same digest, on every machine."""

import hashlib
import json


def digest(content: object) -> str:
    """Return the SHA-256 of `content` in hexadecimal (64 characters).

    `content` is anything JSON can say; keys are sorted, so their order does not count, and text is hashed as UTF-8.

    Raises:
        TypeError: `content` holds something that JSON cannot say.
        ValueError: `content` holds NaN or an infinity.
    """
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def short(full_digest: str) -> str:
    """Return the first 12 characters of a digest: what folder names carry."""
    return full_digest[:12]
