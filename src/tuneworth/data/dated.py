"""Which column says when a row was made, and the split by it: the newest rows are the test rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from tuneworth.core.task import Example
from tuneworth.data.formats import RawData
from tuneworth.data.groups import Side
from tuneworth.data.shapes import Shape
from tuneworth.data.values import is_day_first, read_date
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_NAMES = re.compile(
    r"(^|.*[_\W])(date|datetime|timestamp|ts|time|day|created|created_?(at|on)|published|published_?(at|on)|posted_?at|sent_?at|opened_?at)$"
    r"|.*(日期|时间)$",
    re.I,
)
_READ_SHARE = 0.9
_LEAST_DAYS = 5
"""Fewer days are a batch or two, not a course of time."""


def find_date(data: RawData, shape: Shape, by: Literal["chance", "date"]) -> Shape:
    """``shape`` with the column of dates: the user's own, or one that is called like it and can be read.

    Raises:
        InputError: rows are to be split by date and have none that can be read.
    """
    asked = shape.extras.date
    names = [asked] if asked is not None else [name for name in shape.unused if _is_called_or_holds(data, name)]
    for name in names:
        given = [row.value[name] for row in data.rows if row.value.get(name) not in (None, "")]
        day_first = is_day_first(given)
        days = sorted(day for value in given if (day := read_date(value, day_first)) is not None)
        if len(given) < len(data.rows) / 2 or len(days) < _READ_SHARE * len(given) or len(set(days)) < _LEAST_DAYS:
            continue
        span = {"column": name, "first": days[0].isoformat(), "last": days[-1].isoformat()}
        told = say("groups.dates", **span) if by == "chance" else say("groups.dates_used", **span)
        unused = tuple(one for one in shape.unused if one != name)
        notes = (*shape.notes, told)
        extras = replace(shape.extras, date=name)
        return replace(shape, extras=extras, day_first=day_first, unused=unused, notes=notes)
    if by == "date":
        columns = ", ".join(dict.fromkeys(name for row in data.rows[:1_000] for name in row.value))
        problem = Problem(f"{data.name} split.by", say("groups.no_dates", columns=columns, least=_LEAST_DAYS))
        raise InputError(problem, say("groups.no_dates_next"))
    return shape


def _is_called_or_holds(data: RawData, name: str) -> bool:
    """Whether a column is called like dates, or its first value is one already, as in Parquet and Excel."""
    given = next((row.value[name] for row in data.rows if row.value.get(name) is not None), None)
    return isinstance(given, date) or _NAMES.fullmatch(name.strip()) is not None


def deal_by_date(members: Sequence[Sequence[Example]], sizes: Sequence[int], targets: dict[Side, int]) -> list[Side]:
    """The side of every group: test takes the newest until it is full, dev those before, train the rest and what has no date.

    A group is as new as its newest row. Rows of one day are in the order of the file.

    Args:
        members: rows of each group; ``sizes``: how many they count as.
    """
    newest = [max((row.changed for row in rows if row.changed is not None), default=date.min) for rows in members]
    sides: list[Side] = ["train"] * len(members)
    order = [at for at in sorted(range(len(members)), key=lambda at: (newest[at], at)) if newest[at] != date.min]
    wanted: tuple[Side, ...] = ("test", "dev")
    for side in wanted:
        room = targets.get(side, 0)
        while order and room > 0:
            sides[at := order.pop()] = side
            room -= sizes[at]
    return sides
