"""Results that others measured, read from what their tools write: rows of our own in the shape of each tool's file."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from tuneworth.core.outcome import Usage
from tuneworth.data.formats import read
from tuneworth.data.logs import read_all, read_results
from tuneworth.errors import InputError


def written(path: Path, rows: Any) -> str:
    """One object as a document, a list as JSON Lines."""
    text = json.dumps(rows) if isinstance(rows, dict) else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return str(path)


def sample(doc_id: int, *, flt: str = "none", **scores: Any) -> dict[str, Any]:
    """A line of lm-evaluation-harness."""
    return {
        "doc_id": doc_id,
        "doc": {"question": f"q {doc_id}", "topic": f"t{doc_id % 2}"},
        "target": " blue",
        "filter": flt,
        "resps": [["it is blue"]],
        "filtered_resps": ["blue"],
        "doc_hash": f"h{doc_id}",
        "metrics": list(scores),
        **scores,
    }


def test_lm_eval_names_metrics_as_its_results_do(tmp_path):
    (tmp_path / "org__small").mkdir()
    rows = [sample(n, flt=flt, exact_match=float(n > 0), bleu=["a", "b"]) for flt in ("strict", "none") for n in (0, 1)]
    log = read_results(written(tmp_path / "org__small" / "samples_made_2026.jsonl", rows))[0]
    assert (log.name, log.tool, len(log.rows)) == ("org__small", "lm_eval", 2)
    first, second = log.rows
    assert second.scores == {"exact_match,strict": 1.0, "exact_match": 1.0}
    assert (first.id, first.text, first.answer, first.references) == ("0", "q 0", "blue", (" blue",))
    assert first.fields["topic"] == "t0"
    assert "bleu,strict, bleu" in log.notes[0].en


def test_the_summary_of_lm_eval_is_told_from_its_samples(tmp_path):
    path = written(tmp_path / "results_1.json", {"results": {"made": {"acc,none": 0.5}}, "n-shot": {}, "config": {}})
    with pytest.raises(InputError, match="has means only"):
        read_results(path)


def inspect_sample(n: int, value: Any, epoch: int = 1) -> dict[str, Any]:
    return {
        "id": n,
        "epoch": epoch,
        "input": f"q {n}",
        "target": ["a", "b"],
        "metadata": {"user": f"u{n % 3}"},
        "scores": {"match": {"value": value, "answer": "a"}},
        "model_usage": {
            "local/x": {"input_tokens": 10, "output_tokens": 3, "input_tokens_cache_read": 5, "total_cost": 0.25}
        },
        "working_time": 0.5,
    }


HEAD = {"version": 2, "status": "success", "eval": {"task": "made", "model": "local/x"}}
VALUES = ["C", "I", "P", 0.25, True, float("nan"), {"a": 1, "b": "I"}]
READ = [
    {"match": 1.0},
    {"match": 0.0},
    {"match": 0.5},
    {"match": 0.25},
    {"match": 1.0},
    {},
    {"match.a": 1.0, "match.b": 0.0},
]


def test_inspect_values_are_numbers_as_it_has_them(tmp_path):
    samples = [inspect_sample(n, value) for n, value in enumerate(VALUES)]
    log = read_results(written(tmp_path / "made.json", {**HEAD, "samples": samples}))[0]
    assert (log.name, log.tool, log.notes) == ("local/x", "inspect", [])
    assert [row.scores for row in log.rows] == READ
    row = log.rows[0]
    assert (row.id, row.text, row.references, row.seconds, row.usd) == ("0", "q 0", ("a", "b"), 0.5, 0.25)
    assert row.usage == Usage(prompt_tokens=15, cached_tokens=5, completion_tokens=3)
    assert row.place.endswith("made.json #1")


def archive(path: Path, files: dict[str, Any]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, value in files.items():
            packed.writestr(name, json.dumps(value))
    return str(path)


def zstandard(path: Path, files: dict[str, Any]) -> str:
    """A zip file whose members are packed as Inspect packs them, with an extra field in front of each."""
    arrow = pytest.importorskip("pyarrow")
    body, index = b"", b""
    for name, value in files.items():
        plain, called, extra = json.dumps(value).encode(), name.encode(), b"\x99\x99\x02\x00ab"
        packed = arrow.compress(plain, codec="zstd", asbytes=True)
        shared = struct.pack(
            "<HHHHHIIIHH", 20, 0, 93, 0, 33, zlib.crc32(plain), len(packed), len(plain), len(called), 6
        )
        index += b"PK\x01\x02\x14\x00" + shared + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + called + extra
        body += b"PK\x03\x04" + shared + called + extra + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(index), len(body), 0)
    path.write_bytes(body + index + b"PK\x05\x06" + end)
    return str(path)


@pytest.mark.parametrize("pack", [archive, zstandard])
def test_an_inspect_archive_is_read_by_its_summaries(tmp_path, pack):
    samples = [inspect_sample(n, value) for n, value in enumerate(VALUES)]
    whole = {f"samples/{n}_epoch_1.json": {**one, "output": {}} for n, one in enumerate(samples)}
    path = pack(tmp_path / "made.eval", {"header.json": HEAD, "summaries.json": samples, **whole})
    log = read_results(path)[0]
    assert (log.name, [row.scores for row in log.rows]) == ("local/x", READ)
    assert len(read(path).rows) == len(VALUES), "rows of a task come from the samples themselves"


def test_an_inspect_log_that_was_cut_off_has_its_journal(tmp_path):
    head = {"version": 2, "eval": HEAD["eval"], "plan": {}}
    parts = {f"_journal/summaries/{n}.json": [inspect_sample(n, "C")] for n in (1, 2)}
    assert len(read_results(archive(tmp_path / "a.eval", {"_journal/start.json": head, **parts}))[0].rows) == 2
    with pytest.raises(InputError, match="log of Inspect without scored rows"):
        read_results(archive(tmp_path / "b.eval", {"_journal/start.json": head}))
    log = read_results(written(tmp_path / "c.json", {**HEAD, "status": "error", "samples": [inspect_sample(1, "C")]}))[
        0
    ]
    assert "status is “error”" in log.notes[0].en


def outcome(test: int, provider: str, passed: bool, prompt: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "promptIdx": prompt,
        "testIdx": test,
        "provider": {"id": provider, "label": ""},
        "prompt": {"raw": "…", "label": f"prompt {prompt}"},
        "vars": {"q": f"q {test}"},
        "testCase": {"vars": {"q": f"q {test}"}, "assert": [{"type": "equals", "value": "b"}]},
        "response": {"output": "b"},
        "success": passed,
        "score": float(passed),
        "namedScores": {"tone": 0.5},
        "failureReason": 0 if passed else 1,
        "latencyMs": 120,
        "cost": 0,
        "tokenUsage": {"prompt": 20, "completion": 4, "cached": 0},
        **more,
    }


def test_promptfoo_has_a_system_for_every_provider_and_prompt(tmp_path):
    rows = [outcome(n, f"p{at}", n > 0) for n in (0, 1) for at in (0, 1)]
    rows += [outcome(n, "p1", True, prompt=1) for n in (0, 1)]
    rows.append(outcome(2, "p0", False, failureReason=2, error="no answer"))
    logs = read_results(written(tmp_path / "results.json", {"results": {"version": 3, "results": rows}, "config": {}}))
    assert [log.name for log in logs] == ["p0", "p1 · prompt 0", "p1 · prompt 1"]
    p0 = logs[0].rows
    assert [row.scores.get("pass") for row in p0] == [0.0, 1.0, None], "a call that broke is not a wrong answer"
    assert p0[1].scores == {"pass": 1.0, "score": 1.0, "tone": 0.5}
    assert (p0[0].id, p0[0].text, p0[0].references, p0[0].seconds) == ("", '{"q": "q 0"}', ("b",), 0.12)
    assert p0[0].usage == Usage(prompt_tokens=20, completion_tokens=4)
    assert p0[0].usd is None, "0 is what it says where it knows no price"
    lines = read_results(written(tmp_path / "results.jsonl", rows))
    assert [(log.name, len(log.rows)) for log in lines] == [(log.name, len(log.rows)) for log in logs]


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_deepeval_scores_are_those_of_its_metrics(tmp_path, old):
    case = {
        "name": "test_case_0",
        "input": "q 0",
        "actualOutput": "a",
        "expectedOutput": "b",
        "success": False,
        "completionTime": 0.25,
        "metricsData": [{"name": "Relevancy", "score": 0.75}, {"name": "Bias", "score": None, "error": "timed out"}],
    }
    document: dict[str, Any] = {"testCases": [case], "identifier": "base"}
    if old:
        case["metrics_data"] = case.pop("metricsData")
        document = {"testRunData": {"test_cases": [case]}}
    log = read_results(written(tmp_path / "test_run_1.json", document))[0]
    assert (log.name, log.tool) == ("test_run_1" if old else "base", "deepeval")
    row = log.rows[0]
    assert row.scores == {"Relevancy": 0.75, "pass": 0.0}
    assert (row.id, row.text, row.answer, row.references, row.seconds) == ("", "q 0", "a", ("b",), 0.25)


@pytest.mark.parametrize(
    ("rows", "scores"),
    [
        ([{"id": 1, "score": "0.5"}, {"id": 2, "score": None}], [{"score": 0.5}, {}]),
        ([{"编号": 1, "是否正确": "对"}, {"编号": 2, "是否正确": "错"}], [{"是否正确": 1.0}, {"是否正确": 0.0}]),
        ([{"id": 1, "scores": {"f1": 0.5, "em": False}}], [{"f1": 0.5, "em": 0.0}]),
        ([{"id": 1, "toxic": 0.25, "prompt_tokens": 1, "length": 0.5, "stars": 4}], [{"toxic": 0.25}]),
        ([{"id": 1, "judge_score": 4, "toxic": 0.25}], [{"judge_score": 4.0}]),
        ([{"id": 1, "answer": "a", "reference": "b"}], [{}]),
    ],
)
def test_plain_rows_are_known_by_the_names_of_their_columns(tmp_path, rows, scores):
    log = read_results(written(tmp_path / "rows.jsonl", rows))[0]
    assert [row.scores for row in log.rows] == scores
    assert [row.id for row in log.rows] == [str(n) for n in range(1, len(rows) + 1)]


def test_plain_rows_may_be_a_table_with_tokens_and_money(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        "id,question,correct,latency_ms,prompt_tokens,usd\n7,why,yes,250,12,0.001\n8,how,maybe,100,10,0.001\n"
    )
    log = read_results(str(path))[0]
    first, second = log.rows
    assert (first.text, first.scores, first.seconds, first.usd) == ("why", {"correct": 1.0}, 0.25, 0.001)
    assert first.usage == Usage(prompt_tokens=12)
    assert second.scores == {}
    assert "maybe" in log.doubts[0].en
    named = read_results(str(path), ["latency_ms"])[0]
    assert named.rows[0].scores == {"latency_ms": 250.0}


def test_everything_that_is_wrong_with_files_is_said_at_once(tmp_path):
    good = written(tmp_path / "a.jsonl", [{"id": 1, "score": 1}, {"id": 2, "score": 0}])
    copy = written(tmp_path / "copy.jsonl", [{"id": 1, "score": 1}, {"id": 2, "score": 0}])
    broken = tmp_path / "cut.json"
    broken.write_text('{"eval": {"task": "t", "model":\n "m"}, "samples": [{"id": 1')
    with pytest.raises(InputError) as raised:
        read_all([good, copy, str(broken), str(tmp_path / "none.jsonl")])
    assert [problem.where.rpartition("/")[2] for problem in raised.value.problems] == [
        "copy.jsonl", "cut.json:2", "none.jsonl",
    ]  # fmt: skip
    with pytest.raises(InputError, match="takes two systems"):
        read_all([good])
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"id": 1, "score": 1}\n{"id": 2, "sco\n')
    assert "torn.jsonl:2" in read_all([good, str(torn)])[1].doubts[0].en
