"""The four packages beside this one have plain names, which a folder of the user's can shadow."""

import importlib.util
from pathlib import Path

NEIGHBOURS = ("runs", "rubrics", "judging", "analysis")


def check_neighbours() -> None:
    """Raise an ImportError that names folder and fix if another `runs`, `rubrics`, … would be imported than ours."""
    home = Path(__file__).resolve().parent.parent
    for name in NEIGHBOURS:
        found = importlib.util.find_spec(name)
        places = [Path(place).resolve() for place in (found.submodule_search_locations or ())] if found else []
        if home / name not in places[:1]:
            where = places[0] if places else "nowhere"
            raise ImportError(
                f"evenhand needs its own package {name!r} from {home / name}, but Python finds it in {where}; "
                f"rename that folder, or start Python from another one."
            )
