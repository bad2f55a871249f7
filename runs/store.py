"""The store: one folder a run, under it one folder a scoring. Identity is by content (`runs.digest`).

results/<study>/<model>-<digest>/            Run
run.json  items.parquet  responses.jsonl → responses.parquet  failures.jsonl
scorings/<rubric>@<version>-<judge>-<digest>/    Scoring
scoring.json  rubric.toml  verdicts.jsonl → verdicts.parquet  failures.jsonl
"""

import contextlib
import fcntl
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from runs.digest import digest, short
from runs.errors import InputError, StoreError
from runs.files import check_reach, is_folder, is_there
from runs.folder import Beside, Folder
from runs.frames import ITEMS, RESPONSES, VERDICTS
from runs.journal import refusal
from runs.manifests import RunManifest, ScoringManifest

DEFAULT_ROOT = Path("results")


class Scoring(Folder):
    """All verdicts of one (run, rubric, judge)."""

    manifest_name = "scoring.json"
    manifest_kind = ScoringManifest
    ledger_name = "verdicts"
    schema = VERDICTS

    @property
    def judge(self) -> str:
        """The judge's name."""
        return str(self.manifest["judge"])

    @property
    def setting(self) -> str:
        """What determines its verdicts besides the text that is judged and the repeat: rubric, judge, prompt, orders.

        Scorings of one setting differ in how often they repeat, or in what of a response they show.
        """
        return digest(self._setting())

    @property
    def setting_anywhere(self) -> str:
        """The setting, wherever the judge answers: a server of one's own has another address another day."""
        setting = self._setting()
        if isinstance(judge := setting.get("judge"), dict):
            setting["judge"] = {name: value for name, value in judge.items() if name != "endpoint"}
        return digest(setting)

    def _setting(self) -> dict[str, Any]:
        variant = ("repeats", "on", "placebo", "mentions")
        return {name: value for name, value in self.manifest["identity"].items() if name not in variant}

    @property
    def rubric_path(self) -> Path:
        """Where the rubric stands as it was when the scoring began."""
        return self.path / "rubric.toml"


class Run(Folder):
    """All responses of one model under one generation setting, and their scorings."""

    manifest_name = "run.json"
    manifest_kind = RunManifest
    ledger_name = "responses"
    schema = RESPONSES

    @property
    def focal(self) -> str | None:
        """The country under test as the study declares it; null: not declared."""
        focal = self.manifest["study"].get("focal")
        return None if focal is None else str(focal)

    def items(self) -> pl.DataFrame:
        """Return the items (schema `ITEMS`). Raises `StoreError` if they are missing or damaged."""
        path = self.path / "items.parquet"
        try:
            return pl.read_parquet(path).match_to_schema(ITEMS)
        except (pl.exceptions.PolarsError, OSError) as error:
            told = str(error).partition("\n")[0]
            raise StoreError(
                f"{path}: cannot be read ({told}); restore it from a copy, or generate or import once more, which "
                "writes it anew."
            ) from None

    def responses(self) -> pl.LazyFrame:
        """Return the responses (schema `RESPONSES`), `error` rows included."""
        return self.ledger.scan()

    def scorings(self) -> list[Scoring]:
        """Return the scorings that exist, by name."""
        found = sorted(self.path.glob("scorings/*/scoring.json"))
        return [Scoring(path.parent, from_journals=self.from_journals) for path in found]

    def scoring(
        self,
        name: str,
        identity: dict[str, Any],
        manifest: dict[str, Any],
        rubric_toml: str,
        is_same: Callable[[Path], bool] = lambda path: bool(tomllib.loads(path.read_text("utf-8"))),
        *,
        later: bool = False,
    ) -> Scoring:
        """Return the scoring with this identity, made if it is not there yet, mended if it is damaged.

        Args:
            name: what its folder's name begins with.
            identity: what determines its verdicts, as JSON.
            manifest: what else `scoring.json` says.
            rubric_toml: the rubric as a file.
            is_same: whether a file holds the rubric of this identity; by default, whether it can be read.
            later: make its folder when something is written to it, unless something of it is there already.

        Raises:
            StoreError: the disk refuses.
        """
        scoring = self.scoring_at(name, identity)
        is_begun = any(one.suffix != ".log" for one in scoring.path.glob("*"))  # an engine logs before it can be asked
        make = scoring._make_later if later and not is_begun else scoring._make
        make(identity, manifest, Beside(scoring.rubric_path, rubric_toml.encode(), is_same))
        return scoring

    def scoring_at(self, name: str, identity: dict[str, Any]) -> Scoring:
        """Return the scoring with this identity as it is: neither made nor mended."""
        return Scoring(self.path / "scorings" / f"{name}-{short(digest(identity))}")

    def siblings(self) -> list["Run"]:
        """Return the other runs of the same study."""
        return [run for run in find_runs(self.path.parent) if run.path != self.path]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run, so that one process at a time writes to it.

        Raises:
            StoreError: another process holds it.
        """
        with held(self.path / ".lock", f"{self.path}: another evenhand is writing to this run; wait until it ends."):
            yield


@contextlib.contextmanager
def held(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock file at `path`, which the system frees when we die.

    Raises:
        StoreError: another process holds it, in the words of `busy`; or the disk refuses.
    """
    try:
        file = path.open("a+")
    except OSError as error:
        raise refusal(path, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(busy) from None
        yield


def create_run(
    root: Path, study: str, model: str, items: pl.DataFrame, identity: dict[str, Any], facts: dict[str, Any]
) -> Run:
    """Return the run of these items under `identity`, made if it is not there yet, mended if it is damaged.

    Args:
        root: the store, such as `results`.
        study: the study's name.
        model: the model's name; its last part opens the folder's name.
        items: what is asked (schema `ITEMS`); it is part of the identity.
        identity: what else determines the responses, as JSON.
        facts: what else `run.json` says (the resolved study, versions, …); no part of the identity.

    Raises:
        StoreError: the disk refuses.
    """
    listed = digest(items.sort("item_id").rows())
    identity = {**identity, "items": listed}
    path = root / slug(study) / f"{slug(model.rstrip('/').rsplit('/', 1)[-1])}-{short(digest(identity))}"
    if is_there(path):
        check_reach(path)
    run, buffer = Run(path), io.BytesIO()
    items.match_to_schema(ITEMS).write_parquet(buffer)

    def is_same(_: Path) -> bool:
        return digest(run.items().sort("item_id").rows()) == listed

    run._make(
        identity, {"format": 1, "model": model, **facts}, Beside(path / "items.parquet", buffer.getvalue(), is_same)
    )
    return run


def open_run(path: Path) -> Run:
    """Return the run at `path` (its folder, or a study's folder that holds one run).

    Raises:
        InputError: there is no run.
        StoreError: something in it leads out of it.
    """
    if is_there(path / "run.json"):
        check_reach(path)
        return Run(path)
    inside = find_runs(path)
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(str(run.path) for run in inside)
        raise InputError(f"{path}: holds {len(inside)} runs; name one of {names}.")
    raise InputError(f"{path}: there is no run; `evenhand list` shows what there is.")


def find_runs(root: Path) -> list[Run]:
    """Return the runs at most two folders below `root`, by path.

    Raises:
        StoreError: something in one of them leads out of it.
    """
    if not is_folder(root):
        return []
    found = sorted(path.parent for path in {*root.glob("*/run.json"), *root.glob("*/*/run.json")})
    for path in found:
        check_reach(path)
    return [Run(path) for path in found]


def slug(text: str) -> str:
    """Return `text` as a plain folder name: letters, digits, dots, hyphens."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return plain[:80] or short(digest(text))
