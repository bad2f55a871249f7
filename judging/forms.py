"""What a judge is given to fill in: criteria in an order, the instructions, and the model its reply must fit."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

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
        """What instructor is given as the model of a reply; the reply itself is of the rubric's own response model.

        Five times a call instructor searches all fields of a model for validators that it does not support, and once
        pydantic builds the schema: half of a call's time. On OpenAI's protocol nothing but the schema and the JSON are
        asked of the model, so there it is one without fields; other providers read the fields.
        """
        import instructor  # noqa: PLC0415 — it takes a second, and `check` asks no judge

        replies = response_model(self.criteria, reason=self.judge.reasons)
        if self.judge.endpoint == "provider":
            return cast("type[BaseModel]", instructor.response_schema(replies))
        schema = replies.model_json_schema()

        class Verdict(BaseModel):
            __doc__ = replies.__doc__

            @classmethod
            def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
                return schema

            @classmethod
            def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> BaseModel:  # type: ignore[override]
                return replies.model_validate_json(json_data, **how)

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
