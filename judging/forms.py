"""What a judge is given to fill in: criteria in an order, the instructions, and the model its reply must fit."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import instructor
from pydantic import BaseModel

from judging.settings import Judge
from rubrics import Criterion, Rubric, instructions, response_model


@dataclass(frozen=True)
class Form:
    """Criteria scored in one call. Made once for a scoring and used for every call."""

    criteria: tuple[Criterion, ...]
    reasons: bool
    """Whether a short reason comes before each score."""

    @cached_property
    def instructions(self) -> str:
        """The rubric's part of the prompt, the same for every answer."""
        return instructions(self.criteria, reason=self.reasons)

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model of a reply, in the shape that instructor asks for.

        instructor wraps a bare model, and pydantic builds its schema, anew for every call: a third of a call's time.
        """
        bare = response_model(self.criteria, reason=self.reasons)
        schema = bare.model_json_schema()

        class Verdict(bare):  # type: ignore[valid-type, misc]
            __doc__ = bare.__doc__

            @classmethod
            def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
                return schema

        return cast("type[BaseModel]", instructor.response_schema(Verdict))


def forms(rubric: Rubric, judge: Judge) -> tuple[Form, ...]:
    """Return the forms that one verdict takes: one for all criteria, or one each."""
    if judge.calls == "criterion":
        return tuple(Form((criterion,), judge.reasons) for criterion in rubric.criteria)
    return (Form(rubric.criteria, judge.reasons),)
