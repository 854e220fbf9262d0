"""lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, one line a row and filter, written with ``--log_samples``.

A metric is called as in the harness's own results: ``exact_match,strict-match`` for one of several filters, and ``acc`` for the
filter ``none``. The model is named by the folder. Metrics whose row value is no number (corpus BLEU, perplexities) are
statistics of a whole file and are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneworth.data.fieldnames import QUESTIONS, by_key
from tuneworth.data.logs.answered import Answered, Log, as_text, number, references_of
from tuneworth.data.rows import RawRow
from tuneworth.words.say import say

_NO_FILTER = "none"


def recognises(row: dict[str, Any]) -> bool:
    return "doc_id" in row and ("filtered_resps" in row or "resps" in row)


def is_summary(document: dict[str, Any]) -> bool:
    """The file beside it, which has means only."""
    return isinstance(document.get("results"), dict) and "config" in document and "n-shot" in document


def read(rows: Sequence[RawRow], file: str) -> list[Log]:
    found: dict[tuple[str, str], Answered] = {}
    unread: dict[str, None] = {}
    for row in rows:
        value = row.value
        doc = value["doc"] if isinstance(value.get("doc"), dict) else {}
        key = (str(value["doc_id"]), str(value.get("doc_hash", "")))
        answered = found.get(key)
        if answered is None:
            references = references_of(value.get("target"))
            answered = Answered(key[0], _asked(doc) or key[1], {}, row.source, doc, references=references)
            found[key] = answered
        own = "" if value.get("filter", _NO_FILTER) == _NO_FILTER else f",{value['filter']}"
        names = value.get("metrics")
        for name in names if isinstance(names, list) else [name for name in value if name not in _OTHERS]:
            score = None if isinstance(value.get(name), str) else number(value.get(name))
            if score is not None:
                answered.scores[f"{name}{own}"] = score
            elif isinstance(value.get(name), list | dict):
                unread[f"{name}{own}"] = None
        answered.answer = answered.answer or _answer(value.get("filtered_resps"))
    notes = [say("compared.read.whole_file", file=file, names=", ".join(unread))] if unread else []
    folder = Path(file).resolve().parent.name
    return [Log(folder or Path(file).stem, file, "lm_eval", list(found.values()), model=folder, notes=notes)]


_OTHERS = frozenset(
    [
        "doc_id",
        "doc",
        "target",
        "arguments",
        "resps",
        "filtered_resps",
        "filter",
        "doc_hash",
        "prompt_hash",
        "target_hash",
        "metrics",
    ]
)


def _asked(doc: dict[str, Any]) -> str:
    """The question of a row of the task's data set; empty where no column is called like one."""
    columns = by_key(doc)
    return next((as_text(doc[columns[name]]) for name in QUESTIONS if name in columns), "")


def _answer(responses: Any) -> str | None:
    """What was written; likelihoods of choices are no text."""
    while isinstance(responses, list) and len(responses) == 1:
        responses = responses[0]
    return responses if isinstance(responses, str) else None
