"""What arms cost, with how sure that is: bills evaluated on draws of everything that is not certain.

    1. Every group of rows gets a random weight, the same in every arm; the weighted means of columns say where the true means may be.
    2. Every figure with a range gets draws between its ends, the same in every arm that uses its name.
    3. A bill's sum (``bill.sum_of``) on those arrays is an array of dollars; intervals are its percentiles, and two arms are compared
       draw by draw.

The weights are gamma distributed (the Bayesian bootstrap, Rubin 1981, Annals of Statistics 9:130) with shape (n − 4) / n, n the number of
groups, which gives means the variance of Student's t. Tokens and times are skewed: a sample that misses the few dear calls has too
low a mean and too small an error. So means are studentised, on the log scale, and reflected (bootstrap-t, Efron 1981, Canadian Journal of
Statistics 9:139; `drawn_means`). Figures are drawn by strata, one value from each n-th part of a range (McKay, Beckman and Conover 1979,
Technometrics 21:239), so that percentiles of few draws are steady. Chosen and checked by simulation (``benchmarks/money.py``).

NOT guaranteed: anything about prices or calls outside the ranges stated, or about calls that are not like the rows. Figures are
independent of one another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.record import Interval
from tuneworth.costs.bill import MIDDLE, Bill, Line, Measured, Sample, Sum, lines_of, sum_of
from tuneworth.costs.breakeven import break_even_calls
from tuneworth.costs.figures import Figure
from tuneworth.costs.traffic import Traffic

Floats = NDArray[np.float64]
N_DRAWS = 4_000
MIN_GROUPS = 10
"""Groups of rows from which an interval is given, as for scores (``stats.clusters``)."""
MOST_CALLS = 1e7
"""Calls a month up to which break-even is looked for."""
_STEPS = 241
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Ranged:
    """A number with its 80 % and 95 % intervals. An end that is infinite is ``math.inf``: beyond what was looked at.

    Attributes:
        value: with every figure at its middle and every column at its mean.
        inner, outer: 80 % and 95 %; ``None``: too few groups of rows were measured to say.
    """

    value: float
    inner: Interval | None = None
    outer: Interval | None = None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Calls a month from which ``arm`` costs less than ``other``.

    Attributes:
        calls: 0: at any volume; infinite: never below ``most`` (its interval too may end there).
        never: share of draws in which it never does below ``most``.
        turns_again: share of draws in which it is dearer again at some larger volume below ``most``, as one more machine starts.
    """

    arm: str
    other: str
    calls: Ranged
    most: float
    never: float
    turns_again: float


@dataclass(frozen=True, slots=True)
class Bar:
    """How far one input alone moves an answer, from its 10th to its 90th percentile, all others at their middle.

    Attributes:
        name: of a figure, or ``measured.<arm>``: the rows of that arm.
        at_low, at_high: the answer at the input's two ends, in the answer's unit; of measured rows, the answer's own percentiles.
    """

    name: str
    at_low: float
    at_high: float

    @property
    def width(self) -> float:
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True)
class Draws:
    """Draws of figures and of columns' means; `Values` for a bill.

    Attributes:
        columns: arm → column → draws of its mean, shape ``(n,)``.
        only: names of the inputs that vary, the others are at their middle; ``None``: all do.
    """

    seed: int
    n: int
    columns: Mapping[str, Mapping[str, Floats]]
    only: frozenset[str] | None = None
    _shares: dict[str, Floats] = field(default_factory=dict[str, Floats])

    @classmethod
    def of_bills(cls, bills: Sequence[Bill], seed: int, n: int) -> Draws:
        return cls(seed, n, drawn_means({bill.arm: bill for bill in bills}, np.random.default_rng(seed), n))

    def varying(self, *names: str) -> Draws:
        """The same draws, of these inputs alone."""
        return replace(self, only=frozenset(names))

    def of(self, stated: Figure) -> Any:
        if stated.middle is None or stated.low == stated.high or not self._varies(stated.name):
            return MIDDLE.of(stated)
        return stated.at(self.shares(stated.name))

    def mean(self, bill: Bill, measured: Measured) -> Any:
        drawn = self.columns.get(bill.arm, {}).get(measured.column)
        return drawn if drawn is not None and self._varies(f"measured.{bill.arm}") else MIDDLE.mean(bill, measured)

    def shares(self, name: str) -> Floats:
        """Where in its range a figure of this name is drawn, one in each n-th part of [0, 1]."""
        if name not in self._shares:
            rng = np.random.default_rng([self.seed, crc32(name.encode())])
            self._shares[name] = (rng.permutation(self.n) + rng.random(self.n)) / self.n
        return self._shares[name]

    def _varies(self, name: str) -> bool:
        return self.only is None or name in self.only


def drawn_means(bills: Mapping[str, Bill], rng: np.random.Generator, n: int) -> dict[str, dict[str, Floats]]:
    """Arm → column → draws of its true mean, shape ``(n,)``. An arm with too few groups has none.

    With s_g the sum of a column over group g, m_g its rows and w a draw of weights, the mean is r(w) = Σ w·s / Σ w·m, its relative error
    c(w) = √(Σ w·(s − r·m)² / Σ w) / (Σ w·s / Σ w), and r and c those of equal weights. A draw of the true mean is

        r · exp(−(ln r(w) − ln r) · c / c(w))

    that is, what a sample shows too low by, in units of its own error, the truth is taken to be too high by.
    """
    used = {
        arm: sorted({each.column for each in bill.measured if bill.sample and each.column in bill.sample.columns})
        for arm, bill in bills.items()
    }
    samples = {
        arm: sample
        for arm, bill in bills.items()
        if (sample := bill.sample) is not None and used[arm] and len(set(sample.groups)) >= MIN_GROUPS
    }
    if not samples:
        return {}
    fewest = min(len(set(sample.groups)) for sample in samples.values())
    numbers = {name: at for at, name in enumerate(dict.fromkeys(g for each in samples.values() for g in each.groups))}
    tables = {arm: _by_group(sample, used[arm], numbers) for arm, sample in samples.items()}
    sums = {arm: np.zeros((n, table.shape[1])) for arm, table in tables.items()}
    for start in range(0, len(numbers), _BLOCK):
        weights = rng.standard_gamma((fewest - 4) / fewest, (n, min(_BLOCK, len(numbers) - start)))
        for arm, table in tables.items():
            sums[arm] += weights @ table[start : start + _BLOCK]
    return {
        arm: {
            column: _reflected(*_mean_and_error(sums[arm], at), *_mean_and_error(table.sum(axis=0), at))
            for at, column in enumerate(used[arm])
        }
        for arm, table in tables.items()
    }


def _by_group(sample: Sample, columns: Sequence[str], numbers: Mapping[str, int]) -> Floats:
    """By group: one where it has rows, m, m², and s, s², s·m of every column; shape ``(groups, 3 + 3 · columns)``."""
    of_row = np.array([numbers[name] for name in sample.groups])
    m = np.bincount(of_row, minlength=len(numbers)).astype(np.float64)
    table = [np.minimum(m, 1.0), m, m * m]
    for column in columns:
        s = np.bincount(of_row, sample.columns[column], minlength=len(numbers))
        table += [s, s * s, s * m]
    return np.stack(table, axis=1)


def _mean_and_error(sums: Floats, at: int) -> tuple[Floats, Floats]:
    """r(w) and c(w) of a column, from weighted sums over groups; the error of a column of zeros is 0."""
    one, m, mm = (sums[..., each] for each in range(3))
    s, ss, sm = (sums[..., 3 + 3 * at + each] for each in range(3))
    mean = s / m
    squares = (ss - 2 * mean * sm + mean * mean * mm).clip(min=0.0)
    return mean, np.sqrt(squares * one) / np.where(s > 0, s, 1.0)


def _reflected(mean: Floats, error: Floats, whole: Floats, whole_error: Floats) -> Floats:
    if not whole > 0 or not whole_error > 1e-9:
        return np.full(mean.shape, whole)
    seen = (mean > 0) & (error > 1e-9)
    off = np.log(np.where(seen, mean, whole) / whole) * np.where(seen, whole_error / np.where(seen, error, 1.0), 1.0)
    return whole * np.exp(-off)


@dataclass(frozen=True)
class Costs:
    """Bills under one traffic, priced with draws that all of them share.

    Everything is computed when it is asked for; a figure that is missing (``missing``) makes the answers that need it ``None``.

    Attributes:
        seed: what the draws are made from; the same seed gives the same answers.
    """

    bills: Sequence[Bill]
    traffic: Traffic
    seed: int = 0
    n_draws: int = N_DRAWS

    def __post_init__(self) -> None:
        if len({bill.arm for bill in self.bills}) < len(self.bills):
            raise ValueError("two bills are of one arm")
        seen: dict[str, tuple[float | None, float | None, str]] = {}
        for each in (*self.traffic.figures, *(each for bill in self.bills for each in bill.figures)):
            ends = (each.low, each.high, each.unit)
            if seen.setdefault(each.name, ends) != ends:
                raise ValueError(f"{each.name} is two figures, {seen[each.name]} and {ends}; they need two names")

    def missing(self, arm: str) -> tuple[str, ...]:
        """Names of the numbers that this arm's bill lacks, the volume not among them."""
        return tuple(
            name for name in self._bill(arm).missing(self.traffic) if name != self.traffic.calls_per_month.name
        )

    def lines(self, arm: str, calls: float | None = None) -> list[Line]:
        return lines_of(self._bill(arm), self.traffic, calls)

    def monthly(self, arm: str, calls: float | None = None) -> Ranged | None:
        """Mean US dollars a month, all that is paid in the months looked at; ``calls`` a month instead of the traffic's."""
        if not self._answers(calls, arm):
            return None
        drawn = self._drawn(arm).monthly(self._calls(calls))
        return self._ranged(self._middle(arm).monthly(self._calls(calls, middle=True)).item(), drawn, arm)

    def cheaper_by(self, arm: str, other: str, calls: float | None = None) -> Ranged | None:
        """US dollars a month that ``arm`` costs less than ``other``, draw by draw; negative where it costs more."""
        if not self._answers(calls, arm, other):
            return None
        return self._ranged(
            self._difference(arm, other, calls, MIDDLE).item(),
            self._difference(arm, other, calls, self._draws),
            arm,
            other,
        )

    def p_cheaper(self, arm: str, other: str, calls: float | None = None) -> float | None:
        """Probability that ``arm`` costs less than ``other``; draws that are equal count half."""
        if not self._answers(calls, arm, other) or not self._sure(arm, other):
            return None
        less = np.broadcast_to(self._difference(arm, other, calls, self._draws), (self.n_draws,))
        return float((less > 0).mean() + (less == 0).mean() / 2)

    def curve(self, arm: str, volumes: Sequence[float]) -> list[Ranged] | None:
        """Dollars a month at each of ``volumes`` (calls a month)."""
        if self.missing(arm):
            return None
        return [found for calls in volumes if (found := self.monthly(arm, calls)) is not None]

    def break_even(self, arm: str, other: str, most: float = MOST_CALLS) -> BreakEven | None:
        """From which volume on ``arm`` costs less than ``other``."""
        if self.missing(arm) or self.missing(other):
            return None
        value, _ = crossings(self._middle(arm), self._middle(other), most, 1)
        calls, again = crossings(self._drawn(arm), self._drawn(other), most, self.n_draws)
        never = float(np.isinf(calls).mean())
        return BreakEven(arm, other, self._ranged(float(value[0]), calls, arm, other), most, never, float(again.mean()))

    def turning(self, a: str, b: str, most: float = MOST_CALLS) -> BreakEven | None:
        """`break_even` of the one that costs more when there are hardly any calls."""
        if self.missing(a) or self.missing(b):
            return None
        dearer = bool(self._middle(a).monthly(1.0) >= self._middle(b).monthly(1.0))
        return self.break_even(a, b, most) if dearer else self.break_even(b, a, most)

    def pay_back(self, arm: str, other: str, calls: float | None = None) -> Ranged | None:
        """Months until all that was paid for ``arm`` is less than for ``other``, and stays so; infinite: not in the months looked at."""
        if not self._answers(calls, arm, other):
            return None
        value = self._paid_back(arm, other, calls, MIDDLE)
        return self._ranged(value.item(), self._paid_back(arm, other, calls, self._draws), arm, other)

    def tornado(
        self, arm: str, other: str | None = None, calls: float | None = None, n_bars: int = 5
    ) -> list[Bar] | None:
        """Which inputs move the answer most: the dollars of `monthly`, or of `cheaper_by` where ``other`` is given."""
        arms = (arm,) if other is None else (arm, other)
        if not self._answers(calls, *arms):
            return None
        stated = {each.name: each for each in self.traffic.figures} if calls is None else self._traffic_without_volume
        stated |= {each.name: each for each in arms for each in self._bill(each).figures}
        names = [name for name, each in stated.items() if each.low != each.high]
        names += [f"measured.{each}" for each in arms if self._bill(each).sample is not None]
        bars = [self._bar(name, arm, other, calls) for name in names]
        return sorted((bar for bar in bars if bar.width > 0), key=lambda bar: -bar.width)[:n_bars]

    def _bar(self, name: str, arm: str, other: str | None, calls: float | None) -> Bar:
        draws = self._draws.varying(name)
        answer = np.broadcast_to(self._difference(arm, other, calls, draws), (self.n_draws,))
        if name.startswith("measured."):
            return Bar(name, *np.quantile(answer, [0.1, 0.9]).tolist())
        order = np.argsort(draws.shares(name))
        return Bar(name, *(float(answer[order[int(share * self.n_draws)]]) for share in (0.1, 0.9)))

    def _difference(self, arm: str, other: str | None, calls: float | None, at: Any) -> Any:
        """Dollars a month of ``arm``; of ``other`` − ``arm`` where there is another."""
        volume = self._volume(calls)
        mine = sum_of(self._bill(arm), self.traffic, at).monthly(at.of(volume))
        return mine if other is None else sum_of(self._bill(other), self.traffic, at).monthly(at.of(volume)) - mine

    def _paid_back(self, arm: str, other: str, calls: float | None, at: Any) -> Floats:
        n = self.n_draws if at is self._draws else 1
        volume = at.of(self._volume(calls))
        ahead = [
            paid_by_month(self._bill(each), self.traffic, at, volume, n) for each in (other, arm)
        ]  # what was paid by the end of each month, from 0 on, shape (months + 1, n)
        return last_rise(ahead[0] - ahead[1])

    @cached_property
    def _draws(self) -> Draws:
        return Draws.of_bills(self.bills, self.seed, self.n_draws)

    def _drawn(self, arm: str) -> Sum:
        return sum_of(self._bill(arm), self.traffic, self._draws)

    def _middle(self, arm: str) -> Sum:
        return sum_of(self._bill(arm), self.traffic, MIDDLE)

    def _bill(self, arm: str) -> Bill:
        return next(bill for bill in self.bills if bill.arm == arm)

    def _volume(self, calls: float | None) -> Figure:
        volume = self.traffic.calls_per_month
        return volume if calls is None else replace(volume, low=calls, high=calls)

    def _calls(self, calls: float | None, middle: bool = False) -> Any:
        return (MIDDLE if middle else self._draws).of(self._volume(calls))

    @property
    def _traffic_without_volume(self) -> dict[str, Figure]:
        return {each.name: each for each in self.traffic.figures if each is not self.traffic.calls_per_month}

    def _answers(self, calls: float | None, *arms: str) -> bool:
        known = calls is not None or self.traffic.calls_per_month.middle is not None
        return known and not any(self.missing(arm) for arm in arms)

    def _sure(self, *arms: str) -> bool:
        """Whether enough groups were measured, where any line is measured."""
        samples = [bill.sample for arm in arms if (bill := self._bill(arm)).measured]
        return all(sample is not None and len(set(sample.groups)) >= MIN_GROUPS for sample in samples)

    def _ranged(self, value: float, drawn: Any, *arms: str) -> Ranged:
        if not self._sure(*arms):
            return Ranged(value)
        drawn = np.broadcast_to(drawn, (self.n_draws,))
        ends = np.quantile(drawn, [0.1, 0.9, 0.025, 0.975], method="inverted_cdf").tolist()
        return Ranged(
            value, Interval(low=ends[0], high=ends[1], level=0.8), Interval(low=ends[2], high=ends[3], level=0.95)
        )


def crossings(mine: Sum, other: Sum, most: float, n: int) -> tuple[Floats, NDArray[np.bool_]]:
    """The least calls a month, in each of ``n`` draws, from which ``mine`` costs less than ``other``; 0: already at none; infinite: never.

    Without machines the sums are straight lines and so is the answer; with them it is looked for between 241 volumes, evenly spaced by
    ratio from one call on, and then halved down to one part in 10⁹. The second array: whether it is dearer again further up.
    """
    if mine.rent is None and other.rent is None:
        more = np.broadcast_to(np.asarray(mine.fixed - other.fixed, dtype=np.float64), (n,))
        less = np.broadcast_to(np.asarray(other.per_call - mine.per_call, dtype=np.float64), (n,))
        calls = np.array([break_even_calls(a, b) for a, b in zip(more.tolist(), less.tolist(), strict=True)])
        again = np.asarray((more < 0) & (less < 0) & (-more / np.where(less < 0, -less, 1.0) < most), dtype=np.bool_)
        return np.where(calls > most, np.inf, calls), again

    def cheaper(calls: Any) -> NDArray[np.bool_]:
        return np.broadcast_to(mine.monthly(calls) < other.monthly(calls), (n,))

    volumes = np.concatenate([[0.0], np.geomspace(1.0, most, _STEPS)])
    seen = np.stack([cheaper(calls) for calls in volumes])
    first = seen.argmax(axis=0)
    again = np.asarray((seen[:-1] & ~seen[1:]).any(axis=0), dtype=np.bool_)
    low, high = volumes[np.maximum(first - 1, 0)], volumes[first]
    for _ in range(60):
        middle = (low + high) / 2
        below = cheaper(middle)
        low, high = np.where(below, low, middle), np.where(below, middle, high)
        if np.all(high - low <= 1e-9 * high):
            break
    return np.where(seen.any(axis=0), np.where(first == 0, 0.0, high), np.inf), again


def paid_by_month(bill: Bill, traffic: Traffic, at: Any, calls: Any, n: int) -> Floats:
    """All that was paid by the end of each month, US dollars; the first row is what is paid before any call."""
    running = bill.part("month", "call", "update")
    months = [
        sum_of(running, replace(traffic, months=month), at).monthly(calls) * month
        for month in range(1, traffic.months + 1)
    ]
    paid = (
        np.stack([np.broadcast_to(each, (n,)) for each in [0.0, *months]])
        + sum_of(bill.part("once"), traffic, at).fixed
    )
    if bill.ends_in_months is not None:
        paid[math.floor(bill.ends_in_months) + 1 :] += sum_of(bill.part("end"), traffic, at).fixed
    return paid


def last_rise(ahead: Floats) -> Floats:
    """When ``ahead`` last rises above 0 for good, in months, straight lines between; shape ``(months + 1, n)`` → ``(n,)``.

    0: it is above from the start; infinite: it is not above at the end.
    """
    months, n = ahead.shape
    behind = ahead <= 0
    last = np.where(behind.any(axis=0), months - 1 - behind[::-1].argmax(axis=0), -1)
    at = np.clip(last, 0, months - 2)
    a, b = ahead[at, np.arange(n)], ahead[at + 1, np.arange(n)]
    steps: Floats = np.where(b > a, b - a, 1.0)
    crossed = at - a / steps
    return np.where(last < 0, 0.0, np.where(last >= months - 1, np.inf, crossed))
