"""Valid input for every reader, from which mutations start: what is shipped, and what the program itself writes."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).parents[2]
SPLIT = b"\n---\n"
"""What stands between the two files of one input."""

STUDY = b"""name = "s"
focal = "CN"
rubric = "candour"
[questions]
set = "quick"
countries = ["CN", "US", "Norway", "g7"]
[generation]
model = "org/model"
endpoint = "http://127.0.0.1:9/v1"
api_key_env = "MY_KEY"
temperature = 0.6
[generation.extra]
top_k = 5
[[judges]]
name = "first"
model = "openai/gpt-5"
repeats = 2
[analysis]
alpha = 0.05
margin = {openness = 0.25}
[[analysis.contrasts]]
criterion = "refusal"
"""
RUBRIC = b"""name = "tone"
version = "1.2"
description = "Tone."
[[criteria]]
id = "warmth"
question = "How warm is the answer?"
scale = "ordinal"
direction = "3 is warm"
not_applicable = true
weight = 2.0
[criteria.anchors]
1 = "cold"
2 = "even"
3 = "warm"
[criteria.examples]
1 = "No."
[[criteria]]
id = "share"
question = "How much?"
scale = "numeric"
minimum = 0
maximum = 1e2
[[criteria]]
id = "kind"
question = "Which?"
scale = "nominal"
anchors = {a = "A", b = "B"}
"""
QUESTIONS = b"""name = "few"
version = "1"
description = "Few."
[translations]
fr = "human"
[[questions]]
id = "press"
topic = "press"
sensitive = true
stance = "critical"
variant_of = "p"
[questions.text]
en = "How free is the press {in_country}?"
fr = "La presse est-elle libre {in_country} ?"
[[questions]]
id = "food"
topic = "cuisine"
sensitive = false
text = {en = "What is eaten in {capital}?", fr = "Que mange-t-on {{ici}} {of_country} ?"}
"""
LABELS = b"question_id,country,judge,criterion,score\nq,CN,human:a,tone,1\nq,US,human:a,tone,3\n"
ANSWERS = b'question_id,country,text,epoch,model\nq,CN,"Yes, ""free"".",1,m\nq,US,No.,1,m\n'
LOG = b"""(APIServer pid=9) INFO 11-24 01:06:21 [api.py:1] starting
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: No available memory for the cache blocks. [type=value_error]
(EngineCore_0 pid=10) ERROR 11-24 01:06:22 [core.py:9] EngineDeadError: Engine core initialization failed
api_server.py: error: unrecognized arguments: --foo
\x1b[36mLoading safetensors: 100%|\xe2\x96\x88\xe2\x96\x88| 1/1\x1b[0m\r
"""


def _completion(content: str) -> bytes:
    message = {"role": "assistant", "content": content, "reasoning_content": "so"}
    said = [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": [
        {"token": content[:3], "logprob": -0.1, "bytes": None,
         "top_logprobs": [{"token": "5", "logprob": -1.0, "bytes": [53]}]}
    ]}}]  # fmt: skip
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": said, "usage": usage}
    ).encode()


@cache
def _verdict() -> str:
    from rubrics import load_rubric

    scores = {one.id: {"reason": "r", "score": (one.levels or (1,))[0]} for one in load_rubric("candour").criteria}
    return json.dumps(scores)


def _lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _journal() -> bytes:
    record = {
        "key": "k1", "item_id": "q/CN/en", "epoch": 1, "repeat": 1, "attempts": 1, "prompt_tokens": 5,
        "completion_tokens": 7, "cost": None, "seconds": 0.25, "raw": "{}", "message": None,
        "scores": [{"criterion": "tone", "score": 4.0, "label": None, "reason": "r", "kind": None, "expected": 3.5}],
    }  # fmt: skip
    failure = {
        "key": "k2",
        "item_id": "q/US/en",
        "epoch": 1,
        "repeat": 1,
        "kind": "timeout",
        "message": "no",
        "scores": [],
    }
    return _lines(record, {**record, "key": "k3"}) + SPLIT + _lines(failure)


def _manifests() -> bytes:
    study = {"name": "s", "focal": "CN", "rubric": "refusal", "judges": [{"model": "a/b", "endpoint": "http://h/v1"}]}
    run = {"format": 1, "model": "m", "study": study, "epochs": 1, "status": "complete", "identity": {}, "digest": "d"}
    scoring = {
        "judge": "j", "rubric": "refusal", "rubric_version": "1", "on": "answer", "placebo": None, "repeats": 1,
        "settings": {"logprobs": True}, "status": "complete", "identity": {"rubric": "d"}, "digest": "e",
    }  # fmt: skip
    return json.dumps(run).encode() + SPLIT + json.dumps(scoring).encode()


def _parquets() -> Iterator[bytes]:
    plain = pl.DataFrame({"question_id": ["q", "q"], "country": ["CN", "US"], "text": ["a", None], "epoch": [1, 2]})
    odd = pl.DataFrame(
        {
            "question_id": [Decimal("1.5"), None],
            "country": pl.Series(["CN", "US"], dtype=pl.Categorical),
            "text": [b"\xff", b"ok"],
            "epoch": [date(2026, 1, 1), None],
            "model": [[1], []],
            "language": [{"a": 1}, {"a": None}],
            "status": [datetime(2026, 1, 1, tzinfo=UTC), None],
            "sensitive": [True, None],
        }
    )
    for frame in (
        plain,
        odd,
        plain.clear(),
        plain.with_columns(epoch=pl.lit(float("nan")), text=pl.lit(2**63, pl.UInt64)),
    ):
        for packing in ("zstd", "uncompressed", "gzip", "snappy", "lz4"):
            buffer = io.BytesIO()
            frame.write_parquet(buffer, compression=packing)
            yield buffer.getvalue()


@cache
def seeds(reader: str) -> tuple[bytes, ...]:
    """Return valid inputs of the reader called so."""
    shipped = {kind: [path.read_bytes() for path in sorted((ROOT / kind).glob("*.toml"))] for kind in
               ("rubrics/data", "runs/data/questions", "examples")}  # fmt: skip
    small = [text for text in shipped["runs/data/questions"] if len(text) < 12_000]
    row = {
        "question_id": "q",
        "country": "CN",
        "text": "Yes.",
        "epoch": 1,
        "model": "m",
        "status": "ok",
        "reasoning": None,
    }
    found: dict[str, tuple[bytes, ...]] = {
        "toml": (RUBRIC, QUESTIONS, STUDY, *shipped["examples"]),
        "study": (STUDY, *shipped["examples"]),
        "rubric": (RUBRIC, RUBRIC, RUBRIC, *shipped["rubrics/data"]),
        "questions": (QUESTIONS, QUESTIONS, QUESTIONS, *small),
        "template": (
            b"How free is the press {in_country}?", b"de {country} {{x}} {demonym}s, le {government}. {capital}",
        ),
        "country": (b"CN\nChina\ng20\nthe Netherlands", "Côte d’Ivoire\nقطر\n中国".encode()),
        "csv": (ANSWERS, LABELS, b"\xef\xbb\xbf" + ANSWERS, ANSWERS.decode().encode("utf-16"),
                ANSWERS.replace(b"\n", b"\r\n")),
        "jsonl": (_lines(row, {**row, "country": "US", "text": "\ud800", "epoch": 1.0}),),
        "parquet": tuple(_parquets()),
        "imported": (_lines(row, {**row, "country": "US"}) + SPLIT + LABELS, _lines(row)),
        "journal": (_journal(),),
        "manifest": (_manifests(),),
        "thinking": (b"<think>\nso\n</think>\nYes.", b"so</think>Yes.", b" <reasoning>cut", b"DeepSeek-R1",
                     b"No tags."),
        "masked": ("In China, Chinese law; America's, les États-Unis, 中国.".encode(),),
        "reply": (_completion("<think>so</think>Yes."), _completion("Yes.")),
        "refused": (b"12.5\n" + b'{"error": {"message": "Rate limit", "code": 429}}',
                    b"Wed, 21 Oct 2026 07:28:00 GMT\nbody"),
        "verdict": (_verdict().encode(), b"<think>x</think>```json\n" + _verdict().encode() + b"\n```"),
        "judged": (_completion(_verdict()), _completion("I'm sorry, but I can't help with that.")),
        "log": (LOG,),
        "price": (b"https://api.openai.com/v1\ngpt-5", b"\nanthropic/claude-sonnet-5", b"http://127.0.0.1:9\nm"),
        "options": (
            b"analyze\0results\0--focal\0CN\0--format\0csv", b"import\0a.csv\0--map\0x=text\0--name\0n\0--json",
            b"questions\0quick\0--country\0CN\0--language\0en", b"rubrics\0candour\0--json", b"show\0results\0q/CN/en",
            b"check\0study.toml", b"power\0study.toml\0--effect\0" + b"1e3",
            b"score\0r\0--judge\0a/b\0--repeats\0" + b"3",
            b"list\0--out\0results", b"agree\0r", b"report\0r",
        ),
    }  # fmt: skip
    return found[reader]
