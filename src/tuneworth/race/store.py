"""What a run has paid for, in SQLite: append-only, so that a killed run loses at most one batch.

Keys are digests of content, not names or positions: an outcome is found again exactly when the same
arm (strategy, config, model, training rows, code version) meets the same row. Fitting records and
outcomes are only ever inserted. The database is locked for as long as it is open, so two processes
cannot work on one run at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.words.say import say

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outcomes (
    arm_key TEXT NOT NULL, stage TEXT NOT NULL, row_key TEXT NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (arm_key, stage, row_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fits (arm_key TEXT PRIMARY KEY, fit TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latencies (arm_key TEXT PRIMARY KEY, milliseconds TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class FitRecord(BaseModel):
    """What fitting an arm cost and what is worth telling about it.

    Attributes:
        budget_seconds: budget of the run that it was fitted in.
    """

    model_config = ConfigDict(frozen=True)

    seconds: float
    tokens: int = 0
    notes: list[Text] = Field(default_factory=list)
    details: dict[str, Any] = Field(default_factory=dict)
    budget_seconds: float | None = None

    @property
    def cut_by_time(self) -> bool:
        """Whether a training was shorter than it would have been with more time."""
        return self.details.get("stopped") == "time"


class LatencyRecord(BaseModel):
    """Times of rows that were solved one at a time, in milliseconds."""

    model_config = ConfigDict(frozen=True)

    milliseconds: list[float]


class Store:
    """The database of one run folder.

    Raises:
        EnvironmentProblem: another process is working on this run, or the file cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        except sqlite3.Error as error:
            raise _problem(path, error) from error

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def outcomes(self, arm_key: str, stage: Stage) -> dict[str, Outcome]:
        """Row key → outcome, for everything this arm has already done at this stage."""
        rows = self._select("SELECT row_key, outcome FROM outcomes WHERE arm_key = ? AND stage = ?", arm_key, stage)
        return {key: Outcome.model_validate_json(text) for key, text in rows}

    def add_outcomes(self, arm_key: str, row_keys: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        """Insert the outcomes of one batch, all or none."""
        rows = [
            (arm_key, outcome.stage, key, outcome.model_dump_json())
            for key, outcome in zip(row_keys, outcomes, strict=True)
        ]
        self._insert("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?)", rows)

    def fit(self, arm_key: str) -> FitRecord | None:
        found = self._select("SELECT fit FROM fits WHERE arm_key = ?", arm_key)
        return FitRecord.model_validate_json(found[0][0]) if found else None

    def add_fit(self, arm_key: str, fit: FitRecord) -> None:
        self._insert("INSERT OR IGNORE INTO fits VALUES (?, ?)", [(arm_key, fit.model_dump_json())])

    def latencies(self, arm_key: str) -> list[float] | None:
        found = self._select("SELECT milliseconds FROM latencies WHERE arm_key = ?", arm_key)
        return LatencyRecord.model_validate_json(found[0][0]).milliseconds if found else None

    def add_latencies(self, arm_key: str, milliseconds: list[float]) -> None:
        text = LatencyRecord(milliseconds=milliseconds).model_dump_json()
        self._insert("INSERT OR IGNORE INTO latencies VALUES (?, ?)", [(arm_key, text)])

    def fact(self, name: str) -> str | None:
        """A fact of the run that later starts must agree with (the split's digest)."""
        found = self._select("SELECT value FROM facts WHERE name = ?", name)
        return found[0][0] if found else None

    def add_fact(self, name: str, value: str) -> None:
        self._insert("INSERT OR IGNORE INTO facts VALUES (?, ?)", [(name, value)])

    def _select(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _problem(self.path, error) from error

    def _insert(self, statement: str, rows: Iterable[tuple[str, ...]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise _problem(self.path, error) from error
            raise


def _problem(path: Path, error: sqlite3.Error) -> EnvironmentProblem:
    if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
        return EnvironmentProblem(Problem(str(path), say("run.store.damaged", error=str(error))))
    if "locked" in str(error):
        return EnvironmentProblem(Problem(str(path), say("run.store.locked")))
    return EnvironmentProblem(Problem(str(path), say("run.store.unusable", error=str(error))))
