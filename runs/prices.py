"""What calls cost, by the list of public prices that the package genai-prices keeps."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from genai_prices import Usage, calc_price

from runs.settings import Endpoint


def cost(endpoint: Endpoint, model: str, used: Mapping[str, Any]) -> float | None:
    """Return what `used` (`prompt_tokens`, `completion_tokens`; null counts as 0) costs in US dollars.

    Null where there is no public price: for an engine of ours, a server of the user's, an unknown model.
    """
    price = _per_token(endpoint.endpoint, model) if _may_have_a_price(endpoint.endpoint) else None
    if price is None:
        return None
    return (used.get("prompt_tokens") or 0) * price[0] + (used.get("completion_tokens") or 0) * price[1]


def has_price(endpoint: Endpoint, model: str) -> bool:
    """Whether there is a public price for what `model` answers at `endpoint`."""
    return cost(endpoint, model, {}) is not None


@lru_cache(maxsize=64)
def _may_have_a_price(endpoint: str) -> bool:
    """Whether the list could have a price: reading it takes most of a second and 50 MB, too much to learn of none."""
    host = urlsplit(endpoint).hostname or ""
    return endpoint == "provider" or ("." in host and not host.replace(".", "").isdigit())


@lru_cache(maxsize=64)
def _per_token(endpoint: str, model: str) -> tuple[float, float] | None:
    """Return dollars for one token read and one token written; null where the list has no price."""
    provider, _, name = model.partition("/")
    try:
        thousand = [Usage(input_tokens=1_000), Usage(output_tokens=1_000)]
        if endpoint == "provider":
            prices = [calc_price(usage, name, provider_id=provider) for usage in thousand]
        else:
            prices = [calc_price(usage, model, provider_api_url=endpoint) for usage in thousand]
    except (LookupError, ValueError):
        return None
    return float(prices[0].total_price) / 1_000, float(prices[1].total_price) / 1_000
