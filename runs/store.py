"""The store: one folder a run, under it one folder a scoring. Identity is by content (`runs.digest`).

results/<study>/<model>-<digest>/            Run
run.json  items.parquet  responses.jsonl → responses.parquet  failures.jsonl
scorings/<rubric>@<version>-<judge>-<digest>/    Scoring
scoring.json  rubric.toml  verdicts.jsonl → verdicts.parquet  failures.jsonl
"""

import contextlib
import fcntl
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from runs.digest import digest, short
from runs.errors import EvenhandError, InputError, StoreError
from runs.files import check_reach, is_folder, is_there
from runs.frames import ITEMS, RESPONSES, VERDICTS
from runs.journal import refusal, set_aside, sync_folder, write_whole
from runs.ledger import Ledger
from runs.manifests import RunManifest, ScoringManifest, read_manifest

DEFAULT_ROOT = Path("results")


class Folder:
    """A folder with a JSON manifest in it, and a ledger."""

    manifest_name: str
    manifest_kind: type[RunManifest] | type[ScoringManifest]
    ledger_name: str
    schema: pl.Schema

    def __init__(self, path: Path, *, from_journals: bool = False) -> None:
        """`from_journals`: read what the journals hold from there, and not from the Parquet files."""
        self.path = path
        self.from_journals = from_journals
        self._set_aside: list[str] = []
        self._unmade: tuple[dict[str, Any], dict[str, Any], Beside] | None = None

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the manifest says.

        Raises:
            StoreError: it is missing or damaged.
        """
        path = self.path / self.manifest_name
        if not is_there(path):
            raise InputError(f"{self.path}: not a run, for it has no {self.manifest_name}; see `evenhand list`.")
        return read_manifest(path, self.manifest_kind)

    def note(self, **facts: Any) -> None:
        """Write `facts` into the manifest, beside what stands there; if it is not made yet, once it is."""
        if self._unmade is not None:
            identity, known, beside = self._unmade
            self._unmade = identity, {**known, **facts}, beside
            return
        write_manifest(self.path / self.manifest_name, {**self.manifest, **facts})
        del self.manifest

    @cached_property
    def ledger(self) -> Ledger:
        """The records and failures of this folder."""
        return Ledger(self.path, self.ledger_name, self.schema, from_journals=self.from_journals)

    def damage(self) -> list[str]:
        """Return a sentence for each file that is set aside, and each line that the next seal passes over."""
        if self.ledger.is_sealed():
            return list(self._set_aside)
        seal = self.ledger.sealed
        told = [f"{seal} is damaged: it is made again, and set aside."] if self.ledger.is_seal_broken() else []
        return [*self._set_aside, *told, *map(str, self.ledger.damaged())]

    @property
    def is_made(self) -> bool:
        """Whether the folder is there; one that is made later is not before something is written to it."""
        return self._unmade is None

    def make(self) -> None:
        """Make the folder, if that was put off. Raises `StoreError` if the disk refuses."""
        if self._unmade is not None:
            self._make(*self._unmade)
            self._unmade = None

    def _make_later(self, identity: dict[str, Any], facts: dict[str, Any], beside: "Beside") -> None:
        self._unmade = identity, facts, beside
        self.ledger.before_writing = self.make

    def _make(self, identity: dict[str, Any], facts: dict[str, Any], beside: "Beside") -> None:
        """Write the manifest and the file `beside` it, unless they are there; what is damaged is set aside first.

        The manifest comes last: a folder without one is none.
        """
        identified = digest(identity)
        path = self.path / self.manifest_name
        whole = path.exists() and self._says(identity)
        if whole and beside.is_whole():
            return
        make_folder(self.path)
        if not beside.is_whole():
            self._put_aside(beside.path)
            write_whole(beside.path, beside.content)
        if not whole:
            self._put_aside(path)
            write_manifest(path, {**facts, "identity": identity, "digest": identified})

    def _says(self, identity: dict[str, Any]) -> bool:
        try:
            return bool(digest(self.manifest["identity"]) == self.manifest["digest"] == digest(identity))
        except StoreError:
            return False

    def _put_aside(self, path: Path) -> None:
        """Rename what is at `path`: it is damaged, and may still tell something to a person."""
        if not path.exists():
            return
        aside = set_aside(path)
        self.__dict__.pop("manifest", None)
        self._set_aside.append(f"{path} was damaged: it stands as {aside.name} now, and was written anew.")


@dataclass(frozen=True)
class Beside:
    """A file that stands beside a manifest, and is part of what the manifest's digest is of."""

    path: Path
    content: bytes
    is_same: Callable[[Path], bool]
    """Whether what is at `path` says the same; raises OSError, ValueError or EvenhandError if it cannot be read."""

    def is_whole(self) -> bool:
        """Whether it is there, and says what it should."""
        try:
            return self.path.exists() and self.is_same(self.path)
        except (OSError, ValueError, EvenhandError):
            return False


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
        variant = ("repeats", "on", "placebo")
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


def make_folder(path: Path) -> None:
    """Make `path` and what is above it. Raises `StoreError` if the disk refuses."""
    new = [one for one in (path, *path.parents) if not one.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for one in new:  # a record in a folder whose name a power cut takes away is lost
            sync_folder(one.parent)
    except OSError as error:
        raise refusal(path, error) from None


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON, whole or not at all."""
    write_whole(
        path,
        (json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n").encode("utf-8", "backslashreplace"),
    )


def slug(text: str) -> str:
    """Return `text` as a plain folder name: letters, digits, dots, hyphens."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return plain[:80] or short(digest(text))
