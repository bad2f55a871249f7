"""How a model answers: the `[generation]` table of a study."""

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from runs.keys import check_no_key, checked_variable, key_from
from runs.tomlfile import SecretError, Table

KEY_VARIABLES = {
    "api.openai.com": "OPENAI_API_KEY",
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    "openrouter.ai": "OPENROUTER_API_KEY",
    "api.together.xyz": "TOGETHER_API_KEY",
    "api.mistral.ai": "MISTRAL_API_KEY",
    "generativelanguage.googleapis.com": "GEMINI_API_KEY",
    "api.groq.com": "GROQ_API_KEY",
    "api.x.ai": "XAI_API_KEY",
    "api.cohere.ai": "COHERE_API_KEY",
}
"""Where the key of a well-known endpoint stands in the environment, unless `api_key_env` says otherwise."""

_GIVE_WAY = ("temperature", "seed")
"""Settings whose defaults we send, and some endpoints do not take."""


class Endpoint(Table):
    """Where a model answers: an engine that we start, or the URL of any server that speaks OpenAI's protocol."""

    endpoint: str = "vllm"
    """`vllm`, or a URL such as `https://api.deepseek.com/v1`."""
    api_key_env: str | None = None
    """The environment variable that holds the key; null: the usual one of a well-known host, none elsewhere."""
    concurrency: int = Field(default=64, ge=1, le=4096)
    """Requests under way at once, at the most."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for one request; null: a minute, and a second for every ten tokens that may come."""
    attempts: int = Field(default=5, ge=1, le=100)
    """Requests for one reply where the endpoint fails and asking again may help."""
    replicas: tuple[str, ...] = ()
    """Further URLs that serve the same model; the calls are spread over all."""
    vllm: dict[str, Any] = Field(default_factory=dict)
    """Engine flags, handed to vLLM as they are; only with `endpoint = "vllm"`."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        return value if value == "vllm" else base_url(value)

    @field_validator("replicas")
    @classmethod
    def _replicas(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(base_url(value) for value in values)

    @field_validator("api_key_env")
    @classmethod
    def _variable(cls, value: str | None) -> str | None:
        return None if value is None else checked_variable(value)

    @field_validator("vllm", "extra", mode="before", check_fields=False)
    @classmethod
    def _no_key(cls, value: Any) -> Any:
        check_no_key(value)
        return value

    @property
    def limit_key(self) -> str:
        """What the endpoint calls the largest number of tokens: OpenAI has renamed it, the others have not."""
        return "max_completion_tokens" if urlsplit(self.endpoint).hostname == "api.openai.com" else "max_tokens"

    @property
    def identity(self) -> dict[str, Any]:
        """What of the endpoint determines a reply; how hard it is pressed does not."""
        return {"endpoint": self.endpoint, "vllm": self.vllm}

    @property
    def may_go(self) -> tuple[str, ...]:
        """Keys of a request that are left out where the endpoint does not take them: defaults, chosen by nobody."""
        fields = type(self).model_fields
        return tuple(name for name in _GIVE_WAY if name in fields and getattr(self, name) == fields[name].default)

    def seconds_for(self, tokens: int) -> float:
        """Return how long one request for at most `tokens` may take, in seconds."""
        return self.timeout or 60 + tokens / 10

    def api_key(self) -> str | None:
        """Return the key from the environment; null where none is asked for.

        Raises:
            InputError: a variable is named and is not set.
        """
        named = self.api_key_env or KEY_VARIABLES.get(urlsplit(self.endpoint).hostname or "")
        return None if named is None else key_from(named, self.endpoint)


class Generation(Endpoint):
    """The model under test and how it answers."""

    model: str = Field(min_length=1, max_length=1000)
    """A name on the hub, a local path, `bundled/SmolLM2-135M-Instruct`, or what the endpoint calls it."""
    epochs: int = Field(default=1, ge=1, le=10_000)
    temperature: float | None = Field(default=None, ge=0, le=5)
    """Null: the model's own default, here and for `top_p`."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    """Tokens for thinking and answer together."""
    seed: int | None = 1
    """Epoch e asks with seed + e − 1; null: no seed is sent."""
    system: str | None = None
    """A system prompt; null: none."""
    thinking: bool | None = None
    """Whether the chat template opens the model's thinking itself; null: judged by the model's name."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further keys of the request, as the endpoint knows them."""

    @property
    def identity(self) -> dict[str, Any]:
        """What determines an answer, besides the prompt and the epoch."""
        asked = self.model_dump(
            mode="json", include={"model", "temperature", "top_p", "max_tokens", "seed", "system", "extra"}
        )
        return {**super().identity, **asked}

    def request(self, prompt: str, epoch: int) -> dict[str, Any]:
        """Return the body of the request for one answer."""
        messages = [{"role": "system", "content": self.system}] if self.system else []
        body: dict[str, Any] = {
            "messages": [*messages, {"role": "user", "content": prompt}],
            self.limit_key: self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": None if self.seed is None else self.seed + epoch - 1,
        }
        return {key: value for key, value in body.items() if value is not None} | self.extra


def base_url(url: str) -> str:
    """Return `url` as a base for `/chat/completions`: without a trailing slash, and with `/v1` where no path is given.

    Raises:
        SecretError: it carries a password or a query, where keys stand.
        ValueError: it is no http(s) URL.
    """
    if "@" in url or "?" in url or "#" in url:
        raise SecretError(
            "a URL must not hold a key, a user or a password; put the key into the environment, and name its variable "
            "in api_key_env"
        )
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits or not re.fullmatch(r"[!-~]+", url):
        raise ValueError('expected "vllm" or a URL such as "http://localhost:8000/v1"')
    return url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")
