"""What kind of task the rows are, how to score it and which language they are in: guesses with their reasons.

The rules are shares of rows and were set on a dozen public data sets, none of which is named here: what is checked is
only what a person would look at, namely how often answers repeat and how long they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tuneworth.core.answers import fold, marked_answer
from tuneworth.core.quantity import number_text, read_quantity
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.data.labelsets import find_label_sets
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
NUMBER_SHARE = 0.95
MAX_NUMBERED = 10
"""As many whole numbers that come again and again may be the names of classes, in whatever order."""
CODE_DIGITS = 5
ASKED_SHARE = 0.8
SPAN_SHARE = 0.6
SPAN_MAX_CHARS = 200
SPAN_SEARCHED = 20_000
_OF_WORDING = frozenset({"chrf", "rouge_l", "token_f1", "exact_match", "extractive", "semantic"})
"""Metrics that compare how texts are worded."""
_QUESTION = re.compile(r"[?？][\s\"”')）]*$", re.M)
_LEADING_ZERO = re.compile(r"\s*0\d")
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
        accepted: further accepted answers.
    """

    text: str
    output: str
    choices: tuple[str, ...] = ()
    beside: str = ""
    accepted: tuple[str, ...] = ()


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
    return (
        _as_multilabel(pairs)
        or _as_json(pairs)
        or _as_choice(pairs)
        or _as_number(pairs)
        or _as_label(pairs)
        or _as_text(pairs)
    )


def guess_metric(kind: OutputKind, pairs: Sequence[Pair]) -> MetricGuess:
    """The metric a kind is scored by unless the user names one."""
    if kind in ("label", "choice"):
        return MetricGuess("accuracy", say("rows.metric.accuracy", kind=kind))
    if kind == "json":
        return MetricGuess("json_slot_f1", say("rows.metric.json"))
    if kind == "multilabel":
        return MetricGuess("multilabel_f1", say("answers.metric.multilabel"))
    if kind == "number":
        return _number_metric(pairs)
    return _text_metric(pairs)


def unfit(metric: str, outputs: Sequence[str]) -> list[Text]:
    """What ``metric`` would not see of such ``outputs``, a sentence each; nothing of a metric of the user's own."""
    if metric not in _OF_WORDING:
        return []
    shares = {
        "final": _share(outputs, lambda output: marked_answer(output) is not None),
        "numbers": _amount_share(outputs),
        "sql": _share(outputs, lambda output: _SQL.match(output) is not None),
        "code": _share(outputs, lambda output: _CODE.search(output) is not None),
    }
    always = [say("answers.unfit.similarity")] if metric == "semantic" else []
    return always + [
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
    if len(counts) > 2 and _amount_share(list(counts)) == 1:
        return KindGuess("label", say("answers.kind.numbered", n=len(outputs), distinct=len(counts)))
    return KindGuess("label", say("rows.kind.label", n=str(len(outputs)), distinct=str(len(counts))))


def _as_multilabel(pairs: Sequence[Pair]) -> KindGuess | None:
    found = find_label_sets([output for _, output in {(pair.text, pair.output): pair.output for pair in pairs}])
    if found is None:
        return None
    counts = {"labels": len(found.labels), "several": found.n_several, "n": len(pairs)}
    return KindGuess("multilabel", say("answers.kind.multilabel", **counts))


def _as_number(pairs: Sequence[Pair]) -> KindGuess | None:
    """Numbers that are amounts, not names nor results: with digits after the point, or of many different sizes.

    Whole numbers that are few, or count on from 0 or 1, and come again and again are labels that are written as numbers;
    those with a leading zero, or of one length from five digits on, are codes; what is asked for or stands in the row is text,
    of which one number is right.
    """
    outputs = [pair.output for pair in pairs]
    values = common_quantities(outputs)
    if values is None or any(read_quantity(text) is None for pair in pairs for text in pair.accepted):
        return None
    whole = all(value.is_integer() for value in values)
    if whole and _are_codes(outputs):
        return None
    different = set(values)
    in_sequence = min(different) in (0, 1) and max(different) - min(different) < 1.2 * len(different)
    if whole and (len(different) <= MAX_NUMBERED or in_sequence) and _as_label(pairs) is not None:
        return None
    if _exact_only(pairs):
        return None
    low, high = number_text(min(values)), number_text(max(values))
    if unit := common_unit(outputs):
        return KindGuess("number", say("answers.kind.number_of", n=len(values), low=low, high=high, unit=unit))
    return KindGuess("number", say("answers.kind.number", n=len(values), low=low, high=high))


def common_quantities(outputs: Sequence[str]) -> list[float] | None:
    """The numbers of ``outputs``, where nearly all are numbers and these have one unit. "4/5" is a mark, not 0.8."""
    if any("/" in output for output in outputs):
        return None
    found = [quantity for output in outputs if (quantity := read_quantity(output)) is not None]
    if len(found) < NUMBER_SHARE * len(outputs) or len({quantity.unit for quantity in found}) != 1:
        return None
    return [quantity.value for quantity in found]


def common_unit(outputs: Sequence[str]) -> str:
    """What most of the numbers among ``outputs`` are written with."""
    units = Counter(quantity.unit for output in outputs if (quantity := read_quantity(output)) is not None)
    return units.most_common(1)[0][0] if units else ""


def _are_codes(outputs: Sequence[str]) -> bool:
    """Digits that name something: with a zero in front, or all of one length."""
    lengths = {len(output) for output in outputs}
    of_one_length = len(lengths) == 1 and min(lengths) >= CODE_DIGITS and all(map(str.isdigit, outputs))
    return of_one_length or any(map(_LEADING_ZERO.match, outputs))


def _amount_share(outputs: Sequence[str]) -> float:
    return 0.0 if _are_codes(outputs) else _share(outputs, lambda output: read_quantity(output) is not None)


def _number_metric(pairs: Sequence[Pair]) -> MetricGuess:
    """How near, unless only the very number is right."""
    if _exact_only(pairs):
        return MetricGuess("final_answer", say("answers.metric.asked_number"))
    return MetricGuess("numbers", say("answers.metric.numbers"))


def _exact_only(pairs: Sequence[Pair]) -> bool:
    """Whether the numbers are right or wrong: they stand in their rows, or are whole and answer a question."""
    if _span_share(pairs) >= SPAN_SHARE:
        return True
    asked = sum(_QUESTION.search(pair.text) is not None for pair in pairs)
    whole = all((quantity := read_quantity(pair.output)) is None or quantity.value.is_integer() for pair in pairs)
    return whole and asked >= ASKED_SHARE * len(pairs)


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
    if _share(outputs, lambda output: _SQL.match(output) is not None) >= FORM_SHARE and _declares_tables(pairs):
        return MetricGuess("sql_execution", say("answers.metric.sql"))
    if _amount_share(outputs) >= FORM_SHARE:
        return MetricGuess("final_answer", say("answers.metric.numbers_among_text", why=_why_no_amounts(outputs)))
    if (spans := _span_share(pairs)) >= SPAN_SHARE:
        return MetricGuess("extractive", say("answers.metric.extractive", share=f"{spans:.0%}"))
    chinese = han_share("\n".join(output[:500] for output in outputs[:2_000])) >= 0.3
    size = median(len(output) if chinese else len(output.split()) for output in outputs)
    unit, limit = ("characters", SHORT_CHARS_ZH) if chinese else ("words", SHORT_WORDS)
    metric, length = ("token_f1", "short") if size <= limit else ("chrf", "long")
    return MetricGuess(metric, say(f"rows.metric.{unit}.{length}", size=f"{size:g}", limit=limit))


def _why_no_amounts(outputs: Sequence[str]) -> Text:
    """Why numbers are not taken for amounts."""
    units = Counter(quantity.unit or "–" for output in outputs if (quantity := read_quantity(output)) is not None)
    if len(units) > 1:
        return say("answers.metric.why.units", units=", ".join(unit for unit, _ in units.most_common(4)))
    others = [output for output in outputs if read_quantity(output) is None or "/" in output]
    if len(others) > (1 - NUMBER_SHARE) * len(outputs):
        return say("answers.metric.why.not_numbers", shown=repr(others[0][:20]))
    return say("answers.metric.why.asked")


def _declares_tables(pairs: Sequence[Pair]) -> bool:
    return sum("create table" in pair.text.lower() for pair in pairs) >= FORM_SHARE * len(pairs)


def _span_share(pairs: Sequence[Pair]) -> float:
    """How many outputs stand word for word in a longer text of their row, beyond those that stand in another row's too.

    The other row, far away in the file, is what chance gives: `1` or `the` stands in any text. Rows nearby often share theirs.
    """
    sample = pairs[:2_000]
    texts = [fold(f"{pair.text}\n{pair.beside}"[:SPAN_SEARCHED]) for pair in sample]
    outputs = [fold(pair.output) for pair in sample]
    if median(map(len, outputs)) > SPAN_MAX_CHARS:
        return 0.0
    own = sum(output in text and 2 * len(output) < len(text) for output, text in zip(outputs, texts))
    half = len(sample) // 2
    by_chance = sum(output in text for output, text in zip(outputs, texts[half:] + texts[:half]))
    return max(0.0, (own - by_chance) / len(sample))


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
