"""What fitting and asking an arm will take: counted before anything runs, tried at the start of a race, corrected as it goes.

The best that is known is used, in this order:

1. the arm's own pace: rows that it answered, a size that it was fitted on. Another size is expected to take more or
   less in the proportion that the counts say;
2. what trying it took: two steps of training and a few answers (`tuneworth.race.trying`), or the same of an arm of its
   kind, in the proportion of their counts. Nothing is concluded from an arm of another kind: what few-shot takes says
   nothing of a training;
3. the counts at the speeds measured beforehand: how fast a model reads, writes and learns on this machine. Without
   these, nothing is known.

**Load.** A machine that is busy is slower at everything. Whatever takes longer than its own pace says is held against that, and
all that is expected is scaled by the ratio of late; paces are kept as of the time when the race began.

Speeds come from two calls of the real model on a made-up chat, a second or two for a small one: 32 rows for one token
each, and the same rows for a few more. From the first follows what reading a token takes, from the difference what
writing one takes. The answer is kept in the cache folder, per machine, model and number of threads. It is ROUGH: a
machine that is busy now or busy later is slower by any factor, rows are longer or shorter than these, and training is
taken to cost a fixed multiple of reading. The run corrects it with what it sees.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.costs.prices import Price
from tuneworth.costs.spend import Spend
from tuneworth.errors import TuneworthError
from tuneworth.models.base import Completion, Model, Request, is_metered
from tuneworth.models.local.cache import cache_home
from tuneworth.strategies._parts.workload import Workload

ROWS = 32
"""As many as the runner asks at once: what a written token takes depends on how many rows are written together."""
NEW_TOKENS = 9
TRAINING_COST = 3.0
"""Training on a token against reading it: forward, and backward at twice that (Kaplan et al. 2001.08361, section 2.1,
less the gradients of frozen weights, plus those of the adapters)."""
ENCODER_CHARS_PER_S = 12_000.0
"""Characters a second of the sentence encoder, and of the arithmetic below: seen on two cores without AMX. They are a few
seconds of a run, so they are not measured but corrected as it goes."""
OPERATIONS_PER_S = 4e9
LOOKS = 1.1
"""Of a training's time the looks at dev are a tenth."""
OF_LATE_S, AS_BEFORE_S, MOST_LOAD = 60.0, 2.0, 10.0
"""The load is that of the last minute of expected work, with two seconds as of when the race began, and tenfold at most."""


@dataclass(frozen=True, slots=True)
class Job:
    """An arm as far as its cost is concerned.

    Attributes:
        model: id of its language model, if it has one.
        sizes: training sizes that the race may fit it on; ``None`` stands for all rows.
        free: it runs on this machine, and no service charges for it.
        price: of its model, where a service charges for it and that is known.
        kind: arms that work alike, but for how much they read.
        asks_alike: what the arms of its kind ask is asked once.
        thinking: tokens that its model is expected to think for one answer.
        batched: its model is asked in batches: nobody's time is spent, and it costs what batches do.
    """

    arm_id: str
    model: str | None
    workload: Workload
    sizes: tuple[int | None, ...] = (None,)
    free: bool = True
    kind: str = ""
    price: Price | None = None
    asks_alike: bool = False
    thinking: int = 0
    batched: bool = False


@dataclass
class _Seen:
    """What one arm took, in seconds as of when the race began.

    Attributes:
        fits: training rows → what a fit took; ``answers``: all rows together.
        row_seconds: of training on one row once; ``answer_seconds``: of one answer; as tried.
    """

    fits: dict[int, Spend] = field(default_factory=dict[int, Spend])
    rows: int = 0
    answers: Spend = Spend()
    row_seconds: float | None = None
    answer_seconds: float | None = None


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
        self._kinds: dict[str, list[Job]] = {}
        for job in self._jobs.values():
            self._kinds.setdefault(job.kind or job.arm_id, []).append(job)
        self._late: list[tuple[float, float]] = []
        self._ratios: dict[tuple[str, int | None], float | None] = {}
        self.load = 1.0

    # -- what is expected ------------------------------------------------------------------------------

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None:
        """Of fitting on ``n_train`` rows (``None``: all)."""
        job, n = self._jobs[arm_id], self._rows(n_train)
        own = self._fit_pace(job, n)
        if own is None:
            own = self._like(job, n, self._counted_fit(job, n))
        return None if own is None else own * self.load

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None:
        """Of answering ``n_rows`` rows. On how many rows an arm was fitted makes no difference."""
        job = self._jobs[arm_id]
        own = self._answer_pace(job)
        if own is None:
            own = self._like(job, None, self._counted_answers(job, 1))
        return None if own is None else own * n_rows * self.load

    def answer_usd(self, arm_id: str, n_rows: int) -> float | None:
        """What services charge for ``n_rows`` answers: as for those that it gave, else as counted with nothing from a cache."""
        job, seen = self._jobs[arm_id], self._seen[arm_id]
        if job.free:
            return 0.0
        if seen.rows:
            return seen.answers.times(n_rows / seen.rows).usd
        if job.price is None:
            return None
        return n_rows * job.price.usd(self.usage(arm_id), batch=job.batched)

    def usage(self, arm_id: str, *, cached: bool = False) -> Usage:
        """Tokens of one answer of an arm, as counted; with what its prompts share from a cache, where it is ``cached``."""
        job = self._jobs[arm_id]
        work = job.workload
        return Usage(
            prompt_tokens=math.ceil(work.prompt_tokens + work.shared_tokens),
            cached_tokens=math.floor(work.shared_tokens) if cached else 0,
            completion_tokens=math.ceil(work.completion_tokens) + job.thinking,
            reasoning_tokens=job.thinking,
        )

    def asked_in_fit(self, arm_id: str) -> int:
        """Training rows that fitting the arm on all of them asks its model about."""
        return round(self._jobs[arm_id].workload.asked_in_fit(self._n_train))

    def row_seconds(self, arm_id: str) -> float | None:
        """Of one answer of an arm that answered rows; ``None`` of another."""
        return self.answer_seconds(arm_id, None, 1) if self._seen[arm_id].rows else None

    def to_try(self) -> list[str]:
        """One arm of each kind that asks a model, the one that is counted to take least."""
        each = ([job for job in kind if job.model is not None and not job.batched] for kind in self._kinds.values())
        return [min(kind, key=lambda job: self._counted_answers(job, 1)).arm_id for kind in each if kind]

    def spend(self, arm_id: str) -> Spend | None:
        """Of one arm at every size on every dev row; money is what services charge, as far as they have said."""
        job, seen, n_dev = self._jobs[arm_id], self._seen[arm_id], self._n_dev
        work, sizes = job.workload, [self._rows(size) for size in job.sizes]
        parts = [self.fit_seconds(arm_id, size) for size in job.sizes]
        parts += [self.answer_seconds(arm_id, size, n_dev) for size in job.sizes]
        if None in parts:
            return None
        read = n_dev * (work.prompt_tokens + work.completion_tokens + job.thinking) + work.shared_tokens
        tokens = sum(n * work.train_tokens * work.passes(n) + read for n in sizes)
        usd = self.answer_usd(arm_id, len(sizes) * n_dev)
        if not job.free and set(sizes) <= set(seen.fits):
            usd = (sum((seen.fits[n] for n in sizes), Spend(usd=usd))).usd
        return Spend(sum(part for part in parts if part is not None), round(tokens), usd)

    def spend_all(self) -> Spend | None:
        """Of everything: every arm at every size on every dev row; of arms that ask alike the one that takes longest."""
        parts = {arm_id: self.spend(arm_id) for arm_id in self._jobs}
        known = sorted(((arm_id, part) for arm_id, part in parts.items() if part), key=lambda pair: pair[1].seconds)
        once = {job.kind if (job := self._jobs[arm_id]).asks_alike else arm_id: part for arm_id, part in known}
        return None if None in parts.values() else sum(once.values(), Spend())

    # -- what was seen ---------------------------------------------------------------------------------

    def observe_try(self, arm_id: str, *, row_seconds: float | None, answer_seconds: float) -> None:
        """Trying the arm took so much for training on one row once, if it trains, and for one answer."""
        seen = self._seen[arm_id]
        seen.row_seconds = None if row_seconds is None else row_seconds / self.load
        seen.answer_seconds = answer_seconds / self.load
        self._ratios.clear()

    def observe_fit(self, arm_id: str, n_train: int | None, spend: Spend, epochs: float | None = None) -> None:
        """A fit on ``n_train`` rows took so much, in so many passes over them if it was a training."""
        seen, n = self._seen[arm_id], self._rows(n_train)
        if epochs and seen.row_seconds:
            self._held_against(spend.seconds, LOOKS * epochs * n * seen.row_seconds)
        seen.fits[n] = replace(spend, seconds=spend.seconds / self.load)
        self._ratios.clear()

    def observe_answers(self, arm_id: str, n_train: int | None, n_rows: int, spend: Spend) -> None:
        """``n_rows`` more rows took so much to answer."""
        seen = self._seen[arm_id]
        if seen.rows >= ROWS:  # on fewer, a batch was smaller
            self._held_against(spend.seconds, n_rows * seen.answers.seconds / seen.rows)
        seen.rows += n_rows
        seen.answers += replace(spend, seconds=spend.seconds / self.load)
        self._ratios.clear()

    def _held_against(self, measured: float, expected: float) -> None:
        """The load is what took how much longer of late; a few seconds are too short to say."""
        self._late.append((measured, expected))
        while len(self._late) > 1 and sum(known for _, known in self._late[1:]) >= OF_LATE_S:
            del self._late[0]
        took, known = (sum(part) + AS_BEFORE_S for part in zip(*self._late, strict=True))
        self.load = min(max(took / known, 1 / MOST_LOAD), MOST_LOAD)

    # -- by counting -----------------------------------------------------------------------------------

    def _rows(self, n_train: int | None) -> int:
        return max(1, self._n_train if n_train is None else n_train)

    def _speed(self, job: Job) -> Speeds:
        return (self._speeds.get(job.model) if job.model is not None else None) or NOMINAL

    def _counted_fit(self, job: Job, n_train: int) -> float:
        work = job.workload
        once = work.encoded_chars / ENCODER_CHARS_PER_S + work.fit_operations / OPERATIONS_PER_S
        trained = n_train * (once + work.train_tokens * work.passes(n_train) / self._speed(job).train)
        n_asked = work.asked_in_fit(n_train)
        return trained + (self._counted_answers(job, 1) * n_asked if n_asked else 0.0)

    def _counted_answers(self, job: Job, n_rows: int) -> float:
        """The shared part of the prompts is spread over the dev rows, where it is paid for once."""
        if job.batched:
            return 0.0
        work, speed = job.workload, self._speed(job)
        n_read = work.prompt_tokens + work.shared_tokens / max(1, self._n_dev)
        return n_rows * (
            n_read / speed.read + work.completion_tokens / speed.write + work.encoded_chars / ENCODER_CHARS_PER_S
        )

    # -- by what was seen ------------------------------------------------------------------------------

    def _fit_pace(self, job: Job, n: int) -> float | None:
        """Of the arm's own fits, or of its trained rows as tried."""
        seen = self._seen[job.arm_id]
        if seen.fits:
            known = min(seen.fits, key=lambda size: (abs(math.log(size / n)), size))
            counted = self._counted_fit(job, known)
            return seen.fits[known].seconds * (self._counted_fit(job, n) / counted if counted else 1.0)
        return None if seen.row_seconds is None else seen.row_seconds * n * job.workload.passes(n)

    def _answer_pace(self, job: Job) -> float | None:
        """Of one row, as the arm answered, or as tried."""
        seen = self._seen[job.arm_id]
        return seen.answers.seconds / seen.rows if seen.rows else seen.answer_seconds

    def _like(self, job: Job, n: int | None, counted: float) -> float | None:
        """As long as arms of its kind take to be fitted on ``n`` rows (``None``: to answer one), in the proportion of the
        counts; else as counted."""
        ratio = self._ratio(job.kind or job.arm_id, n)
        if ratio is not None and counted > 0:
            return counted * ratio
        is_known = job.model is None or self._speeds.get(job.model) is not None
        return counted if is_known or counted == 0.0 else None

    def _ratio(self, kind: str, n: int | None) -> float | None:
        """Of what a kind takes to what is counted, kept until something new is seen."""
        if (kind, n) not in self._ratios:
            took = count = 0.0
            for job in self._kinds[kind]:
                pace = self._answer_pace(job) if n is None else self._fit_pace(job, n)
                counted = self._counted_answers(job, 1) if n is None else self._counted_fit(job, n)
                if pace is not None and counted > 0:
                    took, count = took + pace, count + counted
            self._ratios[kind, n] = took / count if count else None
        return self._ratios[kind, n]


@dataclass(frozen=True, slots=True)
class Speeds:
    """Tokens a second. ``read``: of prompts; ``write``: of all rows together, in batches."""

    read: float
    write: float

    @property
    def train(self) -> float:
        return self.read / TRAINING_COST


NOMINAL = Speeds(read=600.0, write=200.0)
"""A 135M model in float32 on two cores: only ratios between its arms are used, where nothing was measured."""


def speeds_of(model: Model) -> Speeds | None:
    """The speeds of ``model``, measured now or on an earlier day; ``None`` where measuring would cost money or fails."""
    if not model.capabilities.local or is_metered(model):
        return None
    path = _path(model)
    if path is not None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Speeds(**json.loads(path.read_text(encoding="utf-8")))
    try:
        speeds = measure(model)
    except TuneworthError:
        raise
    except Exception:
        return None  # a broken model is told of by the arms that use it
    if path is not None and speeds is not None:
        # Without a writable cache it is measured again next time.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(asdict(speeds)))
    return speeds


def measure(model: Model) -> Speeds | None:
    """The speeds of ``model`` now; ``None`` when it does not answer."""
    requests = [_request(number) for number in range(ROWS)]
    model.generate(requests[:1], max_new_tokens=1)  # the first call of all loads what later ones find loaded
    short, short_s = _timed(model, requests, 1)
    long, long_s = _timed(model, requests, NEW_TOKENS)
    if any(done.finish_reason in ("error", "over_context") for done in (*short, *long)):
        return None
    n_read = sum(done.usage.prompt_tokens - done.usage.cached_tokens for done in short)
    n_written = _written(long) - _written(short)
    read = n_read / max(short_s, 1e-6)
    if n_written <= 0:  # it ended every answer at once: as if a token were written as fast as read
        return Speeds(read, read)
    # Noise may make the longer call the shorter one; a written token never takes less than a read one.
    return Speeds(read, n_written / max(long_s - short_s, n_written / read))


def _request(number: int) -> Request:
    """A question of about 30 tokens that no other row shares the start of, and whose answer is not short."""
    asked = f"{number + 1}. Count slowly from {number} to {number + 90}, one number after another, and write every number in digits."
    return Request((Message("system", f"You are assistant number {number}."), Message("user", asked)))


def _timed(model: Model, requests: Sequence[Request], max_new_tokens: int) -> tuple[list[Completion], float]:
    started = time.perf_counter()
    return model.generate(requests, max_new_tokens=max_new_tokens), time.perf_counter() - started


def _written(completions: Sequence[Completion]) -> int:
    return sum(done.usage.completion_tokens for done in completions)


def _path(model: Model) -> Path | None:
    """Where the speeds are kept; ``None`` for a model that does not say which weights it has."""
    described = model.describe()
    weights = described.get("weights_sha256")
    if weights is None:
        return None
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    machine = [platform.node(), platform.machine(), platform.processor(), os.cpu_count(), threads]
    facts = [machine, weights, *(described.get(name) for name in ("dtype", "attention", "device"))]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return cache_home() / "speeds" / f"{key}.json"
