"""Which column says what rows belong together: turns of one chat, rows of one customer, sentences of one document.

Two ways lead to it. A column is *known by its name* (``conversation_id``, ``customer``, 会话编号); the rows must bear it out: its
values are short and single, some repeat, not all are one. Or it is *known by what it holds*: values made like ids
(digits with letters, hex, addresses), most of them on several rows, and the inputs of one value share more words than those of
two. A column that the labels explain, or that has few values (a category, a language, a source), is no group.

From fewer than ``LEAST_VALUES`` values a test side could not have the ten groups from which anything is claimed. A column known
by its name is then not used, and it is said.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tuneworth.data.rows import BadRow, RawRow
from tuneworth.data.shapes import Shape
from tuneworth.words.say import say

OFF = "none"
"""``fields.group`` with which no column is looked for."""
LEAST_VALUES = 40
_LEAST_SAID = 5
"""With fewer values a column called `speaker` holds parts, not people."""
_NAMES = frozenset(
    re.findall(
        r"\w+",
        """conversation conv session dialog dialogue thread chat ticket case user sender caller customer client account patient author speaker writer
        doc document article paper url link episode video meeting encounter admission household company repo repository student
        respondent participant 会话 对话 用户 客户 患者 病人 作者 说话人 文档 文章 网址 链接 工单 帖子 案件 病历 学生""",
    )
)
_TAILS = re.compile(
    r"[\s_\-.]*(ids?|no|num|nr|number|key|uuid|guid|hash|name|idx|index|handle|ts|编号|名称|名字|号码|号|名|标识)$",
    re.I,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOBODY = frozenset(
    ("", "-", "0", "unknown", "anonymous", "none", "null", "nan", "n/a", "na", "guest", "匿名", "未知", "无")
)
_MOST_CHARACTERS = 200
_KNOWN_SHARE = 0.5
_BY_NAME_SHARED, _BY_VALUE_SHARED = 0.05, 0.5
"""Share of rows whose value is on another row too."""
_ID = re.compile(r"(?=.*\d)(?=.*[^\W\d_]).+|[0-9a-f-]{8,}|\S+@\S+|https?://\S+", re.I)
_PAIRS = 400
_TIMES_MORE, _ERRORS = 1.3, 4.0
_ONE_ANSWER = 0.9


def find_group(rows: Sequence[RawRow], shape: Shape, asked: str | None) -> Shape:
    """``shape`` with the column of groups among those that nothing reads, unless the user named one or asked for none."""
    if asked is not None:
        return shape
    records = [row.value for row in rows]
    values = {name: values_of(records, name) for name in shape.unused}
    named = named_groups(values)
    for name in (name for name in named if _n_values(values[name]) >= LEAST_VALUES):
        return _with_group("groups.by_name", shape, name, values[name])
    for name, found in values.items():
        if name not in named and _holds_ids(found) and _is_borne_out(rows, shape, found):
            return _with_group("groups.by_value", shape, name, found)
    few = [name for name in named if _LEAST_SAID <= _n_values(values[name]) < LEAST_VALUES]
    said = [say("groups.few_values", column=name, n=_n_values(values[name]), least=LEAST_VALUES) for name in few]
    return replace(shape, notes=(*shape.notes, *said))


def named_groups(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Columns known by their name whose values are on several rows, the coarsest first: two rows of one customer belong together
    even when they are of two sessions.

    Args:
        values: column → the value of each row, empty for none.
    """
    named = [name for name in values if is_group_name(name) and _shared(values[name]) >= _BY_NAME_SHARED]
    return sorted(named, key=lambda name: _n_values(values[name]))


def is_group_name(column: str) -> bool:
    """Whether a column is called like something that several rows may belong to."""
    name = _CAMEL.sub("_", column.strip()).lower()
    stem = _TAILS.sub("", name)
    return bool({name, stem, re.split(r"[\s_\-.]+", stem)[-1]} & _NAMES)


def _with_group(code: str, shape: Shape, name: str, values: Sequence[str]) -> Shape:
    told = say(code, column=name, n=_n_values(values), rows=sum(map(bool, values)), off=OFF)
    extras, unused = replace(shape.extras, group=name), tuple(one for one in shape.unused if one != name)
    return replace(shape, extras=extras, unused=unused, notes=(*shape.notes, told))


def values_of(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """The value of each row as text, empty for none; no values at all where some are lists, or texts of their own."""
    found: list[str] = []
    for row in rows:
        value = row.get(name)
        if isinstance(value, dict | list | bool) or (isinstance(value, float) and math.isfinite(value) and value % 1):
            return []
        text = "" if value is None else str(value).strip().removesuffix(".0")
        if len(text) > _MOST_CHARACTERS or "\n" in text:
            return []
        found.append("" if text.lower() in _NOBODY else text)
    return found if sum(map(bool, found)) >= _KNOWN_SHARE * len(rows) else []


def _n_values(values: Sequence[str]) -> int:
    return len(set(values) - {""})


def _shared(values: Sequence[str]) -> float:
    """Share of the rows whose value another row has too."""
    counts = Counter(value for value in values if value)
    return sum(n for n in counts.values() if n > 1) / len(values) if values else 0.0


def _holds_ids(values: Sequence[str]) -> bool:
    """Many values made like ids, most of them on several rows."""
    distinct = set(values) - {""}
    if len(distinct) < LEAST_VALUES or _shared(values) < _BY_VALUE_SHARED:
        return False
    return sum(_ID.fullmatch(value) is not None for value in distinct) >= 0.95 * len(distinct)


def _is_borne_out(rows: Sequence[RawRow], shape: Shape, values: Sequence[str]) -> bool:
    """Inputs of one value share surely more words than those of two, and the value is not just another name for the answer."""
    read: list[tuple[str, frozenset[str], str]] = []
    for row, value in zip(rows, values):
        try:
            draft = shape.read(row)
        except BadRow:
            continue
        if value:
            words = frozenset(re.findall(r"\w+", draft.messages[-1].content.lower()))
            read.append((value, words, str(draft.output)))
    members: dict[str, list[int]] = {}
    for at, (value, _, _) in enumerate(read):
        members.setdefault(value, []).append(at)
    several = [found for found in members.values() if len(found) > 1]
    if not several:
        return False
    answers = [[read[at][2] for at in found] for found in several]
    alike = sum(Counter(found).most_common(1)[0][1] for found in answers)
    if len({answer for *_, answer in read}) < len(read) / 2 and alike >= _ONE_ANSWER * sum(map(len, answers)):
        return False
    rng = np.random.default_rng(0)
    within = [tuple(rng.choice(several[int(at)], 2, replace=False)) for at in rng.integers(0, len(several), _PAIRS)]
    across = [pair for pair in rng.integers(0, len(read), (_PAIRS, 2)).tolist() if read[pair[0]][0] != read[pair[1]][0]]
    inside, outside = (np.array([_likeness(read[a][1], read[b][1]) for a, b in pairs]) for pairs in (within, across))
    error = float(np.hypot(inside.std() / np.sqrt(inside.size), outside.std() / np.sqrt(max(1, outside.size))))
    apart = float(inside.mean() - outside.mean())
    return apart > _ERRORS * error and inside.mean() > _TIMES_MORE * outside.mean()


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard similarity of two sets of words; characters of Chinese texts come in one run and are compared as such."""
    return len(a & b) / max(1, len(a | b))
