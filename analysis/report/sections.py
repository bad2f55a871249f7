"""The sections of the page, from the top. Where there is no data, one sentence says why and what would bring it."""

from collections.abc import Mapping

import polars as pl

from analysis.footnotes import footnotes
from analysis.moved import CHANGES, CONTRAST
from analysis.panel import HUMAN
from analysis.report.content import Content
from analysis.report.drawing import Figure, plain
from analysis.report.html import (
    MOST_ROWS,
    bullets,
    details,
    download,
    drawn,
    facts,
    labelled,
    paragraph,
    prose,
    table,
)
from analysis.report.making import made, spent
from analysis.tables import RIGHT, as_text, readable
from analysis.verdict import Finding

Figures = Mapping[str, Figure]

TITLES = {
    "verdict": "The verdict",
    "contrasts": "Contrasts",
    "placebo": "Is it exceptional?",
    "topics": "Scores per country and topic",
    "missing": "Refusals and missing scores",
    "table": "The significance table",
    "survival": "Does the conclusion survive?",
    "judges": "Do the judges agree?",
    "bias": "Is it the model, or the judge?",
    "thinking": "Thinking and answer",
    "making": "How it was made",
}
"""The sections by their ids, in order."""


def section(name: str, content: Content, figures: Figures) -> str:
    """Return what stands under the title of the section `name`."""
    return _SECTIONS[name](content, figures)


def _verdict(content: Content, _: Figures) -> str:
    table = content.declared
    counts = {finding: int((table["finding"] == finding.value).sum()) for finding in Finding}
    told = (
        f"Of {_number(len(table), 'declared contrast')}, {counts[Finding.DIFFERS]} differ, "
        f"{counts[Finding.EQUIVALENT]} are equivalent within their margin, and {counts[Finding.INCONCLUSIVE]} are not "
        f"settled. “Not settled” is not “no difference”."
    )
    chief = table.filter(pl.col("judge") == content.chief)
    others = table.filter(pl.col("judge") != content.chief)
    parts = [paragraph(told), _sentences(chief if len(chief) else table)]
    if len(chief) and len(others):
        parts.append(details(f"The other judges, one by one ({len(others)} contrasts)", _sentences(others)))
    if content.run.manifest["model"].startswith("bundled/"):
        words = "The bundled 135M model shows the machinery. Its answers and verdicts are no finding."
        parts.insert(0, f'<p class="note">{words}</p>')
    return "\n".join(parts)


def _sentences(table: pl.DataFrame) -> str:
    order = pl.col("finding").replace_strict({"differs": 0, "equivalent": 1, "inconclusive": 2}, return_dtype=pl.Int8)
    items = (
        f'<li class="{row["finding"]}"><span class="finding {row["finding"]}">{row["finding"]}</span> '
        f"{prose(row['sentence'])}</li>"
        for row in table.sort(order, maintain_order=True).head(MOST_ROWS).iter_rows(named=True)
    )
    return f'<ul class="verdict">{"".join(items)}</ul>'


def _contrasts(_: Content, figures: Figures) -> str:
    nothing = "No declared contrast has a question with a score on both sides; the table below says what is missing."
    return _drawn(figures, "contrasts") or paragraph(nothing)


def _placebo(_: Content, figures: Figures) -> str:
    nothing = (
        "No declared contrast is against several countries, so nothing can be said here; "
        "`evenhand analyze RUN` without --reference compares with all others."
    )
    return _drawn(figures, "placebo") or paragraph(nothing)


def _topics(_: Content, figures: Figures) -> str:
    return _drawn(figures, "topics-") or paragraph("No score has come, so there is no mean to show.")


def _missing(content: Content, figures: Figures) -> str:
    rows = content.asked
    came, asked = int(rows.filter(pl.col("reason").is_null())["rows"].sum()), int(rows["rows"].sum())
    told = paragraph(f"{came:,} of {asked:,} scores came, all judges, criteria and countries together.")
    note = ""
    if not any("refusal" in criterion for criterion in content.topics["criterion"].unique().to_list()):
        note = paragraph(
            "No criterion is called “refusal”, so refusals are not told apart here; "
            "`evenhand score RUN --rubric refusal --judge …` would count them."
        )
    if len(content.unexpected):
        caption = "Given levels that count where no expected score could be had"
        note += table(labelled(readable(content.unexpected)), caption)
    return told + (_drawn(figures, "missing") or paragraph("No refusal, and nothing is missing.")) + note


def _table(content: Content, _: Figures) -> str:
    declared, explored = content.declared, content.contrasts.filter(pl.col("family") == "exploratory")
    parts = [
        _text_table(declared, "Declared contrasts"),
        bullets(footnotes(declared)) if len(declared) else "",
        download(content.declared, "table.csv"),
    ]
    if len(explored):
        shown = explored.sort("q_bh", nulls_last=True, maintain_order=True)
        caption = "Exploratory contrasts, smallest adjusted p first."
        inner = _text_table(shown.head(MOST_ROWS), caption)
        if len(shown) > MOST_ROWS:
            more = f"{len(shown) - MOST_ROWS} more rows are left to `evenhand analyze RUN --format csv`."
            inner += paragraph(more)
        parts.append(details(f"Exploratory contrasts ({len(explored)} rows)", inner))
    tests = content.omnibus.filter(pl.col("p").is_not_null())
    if len(tests):
        shown = labelled(readable(tests.drop("scale", strict=False)))
        parts.append(details("Do the countries differ at all?", table(shown, "Tests of all countries at once")))
    return "\n".join(parts)


def _text_table(rows: pl.DataFrame, caption: str) -> str:
    """Return rows of the table as people read it, what they conclude first."""
    shown = as_text(rows)
    if shown["focal – reference"].n_unique() == 1:
        caption = f"{caption}: {shown['focal – reference'][0]}"
        shown = shown.drop("focal – reference")
    first = [name for name in ("criterion", "judge", "focal – reference", *_CONCLUSION) if name in shown.columns]
    return table(shown.select(*first, pl.exclude(first)), caption, numbers=RIGHT)


_CONCLUSION = ("finding", "exceptional", "difference", "interval", "p", "adjusted", "rank")


def _survival(content: Content, _: Figures) -> str:
    frame = content.survival
    if frame is None:
        return paragraph(
            "Not computed. `evenhand report RUN --survive` takes each verdict again without each judge, repeat, "
            "country, question and topic."
        )
    if frame.is_empty():
        return paragraph("There is too little to leave anything out: one judge, one question or two countries.")
    own = [name for name in frame.columns if name not in ("left_out", "flipped_by") and frame.schema[name] == pl.String]
    flips = frame.group_by(own, maintain_order=True).agg(pl.sum("n_flips"), pl.sum("n_tried"))
    flipped = int((flips["n_flips"] > 0).sum())
    told = (
        f"Each verdict was taken again with one thing left out, {int(frame['n_tried'].sum()):,} times in all. "
        f"{len(flips) - flipped} of {_number(len(flips), 'verdict')} keep their finding every time; {flipped} do not."
    )
    shown = labelled(readable(frame.drop("focal")))
    changed = shown.filter((pl.col("n_flips") > 0) | (pl.col("n_standing_flips") > 0))
    parts = [paragraph(told)]
    if len(changed):
        parts.append(table(changed, "Verdicts, or standings among the countries, that change"))
    parts.append(details(f"All of them ({len(shown)} rows)", table(shown, "Verdicts with one thing left out")))
    return "\n".join(parts)


def _judges(content: Content, figures: Figures) -> str:
    parts = []
    if content.agreement.is_empty():
        parts.append(
            paragraph(
                "One judge scored each answer once, so there is nobody to agree with; `evenhand score RUN --judge …` "
                "adds a judge, and `--repeats 3` lets one judge score again."
            )
        )
    else:
        frame = readable(content.agreement.drop("scale"))
        parts += [_drawn(figures, "agreement"), details("Every coefficient", table(frame, "Agreement"))]
    if len(content.interaction) and content.interaction["n_judges"].max() not in (None, 0, 1):
        parts.append(table(labelled(readable(content.interaction)), "Does the contrast depend on the judge?"))
    if len(content.corrected):
        parts.append(table(labelled(readable(content.corrected)), "Contrasts corrected by human labels (PPI++)"))
    elif not any(judge.startswith(HUMAN) for judge in content.judges):
        parts.append(
            paragraph(
                "No human has labelled an answer; `evenhand label RUN --rubric … --n 60`, or `evenhand import` with "
                "verdicts of `human:NAME`, would tell how far the judges can be trusted."
            )
        )
    return "\n".join(parts)


def _bias(content: Content, figures: Figures) -> str:
    placebos = [name for name, change in CHANGES.items() if change.placebo and name in content.moved]
    shown = [_moved(content, figures, name) for name in placebos]
    nothing = (
        "The judges have not been tested with a placebo; `evenhand score RUN --placebo mask` has the same answers "
        "judged without the country's name. What moves then is the judge's doing."
    )
    return "\n".join(shown) or paragraph(nothing)


def _thinking(content: Content, figures: Figures) -> str:
    if "reasoning" in content.moved:
        return _moved(content, figures, "reasoning")
    return paragraph(
        "The thinking has not been scored; `evenhand score RUN --on reasoning` scores it on the same rubric, where the "
        "model left any."
    )


def _moved(content: Content, figures: Figures, name: str) -> str:
    frame = content.moved[name]
    if not (frame["n_questions"].max() or 0):
        return paragraph("It has been scored, but no question has a score on both sides.")
    frame = labelled(
        readable(frame.with_columns(pl.col("country").replace(CONTRAST, f"{plain(content.focal)} - others")))
    )
    caption = "Scores before and after, for the contrast and for every country"
    return _drawn(figures, f"moved-{name}") + details(caption, table(frame, caption))


def _making(content: Content, _: Figures) -> str:
    run = content.run
    versions = ", ".join(str(one) for one in content.contrasts["version"].unique().sort().to_list())
    seeds = ", ".join(str(one) for one in content.contrasts["seed"].unique().sort().to_list())
    compared = ", ".join(content.declared["reference"].unique().sort().to_list())
    head = {
        "focal country": content.focal, "compared with": compared, "level": f"{content.alpha:g}", "seed": seeds,
        "evenhand": versions, "judges": ", ".join(content.judges),
    }  # fmt: skip
    parts = ["<h3>The analysis</h3>", facts(head), table(spent(run), "What it took: requests, tokens, US dollars")]
    for title, told in made(run):
        parts += [f"<h3>{prose(title)}</h3>", facts(told)]
    return "\n".join(parts)


def _drawn(figures: Figures, start: str) -> str:
    return "\n".join(drawn(figure) for name, figure in figures.items() if name.startswith(start))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_SECTIONS = {
    "verdict": _verdict,
    "contrasts": _contrasts,
    "placebo": _placebo,
    "topics": _topics,
    "missing": _missing,
    "table": _table,
    "survival": _survival,
    "judges": _judges,
    "bias": _bias,
    "thinking": _thinking,
    "making": _making,
}
