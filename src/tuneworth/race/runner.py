"""Executes arms: fit, answer, score, store. Which arm runs when is decided elsewhere.

Everything is written to the store as soon as it is paid for, one batch at a time. Batches are fixed
slices of a fixed order, so that a resumed run hands the model the same batches as an undisturbed one
and gets the same answers.
"""

from __future__ import annotations

import errno
import json
import math
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend, spent_on
from tuneworth.errors import EnvironmentProblem, MoneySpent, Problem, TrainingDiverged, TuneworthError
from tuneworth.metrics import Metric, score_row
from tuneworth.models.base import is_deciding
from tuneworth.race.arms import Arm, stays_here
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.keys import row_key
from tuneworth.race.ledger import Ledger
from tuneworth.race.once import AskedOnce
from tuneworth.race.store import FitRecord, Store
from tuneworth.race.watch import Watcher
from tuneworth.strategies import Answer, Context, Solver, Tried
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.retrieval.library import Library

BATCH_ROWS, CALL_ROWS = 32, 128
"""Rows that a model is given at once: one that runs here, and one whose calls go side by side and are kept one by one."""
LATENCY_ROWS, LIMITED_ROWS = 20, 60
"""Rows that are answered one at a time: usually; where a limit is to be shown to hold (`quantile_bound` takes 59)."""


class ArmFailed(Exception):
    """Fitting broke; the run goes on without this arm."""

    def __init__(self, why: Text):
        self.why = why
        super().__init__(why.en)


@dataclass(frozen=True)
class Measured:
    """Outcomes of an arm at one stage.

    Attributes:
        outcomes: of the rows in order, but for those that were not asked because the money is spent.
        saved: ids of the rows whose outcomes were in the store.
        stopped: money or calls were spent before every row was asked.
    """

    outcomes: list[Outcome]
    saved: frozenset[str]
    stopped: bool = False

    def leading(self, rows: Sequence[Example]) -> list[Outcome]:
        """Of ``rows`` up to the first that was not asked."""
        return [one for one, _ in takewhile(lambda pair: pair[0].row_id == pair[1].id, zip(self.outcomes, rows))]

    def spent(self, *, before: bool) -> Spend:
        """What an earlier start spent on those in the store, or this one on the others; money as far as it is known.

        Not what was shared: the arm that asked has paid for it.
        """
        rows = [one for one in self.outcomes if (one.row_id in self.saved) == before and not one.shared]
        return replace(spent_on(rows), usd=math.fsum(row.usd or 0.0 for row in rows))


@dataclass
class Entry:
    """One fit of an arm, and its outcomes on the first dev rows.

    Attributes:
        fit_was_saved: an earlier start of the run had made it.
    """

    arm: Arm
    solver: Solver
    fit: FitRecord
    fit_was_saved: bool = False
    dev: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def seconds_per_row(self) -> float:
        """As asked in batches; 0 before it answered any."""
        return spent_on(self.dev).seconds / len(self.dev) if self.dev else 0.0


def scores_of(outcomes: Sequence[Outcome], metric: str) -> NDArray[np.float64]:
    """Scores of a metric, shape ``(n,)``; NaN for a row without one."""
    return np.array([outcome.scores.get(metric, np.nan) for outcome in outcomes], dtype=np.float64)


def mean_of(outcomes: Sequence[Outcome], metric: str) -> float | None:
    """Mean score of the rows that have one; ``None`` when none has."""
    scores = scores_of(outcomes, metric)
    scored = scores[np.isfinite(scores)]
    return float(scored.mean()) if scored.size else None


@dataclass
class Runner:
    """Runs arms on the rows it is given.

    It holds train and dev rows only, each in the one order of the run: a prefix is a random part of them. Test rows
    are an argument of the one call that needs them.

    Attributes:
        budget_seconds: the whole budget of the run; trainings that a smaller one has cut short are made again.
        ledger: of paid calls; without one nothing is limited.
        asked_ahead: arm, stage and row of answers that this start got before their turn (`tuneworth.race.together`).
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
    ledger: Ledger = None  # pyright: ignore[reportAssignmentType]
    asked_ahead: set[tuple[str, Stage, str]] = field(default_factory=set[tuple[str, Stage, str]])
    _times: dict[str, dict[str, float | None]] = field(default_factory=dict[str, dict[str, float | None]])
    _to_take_again: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        self.ledger = self.ledger or Ledger(self.store)
        self._once = AskedOnce(self.store)

    def latest(self, arm: Arm) -> Arm:
        """``arm``, or its next training if the last was cut short under a smaller budget (which nobody counts again)."""
        have = self.budget_seconds
        while (record := self.store.fit(arm.key)) is not None and record.cut_by_time:
            had = record.budget_seconds
            if had is None or (have is not None and have <= had):
                break
            arm = arm.fitted_longer()
        return arm

    def fit(self, arm: Arm, seconds_left: float | None = None) -> Entry:
        """The arm with its solver: from the folder when it was fitted before, else fitted now.

        Raises:
            ArmFailed: the strategy raised; the traceback is in the arm's folder.
        """
        context = self._context(arm, seconds_left)
        folder = context.folder
        record = self.store.fit(arm.key)
        try:
            if record is not None and (solver := _loaded(arm, folder / "solver", context)) is not None:
                return Entry(arm, solver, record, fit_was_saved=True)
            solver = self._fit_now(arm, context, folder / "solver")
        except (TuneworthError, MoneySpent, KeyboardInterrupt):
            raise
        except TrainingDiverged as error:
            raise ArmFailed(error.why) from error
        except Exception as error:
            _raise_if_disk_full(error, folder)
            where = folder / "error.txt"
            where.write_text(traceback.format_exc(), encoding="utf-8")
            why = say("run.failed_fitting", what=f"{type(error).__name__}: {error}", where=str(where))
            raise ArmFailed(why) from error
        made = self.store.fit(arm.key)
        assert made is not None
        return Entry(arm, solver, made, fit_was_saved=record is not None)

    @contextmanager
    def _asking(self, scope: str, arm: Arm, turn: int | None, **options: bool) -> Iterator[None]:
        """What is asked meanwhile is asked for ``scope``; see `Ledger.answering` and `AskedOnce`."""
        with self.ledger.answering(scope, arm.arm_id, **options), self._once.asking(arm.key, turn):
            yield

    def _context(self, arm: Arm, seconds_left: float | None = None) -> Context:
        folder, model = self.arm_folder(arm), arm.asked
        folder.mkdir(parents=True, exist_ok=True)
        if arm.strategy.asks_alike and model is not None and is_deciding(model):
            model = self._once.of(model)
        return Context(
            task=self.task,
            model=model,
            encoder=self.encoder,
            rng=np.random.default_rng([self.seed, arm.lot]),
            seed=(self.seed + arm.repeat) % 2**32,
            folder=folder,
            max_new_tokens=self.max_new_tokens,
            seconds_left=seconds_left,
            library=self.library,
            progress=self.watcher.progress,
        )

    def try_out(self, arm: Arm) -> tuple[Tried | None, float]:
        """What a little training and a few answers of ``arm`` took, and the seconds of an earlier start that had tried it.

        ``None`` where there is nothing to train, or it breaks: fitting will tell why.
        """
        name = f"tried {arm.key}"
        if (kept := self.store.fact(name)) is not None:
            known = json.loads(kept)
            return Tried(known["row_seconds"], known["answer_seconds"]), known["seconds"]
        started = time.perf_counter()
        try:
            tried = arm.make().try_out(self.train, self._context(arm))
        except Exception as error:
            _raise_if_disk_full(error, self.folder)
            return None, 0.0
        if tried is not None:
            self.store.add_fact(name, json.dumps({**asdict(tried), "seconds": time.perf_counter() - started}))
        return tried, 0.0

    def _fit_now(self, arm: Arm, context: Context, saved: Path) -> Solver:
        saved_before, shared_before, scope = self.encoder.seconds_saved, self._once.shared, f"fit {arm.key}"
        waited = self.ledger.waited_seconds
        started = time.perf_counter()
        with self._asking(scope, arm, 0):
            solver = arm.make().fit(self.train[: arm.n_train], self.dev, context)
        took, kept = time.perf_counter() - started, self.encoder.seconds_saved - saved_before
        took -= self.ledger.waited_seconds - waited
        if (timed := context.details.pop("fit_seconds", None)) is not None:
            took, kept = float(timed), 0.0
        shared = self._once.shared + shared_before.times(-1) + Spend(max(0.0, kept))
        usd = self._fit_usd(arm, scope, context.details.pop("fit_usd", None))
        partial = saved.with_suffix(".partial")
        for leftover in (partial, saved):
            shutil.rmtree(leftover, ignore_errors=True)
        partial.mkdir()
        solver.save(partial)
        partial.rename(saved)
        record = FitRecord(
            seconds=took + min(0.0, kept) + shared.seconds,
            tokens=int(context.details.pop("fit_tokens", 0)),
            usd=None if usd is None else usd + (shared.usd or 0.0),
            shared_seconds=shared.seconds,
            shared_usd=shared.usd or 0.0,
            notes=context.notes,
            details=context.details,
            budget_seconds=self.budget_seconds,
        )
        self.store.add_fit(arm.key, record)
        return solver

    def measure(self, entry: Entry, stage: Stage, rows: Sequence[Example]) -> Measured:
        """Outcomes of ``rows``, those in the store as they are and the others now.

        What runs here is asked whole batches, so that a resumed run gets the same answers; a service that is paid for
        each row is asked what is missing. Where money or calls are spent, the rest is not asked.
        """
        arm = entry.arm
        known = self.store.outcomes(arm.key, stage)
        keys = [row_key(row) for row in rows]
        mine = self.asked_ahead
        saved = frozenset(
            row.id for row, key in zip(rows, keys, strict=True) if key in known and (arm.key, stage, key) not in mine
        )
        stopped = False
        size = len(rows) or 1 if arm.is_batched else CALL_ROWS if arm.is_metered else BATCH_ROWS
        for start in range(0, len(rows), size):
            batch = dict(zip(keys[start : start + size], rows[start : start + size], strict=True))
            missing = {key: row for key, row in batch.items() if key not in known}
            if missing:
                asked = missing if arm.is_metered or not arm.local else batch
                outcomes = self.answers(entry, stage, asked)
                for key, outcome in outcomes.items():
                    known.setdefault(key, outcome)  # the first stays, as in the store
                stopped = stopped or len(outcomes) < len(asked)
            self.watcher.progress(min(start + size, len(rows)), len(rows), "rows")
            if stopped:
                break
        # Rows of the same content share one outcome: each gets it under its own id. The code of metrics is in no key, so
        # what was in the store is scored anew.
        own = [
            known[key].model_copy(update={"row_id": row.id})
            for row, key in zip(rows, keys, strict=True)
            if key in known
        ]
        by_id = {row.id: row for row in rows}
        own = [
            one.model_copy(update={"scores": self._scores(one, by_id[one.row_id])}) if one.row_id in saved else one
            for one in own
        ]
        return Measured(own, saved, stopped)

    def answers(self, entry: Entry, stage: Stage, rows: Mapping[str, Example]) -> dict[str, Outcome]:
        """Outcomes by key of a batch of rows, stored; without those that the money did not reach for."""
        arm, scope = entry.arm, f"{stage} {entry.arm.key}"
        answers = dict[str, Answer]()
        try:
            with self._asking(scope, arm, arm.turn):
                answers = dict(zip(rows, self._solve(entry.solver, list(rows.values())), strict=True))
        except (
            MoneySpent
        ):  # what others of the batch had come to by then was kept, and is taken without sending anything
            with self._asking(scope, arm, arm.turn, closed=True):
                for key, row in rows.items():
                    with suppress(MoneySpent):
                        [answers[key]] = self._solve(entry.solver, [row])
        outcomes = {key: self._outcome(arm, stage, rows[key], answer) for key, answer in answers.items()}
        if outcomes:
            whole = len(outcomes) == len(rows)
            self.store.add_outcomes(arm.key, list(outcomes), list(outcomes.values()), scope if whole else None)
            if whole:
                self.ledger.delivered(scope)
        return outcomes

    def has(self, entry: Entry, stage: Stage, rows: Sequence[Example]) -> bool:
        """Whether all these rows are in the store."""
        return self.n_leading(entry, stage, rows) == len(rows)

    def n_leading(self, entry: Entry, stage: Stage, rows: Sequence[Example]) -> int:
        """How many of the first of these rows are in the store."""
        known = self.store.outcomes(entry.arm.key, stage)
        return sum(1 for _ in takewhile(lambda row: row_key(row) in known, rows))

    def latencies(
        self,
        entry: Entry,
        n_rows: int = LATENCY_ROWS,
        *,
        more: Sequence[Example] = (),
        goes_on: Callable[[], bool] = lambda: True,
        charge: Callable[[Spend], None] = lambda spend: None,
    ) -> list[float]:
        """Milliseconds of single rows, answered one at a time as a live service would get them, each kept as it comes.

        Dev rows first, then ``more``, then training rows; the first warms up and is not counted. A row without an answer has
        no time: giving up at once is not fast; where that may pass, a later start takes the time again.

        Args:
            goes_on: asked before each row; where the time is spent there are fewer, or none.
            charge: told what a service charged for a row.
        """
        key = entry.arm.key
        known = self._times.setdefault(key, self.store.latencies(key))
        by_key = {row_key(row): row for row in (*self.dev, *more, *self.train)}
        first, *keys = list(by_key)[: n_rows + 1]
        missing = [row for row in keys if row not in known]
        if missing and goes_on():
            self.watcher.start(say("useless.one_at_a_time", name=entry.arm.title))
            with self.encoder.forgetful(), suppress(MoneySpent):
                with self._asking(f"warm {key}", entry.arm, None):
                    self._solve(entry.solver, [by_key[first]])
                for at, row in enumerate(missing, 1):
                    if not goes_on():
                        break
                    started = time.perf_counter()
                    with self._asking(f"alone {key}", entry.arm, None, keeps=False):
                        [answer] = self._solve(entry.solver, [by_key[row]])
                    known[row] = (time.perf_counter() - started) * 1000 if answer.status == "scored" else None
                    charge(Spend(usd=self._usd(entry.arm, answer)))
                    if answer.may_pass:
                        self._to_take_again.add((key, row))
                    final = {name: ms for name, ms in known.items() if (key, name) not in self._to_take_again}
                    self.store.add_latencies(key, final)
                    self.watcher.progress(at, len(missing), "rows")
            self.watcher.finish()
        return [ms for row in keys if (ms := known.get(row)) is not None]

    def arm_folder(self, arm: Arm) -> Path:
        return self.folder / "arms" / arm.folder_name

    def _solve(self, solver: Solver, rows: Sequence[Example]) -> list[Answer]:
        """One answer per row. When a batch breaks its rows are tried one at a time: one bad row fails alone."""
        try:
            answers = solver.solve([row.query for row in rows])
            if len(answers) != len(rows):
                raise ValueError(f"{len(answers)} answers to {len(rows)} rows")
        except (TuneworthError, MoneySpent, KeyboardInterrupt):
            raise
        except Exception as error:
            _raise_if_disk_full(error, self.folder)
            if len(rows) > 1:
                self.ledger.next_pass()
                return [answer for row in rows for answer in self._solve(solver, [row])]
            may_pass = bool(getattr(error, "may_pass", False))
            return [Answer(text=None, status="failed", error=f"{type(error).__name__}: {error}", may_pass=may_pass)]
        return answers

    def _outcome(self, arm: Arm, stage: Stage, row: Example, answer: Answer) -> Outcome:
        outcome = Outcome(
            arm_id=arm.arm_id,
            row_id=row.id,
            stage=stage,
            status=answer.status,
            answer=answer.text,
            usage=answer.usage,
            latency_ms=answer.latency_ms,
            usd=self._usd(arm, answer),
            error=answer.error,
            may_pass=answer.may_pass,
            shared=answer.shared,
            passages=answer.passages,
            citations=answer.citations,
            probabilities=answer.probabilities,
        )
        return outcome.model_copy(update={"scores": self._scores(outcome, row)})

    def _fit_usd(self, arm: Arm, scope: str, told: float | None) -> float | None:
        """What services charged for fitting, by all starts; ``told``: by a strategy whose model does not go through the ledger."""
        charged = self.ledger.usd_of(scope)
        return told if charged == 0.0 and not arm.is_metered and not stays_here(arm, self.task) else charged

    def _usd(self, arm: Arm, answer: Answer) -> float | None:
        """What services charged: nothing for what stays here, unless its price is stated."""
        return 0.0 if answer.usd is None and stays_here(arm, self.task) else answer.usd

    def _scores(self, outcome: Outcome, row: Example) -> dict[str, float]:
        if outcome.status != "scored" or outcome.answer is None:
            return {}
        return {metric.id: score_row(metric, outcome.answer, row) for metric in self.metrics}


def _loaded(arm: Arm, saved: Path, context: Context) -> Solver | None:
    """The solver in ``saved``, or ``None`` when it cannot be read (a power cut may tear files): it is fitted again."""
    try:
        return arm.strategy.solver.load(saved, context)
    except TuneworthError:
        raise
    except Exception:
        return None


def _raise_if_disk_full(error: Exception, folder: Path) -> None:
    full = (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or "No space left" in str(error)
    if full:
        raise EnvironmentProblem(Problem(str(folder), say("run.disk_full"))) from error
