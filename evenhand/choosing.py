"""Which rubric is meant where nobody says."""

from rubrics import Rubric, load_rubric
from runs.errors import InputError
from runs.store import Run
from runs.tomlfile import parse


def rubric_for(run: Run, named: str | None) -> Rubric:
    """Return the rubric `named`, else the only one that the run has been scored on, else its study's as it was.

    Raises:
        InputError: there is no such rubric, or it is not clear which is meant.
    """
    if named is not None:
        return load_rubric(named)
    used = {scoring.manifest["identity"]["rubric"]: scoring for scoring in run.scorings()}
    if len(used) == 1:
        (scoring,) = used.values()
        return load_rubric(scoring.rubric_path)
    if used:
        names = sorted({f"{one.manifest['rubric']}@{one.manifest['rubric_version']}" for one in used.values()})
        raise InputError(f"{run.path}: it has been scored on {', '.join(names)}; say which is meant with --rubric.")
    asked = (run.manifest.get("sources") or {}).get("rubric")
    if asked is None:
        raise InputError(f"{run.path}: its study names no rubric; say which with --rubric, such as candour.")
    return parse(Rubric, asked, f"{run.path / run.manifest_name}: sources.rubric")
