"""What is said of rows that were set aside: how many, why, and when there are too many to go on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.data.files import write_text
from tuneworth.data.rows import Rejected
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_SHOWN = 5
_IN_A_WARNING = 3
_VALUE = re.compile("[:(（：`'\"]")


def too_many(name: str, rejected: Sequence[Rejected], n_read: int, *, fields_may_help: bool) -> InputError:
    """The error for a file that has more bad rows than good ones; each reason is told once.

    Args:
        fields_may_help: the columns were guessed, so that naming others may be the way out.
    """
    reasons = _by_reason(rejected)
    problems = [
        Problem(rows[0].where, rows[0].reason if len(rows) == 1 else _with_more(rows)) for rows in reasons[:_SHOWN]
    ]
    if more := sum(len(rows) for rows in reasons[_SHOWN:]):
        problems.append(Problem(name, say("rows.load.more_bad", more=str(more))))
    may_help = fields_may_help and reasons[0][0].reason.en.startswith("has no `")
    key = "rows.load.mostly_bad" if may_help else "reading.aside.mostly_bad"
    return InputError(problems, say(key, n_bad=str(len(rejected)), n_read=str(n_read), name=name))


def said(name: str, rejected: Sequence[Rejected], n_read: int) -> Text:
    """One sentence for a report: the rows that were set aside, the first of them, and the other reasons there were."""
    first = min(rejected, key=lambda row: (row.file, row.line))
    where = {"name": name, "line": str(first.line), "reason": first.reason}
    text = say("rows.load.set_aside", bad=str(len(rejected)), read=str(n_read), **where)
    for rows in [rows for rows in _by_reason(rejected) if rows[0] is not first][:_IN_A_WARNING]:
        text = say("reading.aside.other_reason", said=text, n=len(rows), line=str(rows[0].line), reason=rows[0].reason)
    n_lines = sum(row.n_lines for row in rejected)
    return say("reading.aside.lines", said=text, n=n_lines) if n_lines > len(rejected) else text


def _with_more(rows: Sequence[Rejected]) -> Text:
    places = list(dict.fromkeys(str(row.line) for row in rows[1:]))
    if len(places) == 1:
        return say("reading.aside.more", reason=rows[0].reason, n=len(rows) - 1)
    lines = ", ".join(places[:_SHOWN]) + (", …" if len(places) > _SHOWN else "")
    return say("reading.aside.more_lines", reason=rows[0].reason, n=len(rows) - 1, lines=lines)


def _by_reason(rejected: Sequence[Rejected]) -> list[list[Rejected]]:
    """Rows of one reason together, whatever value it quotes; the most frequent first, each in the file's order."""
    groups: dict[str, list[Rejected]] = {}
    for row in sorted(rejected, key=lambda row: (row.file, row.line)):
        groups.setdefault(_VALUE.split(row.reason.en)[0], []).append(row)
    return sorted(groups.values(), key=lambda rows: -len(rows))


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> None:
    """Write one JSON object a line: ``file``, ``line``, ``reason`` (``en``, ``zh``) and the whole ``raw`` row.

    Raises:
        EnvironmentProblem: the file cannot be written; nothing is left half-written.
    """
    lines = [
        json.dumps(
            {"file": row.file, "line": row.line, "reason": {"en": row.reason.en, "zh": row.reason.zh}, "raw": row.raw},
            ensure_ascii=False,
        )
        for row in rejected
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
