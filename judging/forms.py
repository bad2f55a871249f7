"""What a judge is given to fill in: criteria in an order, the instructions, and the model its reply must fit."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import instructor
from pydantic import BaseModel

from judging.prompt import PROMPT_VERSION
from judging.settings import Judge
from rubrics import Criterion, Rubric, instructions, response_model, shuffled
from runs.digest import digest


@dataclass(frozen=True)
class Form:
    """Criteria scored in one call. Made once for a scoring and used for every call."""

    judge: Judge
    criteria: tuple[Criterion, ...]

    @cached_property
    def instructions(self) -> str:
        """The rubric's part of the prompt, the same for every answer."""
        return instructions(self.criteria, reason=self.judge.reasons)

    @cached_property
    def digest(self) -> str:
        """What determines a verdict besides question, answer and repeat."""
        return digest([self.judge.identity, self.instructions, PROMPT_VERSION])

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model of a reply, in the shape that instructor asks for.

        instructor wraps a bare model, and pydantic builds its schema, anew for every call: a third of a call's time.
        """
        bare = response_model(self.criteria, reason=self.judge.reasons)
        schema = bare.model_json_schema()

        class Verdict(bare):  # type: ignore[valid-type, misc]
            __doc__ = bare.__doc__

            @classmethod
            def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
                return schema

        return cast("type[BaseModel]", instructor.response_schema(Verdict))


def forms(rubric: Rubric, judge: Judge, repeat: int) -> tuple[Form, ...]:
    """Return the forms that one verdict takes: one for all criteria, or one each; in the order of this repeat."""
    criteria = rubric.criteria
    if judge.order == "shuffled":
        # One order a repeat: the rubric stays a prefix that all answers of the repeat share.
        criteria = shuffled(criteria, judge.order_seed + repeat - 1)
    if judge.calls == "criterion":
        return tuple(Form(judge, (criterion,)) for criterion in criteria)
    return (Form(judge, criteria),)
