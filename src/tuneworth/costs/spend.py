"""What work takes: time, tokens, and money where it is known.

    seconds per 1,000 rows = 1,000 rows · mean(latency_ms) / 1,000 ms per s = mean(latency_ms)
    USD per 1,000 rows     = seconds per 1,000 rows / 3,600 · machine USD per hour + what services charge for them
    USD to fit             = fit seconds / 3,600 · machine USD per hour + what services charge for it

A latency is the row's share of the time its batch took, so the mean counts every second that the one
process was busy, once. The money is that of a machine rented for exactly this time: idle hours,
storage, and people are not in it. Without a price the money is unknown (``None``), never zero; what a service answers is
priced by what that charges, also where nobody knows the price of the machine that waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmCost

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Spend:
    """What a piece of work took; ``Spend()`` is nothing.

    Attributes:
        seconds: of this machine's time.
        tokens: read and written by language models.
        usd: US dollars; ``None``: not known, and then no sum with it is.
    """

    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Spend) -> Spend:
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Spend(self.seconds + other.seconds, self.tokens + other.tokens, usd)

    def times(self, n: float) -> Spend:
        """Of ``n`` such pieces of work."""
        return Spend(self.seconds * n, round(self.tokens * n), None if self.usd is None else self.usd * n)

    def on_machine(self, usd_per_hour: float | None) -> Spend:
        """With the machine's time paid for; not known without its price."""
        rent = machine_usd(self.seconds, usd_per_hour)
        return self + Spend(usd=rent)

    def within(self, seconds: float | None = None, usd: float | None = None) -> bool:
        """Whether both limits hold (``None``: no limit). Money that is not known is within no limit."""
        in_money = usd is None or (self.usd is not None and self.usd <= usd)
        return in_money and (seconds is None or self.seconds <= seconds)


def spent_on(outcomes: Sequence[Outcome]) -> Spend:
    """What answering took, each row with its share of its batch; money is what services charged."""
    known = [outcome.usd for outcome in outcomes if outcome.usd is not None]
    return Spend(
        seconds=sum(outcome.latency_ms for outcome in outcomes) / 1000,
        tokens=sum(outcome.usage.prompt_tokens + outcome.usage.completion_tokens for outcome in outcomes),
        usd=math.fsum(known) if len(known) == len(outcomes) else None,
    )


def arm_cost(fit: Spend, rows: Sequence[Outcome], machine_usd_per_hour: float | None) -> ArmCost:
    """Add up one arm.

    Args:
        fit: what making the solver took, one process.
        rows: outcomes that count.
        machine_usd_per_hour: price of the machine, or ``None`` when unknown.

    Returns:
        Times, tokens and money. The percentiles are over rows, interpolated linearly. Without rows
        everything about rows is ``None``.

    Raises:
        ValueError: a number is negative or not finite.
    """
    latencies = [row.latency_ms for row in rows]
    _require_amounts("fit.seconds", [fit.seconds])
    _require_amounts("fit.tokens", [fit.tokens])
    _require_amounts("latency_ms", latencies)
    _require_amounts("usd", [row.usd for row in rows if row.usd is not None])
    _require_amounts("machine_usd_per_hour", [] if machine_usd_per_hour is None else [machine_usd_per_hour])
    p50, p95 = np.percentile(latencies, [50, 95]).tolist() if rows else (None, None)
    seconds_per_1k = _mean(latencies)  # milliseconds per row = seconds per 1,000 rows
    charged = spent_on(rows).usd
    per_1k = Spend(seconds_per_1k or 0.0, usd=None if charged is None or not rows else 1000 * charged / len(rows))
    return ArmCost(
        fit_seconds=fit.seconds,
        fit_tokens=fit.tokens,
        seconds_per_1k_rows=seconds_per_1k,
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        prompt_tokens_per_row=_mean([row.usage.prompt_tokens for row in rows]),
        cached_tokens_per_row=_mean([row.usage.cached_tokens for row in rows]),
        completion_tokens_per_row=_mean([row.usage.completion_tokens for row in rows]),
        fit_usd=_priced(fit, machine_usd_per_hour),
        usd_per_1k_rows=_priced(per_1k, machine_usd_per_hour),
    )


def _priced(work: Spend, machine_usd_per_hour: float | None) -> float | None:
    """With the machine's time; where its price is not known what services charge alone, if they charge anything."""
    if machine_usd_per_hour is None:
        return work.usd or None
    return work.on_machine(machine_usd_per_hour).usd


def machine_usd(seconds: float | None, usd_per_hour: float | None) -> float | None:
    """Price of a machine for ``seconds``, US dollars; ``None`` when either is unknown."""
    if seconds is None or usd_per_hour is None:
        return None
    return seconds / SECONDS_PER_HOUR * usd_per_hour


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _require_amounts(name: str, values: Iterable[float]) -> None:
    for value in values:
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value}, must be finite and at least 0")
