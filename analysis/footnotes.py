"""What stands under a significance table: tests, families, n, seed and version, read off the frame."""

import polars as pl

_FLAGS = {
    "all_tied": "every question is tied, so p is 1; it takes many of them to show equivalence",
    "constant": "every question has the same difference",
    "few_nonzero": "at most five questions differ at all, which sign-flips cannot find significant at 0.05",
    "unbounded": "too few questions for an interval at this level; the missing end is unbounded",
    "incomplete": "some questions lack a reference country; the mean of those that are there stands in",
    "attrition": "scores are missing at different rates on the two sides; see the bounds",
    "rare": "events are rare or nearly universal: p is that of labels permuted within questions, the interval is "
    "Newcombe's",
    "diluted": "a judge of the panel gave all answers the same score, which pulls the panel's difference towards zero: "
    "it can show no equivalence",
    "no_data": "no question has a score on both sides",
    "no_reference": "there is no other country to compare with",
}


def footnotes(table: pl.DataFrame) -> list[str]:
    """Return the notes for a frame of schema `CONTRASTS`, a sentence each."""
    notes = []
    distance = pl.col("test").str.starts_with("label permutation")
    flips, distances = table.filter(~distance), table.filter(distance)
    if len(flips):
        notes.append(f"Test: {_joined(flips['test'])} on question differences; intervals are the test inverted.")
    if len(distances):
        notes.append(f"Test of a nominal criterion as a whole: {_joined(distances['test'])}.")
    for family, adjusted in (("confirmatory", "Holm"), ("exploratory", "Benjamini–Hochberg")):
        rows = table.filter(pl.col("family") == family, pl.col("p").is_not_null())
        if len(rows):
            counts = dict(rows.group_by("judge", maintain_order=True).len().iter_rows())
            members = ", ".join(f"m = {size} ({judge})" for judge, size in counts.items())
            if len(counts) > 1 and len(set(counts.values())) == 1:
                members = f"m = {next(iter(counts.values()))} each"
            notes.append(f"Adjusted by {adjusted} over the {family} rows of one judge: {members}.")
    tested = table.filter(pl.col("n_questions") > 0)["n_questions"]
    if len(tested):
        sizes = sorted({int(n) for n in tested.to_list()})
        told = sizes[0] if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        notes.append(f"n is the number of questions: {told}. Missing scores and means: focal / reference.")
    floors = table["p_placebo_min"].drop_nulls().unique().sort().to_list()
    if floors:
        notes.append(f"The placebo rank cannot give a p below {', '.join(f'{floor:.3f}' for floor in floors)}.")
    raised = {flag for flags in table["flags"].to_list() for flag in flags.split()}
    notes.extend(f"{flag}: {meaning}." for flag, meaning in _FLAGS.items() if flag in raised)
    notes.append(f"Seed {_joined(table['seed'])}; evenhand {_joined(table['version'])}.")
    return notes


def _joined(column: pl.Series) -> str:
    values = column.drop_nulls().unique().sort().to_list()
    return ", ".join(str(value) for value in values) or "none"
