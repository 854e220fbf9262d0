"""What a finished run measured, read from its folder without changing it: enough to price its arms again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.core.run import ArmResult
from tuneworth.costs.of_run import Took
from tuneworth.costs.spend import Spend
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.race.folder import RunFolder
from tuneworth.race.store import FitRecord
from tuneworth.words.say import say


def took_of(arms: Sequence[ArmResult], folder: RunFolder) -> dict[str, Took]:
    """Arm id → its fit and the rows that it answered, dev and test.

    Of an arm whose outcomes are not there (the folder was copied without its store, or is of a version that did not say which they
    are) the means of ``ArmResult.cost`` are taken for one row: its dollars then come without an interval.

    Raises:
        EnvironmentProblem: the store cannot be read.
    """
    measured = [arm for arm in arms if arm.state == "measured"]
    if not folder.store.exists():
        return {arm.arm_id: _by_means(arm) for arm in measured}
    with _reading(folder.store) as database:
        return {arm.arm_id: _found(database, arm) or _by_means(arm) for arm in measured}


def groups_of(folder: RunFolder) -> dict[str, str]:
    """Row id → its group, of rows that are in one; none in a run of an old version, whose rows count as each on its own."""
    try:
        split = json.loads(folder.split.read_text(encoding="utf-8"))
        rows = [row for side in ("train", "dev", "test") for row in split[side]]
        return {row[0]: row[2] for row in rows if len(row) > 2 and row[2]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    # A database that nobody writes is read as it is: SQLite would want to make files beside it, which the folder may not allow.
    settled = not path.with_name(f"{path.name}-wal").exists()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{'immutable=1' if settled else 'mode=ro'}", uri=True)) as database:  # fmt: skip
            yield database
    except (sqlite3.Error, ValueError) as error:
        raise EnvironmentProblem(Problem(str(path), say("run.store.unusable", error=str(error)))) from error


def _found(database: sqlite3.Connection, arm: ArmResult) -> Took | None:
    """By the key that the name of the arm's folder begins with (`race.arms.Arm.folder_name`)."""
    start = (arm.solver_folder or "").split("/")[1:2]
    if not start:
        return None
    key = f"{start[0].rpartition('-')[2]}*"

    def texts(column: str, table: str) -> list[Any]:
        return [text for (text,) in database.execute(f"SELECT {column} FROM {table} WHERE arm_key GLOB ?", [key])]

    fits, rows = texts("fit", "fits"), texts("outcome", "outcomes")
    if not fits or not rows:
        return None
    return Took(FitRecord.model_validate_json(fits[0]).spend, [Outcome.model_validate_json(row) for row in rows])


def _by_means(arm: ArmResult) -> Took:
    cost = arm.cost
    fit_usd = 0.0 if arm.local is not False or not (arm.tuned or cost.fit_tokens) else None
    fit, seconds = Spend(cost.fit_seconds, cost.fit_tokens, fit_usd), cost.seconds_per_1k_rows
    if seconds is None and (arm.local is not False or not cost.prompt_tokens_per_row):
        return Took(fit, [])  # a service that was asked in batches has tokens and no time, and needs none
    usage = Usage(
        prompt_tokens=round(cost.prompt_tokens_per_row or 0),
        cached_tokens=round(cost.cached_tokens_per_row or 0),
        completion_tokens=round(cost.completion_tokens_per_row or 0),
    )
    row = Outcome(
        arm_id=arm.arm_id, row_id="mean", stage="dev", status="scored", usage=usage, latency_ms=seconds or 0.0
    )
    return Took(fit, [row])
