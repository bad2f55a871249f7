"""What a scoring is called on a terminal, so that no two of a run look alike."""

from collections.abc import Mapping, Sequence
from typing import Any


def names_of(scorings: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return a name for each folder: the judge, its variant, and a digest where these do not tell it from another.

    Each of `scorings` has the keys `scoring` (the folder's name), `judge`, `on` and `placebo`.
    """
    plain = {str(one["scoring"]): _variant(one) for one in scorings}
    alike = list(plain.values())
    return {folder: name if alike.count(name) == 1 else f"{name} #{folder[-12:][:6]}" for folder, name in plain.items()}


def _variant(scoring: Mapping[str, Any]) -> str:
    said = [scoring["on"] if scoring["on"] != "answer" else None, scoring["placebo"]]
    told = ", ".join(str(one) for one in said if one is not None)
    return f"{scoring['judge']} ({told})" if told else str(scoring["judge"])
