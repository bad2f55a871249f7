"""Does a language model treat one country differently from the others, how sure are we, would another judge agree?

Every verb of the command line is a function here; failures are `EvenhandError`s that say what, where and the fix.
"""

from evenhand._neighbours import check_neighbours

check_neighbours()

from evenhand.analysing import Analyzed, analyze  # noqa: E402
from evenhand.checking import check  # noqa: E402
from evenhand.importing import import_  # noqa: E402
from evenhand.looking import list_, show_failures, show_item, show_run  # noqa: E402
from evenhand.starting import init  # noqa: E402
from evenhand.study import Study, load_study  # noqa: E402
from evenhand.verbs import generate, report, run, score  # noqa: E402
from judging.settings import Judge  # noqa: E402
from runs.errors import EndpointError, EvenhandError, InputError, StoreError  # noqa: E402

__all__ = [
    "Analyzed",
    "EndpointError",
    "EvenhandError",
    "InputError",
    "Judge",
    "StoreError",
    "Study",
    "analyze",
    "check",
    "generate",
    "import_",
    "init",
    "list_",
    "load_study",
    "report",
    "run",
    "score",
    "show_failures",
    "show_item",
    "show_run",
]
