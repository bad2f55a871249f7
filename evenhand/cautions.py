"""What a user should know before money is spent on judging; nothing of it is an error."""

from collections.abc import Sequence

from judging.settings import Judge


def cautions(judges: Sequence[Judge]) -> list[str]:
    """Return a sentence for each setting of `judges` that is allowed and does little."""
    idle = [one.name for one in judges if one.repeats > 1 and one.temperature == 0 and one.order == "fixed"]
    if not idle:
        return []
    told = ", ".join(map(repr, idle))
    return [
        f"judge {told}: repeats at temperature 0 mostly repeat themselves, so how well they agree says little; set "
        '`temperature`, or `order = "shuffled"`.'
    ]
