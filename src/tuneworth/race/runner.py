"""Executes arms: fit, answer, score, store. Which arm runs when is decided elsewhere.

Everything is written to the store as soon as it is paid for, one batch at a time. Batches are fixed
slices of a fixed order, so that a resumed run hands the model the same batches as an undisturbed one
and gets the same answers.
"""

from __future__ import annotations

import errno
import shutil
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem, TuneworthError
from tuneworth.metrics import Metric, score_row
from tuneworth.race.arms import Arm, row_key
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.store import FitRecord, Store
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Answer, Context, Solver

BATCH_ROWS = 32
LATENCY_ROWS = 20


class ArmFailed(Exception):
    """Fitting broke; the run goes on without this arm."""

    def __init__(self, why: Text):
        self.why = why
        super().__init__(why.en)


@dataclass(frozen=True)
class Measured:
    """Outcomes of an arm at one stage.

    Attributes:
        saved: ids of the rows whose outcomes were in the store.
    """

    outcomes: list[Outcome]
    saved: frozenset[str]


@dataclass
class Runner:
    """Runs arms on the rows it is given.

    It holds train and dev rows only, each in the one order of the run: a prefix is a random part of them. Test rows
    are an argument of the one call that needs them.

    Attributes:
        budget_seconds: the whole budget of the run; trainings that a smaller one has cut short are made again.
    """

    task: Task
    train: Sequence[Example]
    dev: Sequence[Example]
    metrics: Sequence[Metric]
    store: Store
    folder: Path
    seed: int
    encoder: SharedEncoder
    max_new_tokens: int
    watcher: Watcher
    library: Library | None = None
    budget_seconds: float | None = None

    def latest(self, arm: Arm) -> Arm:
        """``arm``, or its next training if the last was cut short under a smaller budget (which nobody counts again)."""
        while (record := self.store.fit(arm.key)) is not None and self._deserves_more(record):
            arm = arm.fitted_longer()
        return arm

    def _deserves_more(self, record: FitRecord) -> bool:
        had, have = record.budget_seconds, self.budget_seconds
        return record.cut_by_time and had is not None and (have is None or have > had)

    def fit(self, arm: Arm, seconds_left: float | None = None) -> tuple[Solver, FitRecord]:
        """The arm's solver: from the folder when it was fitted before, else fitted now.

        Raises:
            ArmFailed: the strategy raised; the traceback is in the arm's folder.
        """
        folder = self.arm_folder(arm)
        folder.mkdir(parents=True, exist_ok=True)
        context = self._context(arm, folder, seconds_left)
        saved = folder / "solver"
        record = self.store.fit(arm.key)
        try:
            if record is not None and (solver := _loaded(arm, saved, context)) is not None:
                return solver, record
            return self._fit_now(arm, context, saved)
        except (TuneworthError, KeyboardInterrupt):
            raise
        except Exception as error:
            _raise_if_disk_full(error, folder)
            (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
            raise ArmFailed(_failure(error, folder)) from error

    def _fit_now(self, arm: Arm, context: Context, saved: Path) -> tuple[Solver, FitRecord]:
        saved_before = self.encoder.seconds_saved
        started = time.perf_counter()
        solver = arm.make().fit(self.train[: arm.n_train], self.dev, context)
        seconds = time.perf_counter() - started + self.encoder.seconds_saved - saved_before
        partial = saved.with_suffix(".partial")
        for leftover in (partial, saved):
            shutil.rmtree(leftover, ignore_errors=True)
        partial.mkdir()
        solver.save(partial)
        partial.rename(saved)
        record = FitRecord(
            seconds=float(context.details.pop("fit_seconds", seconds)),
            tokens=int(context.details.pop("fit_tokens", 0)),
            notes=context.notes,
            details=context.details,
            budget_seconds=self.budget_seconds,
        )
        self.store.add_fit(arm.key, record)
        return solver, self.store.fit(arm.key) or record

    def measure(self, arm: Arm, solver: Solver, stage: Stage, rows: Sequence[Example]) -> Measured:
        """Outcomes of ``rows``, those in the store as they are and the others now."""
        known = self.store.outcomes(arm.key, stage)
        keys = [row_key(row) for row in rows]
        saved = frozenset(row.id for row, key in zip(rows, keys, strict=True) if key in known)
        for start in range(0, len(rows), BATCH_ROWS):
            batch, batch_keys = rows[start : start + BATCH_ROWS], keys[start : start + BATCH_ROWS]
            if any(key not in known for key in batch_keys):
                outcomes = self._answer(arm, solver, stage, batch)
                self.store.add_outcomes(arm.key, batch_keys, outcomes)
                for key, outcome in zip(batch_keys, outcomes, strict=True):
                    known.setdefault(key, outcome)  # the first stays, as in the store
            self.watcher.progress(min(start + BATCH_ROWS, len(rows)), len(rows), "rows")
        return Measured(_in_order(known, rows, keys), saved)

    def latencies(self, arm: Arm, solver: Solver) -> list[float]:
        """Milliseconds of single rows, answered one at a time as a live service would get them.

        Uses dev rows, the first of which warms up and is not counted. A row without an answer has no time:
        giving up at once is not fast.
        """
        known = self.store.latencies(arm.key)
        if known is not None:
            return known
        times: list[float] = []
        for row in self.dev[: LATENCY_ROWS + 1]:
            started = time.perf_counter()
            [answer] = self._solve(solver, [row])
            if answer.status == "scored":
                times.append((time.perf_counter() - started) * 1000)
        self.store.add_latencies(arm.key, times[1:] or times)
        return times[1:] or times

    def arm_folder(self, arm: Arm) -> Path:
        return self.folder / "arms" / arm.folder_name

    def _context(self, arm: Arm, folder: Path, seconds_left: float | None) -> Context:
        return Context(
            task=self.task,
            model=arm.model,
            encoder=self.encoder,
            rng=np.random.default_rng([self.seed, int(arm.key[:8], 16)]),
            seed=(self.seed + arm.repeat) % 2**32,
            folder=folder,
            max_new_tokens=self.max_new_tokens,
            seconds_left=seconds_left,
            library=self.library,
            progress=self.watcher.progress,
        )

    def _answer(self, arm: Arm, solver: Solver, stage: Stage, rows: Sequence[Example]) -> list[Outcome]:
        return [
            self._score(arm, stage, row, answer) for row, answer in zip(rows, self._solve(solver, rows), strict=True)
        ]

    def _solve(self, solver: Solver, rows: Sequence[Example]) -> list[Answer]:
        """One answer per row. When a batch breaks its rows are tried one at a time: one bad row fails alone."""
        try:
            answers = solver.solve([row.query for row in rows])
            if len(answers) != len(rows):
                raise ValueError(f"{len(answers)} answers to {len(rows)} rows")
        except (TuneworthError, KeyboardInterrupt):
            raise
        except Exception as error:
            _raise_if_disk_full(error, self.folder)
            if len(rows) > 1:
                return [answer for row in rows for answer in self._solve(solver, [row])]
            return [Answer(text=None, status="failed", error=f"{type(error).__name__}: {error}")]
        return answers

    def _score(self, arm: Arm, stage: Stage, row: Example, answer: Answer) -> Outcome:
        scores = {}
        if answer.status == "scored" and answer.text is not None:
            scores = {metric.id: score_row(metric, answer.text, row) for metric in self.metrics}
        return Outcome(
            arm_id=arm.arm_id,
            row_id=row.id,
            stage=stage,
            status=answer.status,
            answer=answer.text,
            scores=scores,
            usage=answer.usage,
            latency_ms=answer.latency_ms,
            error=answer.error,
            passages=answer.passages,
            citations=answer.citations,
        )


def _loaded(arm: Arm, saved: Path, context: Context) -> Solver | None:
    """The solver in ``saved``, or ``None`` when it cannot be read (a power cut may tear files): it is fitted again."""
    try:
        return arm.strategy.solver.load(saved, context)
    except TuneworthError:
        raise
    except Exception:
        return None


def _in_order(known: Mapping[str, Outcome], rows: Sequence[Example], keys: Sequence[str]) -> list[Outcome]:
    # Rows of the same content share one outcome: each gets it under its own id.
    return [known[key].model_copy(update={"row_id": row.id}) for row, key in zip(rows, keys, strict=False)]


def _failure(error: Exception, folder: Path) -> Text:
    what = f"{type(error).__name__}: {error}"
    where = folder / "error.txt"
    return Text(en=f"failed while fitting: {what} (details in {where})", zh=f"训练时出错：{what}（详见 {where}）")


def _raise_if_disk_full(error: Exception, folder: Path) -> None:
    full = (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or "No space left" in str(error)
    if full:
        raise EnvironmentProblem(
            Problem(
                str(folder),
                Text(
                    en="the disk is full; free some space and run the same command: what is already stored is kept",
                    zh="磁盘已满；请清理出空间后再运行同一条命令，已保存的结果不会丢失",
                ),
            )
        ) from error
