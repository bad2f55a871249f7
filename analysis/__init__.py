"""From scores to findings: contrasts between countries, agreement between judges, tables.

`contrasts` is the significance table. The tests, effects and coefficients that it and its neighbours are made of take
plain sequences and are here too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from analysis.agreement import AGREEMENT, agreement
from analysis.contrasts import CONTRASTS, contrasts
from analysis.effects import (
    RiskDifference,
    cliffs_delta,
    d_independent,
    d_paired,
    d_z,
    equivalence_p,
    hedges,
    hedges_g,
    mde_80,
    newcombe_independent,
    newcombe_paired,
    rank_biserial,
    superiority,
    wilson,
)
from analysis.export import to_csv, to_html, to_json, to_latex, to_markdown, to_records
from analysis.families import benjamini_hochberg, holm, max_t
from analysis.footnotes import footnotes
from analysis.interaction import Interaction, judge_interaction, judge_interactions
from analysis.missing import MISSING, missing_counts
from analysis.moved import MOVED, moved
from analysis.omnibus import OMNIBUS, Omnibus, friedman, omnibus, skillings_mack
from analysis.overview import COUNTRIES, TOPICS, overview
from analysis.panel import PANEL
from analysis.placebo import Placebo, country_effects, crawford_howell, placebo
from analysis.settings import OTHERS, Analysis, Contrast
from analysis.signflip import Interval, SignFlip, sign_flip
from analysis.survival import SURVIVAL, LeftOut, leave_one_out, survival
from analysis.tables import rich_table
from analysis.verdict import Finding, Standing

if TYPE_CHECKING:
    from analysis.classical import (
        Classical,
        bca,
        boschloo,
        brunner_munzel,
        fisher,
        mann_whitney,
        mcnemar,
        paired_t,
        signed_rank,
        welch,
    )
    from analysis.coefficients import (
        Icc,
        RankCorrelation,
        cohen_kappa,
        gwet_ac,
        icc,
        krippendorff_alpha,
        rank_correlation,
        raw_agreement,
    )
    from analysis.components import COMPONENTS, Components, assumed, variance_components
    from analysis.familiar import FAMILIAR, TESTS, familiar_tests
    from analysis.load import Scored, load_scores
    from analysis.power import (
        POWER,
        Design,
        Needed,
        needed,
        power_of_t,
        power_table,
        questions_needed,
        sd_of_differences,
        smallest_detectable,
    )
    from analysis.ppi import CORRECTED, Corrected, corrected_contrasts, ppi_mean
    from analysis.simulation import Scenario, Simulated, simulated_need, simulated_power

# scipy.stats takes longer to import than all the rest: what needs it is imported when it is first used. The others are
# imported at once, for a function that is called as its module is would else be hidden by the module.
_LATER = {
    "analysis.classical": (
        "Classical",
        "bca",
        "boschloo",
        "brunner_munzel",
        "fisher",
        "mann_whitney",
        "mcnemar",
        "paired_t",
        "signed_rank",
        "welch",
    ),
    "analysis.coefficients": (
        "Icc",
        "RankCorrelation",
        "cohen_kappa",
        "gwet_ac",
        "icc",
        "krippendorff_alpha",
        "rank_correlation",
        "raw_agreement",
    ),
    "analysis.components": ("COMPONENTS", "Components", "assumed", "variance_components"),
    "analysis.familiar": ("FAMILIAR", "TESTS", "familiar_tests"),
    "analysis.load": ("Scored", "load_scores"),
    "analysis.power": (
        "POWER",
        "Design",
        "Needed",
        "needed",
        "power_of_t",
        "power_table",
        "questions_needed",
        "sd_of_differences",
        "smallest_detectable",
    ),
    "analysis.ppi": ("CORRECTED", "Corrected", "corrected_contrasts", "ppi_mean"),
    "analysis.simulation": ("Scenario", "Simulated", "simulated_need", "simulated_power"),
}
_HOME = {name: home for home, names in _LATER.items() for name in names}

__all__ = [
    "AGREEMENT",
    "COMPONENTS",
    "CONTRASTS",
    "CORRECTED",
    "COUNTRIES",
    "FAMILIAR",
    "MISSING",
    "MOVED",
    "OMNIBUS",
    "OTHERS",
    "PANEL",
    "POWER",
    "SURVIVAL",
    "TESTS",
    "TOPICS",
    "Analysis",
    "Classical",
    "Components",
    "Contrast",
    "Corrected",
    "Design",
    "Finding",
    "Icc",
    "Interaction",
    "Interval",
    "LeftOut",
    "Needed",
    "Omnibus",
    "Placebo",
    "RankCorrelation",
    "RiskDifference",
    "Scenario",
    "Scored",
    "SignFlip",
    "Simulated",
    "Standing",
    "agreement",
    "assumed",
    "bca",
    "benjamini_hochberg",
    "boschloo",
    "brunner_munzel",
    "cliffs_delta",
    "cohen_kappa",
    "contrasts",
    "corrected_contrasts",
    "country_effects",
    "crawford_howell",
    "d_independent",
    "d_paired",
    "d_z",
    "equivalence_p",
    "familiar_tests",
    "fisher",
    "footnotes",
    "friedman",
    "gwet_ac",
    "hedges",
    "hedges_g",
    "holm",
    "icc",
    "judge_interaction",
    "judge_interactions",
    "krippendorff_alpha",
    "leave_one_out",
    "load_scores",
    "mann_whitney",
    "max_t",
    "mcnemar",
    "mde_80",
    "missing_counts",
    "moved",
    "needed",
    "newcombe_independent",
    "newcombe_paired",
    "omnibus",
    "overview",
    "paired_t",
    "placebo",
    "power_of_t",
    "power_table",
    "ppi_mean",
    "questions_needed",
    "rank_biserial",
    "rank_correlation",
    "raw_agreement",
    "rich_table",
    "sd_of_differences",
    "sign_flip",
    "signed_rank",
    "simulated_need",
    "simulated_power",
    "skillings_mack",
    "smallest_detectable",
    "superiority",
    "survival",
    "to_csv",
    "to_html",
    "to_json",
    "to_latex",
    "to_markdown",
    "to_records",
    "variance_components",
    "welch",
    "wilson",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
