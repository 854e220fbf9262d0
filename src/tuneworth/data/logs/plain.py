"""Plain rows: an id or what was asked, and scores, or an answer with the right one beside it.

Columns are known by their names, in English and Chinese (``data.fieldnames``). Scores stand in columns called like one
(``score``, ``accuracy``, ``is_correct``, 得分), in an object ``scores`` or ``metrics``, or in columns that the user names; where
there are none, in every column that is true or false, or a number in [0, 1].
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.data.fieldnames import METADATA, QUESTIONS, by_key, ends_like, is_system, is_truth, key, words
from tuneworth.data.logs.answered import Answered, Log, amount, as_text, number, references_of
from tuneworth.data.rows import RawRow, quote
from tuneworth.data.values import cell, is_empty, parsed
from tuneworth.words.say import say

_IDS = words(
    "id row_id example_id sample_id question_id qid uid uuid guid doc_id test_id case_id item_id task_id key index idx 编号 序号"
)
_SCORES = words(
    "score accuracy acc correct is_correct right pass passed success exact_match em f1 token_f1 rouge_l rouge bleu chrf quality",
    "rating grade reward similarity 得分 分数 评分 正确 是否正确 准确率 通过",
)
_OBJECTS = ("scores", "metrics")
_ANSWERS = words("answer output response completion prediction text_out 回答 输出 答案 预测")
_REFERENCES = words(
    "reference references expected expected_output target gold label answer_key ideal 标准答案 参考答案 标签"
)
_SPENT = {
    "prompt": words("prompt_tokens input_tokens tokens_in n_prompt_tokens"),
    "answer": words("completion_tokens output_tokens tokens_out n_completion_tokens"),
    "cached": words("cached_tokens cache_read_tokens"),
    "usd": words("usd cost_usd cost price_usd"),
    "ms": words("latency_ms duration_ms elapsed_ms ms"),
    "seconds": words("latency_s seconds duration_s elapsed_s"),
}


def read(rows: Sequence[RawRow], file: str, wanted: Collection[str] = ()) -> list[Log]:
    """
    Args:
        wanted: columns that the user names as metrics.
    """
    known = by_key(dict.fromkeys(column for row in rows for column in row.value))
    scored = _score_columns(rows, known, wanted)
    at = {
        "id": _first(known, _IDS),
        "text": _first(known, QUESTIONS),
        "reference": next((column for column in known.values() if is_truth(column)), None)
        or _first(known, _REFERENCES),
    }
    spent = {name: column for name, names in _SPENT.items() if (column := _first(known, names)) is not None}
    system = next((column for column in known.values() if is_system(column) and column not in scored), None)
    at["answer"] = system or _first(
        {name: column for name, column in known.items() if column != at["reference"]}, _ANSWERS
    )
    named = [(_short(name), name) for name in scored]
    log = Log(Path(file).stem, file, "rows", [_answered(row, at, spent, named) for row in rows])
    for column in scored:
        odd = [row for row in rows if not is_empty(given := cell(row.value, column)) and number(given) is None]
        if odd:
            shown = quote(cell(odd[0].value, column), 30)
            log.doubts.append(
                say("compared.read.no_number", column=column, n=len(odd), place=odd[0].source, shown=shown)
            )
    return [log]


def _score_columns(rows: Sequence[RawRow], known: Mapping[str, str], wanted: Collection[str]) -> list[str]:
    named = [column for column in known.values() if column in wanted]
    named += [name for name in wanted if "." in name and any(cell(row.value, name) is not None for row in rows)]
    if named:
        return named
    called = [column for column in known.values() if key(column) in _SCORES or ends_like(column, _SCORES)]
    called = [column for column in called if _numbers(rows, column)]
    inside = [column for name in _OBJECTS if (column := known.get(name)) is not None]
    if called or inside:
        return [*called, *_inner(rows, inside)]
    used = {
        *METADATA,
        *_IDS,
        *_ANSWERS,
        *_REFERENCES,
        *QUESTIONS,
        *(name for names in _SPENT.values() for name in names),
    }
    rest = [column for column in known.values() if key(column) not in used]
    return [column for column in rest if (found := _numbers(rows, column)) and 0 <= min(found) <= max(found) <= 1]


def _numbers(rows: Sequence[RawRow], column: str) -> list[float]:
    """The numbers of a column; none where fewer than half of what it holds are."""
    given = [value for row in rows if not is_empty(value := row.value.get(column))]
    found = [one for value in given if (one := number(value)) is not None]
    return found if 2 * len(found) >= len(given) else []


def _inner(rows: Sequence[RawRow], columns: Sequence[str]) -> list[str]:
    """``scores.f1`` of every name inside an object of scores."""
    objects = [
        (column, value)
        for row in rows
        for column in columns
        if isinstance(value := parsed(row.value.get(column)), dict)
    ]
    return list(dict.fromkeys(f"{column}.{name}" for column, value in objects for name in value))


def _first(known: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((known[name] for name in names if name in known), None)


def _answered(
    row: RawRow, at: Mapping[str, str | None], spent: Mapping[str, str], scored: Sequence[tuple[str, str]]
) -> Answered:
    get: Any = row.value.get  # of no column is None
    own, answer = get(at["id"]), get(at["answer"])
    took = {name: found for name, column in spent.items() if (found := amount(get(column))) is not None}
    has_tokens = "prompt" in took or "answer" in took
    return Answered(
        id="" if is_empty(own) else str(own).strip().removesuffix(".0"),
        text=as_text(get(at["text"])),
        scores={short: found for short, name in scored if (found := number(cell(row.value, name))) is not None},
        place=row.source,
        fields=row.value,
        answer=None if answer is None else as_text(answer),
        references=references_of(get(at["reference"])),
        usage=_usage(int(took.get("prompt", 0)), int(took.get("cached", 0)), int(took.get("answer", 0)))
        if has_tokens
        else None,
        usd=took.get("usd"),
        seconds=took["ms"] / 1000 if "ms" in took else took.get("seconds"),
    )


@lru_cache(4096)
def _usage(prompt: int, cached: int, answer: int) -> Usage:
    """Rows often took the same."""
    return Usage(prompt_tokens=prompt, cached_tokens=cached, completion_tokens=answer)


def _short(column: str) -> str:
    """``f1`` for ``scores.f1``."""
    outer, _, inner = column.partition(".")
    return inner if inner and key(outer) in _OBJECTS else column
