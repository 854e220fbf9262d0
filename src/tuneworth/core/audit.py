"""What an audit of the rows says: findings with their numbers, rows, reasons and fixes.

Part of ``result.json``; the audit fills it, the report and the command line show it, and the advisor
reads its facts.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneworth.core.record import Interval, Record
from tuneworth.core.text import Text

Severity = Literal["serious", "warning", "note"]
Unit = Literal["rows", "share", "score", "p_value", "characters", "tokens"]
Side = Literal["train", "test"]


class Measure(Record):
    """One measured quantity.

    Attributes:
        value: in ``unit``; a ``share`` is in [0, 1].
        interval: present when the quantity is an estimate, absent when it was counted.
    """

    name: Text
    value: float
    unit: Unit
    interval: Interval | None = None


class RowMention(Record):
    """A row that a finding concerns.

    Attributes:
        source: where the row stands, ``file:line``.
        excerpt: at most 200 characters of the row, with personal data and secrets masked.
        other: where the row it repeats, contradicts or leaks from stands, if any.
        detail: what is wrong with this row, when the finding's title does not say it.
        score: how sure the check is, where it ranks rows; larger is worse.
    """

    row_id: str
    source: str
    side: Side = "train"
    excerpt: str = ""
    other: str = ""
    detail: Text | None = None
    score: float | None = None


class Finding(Record):
    """One thing the audit found.

    Attributes:
        id: ``check`` or ``check.part``: ``duplicates.near``, ``label_noise``.
        title: one sentence with the number in it.
        why: why it matters for the decision.
        seed_rows: rows of the seed article that it bears on.
        fix: what to do about it.
        rows: the worst rows first, at most ``MAX_ROWS_SHOWN``.
        n_rows: how many rows it concerns in all.
    """

    id: str
    severity: Severity
    title: Text
    measures: list[Measure]
    why: Text
    seed_rows: list[str]
    fix: Text
    rows: list[RowMention] = Field(default_factory=list[RowMention])
    n_rows: int = 0


class CheckRun(Record):
    """A check that ran or was skipped.

    Attributes:
        n_looked_at: rows it looked at; fewer than there are when it sampled.
        skipped: why it did not run.
    """

    check: str
    title: Text
    n_looked_at: int = 0
    sampled: bool = False
    seconds: float = 0.0
    skipped: Text | None = None


class AuditFact(Record):
    """A fact for the advisor: ``name`` is a field of ``advisor.facts.Facts``."""

    name: str
    value: bool | int | float | str
    why: Text
    interval: Interval | None = None


class AuditResult(Record):
    """All findings, worst first, and what every check looked at."""

    n_train: int
    n_test: int
    findings: list[Finding]
    checks: list[CheckRun]
    facts: list[AuditFact] = Field(default_factory=list[AuditFact])
    seconds: float = 0.0


MAX_ROWS_SHOWN = 50
