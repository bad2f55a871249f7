"""How much may be spent, over all the work that shares it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runs.errors import InputError
from runs.ledger import Ledger


@dataclass
class _Calls:
    """The calls of one piece of work: those under way, and what the others took on average."""

    under_way: int = 0
    came: int = 0
    is_unknown: bool = False
    """Whether the endpoint does not say what a reply takes."""
    tokens: float = 0.0
    money: float = 0.0

    def count(self, tokens: float, money: float) -> None:
        self.came += 1
        self.tokens += (tokens - self.tokens) / self.came
        self.money += (money - self.money) / self.came


@dataclass
class Budget:
    """How much may be spent in all, earlier starts included, over all the work that shares it; null: no limit.

    Reached, nothing more is asked; calls that are under way still come, and count. They are expected to take what other
    calls of their work took on average, and the first one of each work goes alone: about one call is spent too much.
    """

    tokens: int | None = None
    """Prompt and completion tokens."""
    money: float | None = None
    """US dollars."""
    _calls: dict[Ledger, _Calls] = field(default_factory=dict, init=False, repr=False, compare=False)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list, init=False, repr=False, compare=False)

    def spend(self, taken: Mapping[str, Any]) -> None:
        """Count what a record or failure took, or many together."""
        if self.tokens is not None:
            self.tokens -= _tokens(taken)
        if self.money is not None:
            self.money -= taken.get("cost") or 0.0

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.tokens is not None or self.money is not None

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked."""
        return not self._has_left(0, 0)

    async def admits(self, work: Ledger) -> bool:
        """Whether one more call for `work` may be made, once that is known; `came_back` must follow it."""
        calls = self._calls.setdefault(work, _Calls())
        while self.is_limited and not self._fits(calls) and any(one.under_way for one in self._calls.values()):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        if self.is_spent or calls.is_unknown:
            return False
        calls.under_way += 1
        return True

    def came_back(self, work: Ledger, taken: Mapping[str, Any]) -> None:
        """Count what a call for `work` took: its record or failure, empty if there is none.

        Raises:
            InputError: there is a limit, and the endpoint does not say how many tokens a reply took.
        """
        calls, tokens, money = self._calls[work], float(_tokens(taken)), taken.get("cost") or 0.0
        calls.under_way -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
        replied = taken.get("kind") is None and "completion_tokens" in taken
        if self.is_limited and replied and not tokens:
            if not calls.came:
                calls.is_unknown = True
                raise InputError(
                    f"{work.folder}: the endpoint does not say how many tokens a reply takes (`usage`), so no budget "
                    "can be kept; leave out --max-tokens-total and --max-cost."
                )
            tokens, money = calls.tokens, calls.money
        self.spend({"completion_tokens": round(tokens), "cost": money})
        if tokens:
            calls.count(tokens, money)

    def _fits(self, calls: _Calls) -> bool:
        """Whether something would be left if all calls under way took what is expected of them."""
        if not calls.came:
            return not calls.under_way
        others = self._calls.values()
        return self._has_left(
            sum(one.under_way * one.tokens for one in others), sum(one.under_way * one.money for one in others)
        )

    def _has_left(self, tokens: float, money: float) -> bool:
        return (self.tokens is None or self.tokens > tokens) and (self.money is None or self.money > money)


def _tokens(taken: Mapping[str, Any]) -> int:
    return (taken.get("prompt_tokens") or 0) + (taken.get("completion_tokens") or 0)
