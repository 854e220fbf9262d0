"""What a run has paid for, in SQLite: append-only, so that a killed run loses at most one batch.

Keys are digests of content, not names or positions: an outcome is found again exactly when the same
arm (strategy, config, model, training rows, code of its prompts) meets the same row. Fitting records and
outcomes are only ever inserted, but for failures that may pass: to a later start they are rows not asked yet,
and what it gets takes their place. The database is locked for as long as it is open, so two processes
cannot work on one run at the same time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models.metering import Job, JobState
from tuneworth.words.say import say

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outcomes (
    arm_key TEXT NOT NULL, stage TEXT NOT NULL, row_key TEXT NOT NULL, outcome TEXT NOT NULL, may_pass INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (arm_key, stage, row_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fits (arm_key TEXT PRIMARY KEY, fit TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latencies (arm_key TEXT PRIMARY KEY, milliseconds TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, arm_id TEXT NOT NULL, call TEXT NOT NULL, most_usd REAL, state TEXT NOT NULL DEFAULT 'sent', usd REAL, completion TEXT, job INTEGER
);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, name TEXT NOT NULL, began REAL NOT NULL, state TEXT NOT NULL DEFAULT 'planned', id TEXT
);
CREATE INDEX IF NOT EXISTS undelivered ON calls (scope) WHERE completion IS NOT NULL;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_ADDED = (("outcomes", "may_pass INTEGER NOT NULL DEFAULT 0"), ("calls", "job INTEGER"))
"""Columns that stores of earlier versions do not have."""
GATHERED = 0
"""In place of the number of a job: of a call that waits to be put into one, and was not sent."""
_DELIVERED = "UPDATE calls SET completion = NULL WHERE scope = ? AND completion IS NOT NULL"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


CallState = Literal["sent", "answered", "failed"]


class FitRecord(BaseModel):
    """What fitting an arm cost and what is worth telling about it.

    Attributes:
        usd: what services charged; ``None`` when not known.
        shared_seconds, shared_usd: of these, what other arms of the run had paid for: answers, vectors of training rows.
        budget_seconds: budget of the run that it was fitted in.
    """

    model_config = ConfigDict(frozen=True)

    seconds: float
    tokens: int = 0
    usd: float | None = None
    shared_seconds: float = 0.0
    shared_usd: float = 0.0
    notes: list[Text] = Field(default_factory=list)
    details: dict[str, Any] = Field(default_factory=dict)
    budget_seconds: float | None = None

    @property
    def spend(self) -> Spend:
        """By itself."""
        return Spend(self.seconds, self.tokens, self.usd)

    @property
    def paid(self) -> Spend:
        """In its run."""
        return self.spend + Spend(-self.shared_seconds, 0, -self.shared_usd)

    @property
    def cut_by_time(self) -> bool:
        """Whether a training was shorter than it would have been with more time."""
        return self.details.get("stopped") == "time"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call to a service.

    Attributes:
        scope: what it was made for: the stage and the key of the arm, or empty; ``arm_id``: of the arm.
        call: digest of what was asked.
        most_usd: what was set aside for it; ``None``: its price is not known.
        state: a call that was ``sent`` and did not end was under way when the run was killed.
        usd: what it cost; ``None``: not known.
        completion: what came back, until the rows it was asked for are stored.
        job: of what batch it is, or ``GATHERED``; ``None`` for a call that was sent by itself.
    """

    number: int
    scope: str
    arm_id: str
    call: str
    most_usd: float | None
    state: CallState
    usd: float | None
    completion: str | None
    job: int | None = None

    @property
    def is_open(self) -> bool:
        """Nobody knows what came of it, or what it cost."""
        return self.state != "answered" and self.usd is None


class Store:
    """The database of one run folder.

    Raises:
        EnvironmentProblem: another process is working on this run, or the file cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._failed_now = set[tuple[str, str, str]]()
        self._closed = False
        self._lock = threading.RLock()  # models note their calls from threads of their own
        try:
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            for table, column in _ADDED:
                have = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
                if column.split()[0] not in have:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        except sqlite3.Error as error:
            raise _problem(path, error) from error

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Calls under way may still be noted when a run is interrupted: closed between two of them, SQLite does not crash."""
        with self._lock:
            self._db.close()
            self._closed = True

    def outcomes(self, arm_key: str, stage: Stage) -> dict[str, Outcome]:
        """Row key → outcome, for everything this arm has already done at this stage.

        A failure that may pass is among them only for the start that it happened to.
        """
        asked = "SELECT row_key, outcome, may_pass FROM outcomes WHERE arm_key = ? AND stage = ?"
        return {
            key: Outcome.model_validate_json(text)
            for key, text, may_pass in self._select(asked, arm_key, stage)
            if not may_pass or (arm_key, stage, key) in self._failed_now
        }

    def add_outcomes(
        self, arm_key: str, row_keys: Sequence[str], outcomes: Sequence[Outcome], delivered: str | None = None
    ) -> None:
        """Insert the outcomes of one batch, all or none.

        Args:
            delivered: scope of calls whose completions are not needed any more, because the outcomes were made of them.
        """
        rows = [
            (arm_key, outcome.stage, key, outcome.model_dump_json(), outcome.may_pass)
            for key, outcome in zip(row_keys, outcomes, strict=True)
        ]
        self._insert(
            "INSERT INTO outcomes (arm_key, stage, row_key, outcome, may_pass) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET outcome = excluded.outcome, may_pass = excluded.may_pass WHERE outcomes.may_pass",
            rows,
            then=None if delivered is None else (_DELIVERED, [delivered]),
        )
        self._failed_now.update((arm_key, stage, key) for arm_key, stage, key, _, may_pass in rows if may_pass)

    def fit(self, arm_key: str) -> FitRecord | None:
        found = self._select("SELECT fit FROM fits WHERE arm_key = ?", arm_key)
        return FitRecord.model_validate_json(found[0][0]) if found else None

    def add_fit(self, arm_key: str, fit: FitRecord) -> None:
        self._insert("INSERT OR IGNORE INTO fits VALUES (?, ?)", [(arm_key, fit.model_dump_json())])

    def latencies(self, arm_key: str) -> dict[str, float | None]:
        """Row key → milliseconds, of rows that were solved one at a time; ``None`` for one that gave no answer."""
        found = self._select("SELECT milliseconds FROM latencies WHERE arm_key = ?", arm_key)
        return json.loads(found[0][0]).get("by_row", {}) if found else {}  # version 0.1 did not say which rows

    def add_latencies(self, arm_key: str, by_row: Mapping[str, float | None]) -> None:
        """Keep all times of an arm that there are so far."""
        put = "INSERT INTO latencies VALUES (?, ?) ON CONFLICT DO UPDATE SET milliseconds = excluded.milliseconds"
        self._insert(put, [(arm_key, json.dumps({"by_row": dict(by_row)}))])

    def fact(self, name: str) -> str | None:
        """A fact of the run that later starts must agree with (the split's digest)."""
        found = self._select("SELECT value FROM facts WHERE name = ?", name)
        return found[0][0] if found else None

    def add_fact(self, name: str, value: str) -> None:
        self.add_facts({name: value})

    def add_facts(self, values: Mapping[str, str]) -> None:
        """All or none."""
        self._insert("INSERT OR IGNORE INTO facts VALUES (?, ?)", list(values.items()))

    # -- calls that are paid for -----------------------------------------------------------------------

    def calls(self) -> list[CallRecord]:
        """All calls of all starts, in the order in which they were sent."""
        return [CallRecord(*row) for row in self._select("SELECT * FROM calls ORDER BY id")]

    def add_call(self, scope: str, arm_id: str, call: str, most_usd: float | None, job: int | None = None) -> int:
        """A call that is about to be sent; its number. On the disk when this returns."""
        put = "INSERT INTO calls (scope, arm_id, call, most_usd, job) VALUES (?, ?, ?, ?, ?)"
        return self._insert(put, [(scope, arm_id, call, most_usd, job)])

    def end_call(self, number: int, state: CallState, usd: float | None, completion: str | None) -> None:
        """Written when this returns, and on the disk with the next call: what a power failure takes counts with the most."""
        ended = "UPDATE calls SET state = ?, usd = ?, completion = ? WHERE id = ?"
        self._insert(ended, [(state, usd, completion, number)], durable=False)

    def jobs(self) -> list[Job]:
        """All batches of all starts, in the order in which they were planned."""
        calls = dict[int, list[CallRecord]]()
        for call in self.calls():
            if call.job:
                calls.setdefault(call.job, []).append(call)
        return [
            Job(
                *row,
                calls=tuple(call.number for call in calls.get(row[0], ())),
                open_calls=tuple(call.number for call in calls.get(row[0], ()) if call.is_open),
            )
            for row in self._select("SELECT number, model, name, began, state, id FROM jobs ORDER BY number")
        ]

    def add_job(self, model: str, name: str, began: float, calls: Sequence[int]) -> Job:
        """A batch of ``calls`` that is about to be made. On the disk when this returns."""
        put = "INSERT INTO jobs (model, name, began) VALUES (?, ?, ?)"
        filled = (
            "UPDATE calls SET job = (SELECT max(number) FROM jobs) WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(calls))],
        )
        number = self._insert(put, [(model, name, began)], filled)
        return Job(number, model, name, began, "planned", None, tuple(calls), tuple(calls))

    def note_job(self, number: int, state: JobState, id: str | None = None) -> None:
        """On the disk when this returns, and with it how its calls ended."""
        self._insert("UPDATE jobs SET state = ?, id = coalesce(?, id) WHERE number = ?", [(state, id, number)])

    def _select(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _problem(self.path, error) from error

    def _insert(
        self,
        statement: str,
        rows: Iterable[tuple[str | bool | float | None, ...]],
        then: tuple[str, Sequence[str]] | None = None,
        *,
        durable: bool = True,
    ) -> int:
        """In one transaction; ``then`` is a further statement and its values. Returns the number of the last row.

        What is not ``durable`` survives the end of the process, but may be lost with the machine's power.
        """
        with self._lock:
            try:
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(statement, rows)
                [(last,)] = self._db.execute("SELECT last_insert_rowid()").fetchall()
                if then is not None:
                    self._db.execute(*then)
                self._db.execute("COMMIT")
            except BaseException as error:
                if not self._closed and self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _problem(self.path, error) from error
                raise
            return last


def _problem(path: Path, error: sqlite3.Error) -> EnvironmentProblem:
    if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
        return EnvironmentProblem(Problem(str(path), say("run.store.damaged", error=str(error))))
    if "locked" in str(error):
        return EnvironmentProblem(Problem(str(path), say("run.store.locked")))
    return EnvironmentProblem(Problem(str(path), say("run.store.unusable", error=str(error))))
