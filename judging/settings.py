"""Who scores and how: one `[[judges]]` table of a study."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from rubrics import Rubric
from runs.settings import Endpoint, base_url

ROOM = (1, 2, 4)
"""Factors of `max_tokens` that a verdict may take: one that is cut off is asked for again with more room."""

TOP = 20
"""Alternatives asked for at each token; more than any scale has levels, and what OpenAI allows at most."""

OPENAI_PROTOCOL = {
    "openai": "https://api.openai.com/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "together": "https://api.together.xyz/v1",
    "mistral": "https://api.mistral.ai/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "groq": "https://api.groq.com/openai/v1",
    "xai": "https://api.x.ai/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
}
"""Providers whose judges are asked over OpenAI's protocol: prefix of the model's name → URL."""


class Judge(Endpoint):
    """A judge model with its settings."""

    name: str = ""
    """What tables call this judge; by default the last part of the model's name."""
    model: str = Field(min_length=1, max_length=1000)
    """`vllm/<name or path>`, `openai/…`, `anthropic/…`, `google/…`, or, with a URL in `endpoint`, the served name."""
    endpoint: str = ""
    """`vllm`, a URL, or null: what the prefix of `model` says. Its default is filled in when the judge is read."""
    repeats: int = Field(default=1, ge=1, le=1000)
    """Verdicts for one response; repeat r asks with seed + r − 1."""
    temperature: float | None = Field(default=0.0, ge=0, le=5)
    """Null: the model's own default, here and for `top_p`."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens for one verdict; a verdict that is cut off is asked for again with twice the room, at most twice."""
    seed: int | None = 1
    calls: Literal["rubric", "criterion"] = "rubric"
    """One call for all criteria, or one call each."""
    order: Literal["fixed", "shuffled"] = "fixed"
    """Whether criteria and options change places from repeat to repeat (orders move scores, arXiv 2602.02219)."""
    order_seed: int = 1
    """Repeat r takes the order of order_seed + r − 1."""
    logprobs: bool | None = None
    """Whether to ask for token probabilities, and store the expected score over the levels beside the one given;
    null: what the rubric says."""
    reasons: bool = True
    """Whether the judge gives a short reason before each score."""
    repairs: int = Field(default=2, ge=0, le=10)
    """How often a reply that does not fit the rubric is sent back with what was wrong."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further keys of the request, as the endpoint knows them."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, content: Any) -> Any:
        """Fill in the endpoint and the name from the model's name."""
        if not isinstance(content, dict) or not isinstance(content.get("model"), str):
            return content
        model = content["model"]
        prefix = model.partition("/")[0]
        filled = {"name": model.rstrip("/").rsplit("/", 1)[-1], **content}
        if not content.get("endpoint"):
            filled["endpoint"] = "vllm" if prefix == "vllm" else OPENAI_PROTOCOL.get(prefix, "provider")
        return filled

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        return value if value in {"vllm", "provider"} else base_url(value)

    @property
    def served_model(self) -> str:
        """What the endpoint calls the model: its name without the prefix that chose the endpoint."""
        prefix, _, rest = self.model.partition("/")
        chose = rest and (prefix == "vllm" or (prefix in OPENAI_PROTOCOL and self._at_home(prefix)))
        return rest if chose else self.model

    @property
    def may_go(self) -> tuple[str, ...]:
        """Further: token probabilities, for the given score can count; and the constraint on the reply's form."""
        return (*super().may_go, "logprobs", "top_logprobs", "response_format")

    def on(self, rubric: Rubric) -> "Judge":
        """Return this judge with what it leaves to `rubric` filled in."""
        return self if self.logprobs is not None else self.model_copy(update={"logprobs": rubric.logprobs})

    @property
    def identity(self) -> dict[str, Any]:
        """What determines a verdict, besides the prompt and the repeat."""
        names = {"model", "temperature", "top_p", "max_tokens", "seed", "logprobs", "reasons", "repairs", "extra"}
        return {**super().identity, **self.model_dump(mode="json", include=names)}

    def settings(self, repeat: int) -> dict[str, Any]:
        """Return the settings of the request for one verdict, without its messages."""
        settings: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": None if self.seed is None else self.seed + repeat - 1,
            "logprobs": True if self.logprobs else None,
            "top_logprobs": TOP if self.logprobs else None,
        }
        return {key: value for key, value in settings.items() if value is not None} | self.extra

    def _at_home(self, prefix: str) -> bool:
        return urlsplit(self.endpoint).hostname == urlsplit(OPENAI_PROTOCOL[prefix]).hostname
