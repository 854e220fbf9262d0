"""How fast a model reads, writes and learns on this machine, roughly, before a run has measured it.

Two calls of the real model on a made-up chat, a second or two for a small one: 32 rows for one token each, and the same
rows for a few more. From the first follows what reading a token takes, from the difference what writing one
takes. The answer is kept in the cache folder, per machine, model and number of threads.

It is ROUGH: a machine that is busy now or busy later is slower by any factor, rows are longer or shorter than these, and
training is taken to cost a fixed multiple of reading. `tuneworth.race.estimate` corrects it with what a run sees.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.task import Message
from tuneworth.errors import TuneworthError
from tuneworth.models.base import Completion, Model, Request
from tuneworth.models.local.cache import cache_home

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
    if not model.capabilities.local:
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
