"""Answers and verdicts from elsewhere: CSV, JSONL and Parquet become the same run, and no row is lost in silence."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenhand

Make = Callable[..., Any]
Rows = list[dict[str, Any]]
SPEECHMAP = Path(__file__).parents[2].parent / "shared" / "data" / "speechmap-160.jsonl"


def _answers() -> Rows:
    return [
        {"question_id": f"q{number}", "country": country, "text": f"Answer {number} about {country}, “so” 中文\nline 2"}
        for number in range(5)
        for country in ("CN", "US", "NO")
    ]


def _labels(score: Callable[[int, str], object], judge: str = "human:ann", criterion: str = "Openness") -> Rows:
    return [
        {"question_id": row["question_id"], "country": row["country"], "judge": judge, "criterion": criterion}
        | {"score": score(int(row["question_id"][1:]), row["country"])}
        for row in _answers()
    ]


def _written(path: Path, rows: Rows) -> Path:
    match path.suffix:
        case ".csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        case ".parquet":
            pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
        case _:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".ndjson", ".parquet", ".CSV"])
def test_every_format_is_the_same_run(cli: Make, tmp_path: Path, suffix: str) -> None:
    answers = _written(tmp_path / f"answers{suffix.lower()}", _answers())
    labels = _written(tmp_path / f"labels{suffix.lower()}", _labels(lambda n, _: n + 1))
    if suffix == ".CSV":
        answers, labels = (path.rename(path.with_suffix(suffix)) for path in (answers, labels))
    told = cli("import", answers, "--verdicts", labels, "--name", "theirs", "--focal", "CN", "--out", tmp_path / "r")
    assert told.code == 0, told.err
    run = Path(told.out.splitlines()[-1])
    assert run.parent == tmp_path / "r" / "theirs"
    assert "imported: 15 answers, 15 verdicts, 0 verdicts that are null or outside their scale" in told.err
    texts = pl.read_parquet(run / "responses.parquet").sort("item_id")["text"].to_list()
    assert texts == [row["text"] for row in sorted(_answers(), key=lambda row: (row["question_id"], row["country"]))]
    (verdicts,) = run.rglob("verdicts.parquet")
    scores = pl.read_parquet(verdicts, columns=["item_id", "scores"]).explode("scores").unnest("scores")
    assert scores.filter(item_id="q3/NO/en")["score"].to_list() == [4.0]
    assert scores["criterion"].unique().to_list() == ["openness"]
    analyzed = cli("analyze", run, "--json").json  # the focal country was declared
    assert {(row["judge"], row["scale"]) for row in analyzed["contrasts"]} == {("human:ann", "ordinal")}


def test_columns_are_mapped_by_name(cli: Make, tmp_path: Path) -> None:
    theirs = [
        {"qid": row["question_id"], "nation": row["country"], "answer": row["text"], "text": "not this one", "x": 1}
        for row in _answers()
    ]
    answers = _written(tmp_path / "answers.jsonl", theirs)
    maps = [part for one in ("qid=question_id", "nation=country", "answer=text") for part in ("--map", one)]
    told = cli("import", answers, *maps, "--out", tmp_path / "r", "--json").json
    assert (told["runs"][0]["responses"], told["rejected"]) == (15, 0)
    assert "Answer 0" in pl.read_parquet(Path(told["runs"][0]["run"]) / "responses.parquet")["text"][0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--map", "text"], "--map text: expected theirs=ours, such as --map answer=text."),
        (["--map", "=text"], "expected theirs=ours"),
        (["--map", "answer=text"], "--map answer=text: there is no column 'answer'; known: country"),
        (["--map", "text=txt"], "--map text=txt: 'txt' is no column of ours; did you mean 'text'?"),
        (["--rubric", "candor"], "rubric 'candor': no rubric of this name is shipped; did you mean 'candour'?"),
        (["--verdicts", "gone.csv"], "gone.csv: there is no such file."),
    ],
)  # fmt: skip
def test_wrong_options_are_told(cli: Make, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    told = cli("import", _written(tmp_path / "a.csv", _answers()), *arguments, "--out", tmp_path / "r")
    assert told.code == 2
    assert sentence in told.err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"question_id", "a.txt: expected a file that ends in .csv, .jsonl, .ndjson, .parquet."),
        ("a.csv", b"", "a.csv: cannot be read as CSV"),
        (
            "a.csv",
            b"question_id,country\nq,CN\n",
            "a.csv: the column 'text' is missing (there are question_id, country);",
        ),
        ("a.csv", b"question_id,country,text\n", "a.csv: holds no rows;"),
        ("a.csv", b"question_id,country,text\nq,,hi\n", "a.csv: none of its 1 rows fits; row 1: country is empty."),
        ("a.csv", b"\x00\xff\xfe\x80" * 100, "a.csv: "),
        ("a.jsonl", b"\x00\xff\xfe\x80" * 100, "a.jsonl: "),
        ("a.jsonl", b"{}\n\n[1, 2]\n", "a.jsonl: cannot be read as JSONL (line 3 is no JSON object; write one object"),
        ("a.jsonl", b'{"question_id": 1}\n{"text": ', "a.jsonl: cannot be read as JSONL (line 2 is no JSON"),
        ("a.parquet", b"\x00\xff\xfe\x80" * 100, "a.parquet: cannot be read as PARQUET"),
    ],
)
def test_files_that_are_none_are_told(cli: Make, tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    told = cli("import", path, "--out", tmp_path / "r")
    assert told.code == 2
    assert f"{tmp_path}/{sentence}" in told.err
    assert told.err.count("\n") == 1
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert cli("import", folder, "--out", tmp_path / "r").code == 2


def test_rows_that_do_not_fit_are_counted_and_listed(cli: Make, tmp_path: Path) -> None:
    rows = [
        *_answers(),
        {"question_id": "", "country": "CN", "text": "a"},
        {"question_id": "q9", "country": None, "text": "b"},
        {"question_id": "q9", "country": "CN", "text": "c", "epoch": 0},
        {"question_id": "q9", "country": "CN", "text": "d", "epoch": 1.5},
        {"question_id": "q9", "country": "CN", "text": "e", "status": "fine"},
        {"question_id": "q0", "country": "CN", "text": "another answer in the same epoch"},
        _answers()[0],  # the same row again is no contradiction
    ]
    labels = [
        *_labels(lambda n, _: n + 1),
        {"question_id": "q77", "country": "CN", "judge": "human:ann", "criterion": "openness", "score": 1},
        {"question_id": "q0", "country": "CN", "judge": " ", "criterion": "openness", "score": 1},
        {"question_id": "q0", "country": "CN", "judge": "human:ann", "criterion": "?!", "score": 1},
        {
            "question_id": "q0",
            "country": "CN",
            "judge": "human:ann",
            "criterion": "openness",
            "score": 1,
            "repeat": "x",
        },
    ]
    answers, verdicts = _written(tmp_path / "a.jsonl", rows), _written(tmp_path / "v.jsonl", labels)
    told = cli("import", answers, "--verdicts", verdicts, "--out", tmp_path / "r", "--json")
    assert told.code == 1
    assert told.json["rejected"] == 10
    assert told.json["runs"][0]["responses"] == 15
    rejected = [
        json.loads(line) for line in (Path(told.json["runs"][0]["run"]) / "rejected.jsonl").read_text().splitlines()
    ]
    assert [(Path(one["file"]).name, one["row"]) for one in rejected] == [
        *[("a.jsonl", number) for number in range(16, 22)], *[("v.jsonl", number) for number in range(16, 20)]
    ]  # fmt: skip
    whys = [one["why"] for one in rejected]
    assert whys[0] == "question_id is empty"
    assert whys[1] == "country is empty"
    assert whys[4] == "status 'fine' is none of ok, empty, truncated, filtered, error"
    assert whys[5].startswith("another row answers the same question")
    assert whys[6] == "there is no answer to this question about this country in this epoch"
    assert [rejected[9]["content"][name] for name in ("score", "repeat")] == [1, "x"]
    plain = cli("import", answers, "--verdicts", verdicts, "--out", tmp_path / "r")
    assert f"{verdicts}, row 17: judge is empty" in plain.err
    assert "10 rows do not fit; they stand in rejected.jsonl." in plain.err


def test_scores_that_are_null_or_outside_the_scale_are_failures_per_country(cli: Make, tmp_path: Path) -> None:
    rubric = tmp_path / "scale.toml"
    rubric.write_text(
        'name = "scale"\nversion = "1"\ndescription = "d"\n[[criteria]]\nid = "openness"\nquestion = "How open?"\n'
        'scale = "ordinal"\nanchors = {"1" = "a", "2" = "b", "3" = "c", "4" = "d", "5" = "e"}\n'
    )
    scores = {("q0", "CN"): None, ("q1", "CN"): 9, ("q2", "CN"): "nonsense", ("q0", "US"): 2.5, ("q1", "NO"): ""}
    labels = _labels(lambda n, country: scores.get((f"q{n}", country), 3))
    answers, verdicts = _written(tmp_path / "a.csv", _answers()), _written(tmp_path / "v.csv", labels)
    arguments = ["import", answers, "--verdicts", verdicts, "--rubric", rubric, "--focal", "CN"]
    told = cli(*arguments, "--out", tmp_path / "r", "--json").json
    counts = {name: told["runs"][0][name] for name in ("responses", "verdicts", "failures")}
    assert counts == {"responses": 15, "verdicts": 10, "failures": 5}
    assert told["rejected"] == 0
    missing = cli("analyze", told["runs"][0]["run"], "--json").json["missing"]
    assert {(row["country"], row["reason"]): row["rows"] for row in missing} == {
        ("CN", "invalid_output"): 3, ("CN", None): 2, ("NO", "invalid_output"): 1, ("NO", None): 4,
        ("US", "invalid_output"): 1, ("US", None): 4,
    }  # fmt: skip


def test_jsonl_as_others_write_it_is_read(cli: Make, tmp_path: Path) -> None:
    lines = [
        '{"question_id": 1, "country": "CN", "text": "half a pair: \\ud83d"}',
        '{"question_id": "2", "country": "CN", "text": 5, "epoch": "1"}',
        "",
        '{"question_id": "3", "country": "CN", "text": "c", "epoch": 1.0, "more": [1]}',
    ]
    answers = tmp_path / "a.jsonl"
    answers.write_text("\ufeff" + "\r\n".join(lines), "utf-8")  # Windows' byte order mark and line ends
    scores = ["3", "NaN", '"n/a"', '{"a": 1}']
    place = '"country": "CN", "judge": "j", "criterion": "c"'
    labels = [
        f'{{"question_id": {n}, {place}, "score": {score}}}' for n, score in zip([1, 2, 3, 9], scores, strict=True)
    ]
    verdicts = tmp_path / "v.jsonl"
    verdicts.write_text("\n".join(labels), "utf-8")
    told = cli("import", answers, "--verdicts", verdicts, "--out", tmp_path / "r", "--json").json
    (run,) = told["runs"]
    assert (run["responses"], run["verdicts"], run["failures"], told["rejected"]) == (3, 1, 2, 1)
    texts = pl.read_parquet(Path(run["run"]) / "responses.parquet").sort("item_id")["text"].to_list()
    assert texts == ["half a pair: \ufffd", "5", "c"]


def test_what_did_not_come_keeps_its_kind(tmp_path: Path) -> None:
    answers = [{**row, "status": "truncated" if row["country"] == "NO" else None} for row in _answers()]
    labels = [
        {**row, "score": None, "status": "judge_refusal"} if row["question_id"] == "q0" else row
        for row in _labels(lambda n, _: n)
    ]
    result = evenhand.import_(
        _written(tmp_path / "a.jsonl", answers), verdicts=_written(tmp_path / "v.jsonl", labels), root=tmp_path / "r"
    )
    (imported,) = result.runs
    assert (imported.verdicts, imported.failures) == (12, 3)
    missing = evenhand.analyze(imported.run, focal="CN").missing
    counts = {(row["country"], row["reason"]): row["rows"] for row in missing.to_dicts()}
    assert counts["NO", "truncated"] >= 1  # an answer that was cut off is told as that, whatever its labels say
    assert counts["CN", "judge_refusal"] == counts["US", "judge_refusal"] == 1


@pytest.mark.parametrize(
    ("score", "scale"),
    [
        (lambda n, _: n + 1, "ordinal"),
        (lambda n, _: n % 2, "binary"),
        (lambda n, _: bool(n % 2), "binary"),
        (lambda n, _: n / 4, "numeric"),
        (lambda n, _: ["open", "closed"][n % 2], "nominal"),
    ],
    ids=["ordinal", "binary", "truth", "numeric", "nominal"],
)
def test_scales_are_taken_from_the_values(tmp_path: Path, score: Callable[[int, str], object], scale: str) -> None:
    answers = _written(tmp_path / "a.jsonl", _answers())
    verdicts = _written(tmp_path / "v.jsonl", _labels(score))
    (imported,) = evenhand.import_(answers, verdicts=verdicts, focal="CN", root=tmp_path / "r").runs
    assert (imported.verdicts, imported.failures) == (15, 0)
    assert set(evenhand.analyze(imported.run).contrasts["scale"]) == {scale}


def test_several_judges_criteria_repeats_and_epochs(tmp_path: Path) -> None:
    answers = [{**row, "epoch": epoch, "text": f"{row['text']} {epoch}"} for row in _answers() for epoch in (1, 2)]
    labels = [
        {**row, "epoch": epoch, "repeat": repeat, "reason": "so"}
        for judge in ("human:ann", "human:bo", "gpt")
        for criterion in ("openness", "refusal")
        for epoch in (1, 2)
        for repeat in (1, 2)
        for row in _labels(lambda n, _: n % 2, judge, criterion)
    ]
    (imported,) = evenhand.import_(
        _written(tmp_path / "a.csv", answers), verdicts=_written(tmp_path / "v.csv", labels), root=tmp_path / "r"
    ).runs
    assert (imported.responses, imported.verdicts) == (30, 15 * 3 * 2 * 2 * 2)
    scorings = {one.judge: one for one in imported.run.scorings()}
    assert set(scorings) == {"human:ann", "human:bo", "gpt"}
    rows = scorings["gpt"].ledger.scan().collect()
    assert rows.height == 60
    assert {one["reason"] for row in rows["scores"].to_list() for one in row} == {"so"}


def test_each_model_is_a_run_of_its_own(cli: Make, tmp_path: Path) -> None:
    answers = [{**row, "model": model} for row in _answers() for model in ("org/a", "org/b")]
    labels = [{**row, "model": model} for row in _labels(lambda n, _: n) for model in ("org/a", "org/b")]
    stray = [{**labels[0], "model": "org/c"}, {**labels[0], "model": None}]
    files = _written(tmp_path / "a.jsonl", answers), _written(tmp_path / "v.jsonl", [*labels, *stray])
    told = cli("import", files[0], "--verdicts", files[1], "--out", tmp_path / "r")
    assert told.code == 1
    runs = told.out.splitlines()
    assert [Path(run).name.split("-")[0] for run in runs] == ["a", "b"]
    assert "its model 'org/c' has no answers" in told.err
    assert "its `model` is empty, and the answers are from 2" in told.err
    assert [entry["model"] for entry in cli("list", "--out", tmp_path / "r", "--json").json["runs"]] == [
        "org/a",
        "org/b",
    ]


def test_importing_twice_adds_nothing_and_other_labels_stand_beside(cli: Make, tmp_path: Path) -> None:
    answers = _written(tmp_path / "a.csv", _answers())
    first, second = (
        _written(tmp_path / f"{judge}.csv", _labels(lambda n, _: n, f"human:{judge}")) for judge in ("ann", "bo")
    )
    runs = [
        cli("import", answers, "--verdicts", verdicts, "--name", "s", "--out", tmp_path / "r", "--json").json["runs"][0]
        for verdicts in (first, first, second)
    ]
    assert len({run["run"] for run in runs}) == 1
    assert [run["verdicts"] for run in runs] == [15, 15, 15]
    assert len(list(Path(runs[0]["run"]).glob("scorings/*"))) == 2
    responses = (Path(runs[0]["run"]) / "responses.jsonl").read_text().splitlines()
    assert len(responses) == 15


def test_imported_answers_are_scored_like_ours(cli: Make, scripted: Make, tmp_path: Path) -> None:
    rows = [{**row, "prompt": f"Tell me about {row['country']}."} for row in _answers()]
    run = cli("import", _written(tmp_path / "a.jsonl", rows), "--out", tmp_path / "r", "--json").json["runs"][0]["run"]
    endpoint = scripted()
    told = cli("score", run, "--judge", "j", "--endpoint", endpoint.url, "--rubric", "candour", "--json")
    assert told.code == 0
    assert told.json["scorings"][0]["scored"] == 15
    assert sum("Tell me about NO." in one["prompt"] for one in endpoint.stats()["prompts"]) == 5
    analyzed = cli("analyze", run)
    assert analyzed.code == 2
    assert "no focal country is declared; name one with --focal: CN, NO, US." in analyzed.err
    assert cli("analyze", run, "--focal", "China").code == 0


@pytest.mark.skipif(not SPEECHMAP.exists(), reason="the data is not at hand")
def test_the_speechmap_answers_with_the_labels_of_two_judges(cli: Make, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in SPEECHMAP.read_text("utf-8").splitlines()]
    place = [
        {"question_id": f"criticism-{row['item']:02}", "country": row["country"], "model": row["model"]} for row in rows
    ]
    answers = [
        {**where, "text": row["answer"], "prompt": row["question"]} for where, row in zip(place, rows, strict=True)
    ]
    labels = [
        {**where, "judge": judge, "criterion": "compliance", "reason": row[f"judge_{judge}_analysis"]}
        | {"score": row[f"judge_{judge}"] if row[f"judge_{judge}"] in {"COMPLETE", "EVASIVE", "DENIAL"} else None}
        for where, row in zip(place, rows, strict=True)
        for judge in ("grok", "gpt4o")
    ]
    told = cli(
        "import", _written(tmp_path / "answers.jsonl", answers), "--verdicts", _written(tmp_path / "v.jsonl", labels),
        "--name", "speechmap", "--focal", "china", "--out", tmp_path / "r", "--json",
    )  # fmt: skip
    assert told.code == 0
    runs = {one["model"]: one for one in told.json["runs"]}
    assert set(runs) == {row["model"] for row in rows}
    for model, run in runs.items():
        mine = [label for label in labels if label["model"] == model]
        assert run["responses"] == sum(row["model"] == model for row in rows)
        assert run["verdicts"] == sum(label["score"] is not None for label in mine)
        assert run["failures"] == sum(label["score"] is None for label in mine)
        content = cli("analyze", run["run"], "--json").json
        told_rows = [
            row for row in content["contrasts"]
            if row["family"] == "confirmatory" and row["category"] is not None and row["judge"] in {"grok", "gpt4o"}
        ]  # fmt: skip
        for row in told_rows:
            given = Counter(
                (label["country"], label["score"])
                for label in mine
                if label["judge"] == row["judge"] and label["score"]
            )
            complete = sum(n for (country, _), n in given.items() if country == "china")
            assert row["mean_focal"] == pytest.approx(given["china", row["category"]] / complete)
        assert {row["focal"] for row in content["contrasts"]} == {"china"}
