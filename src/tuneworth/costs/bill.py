"""The bill of an arm: a sum that can be read line by line.

    once        labels, training, optimising, teacher's calls, hours of work              at the start
    month       hosting, storage; machines for the peak, idle or not                      every month
    call        tokens by kind, charges, seconds of a machine that is paid for when used  every call that is not answered from a cache
    update      retraining, a new index, work                                             each time something changes
    end         what has to be paid again on the day that the base model ends             once, if that day is within the months looked at

    usd of a line = amount · price · share, each as often as the line says
    usd a month   = (once + end + Σ over months (month + machines + updates a month · update + calls · call)) / months
    calls         = calls a month · (1 + growth)^month · (1 − share repeated, where answers are cached)
    machines      = max(least, ⌈calls / seconds of a month · peak / calls a second of one machine⌉) · hours of a month · price

An amount is a `Figure` that somebody stated, or `Measured`: the mean of a column of the arm's rows. The functions here take what
all of them are worth from a `Values`: floats for a sum to read, arrays of draws for intervals (``costs/draws.py``); the sum
is spelled out once. What is not known is NaN in arrays and named by `missing`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.costs.breakeven import HOURS_PER_MONTH, SECONDS_PER_MONTH
from tuneworth.costs.figures import ONE, WORTH, Figure, Unit, figure
from tuneworth.costs.prices import Price, Rates
from tuneworth.costs.traffic import Traffic

Floats = NDArray[np.float64]
When = Literal["once", "month", "call", "update", "end"]
TIMES: tuple[When, ...] = ("once", "month", "call", "update", "end")


@dataclass(frozen=True, slots=True)
class Measured:
    """The mean of a column of the arm's rows, per call: ``input`` tokens, ``seconds`` of the machine, ``charged`` dollars."""

    column: str
    unit: Unit


@dataclass(frozen=True)
class Sample:
    """What was measured on an arm's rows.

    Attributes:
        columns: name → value of each row, shape ``(n,)``.
        groups: name of the group of each row; rows of one group are drawn together, and so are groups of one name in all arms.
    """

    columns: Mapping[str, Floats]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, values in self.columns.items():
            if len(values) != len(self.groups) or not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(
                    f"column {name} must have one finite, non-negative value for each of {len(self.groups)} rows"
                )

    def mean(self, column: str) -> float:
        return float(self.columns[column].mean()) if self.groups else math.nan


@dataclass(frozen=True)
class Item:
    """One line.

    Attributes:
        when: how often it is paid.
        what: what for, a code: ``labels``, ``training``, ``work``, ``input``, ``cached``, ``cache_write``, ``output``, ``reasoning``,
            ``call_fee``, ``charged``, ``machine``, ``hosting``, ``storage``, ``retrain``, ``index``.
        amount, price: how much of it, and what one costs; their units must go together (``figures.WORTH``).
        times: further factors: the share of calls that find the cache, how often a month it is updated.
    """

    when: When
    what: str
    amount: Figure | Measured
    price: Figure = ONE
    times: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        if (self.amount.unit, self.price.unit) not in WORTH:
            raise ValueError(f"{self.what}: an amount in {self.amount.unit} has no price in {self.price.unit}")

    @property
    def worth(self) -> float:
        return WORTH[self.amount.unit, self.price.unit]

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(each for each in (self.amount, self.price, *self.times) if isinstance(each, Figure))


CHARGED = Item("call", "charged", Measured("charged", "usd"))
"""What a service charged for a call; missing where the sample has no such column."""


@dataclass(frozen=True)
class Fleet:
    """Machines that are rented whether or not a call comes, enough for the peak.

    Attributes:
        price: of one machine, dollars per hour.
        throughput: calls a second of one machine within the latency limit; or seconds of a call, of machines that answer one
            after the other.
        hours: of a month that they are on.
        least: machines at any volume.
    """

    price: Figure
    throughput: Figure | Measured
    hours: float = HOURS_PER_MONTH
    least: int = 1

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (self.price, self.throughput) if isinstance(self.throughput, Figure) else (self.price,)


@dataclass(frozen=True)
class Bill:
    """All that an arm costs.

    Attributes:
        arm: its id; bills that are compared have different ones.
        sample: what was measured; ``None`` where no line needs it.
        ends_in_months: when the base model ends, months from now; ``None``: not announced.
        answer_cache: repeated calls are answered from a cache and cost nothing.
    """

    arm: str
    items: tuple[Item, ...]
    fleet: Fleet | None = None
    sample: Sample | None = None
    ends_in_months: float | None = None
    answer_cache: bool = False

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Each once, by name."""
        mine = [each for item in self.items for each in item.figures] + list(self.fleet.figures if self.fleet else ())
        return tuple({each.name: each for each in mine}.values())

    def missing(self, traffic: Traffic | None = None) -> tuple[str, ...]:
        """Names of the figures that the sum needs and nobody stated."""
        needed = [*self.figures, *(traffic.figures if traffic else ())]
        unmeasured = {
            f"measured.{self.arm}.{each.column}"
            for each in self.measured
            if self.sample is None or each.column not in self.sample.columns or not self.sample.groups
        }
        return (*(each.name for each in needed if each.middle is None), *sorted(unmeasured))

    def part(self, *when: When) -> Bill:
        """Of these lines alone; the machines go with ``month``."""
        items = tuple(item for item in self.items if item.when in when)
        return replace(self, items=items, fleet=self.fleet if "month" in when else None)

    @property
    def measured(self) -> tuple[Measured, ...]:
        amounts = [item.amount for item in self.items] + ([self.fleet.throughput] if self.fleet else [])
        return tuple(each for each in amounts if isinstance(each, Measured))


class Values(Protocol):
    """What figures and columns are worth: floats, or arrays of draws; NaN where not known."""

    def of(self, stated: Figure) -> Any: ...

    def mean(self, bill: Bill, measured: Measured) -> Any: ...


class Middle:
    """Every figure at the middle of its range, every column at its mean."""

    def of(self, stated: Figure) -> float:
        return math.nan if stated.middle is None else stated.middle

    def mean(self, bill: Bill, measured: Measured) -> float:
        known = bill.sample is not None and measured.column in bill.sample.columns
        return bill.sample.mean(measured.column) if bill.sample is not None and known else math.nan


MIDDLE = Middle()


@dataclass(frozen=True)
class Sum:
    """A bill as a function of the volume: ``fixed + per_call · calls + machines``, US dollars over all months.

    Attributes:
        fixed, per_call: arrays of one value or of draws; ``per_call`` is for each call a month of the first month.
        rent: of one machine a month; ``load``: machines (not rounded) for each call a month, shape ``(months, 1 or draws)``.
    """

    months: int
    fixed: Any
    per_call: Any
    rent: Any = None
    load: Any = None
    least: int = 0

    def monthly(self, calls: Any) -> Any:
        """Mean dollars a month at ``calls`` a month now."""
        total = self.fixed + self.per_call * calls
        if self.rent is not None:
            total = total + self.rent * self.machines(calls).sum(axis=0)
        return total / self.months

    def machines(self, calls: Any) -> Any:
        """By month, the first axis. A load that is a whole number but for rounding needs no further machine."""
        return np.maximum(self.least, np.ceil(self.load * calls * (1 - 1e-12)))


def sum_of(bill: Bill, traffic: Traffic, at: Values) -> Sum:
    """The sum, spelled out: see the head of the module."""
    months, growth = traffic.months, at.of(traffic.growth_per_month)
    by_when: dict[When, Any] = dict.fromkeys(TIMES, 0.0)
    for item in bill.items:
        by_when[item.when] = by_when[item.when] + usd_of(bill, item, at)
    reaching = at.of(traffic.share_repeated.others()) if bill.answer_cache else 1.0
    by_month = np.stack(
        [np.atleast_1d(reaching * (1 + growth) ** month) for month in range(months)]
    )  # (months, 1 or draws)
    ended = bill.ends_in_months is not None and bill.ends_in_months < months
    fixed = by_when["once"] + months * (by_when["month"] + by_when["update"]) + (by_when["end"] if ended else 0.0)
    per_call = by_when["call"] * by_month.sum(axis=0)
    if (fleet := bill.fleet) is None:
        return Sum(months, fixed, per_call)
    pace = fleet.throughput
    seconds_per_call = 1 / at.of(pace) if isinstance(pace, Figure) else at.mean(bill, pace)
    load = by_month * at.of(traffic.peak) / SECONDS_PER_MONTH * seconds_per_call
    return Sum(months, fixed, per_call, at.of(fleet.price) * fleet.hours, load, fleet.least)


def usd_of(bill: Bill, item: Item, at: Values) -> Any:
    """What a line costs each time it is paid, US dollars."""
    amount = at.of(item.amount) if isinstance(item.amount, Figure) else at.mean(bill, item.amount)
    usd = amount * at.of(item.price) * item.worth
    for factor in item.times:
        usd = usd * at.of(factor)
    return usd


@dataclass(frozen=True)
class Line:
    """A line as it is read: ``amount`` of something at ``price``, and what that is a month at the volume, all months together.

    Attributes:
        amount, price, share: middles, in the units of the item; ``share`` is the product of further factors. Of machines:
            how many (mean over the months), an hour of one, and hours.
        usd: each time it is paid.
        usd_a_month: its part of the mean month; the lines of a bill sum up to it.
        missing: names of the figures that it lacks; then the dollars are ``None``.
    """

    when: When
    what: str
    amount: float | None
    amount_unit: Unit
    price: float | None
    price_unit: Unit
    share: float
    usd: float | None
    usd_a_month: float | None
    missing: tuple[str, ...] = ()


def lines_of(bill: Bill, traffic: Traffic, calls: float | None = None) -> list[Line]:
    """The bill line by line, at the middle of every range; ``calls`` a month instead of the traffic's."""
    at = MIDDLE
    calls = at.of(traffic.calls_per_month) if calls is None else calls
    lines: list[Line] = []
    for item in bill.items:
        alone = Bill(bill.arm, (item,), None, bill.sample, bill.ends_in_months, bill.answer_cache)
        amount = at.of(item.amount) if isinstance(item.amount, Figure) else at.mean(bill, item.amount)
        share, price = math.prod(at.of(each) for each in item.times), at.of(item.price)
        lines.append(
            _line(alone, traffic, calls, item.when, item.what, amount, item.amount.unit, price, item.price.unit, share)
        )
    if (fleet := bill.fleet) is not None:
        alone = Bill(bill.arm, (), fleet, bill.sample, None, bill.answer_cache)
        machines = sum_of(alone, traffic, at).machines(calls).mean() if not alone.missing(traffic) else math.nan
        price = at.of(fleet.price)
        lines.append(
            _line(alone, traffic, calls, "month", "machines", float(machines), "hour", price, "usd/hour", fleet.hours)
        )
    return lines


def _line(
    alone: Bill, traffic: Traffic, calls: float, when: When, what: str,
    amount: float, amount_unit: Unit, price: float, price_unit: Unit, share: float,
) -> Line:  # fmt: skip
    monthly, once = sum_of(alone, traffic, MIDDLE).monthly(calls).item(), amount * price * share
    usd = once * WORTH[amount_unit, price_unit]
    return Line(
        when, what, _known(amount), amount_unit, _known(price), price_unit, share, _known(usd), _known(monthly), alone.missing(traffic)
    )  # fmt: skip


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def token_use(
    usages: Sequence[Usage], price: Price | None, *, model: str, batch: bool = False, hit: Figure | None = None
) -> tuple[dict[str, Floats], list[Item]]:
    """Columns and lines of what a model reads and writes in a call, each kind of token and each tier of length on its own.

    Args:
        usages: one a row.
        price: ``None``: not known; the prices of its lines then are unknown figures, named after the model.
        model: its name, for the names of its prices.
        batch: sent in batches, at their price where there is one.
        hit: share of calls that find the beginning of their prompt in the service's cache, of the tokens that did or were
            written there when it was measured; ``None``: as measured.
    """
    tiers = ((-1, None),) if price is None else price.batch if batch and price.batch is not None else price.tiers
    columns: dict[str, Floats] = {}
    items: list[Item] = []

    def cost(what: str, unit: Unit, usd: float | None) -> Figure:
        source, read_on = ("", None) if price is None else (price.source, price.checked_on)
        return replace(figure(f"price.{model}.{what}", unit, usd, source=source), read_on=read_on)

    for at, (above, rates) in enumerate(tiers):
        below = tiers[at + 1][0] if at + 1 < len(tiers) else math.inf
        reached = [each if above < each.prompt_tokens <= below else Usage() for each in usages]
        tier = (f">{above}" if above >= 0 else "") + (".batch" if batch else "")
        for kind, tokens in _by_kind(reached, prefix=hit is not None).items():
            if not tokens.any():
                continue
            columns[kind + tier] = tokens
            parts: list[tuple[str, tuple[Figure, ...]]] = [(kind, ())]
            if hit is not None and kind == "prefix":
                parts = [("cached", (hit,)), ("cache_write", (hit.others(),))]
            for what, times in parts:
                rate = None if rates is None else rate_of(rates, what)
                items.append(
                    Item("call", what, Measured(kind + tier, "token"), cost(what + tier, "usd/Mtok", rate), times)
                )
    if price is not None and (fee := price.rates(batch=batch).call_usd):
        items.append(Item("call", "call_fee", figure("calls.one", "call", 1.0), cost("call", "usd/call", fee)))
    return columns, items


def rate_of(rates: Rates, kind: str) -> float:
    """US dollars per million tokens of a kind; what has no rate of its own costs as much as the plain tokens of its side."""
    own = {
        "cached": rates.cached_input,
        "cache_write": rates.cache_write,
        "reasoning": rates.reasoning,
        "output": rates.output,
    }.get(kind)
    return own if own is not None else rates.output if kind == "reasoning" else rates.input


def _by_kind(usages: Sequence[Usage], prefix: bool) -> dict[str, Floats]:
    """Tokens of each row by kind; what was found in a cache and what was written there together as ``prefix``, if asked."""
    table = np.array(
        [
            (use.prompt_tokens, use.cached_tokens, use.cache_write_tokens, use.completion_tokens, use.reasoning_tokens)
            for use in usages
        ],
        dtype=np.float64,
    ).reshape(-1, 5)
    prompt, cached, written, completion, reasoning = table.T
    thought = np.minimum(reasoning, completion)
    return {
        "input": (prompt - cached - written).clip(min=0.0),
        **({"prefix": cached + written} if prefix else {"cached": cached, "cache_write": written}),
        "output": completion - thought,
        "reasoning": thought,
    }


def use_of(
    rows: Sequence[Outcome],
    groups: Mapping[str, str],
    price: Price | None,
    *,
    model: str,
    batch: bool = False,
    hit: Figure | None = None,
) -> tuple[Sample, list[Item]]:
    """What an arm's rows took: a sample with columns by kind of token and ``seconds``, and the lines of the tokens.

    Rows that a service charged for by tokens of several models, or whose price is not known but whose charge is, have a line ``charged``;
    so have those of which any was charged for and tells no tokens, and where its charge is not known the line is missing. An arm that asks no service (all charges 0) has no line; its ``seconds`` are for a `Fleet`, or for a line of its own.

    Args:
        groups: row id → its group; a row that is not there is on its own.
    """
    charged = [row.usd for row in rows]
    columns: dict[str, Floats] = {}
    items: list[Item] = []
    untold = any(row.usd != 0 and not row.usage.prompt_tokens for row in rows)
    if not untold and (price is not None or None in charged):
        columns, items = token_use([row.usage for row in rows], price, model=model, batch=batch, hit=hit)
    elif any(usd != 0 for usd in charged):
        columns = {} if None in charged else {"charged": np.array(charged, dtype=np.float64)}
        items = [CHARGED]
    columns["seconds"] = np.array([row.latency_ms / 1000 for row in rows], dtype=np.float64)
    return Sample(columns, tuple(groups.get(row.row_id) or f"row {row.row_id}" for row in rows)), items
