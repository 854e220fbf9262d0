"""What kind of task the rows are, how to score it and which language they are in: guesses with their reasons.

The rules are shares of rows and were set on a dozen public data sets, none of which is named here: what is checked is
only what a person would look at, namely how often answers repeat and how long they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.data.language import han_share
from tuneworth.data.values import parse_structure
from tuneworth.words.say import say

JSON_SHARE = 0.95
CHOICE_SHARE = 0.9
LABEL_REPEATED_SHARE = 0.8
LABEL_MAX_PER_ROW = 0.5
LABEL_MAX_WORDS = 8
LABEL_MAX_CHARS = 60
SHORT_WORDS = 5
SHORT_CHARS_ZH = 10
_CLOSED = r"(?P<mark>[A-Z]|[a-z]|[1-9])(?:[)）\]]|[.．、:：](?!\d))[ \t]*(?=\S)"
_AT_LINE_START = re.compile(rf"^[ \t]*[(（\[]?{_CLOSED}", re.MULTILINE)
_ANYWHERE = re.compile(rf"(?:^|(?<=[\s。？?！!；;，,]))[(（\[]?{_CLOSED}", re.MULTILINE)
_FIRST = frozenset("Aa1")


@dataclass(frozen=True, slots=True)
class Pair:
    """A row as far as inference looks at it. ``choices`` are those of a field, if there is one."""

    text: str
    output: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindGuess:
    kind: OutputKind
    reason: Text


@dataclass(frozen=True, slots=True)
class MetricGuess:
    metric: str
    reason: Text


def guess_kind(pairs: Sequence[Pair]) -> KindGuess:
    """The output kind of rows that have no kind given. ``pairs`` is not empty."""
    return _as_json(pairs) or _as_choice(pairs) or _as_label(pairs) or _as_text(pairs)


def guess_metric(kind: OutputKind, outputs: Sequence[str]) -> MetricGuess:
    """The metric a kind is scored by unless the user names one."""
    if kind in ("label", "choice"):
        return MetricGuess("accuracy", say("rows.metric.accuracy", kind=kind))
    if kind == "json":
        return MetricGuess("json_slot_f1", say("rows.metric.json"))
    return _text_metric(outputs)


def allowed_choices(pair: Pair) -> tuple[str, ...]:
    """The answers a row allows: its own field, else the marks its text lists."""
    return pair.choices or parse_options(pair.text)


def near_misses(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of labels that differ only in case, spacing or joining marks."""
    seen: dict[str, str] = {}
    pairs = []
    for label in labels:
        key = re.sub(r"[\s_\-]+", "", label).casefold()
        if key in seen:
            pairs.append((seen[key], label))
        seen.setdefault(key, label)
    return pairs


def _as_json(pairs: Sequence[Pair]) -> KindGuess | None:
    share = sum(parse_structure(pair.output) is not None for pair in pairs) / len(pairs)
    if share < JSON_SHARE:
        return None
    return KindGuess("json", say("rows.kind.json", share=f"{share:.0%}"))


def _as_choice(pairs: Sequence[Pair]) -> KindGuess | None:
    share = sum(pair.output in allowed_choices(pair) for pair in pairs) / len(pairs)
    if share < CHOICE_SHARE:
        return None
    return KindGuess("choice", say("rows.kind.choice", share=f"{share:.0%}"))


def _as_label(pairs: Sequence[Pair]) -> KindGuess | None:
    """Few short answers that come again and again. Repeated rows count once."""
    outputs = [output for _, output in {(pair.text, pair.output): pair.output for pair in pairs}]
    counts = Counter(outputs)
    repeated = sum(n for n in counts.values() if n > 1) / len(outputs)
    if repeated < LABEL_REPEATED_SHARE or len(counts) > LABEL_MAX_PER_ROW * len(outputs):
        return None
    if not all(_is_short(output) for output in counts):
        return None
    return KindGuess("label", say("rows.kind.label", n=str(len(outputs)), distinct=str(len(counts))))


def _is_short(output: str) -> bool:
    return len(output) <= LABEL_MAX_CHARS and len(output.split()) <= LABEL_MAX_WORDS and "\n" not in output


def _as_text(pairs: Sequence[Pair]) -> KindGuess:
    distinct = len({pair.output for pair in pairs})
    return KindGuess("text", say("rows.kind.text", n=str(len(pairs)), distinct=str(distinct)))


def _text_metric(outputs: Sequence[str]) -> MetricGuess:
    chinese = han_share("\n".join(output[:500] for output in outputs[:2_000])) >= 0.3
    size = median(len(output) if chinese else len(output.split()) for output in outputs)
    unit, limit = ("characters", SHORT_CHARS_ZH) if chinese else ("words", SHORT_WORDS)
    metric, length = ("token_f1", "short") if size <= limit else ("chrf", "long")
    return MetricGuess(metric, say(f"rows.metric.{unit}.{length}", size=f"{size:g}", limit=limit))


def parse_options(text: str) -> tuple[str, ...]:
    """The marks of the options in ``text`` (``A``, ``B``, … or ``1``, ``2``, …), or none.

    A list of options starts at A, a or 1, goes on without a gap, and has at least two. Options at
    the start of lines are preferred to those within one; of several lists the last one counts.
    """
    for pattern in (_AT_LINE_START, _ANYWHERE):
        marks = _last_run([match["mark"] for match in pattern.finditer(text)])
        if marks:
            return marks
    return ()


def _last_run(marks: list[str]) -> tuple[str, ...]:
    best: list[str] = []
    run: list[str] = []
    for mark in marks:
        if run and ord(mark) == ord(run[-1]) + 1:
            run.append(mark)
        elif mark in _FIRST:
            run = [mark]
        if len(run) >= 2:
            best = run
    return tuple(best)
