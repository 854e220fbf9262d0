"""Which column is the answer, and which rows say of themselves that theirs is not.

Rows often hold two answers: what a system said and what is right, a number and its name, two people's labels. Names
decide where they are plain (``ground_truth`` beside ``answer``), what is in the columns decides where it can (a number and its
name are one answer), and where two could be the answer and differ, the user is asked: a model trained or scored on the
wrong one looks healthy.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.evidence import shuffled
from tuneworth.data.fieldnames import (
    ANSWERS,
    GENERAL_ANSWERS,
    MAYBE_TRUTHS,
    by_key,
    in_yaml,
    is_another,
    is_system,
    is_truth,
    key,
    option_columns,
    words,
)
from tuneworth.data.rows import RawRow, quote
from tuneworth.data.values import cell, is_empty, json_text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_FEW = 50
"""Most values a column of labels has; two columns of free text are compared row by row."""
_ENOUGH, _PART = 0.05, 0.98
"""Shares of rows, above chance, from which two columns answer the same question, and from which one is a part of the other."""

# -- which column ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truth:
    """The column of answers, why it is that one where another could be, the others that answer too, and what is open."""

    column: str
    notes: tuple[Text, ...] = ()
    others: tuple[str, ...] = ()
    doubts: tuple[Text, ...] = ()


def true_answer(column: str, rows: Sequence[RawRow], source: str) -> Truth:
    """``column``, found by its name, or the one beside it that is right.

    Args:
        rows: a sample.
        source: the input column, for the lines that a message advises.

    Raises:
        InputError: two columns could be the answer and differ; both are named with the lines that choose one.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row.value))
    named = by_key(columns)
    if "chosen" in named and "rejected" in named:
        return Truth(named["chosen"], (say("columns.truth.chosen"),), (named["rejected"],))
    systems = tuple(name for name in columns if is_system(name) and name != column)
    truths = [name for name in columns if is_truth(name)]
    truths += [
        name for name in columns if key(name) in MAYBE_TRUTHS and name != column and _answers_too(column, name, rows)
    ]
    if truths:
        best = truths[0]
        for other in truths[1:]:
            _ask_if_they_differ(best, other, rows, source)
        n, differ, first = _compared(column, best, rows)
        if differ and first is not None and n * 2 < len(rows):  # filled where somebody corrected the other
            message = say("columns.truth.corrections", truth=best, other=column, differ=differ, n=len(rows))
            raise InputError(Problem(f"{first.file}:{first.line}", message))
        if column == best or not differ:
            return Truth(column, (), systems)
        note = say("columns.truth.named_right", truth=best, other=column, differ=differ, n=n)
        return Truth(best, (note,), (column, *systems))
    listed = option_columns(columns).values()
    others = [name for name in columns if name not in (column, source, *systems, *listed)]
    for other in others:
        is_named = key(other) in ANSWERS or is_another(other, column)
        if not (is_named or _has_words_of(column, other, rows)) or _marks_only(column, other, rows):
            continue
        if _same_answer(column, other, rows):
            continue
        specific = is_named and key(column) not in GENERAL_ANSWERS and key(other) not in GENERAL_ANSWERS
        two_tasks = specific and all(_is_label(name, rows) for name in (column, other))
        if two_tasks or _answers_too(column, other, rows):
            _ask_if_they_differ(column, other, rows, source)
    maybe = [name for name in columns if key(name) in MAYBE_TRUTHS and key(name) != "target" and _is_text(name, rows)]
    fields = {"input": in_yaml(source)}
    doubts = [say("columns.truth.maybe", name=name, answer=column, **fields, output=in_yaml(name)) for name in maybe]
    return Truth(column, (), systems, tuple(doubts) if _is_text(column, rows) else ())


def _is_text(name: str, rows: Sequence[RawRow]) -> bool:
    """Whether a column is filled in most rows, with words and not with addresses or labels."""
    values = [value for value in _values(name, rows) if value]
    worded = sum(not value.startswith(("http", "www.", "/")) for value in values)
    return len(values) * 2 > len(rows) and worded * 2 > len(values) and not _is_label(name, rows)


def _values(name: str, rows: Sequence[RawRow]) -> list[str | None]:
    found = (cell(row.value, name) for row in rows)
    return [None if is_empty(value) else _plain(value) for value in found]


def _plain(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = json_text(value) if isinstance(value, list | dict | bool) else str(value)
    return " ".join(text.casefold().split())


def _compared(a: str, b: str, rows: Sequence[RawRow]) -> tuple[int, int, RawRow | None]:
    """Rows that have both, those in which they differ, and the first of these."""
    pairs = [(row, x, y) for row, x, y in zip(rows, _values(a, rows), _values(b, rows)) if x and y]
    different = [row for row, x, y in pairs if x != y]
    return len(pairs), len(different), different[0] if different else None


def _is_label(name: str, rows: Sequence[RawRow]) -> bool:
    values = [value for value in _values(name, rows) if value]
    return bool(values) and len(set(values)) <= min(_FEW, len(values) / 3) and max(map(len, set(values))) <= 60


def _has_words_of(column: str, other: str, rows: Sequence[RawRow]) -> bool:
    """Whether both columns have labels, in words: "yes" and "3" answer any question."""
    if not (_is_label(column, rows) and _is_label(other, rows)):
        return False
    shared = set(_values(column, rows)) & set(_values(other, rows)) - {None}
    return sum(value not in _TRUE | _FALSE and not value.isdecimal() for value in shared if value) > 1


def _same_answer(a: str, b: str, rows: Sequence[RawRow]) -> bool:
    """Whether one column is the other in other words: a number and its name, or the very same text."""
    pairs = {(x, y) for x, y in zip(_values(a, rows), _values(b, rows)) if x and y}
    lefts, rights = Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    one_to_one = max(lefts.values(), default=1) == max(rights.values(), default=1) == 1
    return one_to_one and (_is_label(a, rows) or all(x == y for x, y in pairs))


def _answers_too(a: str, b: str, rows: Sequence[RawRow]) -> bool:
    """Whether ``b`` answers what ``a`` answers: in the same labels, or in texts that are, or hold, the same at times.

    What always stands in the other is a part of it and no second answer.
    """
    pairs = [(x, y) for x, y in zip(_values(a, rows), _values(b, rows)) if x and y]
    if not pairs:
        return False
    firsts, seconds = {x for x, _ in pairs}, {y for _, y in pairs}
    if _is_label(a, rows) and _is_label(b, rows):
        return len(firsts & seconds) * 2 >= min(len(firsts), len(seconds))
    inside = [x in y or y in x for x, y in pairs]
    others = [pairs[at][1] for at in shuffled(len(pairs))]
    by_chance = [x in y or y in x for (x, _), y in zip(pairs, others)]
    return _PART > sum(inside) / len(pairs) >= sum(by_chance) / len(pairs) + max(_ENOUGH, 2 / len(pairs))


def _marks_only(column: str, other: str, rows: Sequence[RawRow]) -> bool:
    """Whether ``other`` only says if the answer in ``column`` is good (see ``Marks``)."""
    return other in Marks.found(rows, {column}, "plain").columns


def _ask_if_they_differ(a: str, b: str, rows: Sequence[RawRow], source: str) -> None:
    n, differ, first = _compared(a, b, rows)
    if not differ or first is None or _same_answer(a, b, rows):
        return
    shown = {"x": quote(_plain(cell(first.value, a)), 40), "y": quote(_plain(cell(first.value, b)), 40)}
    message = say("columns.truth.two", a=a, b=b, n=n, differ=differ, line=str(first.line), **shown)
    raise InputError(
        Problem(first.file, message),
        say("columns.truth.two_next", source=in_yaml(source), first=in_yaml(a), second=in_yaml(b)),
    )


# -- which rows --------------------------------------------------------------------------------------------

_DECISIONS = frozenset(
    words(
        "answer decision verdict judgement judgment review review_status annotation_status annotation_state label_status",
        "record_status validation_status status state feedback rating thumbs 质检 审核 审核状态 审核结果 标注状态 质检结果 状态",
    )
)
_GOOD = frozenset(
    words(
        "accept accepted approve approved submit submitted validated valid reviewed complete completed done finished correct ok",
        "pass passed keep kept good gold up thumbs_up like 👍 通过 已通过 审核通过 合格 已完成 已提交 有效 已标注 采纳 接受 正确",
    )
)
_BAD = frozenset(
    words(
        "reject rejected ignore ignored discard discarded skip skipped draft pending invalid cancelled canceled deleted incomplete",
        "in_progress todo unlabeled unlabelled unannotated incorrect wrong fail failed bad flagged down thumbs_down dislike 👎",
        "拒绝 驳回 不通过 未通过 审核不通过 不合格 无效 草稿 跳过 待审核 待标注 未完成 未标注 作废 已删除 删除 忽略 错误",
    )
)
_OF_ANNOTATION = frozenset(
    words(
        "accept accepted reject rejected approve approved submitted discard discarded draft validated skipped ignore ignored",
        "reviewed unlabeled unlabelled unannotated thumbs_up thumbs_down 👍 👎 驳回 审核通过 审核不通过 草稿 待标注 未标注 已标注 作废",
    )
)
_GOOD_IF_TRUE = frozenset(
    words(
        "is_valid valid is_correct correct accepted is_accepted is_approved approved passed keep is_good kto_tag desirable",
        "vote feedback thumbs reward",
        "有效 是否有效 是否正确 是否合格 是否通过 是否采纳",
    )
)
_BAD_IF_TRUE = frozenset(
    words(
        "skipped skip was_cancelled is_rejected discarded is_discarded deleted is_deleted ignored is_ignored invalid is_invalid",
        "是否删除 是否跳过 是否作废 是否忽略",
    )
)
_ANY_STATUS = frozenset(words("answer decision verdict status state feedback rating 状态"))
"""May be of an order or a ticket as well; only words of annotation make these a mark."""
_WEIGHTS = frozenset(("weight", "sample_weight", "loss_weight", "train_weight", "权重"))
_ANY_WEIGHT = frozenset(("weight",))
"""May be what a thing weighs; only shares of one make it a mark."""
_TRUE, _FALSE = frozenset(("true", "1", "1.0", "yes", "是")), frozenset(("false", "0", "0.0", "_1", "no", "否"))
"""As ``_said`` writes them: -1 is a vote against."""
_ZERO = frozenset(("0", "0.0"))
_ANSWERED_IN_TEXT = frozenset(
    words(
        "completion response output answer messages conversations",
    )
)


@dataclass(frozen=True, slots=True)
class Marks:
    """Columns that say whether the answer of a row is good: column → the values that say no.

    ``answer`` is as in ``found``.
    """

    columns: Mapping[str, frozenset[str]]
    answer: str = "plain"

    @classmethod
    def found(cls, rows: Sequence[RawRow], used: Iterable[str], answer: str) -> Marks:
        """The marks in a sample of ``rows``.

        Args:
            used: columns that are read already, and so are no marks.
            answer: ``right`` where the answer is told apart from what a system said, so that ``correct`` is about
                the latter; else ``plain``.
        """
        taken, values = set(used), defaultdict[str, set[str]](set)
        for row in rows:
            for name, value in row.value.items():
                if name not in taken and isinstance(value, str | int | float | bool) and len(values[name]) <= 12:
                    values[name].add(_said(value))
        in_text = any(key(name) in _ANSWERED_IN_TEXT for name in taken)
        found = {name: bad for name, said in values.items() if (bad := _bad_values(key(name), said, answer, in_text))}
        return cls(found, answer)

    def reason(self, value: Mapping[str, Any]) -> Text | None:
        """Why the row ``value`` is left out, or ``None``."""
        for name, bad in self.columns.items():
            given = value.get(name)
            if given is not None and _said(given) in bad:
                return say("columns.left_out.row", name=name, value=quote(given, 30))
        return None


def is_mark(name: str) -> bool:
    """Whether a column is called like one that says if the answer is good."""
    return key(name) in _DECISIONS | _GOOD_IF_TRUE | _BAD_IF_TRUE | _WEIGHTS


def _bad_values(name: str, said: set[str], answer: str, in_text: bool) -> frozenset[str]:
    """The values of column ``name`` that say no, if it is a mark at all: ``said`` are all that it has in a sample."""
    said = said - {""}
    boolean = bool(said) and said <= _TRUE | _FALSE
    if name in _DECISIONS and said <= _GOOD | _BAD and (said & _OF_ANNOTATION or name not in _ANY_STATUS):
        return _BAD
    if boolean and name in _BAD_IF_TRUE:
        return _TRUE
    if boolean and answer == "plain" and name in _GOOD_IF_TRUE:
        return _FALSE
    if boolean and answer == "plain" and name == "label" and in_text:
        return _FALSE
    if name not in _WEIGHTS or not said & _ZERO or len(said) < 2:
        return frozenset()
    of_training = name not in _ANY_WEIGHT or all(re.fullmatch(r"[01](?:\.\d+)?", value) for value in said)
    return _ZERO if of_training else frozenset()


def _said(value: Any) -> str:
    return _plain(value).replace(" ", "_").replace("-", "_")
