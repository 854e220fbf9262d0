"""What an arm costs: time, tokens, and money where the price of the machine is known.

    seconds per 1,000 rows = 1,000 rows · mean(latency_ms) / 1,000 ms per s = mean(latency_ms)
    USD per 1,000 rows     = seconds per 1,000 rows / 3,600 · machine USD per hour
    USD to fit             = fit seconds / 3,600 · machine USD per hour

A latency is the row's share of the time its batch took, so the mean counts every second that the one
process was busy, once. The money is that of a machine rented for exactly this time: idle hours,
storage, and people are not in it. Without a price the money is unknown (``None``), never zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from tuneworth.core.outcome import Usage
from tuneworth.core.run import ArmCost

SECONDS_PER_HOUR = 3600.0


def arm_cost(
    *,
    fit_seconds: float,
    fit_tokens: int,
    latencies_ms: Sequence[float],
    usages: Sequence[Usage],
    machine_usd_per_hour: float | None,
) -> ArmCost:
    """Add up one arm.

    Args:
        fit_seconds: time spent making the solver, one process.
        fit_tokens: tokens the training read, 0 for an arm without training.
        latencies_ms: one per answered row, milliseconds.
        usages: tokens of the same rows.
        machine_usd_per_hour: price of the machine, or ``None`` when unknown.

    Returns:
        Times, tokens and money. The percentiles are over rows, interpolated linearly. Without rows
        everything about rows is ``None``.

    Raises:
        ValueError: a number is negative or not finite, or rows are not paired.
    """
    _require_amounts("fit_seconds", [fit_seconds])
    _require_amounts("fit_tokens", [fit_tokens])
    _require_amounts("latencies_ms", latencies_ms)
    _require_amounts("machine_usd_per_hour", [] if machine_usd_per_hour is None else [machine_usd_per_hour])
    if len(latencies_ms) != len(usages):
        raise ValueError(f"{len(latencies_ms)} latencies but {len(usages)} usages; they must be of the same rows")
    seconds_per_1k = _mean(latencies_ms)  # milliseconds per row = seconds per 1,000 rows
    return ArmCost(
        fit_seconds=fit_seconds,
        fit_tokens=fit_tokens,
        seconds_per_1k_rows=seconds_per_1k,
        latency_p50_ms=_percentile(latencies_ms, 50),
        latency_p95_ms=_percentile(latencies_ms, 95),
        prompt_tokens_per_row=_mean([usage.prompt_tokens for usage in usages]),
        cached_tokens_per_row=_mean([usage.cached_tokens for usage in usages]),
        completion_tokens_per_row=_mean([usage.completion_tokens for usage in usages]),
        fit_usd=machine_usd(fit_seconds, machine_usd_per_hour),
        usd_per_1k_rows=machine_usd(seconds_per_1k, machine_usd_per_hour),
    )


def machine_usd(seconds: float | None, usd_per_hour: float | None) -> float | None:
    """Price of a machine for ``seconds``, US dollars; ``None`` when either is unknown."""
    if seconds is None or usd_per_hour is None:
        return None
    return seconds / SECONDS_PER_HOUR * usd_per_hour


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _percentile(values: Sequence[float], q: float) -> float | None:
    return float(np.percentile(values, q)) if values else None


def _require_amounts(name: str, values: Iterable[float]) -> None:
    for value in values:
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value}, must be finite and at least 0")
