"""What the records and failures of one ledger took: requests, tokens, US dollars."""

from typing import Any

import polars as pl

from runs.ledger import Ledger

TAKEN = ("attempts", "prompt_tokens", "completion_tokens", "cost")


def spent(ledger: Ledger) -> dict[str, Any]:
    """Return the sums of `TAKEN` over all that was asked for here; null: not known (imported, or no such column).

    All failures count, also those before a record that came in the end. A record without `seconds` takes 0: it was
    taken over from another run or scoring, and paid for there. Raises `StoreError` as `Ledger.scan` does.
    """
    names = [name for name in TAKEN if name in ledger.schema]
    came = ledger.scan().filter(pl.col("kind").is_null()).select(*names, here=pl.col("seconds").is_not_null())
    failed = ledger.every_failure(names).lazy().with_columns(here=pl.lit(value=True))
    taken = pl.concat([came, failed]).select(_known_sum(name) for name in names)
    return dict.fromkeys(TAKEN) | taken.collect().row(0, named=True)


def _known_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).filter("here").sum())
