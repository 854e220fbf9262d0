"""Options of a multiple-choice question, read from its text."""

from __future__ import annotations

import re

_CLOSED = r"(?P<mark>[A-Z]|[a-z]|[1-9])(?:[)）\]]|[.．、:：](?!\d))[ \t]*(?=\S)"
_AT_LINE_START = re.compile(rf"^[ \t]*[(（\[]?{_CLOSED}", re.MULTILINE)
_ANYWHERE = re.compile(rf"(?:^|(?<=[\s。？?！!；;，,]))[(（\[]?{_CLOSED}", re.MULTILINE)
_FIRST = frozenset("Aa1")


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
