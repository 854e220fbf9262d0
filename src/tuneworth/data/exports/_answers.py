"""What several exports share: the one answer that annotators stand for, and spans as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tuneworth.data.rows import NotTruth, quote
from tuneworth.data.values import json_text
from tuneworth.words.say import say

_ANSWERS = {
    "question": "answer",
    "query": "answer",
    "prompt": "completion",
    "source": "target",
    "article": "summary",
    "document": "summary",
    "dialogue": "summary",
    **dict.fromkeys(("text", "sentence", "utterance", "content", "review", "title"), "label"),
}


def answer_name(inputs: Iterable[str]) -> str:
    """What to call the one answer of a row, so that it makes a known pair with one of its ``inputs``."""
    return next((_ANSWERS[name] for name in map(str.lower, inputs) if name in _ANSWERS), "output")


def agreed(answers: Sequence[Any]) -> Any:
    """The answer that more annotators gave than any other.

    Raises:
        BadRow: there is none, or two were given equally often.
    """
    if not answers:
        raise NotTruth(say("reading.export.not_labelled"))
    counts = Counter(json_text(answer) for answer in answers)
    (first, n), *others = counts.most_common(2)
    if others and others[0][1] == n:
        raise NotTruth(say("reading.export.disagree", a=quote(first, 30), b=quote(others[0][0], 30)))
    return next(answer for answer in answers if json_text(answer) == first)


def alone(names: Any) -> Any:
    """The one item of a list of one; else the list."""
    return names[0] if isinstance(names, list) and len(names) == 1 else names


def spans(text: str, found: Sequence[tuple[int, int, str]]) -> list[dict[str, str]]:
    """Marked passages as what stands in them: a model writes words, it does not count characters."""
    return [{"text": text[start:end], "label": label} for start, end, label in sorted(found)]
