"""What fitting and asking an arm will take: guessed before anything runs, corrected with what a run sees.

The best that is known is used, in this order:

1. the arm's own pace: rows that it answered, a size that it was fitted on. Another size is expected to take more or
   less in the proportion that the counts say;
2. the counts, times how much longer than counted the other arms of the same model took (each counts once, as a ratio: one
   slow arm does not speak for all). A model that answers slowly is taken to learn slowly until it was trained once;
3. the counts at the speeds measured beforehand (`tuneworth.race.speeds`). Without these, nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tuneworth.race.speeds import ENCODER_CHARS_PER_S, NOMINAL, OPERATIONS_PER_S, Speeds
from tuneworth.strategies._parts.workload import Workload


@dataclass(frozen=True, slots=True)
class Job:
    """An arm as far as its cost is concerned.

    Attributes:
        model: id of its language model, if it has one.
        sizes: training sizes that the race may fit it on; ``None`` stands for all rows.
    """

    arm_id: str
    model: str | None
    workload: Workload
    sizes: tuple[int | None, ...] = (None,)


@dataclass
class _Seen:
    """What one arm took. ``fits``: training rows → seconds."""

    fits: dict[int, float] = field(default_factory=dict[int, float])
    rows: int = 0
    seconds: float = 0.0


class Estimator:
    """Expected seconds of one race; the schedule's ``Costs``."""

    def __init__(self, jobs: Iterable[Job], speeds: Mapping[str, Speeds | None], *, n_train: int, n_dev: int):
        """What is known beforehand.

        Args:
            speeds: of every model, ``None`` where they are not known.
            n_train: training rows in all, the size that ``None`` stands for.
        """
        self._jobs = {job.arm_id: job for job in jobs}
        self._speeds = speeds
        self._n_train, self._n_dev = n_train, n_dev
        self._seen: dict[str, _Seen] = {arm_id: _Seen() for arm_id in self._jobs}
        self._ratios: dict[tuple[str, str | None, bool], float | None] = {}

    # -- what is expected ------------------------------------------------------------------------------

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None:
        """Of fitting on ``n_train`` rows (``None``: all)."""
        job, seen, n = self._jobs[arm_id], self._seen[arm_id], self._rows(n_train)
        if seen.fits:
            known = min(seen.fits, key=lambda size: (abs(math.log(size / n)), size))
            counted = self._counted_fit(job, known)
            return seen.fits[known] * (self._counted_fit(job, n) / counted if counted else 1.0)
        counted = self._counted_fit(job, n)
        return self._corrected(job, counted, self._fit_ratio(job) or self._answer_ratio(job))

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None:
        """Of answering ``n_rows`` rows. On how many rows an arm was fitted makes no difference."""
        job, seen = self._jobs[arm_id], self._seen[arm_id]
        if seen.rows:
            return seen.seconds / seen.rows * n_rows
        return self._corrected(job, self._counted_answers(job, n_rows), self._answer_ratio(job))

    def arm_seconds(self, arm_id: str) -> float | None:
        """Of one arm at every size on every dev row."""
        sizes = self._jobs[arm_id].sizes
        parts = [self.fit_seconds(arm_id, size) for size in sizes]
        parts += [self.answer_seconds(arm_id, size, self._n_dev) for size in sizes]
        return None if None in parts else sum(part for part in parts if part is not None)

    def seconds_all(self) -> float | None:
        """Of everything: every arm at every size on every dev row."""
        parts = [self.arm_seconds(arm_id) for arm_id in self._jobs]
        return None if None in parts else sum(part for part in parts if part is not None)

    # -- what was seen ---------------------------------------------------------------------------------

    def observe_fit(self, arm_id: str, n_train: int | None, seconds: float) -> None:
        """A fit on ``n_train`` rows took ``seconds``."""
        self._seen[arm_id].fits[self._rows(n_train)] = seconds
        self._ratios.clear()

    def observe_answers(self, arm_id: str, n_train: int | None, n_rows: int, seconds: float) -> None:
        """``n_rows`` more rows were answered in ``seconds``."""
        seen = self._seen[arm_id]
        seen.rows += n_rows
        seen.seconds += seconds
        self._ratios.clear()

    # -- by counting -----------------------------------------------------------------------------------

    def _rows(self, n_train: int | None) -> int:
        return max(1, self._n_train if n_train is None else n_train)

    def _speed(self, job: Job) -> Speeds:
        return (self._speeds.get(job.model) if job.model is not None else None) or NOMINAL

    def _counted_fit(self, job: Job, n_train: int) -> float:
        work = job.workload
        once = work.encoded_chars / ENCODER_CHARS_PER_S + work.fit_operations / OPERATIONS_PER_S
        return n_train * (once + work.train_tokens * work.passes(n_train) / self._speed(job).train)

    def _counted_answers(self, job: Job, n_rows: int) -> float:
        """The shared part of the prompts is spread over the dev rows, where it is paid for once."""
        work, speed = job.workload, self._speed(job)
        n_read = work.prompt_tokens + work.shared_tokens / max(1, self._n_dev)
        return n_rows * (
            n_read / speed.read + work.completion_tokens / speed.write + work.encoded_chars / ENCODER_CHARS_PER_S
        )

    # -- corrected by other arms -----------------------------------------------------------------------

    def _corrected(self, job: Job, counted: float, ratio: float | None) -> float | None:
        if counted == 0.0:
            return 0.0
        if ratio is not None:
            return counted * ratio
        return counted if job.model is None or self._speeds.get(job.model) is not None else None

    def _answer_ratio(self, job: Job) -> float | None:
        """Seen over counted seconds of the arms of the same model that answered."""
        return self._ratio(
            ("answers", job.model, False),
            lambda: [
                (seen.seconds, self._counted_answers(other, seen.rows)) for other, seen in self._kin(job) if seen.rows
            ],
        )

    def _fit_ratio(self, job: Job) -> float | None:
        """The same of the arms that were fitted in the same way: by training the model, or not."""
        trains = job.workload.train_tokens > 0
        return self._ratio(
            ("fits", job.model, trains),
            lambda: [
                (seconds, self._counted_fit(other, n))
                for other, seen in self._kin(job)
                if (other.workload.train_tokens > 0) == trains
                for n, seconds in seen.fits.items()
            ],
        )

    def _kin(self, job: Job) -> Sequence[tuple[Job, _Seen]]:
        """The arms of the same model, the one itself too: once it was seen, its own pace is used instead."""
        return [(other, self._seen[other.arm_id]) for other in self._jobs.values() if other.model == job.model]

    def _ratio(
        self, key: tuple[str, str | None, bool], pairs: Callable[[], Sequence[tuple[float, float]]]
    ) -> float | None:
        """Geometric mean of seen over counted, kept until something new is seen."""
        if key not in self._ratios:
            self._ratios[key] = _middle(pairs())
        return self._ratios[key]


def _middle(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Geometric mean of the ratios; pairs in which either is nothing tell nothing."""
    logs = [math.log(seen / counted) for seen, counted in pairs if seen > 0 and counted > 0]
    return math.exp(sum(logs) / len(logs)) if logs else None
