"""DeepEval: ``test_run_*.json`` of a results folder, and ``.deepeval/.latest_run_full.json``.

Metrics are those of the run by name, and ``pass`` for what every metric of a test case passed. The tokens and money that metrics took
are the judge's, not the system's, and are not read. Test cases of conversations have turns in place of an input.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.data.logs.answered import Answered, Log, amount, as_text, first, number, references_of
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_NUMBERED = re.compile(r"(?:conversational_)?test_case_\d+")
"""A name that DeepEval gave: it says where a case stood, not which it is."""
_CASES = ("testCases", "test_cases", "conversationalTestCases", "conversational_test_cases")
_SCORES = ("metricsData", "metrics_data", "metricsMetadata", "metrics_metadata")


def recognises(document: dict[str, Any]) -> bool:
    run = _run(document)
    return any(isinstance(run.get(name), list) and run[name] for name in _CASES) and all(
        isinstance(case, dict) for case in _cases(run)
    )


def read(document: dict[str, Any], file: str, name: str) -> list[Log]:
    """
    Raises:
        InputError: no test case has a metric.
    """
    run = _run(document)
    rows = [_answered(case, f"{name} #{n}") for n, case in enumerate(_cases(run), start=1)]
    if not any(row.scores for row in rows):
        raise InputError(Problem(name, say("compared.read.no_samples", tool="DeepEval")))
    settings = run.get("hyperparameters")
    model = as_text(settings.get("model")) if isinstance(settings, dict) else ""
    called = as_text(run.get("identifier")) or model
    return [Log(called or Path(file).stem, file, "deepeval", rows, model=model or None)]


def _run(document: dict[str, Any]) -> dict[str, Any]:
    inner = first(document, "testRunData", "test_run_data")
    return inner if isinstance(inner, dict) else document


def _cases(run: dict[str, Any]) -> list[Any]:
    return [case for name in _CASES if isinstance(run.get(name), list) for case in run[name]]


def _answered(case: dict[str, Any], place: str) -> Answered:
    metrics = first(case, *_SCORES) or []
    scores = {
        str(metric.get("name") or metric.get("metric")): found
        for metric in metrics
        if isinstance(metric, dict) and not metric.get("error") and (found := number(metric.get("score"))) is not None
    }
    if scores and isinstance(case.get("success"), bool):
        scores["pass"] = float(case["success"])
    own = str(case.get("name") or "")
    read, written = (amount(first(case, *names)) for names in _TOKENS)
    return Answered(
        id="" if _NUMBERED.fullmatch(own) else own,
        text=as_text(first(case, "input", "scenario", "turns")),
        scores=scores,
        place=place,
        fields=first(case, "metadata", "additionalMetadata", "additional_metadata") or {},
        answer=first(case, "actualOutput", "actual_output"),
        references=references_of(first(case, "expectedOutput", "expected_output", "expectedOutcome")),
        usage=None
        if read is None and written is None
        else Usage(prompt_tokens=int(read or 0), completion_tokens=int(written or 0)),
        usd=amount(first(case, "tokenCost", "token_cost")),
        seconds=amount(first(case, "completionTime", "completion_time")),
    )


_TOKENS = (("inputTokenCount", "input_token_count"), ("outputTokenCount", "output_token_count"))
