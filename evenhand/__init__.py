"""Does a language model treat one country differently from the others, how sure are we, would another judge agree?

Every verb of the command line is a function here; failures are `EvenhandError`s that say what, where and the fix.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from evenhand._neighbours import check_neighbours

check_neighbours()

if TYPE_CHECKING:
    from evenhand.agreeing import Agreed, agree
    from evenhand.analysing import Analyzed, analyze
    from evenhand.browsing import questions, rubrics
    from evenhand.checking import check
    from evenhand.importing import import_
    from evenhand.labelling import labellers
    from evenhand.looking import list_, show_failures, show_item, show_run, show_scoring
    from evenhand.planning import Powered, power
    from evenhand.reporting import report
    from evenhand.starting import init
    from evenhand.study import Study, load_study
    from evenhand.trying import Tried, try_judge
    from evenhand.verbs import generate, run, score
    from evenhand.verifying import Verified, verify
    from evenhand.viewing import Labelled, label, view
    from judging.settings import Judge
    from runs.budget import Budget
    from runs.errors import EndpointError, EvenhandError, InputError, StoreError

_HOMES = {
    "evenhand.agreeing": ("Agreed", "agree"),
    "evenhand.analysing": ("Analyzed", "analyze"),
    "evenhand.browsing": ("questions", "rubrics"),
    "evenhand.checking": ("check",),
    "evenhand.importing": ("import_",),
    "evenhand.labelling": ("labellers",),
    "evenhand.looking": ("list_", "show_failures", "show_item", "show_run", "show_scoring"),
    "evenhand.planning": ("Powered", "power"),
    "evenhand.reporting": ("report",),
    "evenhand.starting": ("init",),
    "evenhand.study": ("Study", "load_study"),
    "evenhand.trying": ("Tried", "try_judge"),
    "evenhand.verbs": ("generate", "run", "score"),
    "evenhand.verifying": ("Verified", "verify"),
    "evenhand.viewing": ("Labelled", "label", "view"),
    "judging.settings": ("Judge",),
    "runs.calls": ("Budget",),
    "runs.errors": ("EndpointError", "EvenhandError", "InputError", "StoreError"),
}
# A name's module is imported when the name is first used: importing all of them takes four seconds.
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Agreed",
    "Analyzed",
    "Budget",
    "EndpointError",
    "EvenhandError",
    "InputError",
    "Judge",
    "Labelled",
    "Powered",
    "StoreError",
    "Study",
    "Tried",
    "Verified",
    "agree",
    "analyze",
    "check",
    "generate",
    "import_",
    "init",
    "label",
    "labellers",
    "list_",
    "load_study",
    "power",
    "questions",
    "report",
    "rubrics",
    "run",
    "score",
    "show_failures",
    "show_item",
    "show_run",
    "show_scoring",
    "try_judge",
    "verify",
    "view",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evenhand' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
