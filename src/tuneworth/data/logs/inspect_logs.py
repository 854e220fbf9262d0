"""Inspect: ``.eval`` (a zip file) and its log as JSON.

Of an archive only the header and the summaries of the samples are read: they have every score and are small, while whole
samples hold transcripts. A metric is a scorer; a scorer that gives several values makes ``scorer.value`` of each. Letters and words
become numbers as Inspect's own ``value_to_float`` has it; samples that its metrics leave out (NaN, no score) are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.data.logs.answered import Answered, Log, amount, as_text, first, number, references_of
from tuneworth.data.readers.unpack import members
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_LETTERS = {"c": 1.0, "p": 0.5, "i": 0.0, "n": 0.0}
_UNFINISHED = ("started", "error", "cancelled")


def recognises(document: dict[str, Any]) -> bool:
    evaluation = document.get("eval")
    return isinstance(evaluation, dict) and "task" in evaluation and "model" in evaluation


def read_archive(data: bytes, file: str, name: str) -> list[Log]:
    """A log in zip's clothes; one that was cut off has a journal in place of its header and summaries.

    Raises:
        InputError: it holds no samples, or is broken.
        EnvironmentProblem: it is packed with Zstandard, and nothing here unpacks that.
    """
    try:
        header = next(map(json.loads, _found(data, name, "header.json", "_journal/start.json")), {})
        parts = _found(data, name, "summaries.json", "_journal/summaries/")
        samples = [sample for part in parts for sample in json.loads(part)]
        if not samples:  # an old log
            samples = [json.loads(part) for part in members(data, "samples/", name, suffix=".json")]
    except ValueError as error:
        raise InputError(Problem(name, say("reading.packed.broken", reason=str(error)[:120]))) from error
    return read({**header, "samples": samples}, file, name)


def read(document: dict[str, Any], file: str, name: str) -> list[Log]:
    """The log as one JSON document.

    Raises:
        InputError: it holds no samples.
    """
    samples = document.get("samples")
    evaluation = document.get("eval") or {}
    if not isinstance(samples, list) or not samples:
        raise InputError(Problem(name, say("compared.read.no_samples", tool="Inspect")))
    model = str(evaluation.get("model") or "")
    rows = [_answered(sample, f"{name} #{n}") for n, sample in enumerate(samples, start=1) if isinstance(sample, dict)]
    status = document.get("status")
    notes = [say("compared.read.unfinished", file=file, status=status)] if status in _UNFINISHED else []
    return [
        Log(
            model or Path(file).stem,
            file,
            "inspect",
            rows,
            model=model or None,
            about=str(evaluation.get("task") or ""),
            notes=notes,
        )
    ]


def _found(data: bytes, name: str, *places: str) -> list[bytes]:
    """What stands at the first of ``places`` that is there."""
    return next((found for place in places if (found := members(data, place, name, suffix=".json"))), [])


def _answered(sample: dict[str, Any], place: str) -> Answered:
    scores: dict[str, float] = {}
    answer: str | None = None
    given = sample.get("scores")
    for scorer, score in given.items() if isinstance(given, dict) else ():
        value = score.get("value") if isinstance(score, dict) else score
        answer = answer or (score.get("answer") if isinstance(score, dict) else None)
        several = value.items() if isinstance(value, dict) else [("", value)]
        for part, one in several:
            if (found := _value(one)) is not None:
                scores[f"{scorer}.{part}" if part else scorer] = found
    uses = sample.get("model_usage")
    each = [use for use in uses.values() if isinstance(use, dict)] if isinstance(uses, dict) else []
    costs = [amount(use.get("total_cost")) for use in each]
    return Answered(
        id=str(sample.get("id", "")),
        text=as_text(sample.get("input")),
        scores=scores,
        place=place,
        fields=sample.get("metadata") or {},
        answer=answer,
        references=references_of(sample.get("target")),
        usage=_usage(each) if each else None,
        usd=sum(cost for cost in costs if cost is not None) if costs and None not in costs else None,
        seconds=amount(first(sample, "working_time", "total_time")),
    )


def _value(value: Any) -> float | None:
    if isinstance(value, str) and value.strip().lower() in _LETTERS:
        return _LETTERS[value.strip().lower()]
    return number(value)


def _usage(uses: list[dict[str, Any]]) -> Usage:
    """Over all models of a sample. Inspect's input tokens leave out those of a cache."""

    def total(name: str) -> int:
        return int(sum(amount(use.get(name)) or 0 for use in uses))

    read, written = total("input_tokens_cache_read"), total("input_tokens_cache_write")
    return Usage(
        prompt_tokens=total("input_tokens") + read + written,
        cached_tokens=read,
        cache_write_tokens=written,
        completion_tokens=total("output_tokens"),
        reasoning_tokens=total("reasoning_tokens"),
    )
