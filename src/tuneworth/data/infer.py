"""What kind of task the rows are, how to score it and which language they are in: guesses with their reasons.

The rules are shares of rows and were set on a dozen public data sets, none of which is named here: what is checked is
only what a person would look at, namely how often answers repeat and how long they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tuneworth.core.answers import marked_answer
from tuneworth.core.quantity import read_quantity
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
FORM_SHARE = 0.9
SPAN_SHARE = 0.6
SPAN_MAX_CHARS = 200
_OF_WORDING = frozenset({"chrf", "rouge_l", "token_f1", "exact_match", "extractive", "semantic"})
"""Metrics that compare how texts are worded."""
_SQL = re.compile(
    r"\s*(?:select\b.+\bfrom\b|with\b.+\bselect\b|insert into\b|update\b.+\bset\b|delete from\b)", re.I | re.S
)
_CODE = re.compile(r"^(?:```|def \w+\(|class \w+[:({]|import \w|from \w+ import|#include\b|function \w+\(|#!/)", re.M)
_CLOSED = r"(?P<mark>[A-Z]|[a-z]|[1-9])(?:[)）\]]|[.．、:：](?!\d))[ \t]*(?=\S)"
_AT_LINE_START = re.compile(rf"^[ \t]*[(（\[]?{_CLOSED}", re.MULTILINE)
_ANYWHERE = re.compile(rf"(?:^|(?<=[\s。？?！!；;，,]))[(（\[]?{_CLOSED}", re.MULTILINE)
_FIRST = frozenset("Aa1")


@dataclass(frozen=True, slots=True)
class Pair:
    """A row as far as inference looks at it.

    Attributes:
        choices: those of a field, if there is one.
        beside: the texts of all its fields but the answer.
    """

    text: str
    output: str
    choices: tuple[str, ...] = ()
    beside: str = ""


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


def guess_metric(kind: OutputKind, pairs: Sequence[Pair]) -> MetricGuess:
    """The metric a kind is scored by unless the user names one."""
    if kind in ("label", "choice"):
        return MetricGuess("accuracy", say("rows.metric.accuracy", kind=kind))
    if kind == "json":
        return MetricGuess("json_slot_f1", say("rows.metric.json"))
    return _text_metric(pairs)


def unfit(metric: str, outputs: Sequence[str]) -> list[Text]:
    """What ``metric`` would not see of such ``outputs``, a sentence each; nothing of a metric of the user's own."""
    if metric not in _OF_WORDING:
        return []
    shares = {
        "final": _share(outputs, lambda output: marked_answer(output) is not None),
        "numbers": _share(outputs, lambda output: read_quantity(output) is not None),
        "sql": _share(outputs, lambda output: _SQL.match(output) is not None),
        "code": _share(outputs, lambda output: _CODE.search(output) is not None),
    }
    return [
        say(f"answers.unfit.{what}", metric=metric, share=f"{share:.0%}")
        for what, share in shares.items()
        if share >= FORM_SHARE
    ]


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


def _text_metric(pairs: Sequence[Pair]) -> MetricGuess:
    outputs = [pair.output for pair in pairs]
    final = _share(outputs, lambda output: marked_answer(output) is not None)
    if final >= FORM_SHARE:
        return MetricGuess("final_answer", say("answers.metric.final", share=f"{final:.0%}"))
    if (spans := _span_share(pairs)) >= SPAN_SHARE:
        return MetricGuess("extractive", say("answers.metric.extractive", share=f"{spans:.0%}"))
    chinese = han_share("\n".join(output[:500] for output in outputs[:2_000])) >= 0.3
    size = median(len(output) if chinese else len(output.split()) for output in outputs)
    unit, limit = ("characters", SHORT_CHARS_ZH) if chinese else ("words", SHORT_WORDS)
    metric, length = ("token_f1", "short") if size <= limit else ("chrf", "long")
    return MetricGuess(metric, say(f"rows.metric.{unit}.{length}", size=f"{size:g}", limit=limit))


def _span_share(pairs: Sequence[Pair]) -> float:
    """How many outputs stand word for word in a longer text of their row, beyond those that stand in another row's too.

    The other row, far away in the file, is what chance gives: `1` or `the` stands in any text. Rows nearby often share theirs.
    """
    sample = pairs[:2_000]
    texts = [fold(f"{pair.text}\n{pair.beside}") for pair in sample]
    outputs = [fold(pair.output) for pair in sample]
    if median(map(len, outputs)) > SPAN_MAX_CHARS:
        return 0.0
    own = sum(output in text and 2 * len(output) < len(text) for output, text in zip(outputs, texts))
    half = len(sample) // 2
    by_chance = sum(output in text for output, text in zip(outputs, texts[half:] + texts[:half]))
    return max(0.0, (own - by_chance) / len(sample))


def fold(text: str) -> str:
    """``text`` without case, width and repeated spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _share(outputs: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, outputs)) / len(outputs)


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
