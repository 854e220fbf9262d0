"""What the arms of a run cost, from what was measured of them and what is stated of traffic and prices.

A run does this at its end; a finished one is priced again from its folder, without an engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from tuneworth.core.costs import ArmCosts, CostBar, CostEnds, CostFigure, CostLine, CostPair, CostRange, CostResult
from tuneworth.core.money import Money
from tuneworth.core.outcome import Outcome
from tuneworth.core.record import Interval
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.costs.arms import Made, Terms, bill_of
from tuneworth.costs.bill import Bill
from tuneworth.costs.draws import MOST_CALLS, Bar, Costs, Ranged
from tuneworth.costs.figures import Figure, Unit
from tuneworth.costs.prices import STATED, Price, Rates, price_of
from tuneworth.costs.spend import Spend, arm_cost
from tuneworth.costs.table import CNY, PriceTable, own_table
from tuneworth.costs.traffic import MONTHS, Traffic, stated_traffic

VOLUMES = [float(f"{calls:.3g}") for calls in np.geomspace(100, MOST_CALLS, 41)]
_OF_ARMS = ("labels.", "fit.", "index.", "calls.one")
"""Figures that were measured or counted, and not stated."""
LISTS = "genai-prices"
"""What the sources of prices that are looked up anew begin with."""
_UNTAUGHT = {"prompt", "rag", "copy", "oracle"}


@dataclass(frozen=True)
class Stated:
    """What is stated. A figure of ``table`` comes before a price of the same name from elsewhere.

    Attributes:
        rates: model → price of its tokens.
        hours: strategy → hours of work to set it up; not in the bill where they are not stated.
    """

    traffic: Traffic = field(default_factory=stated_traffic)
    terms: Terms = field(default_factory=Terms)
    table: PriceTable = field(default_factory=own_table)
    rates: Mapping[str, Rates] = field(default_factory=dict[str, Rates])
    hours: Mapping[str, Figure] = field(default_factory=dict[str, Figure])


@dataclass(frozen=True)
class Took:
    """What was measured of an arm: its fit, and the rows that it answered."""

    fit: Spend
    rows: Sequence[Outcome]


def costs_of(
    arms: Sequence[ArmResult],
    took: Mapping[str, Took],
    groups: Mapping[str, str],
    stated: Stated,
    *,
    n_train: int,
    money: Money | None = None,
    index_seconds: float | None = None,
    seed: int = 0,
) -> CostResult:
    """Price every arm that may be used, and compare the finalists and what may be used in their place.

    Args:
        took: arm id → what was measured of it.
        groups: row id → its group; a row that is not there is on its own.
        money: of the run, for the prices that were in force.
        index_seconds: to index the documents.
    """
    used = [arm for arm in arms if arm.state == "measured" and (arm.fallback or not arm.yardstick)]
    bills = [
        _bill(arm, took[arm.arm_id], groups, stated, n_train, money, index_seconds)
        for arm in used
        if arm.arm_id in took
    ]
    costs = Costs(bills, stated.traffic, seed)
    rivals = [
        arm.arm_id for arm in used if (arm.finalist or arm.fallback) and arm.arm_id in {bill.arm for bill in bills}
    ]
    terms, volume = stated.terms, stated.traffic.calls_per_month
    named = [*stated.traffic.figures, terms.machine, terms.label, terms.wage]
    named += [each for bill in bills for each in bill.figures if not each.name.startswith(_OF_ARMS)]
    named += [each for each in (terms.retrained, terms.reindexed, *stated.hours.values()) if each is not None]
    figures = list({each.name: each for each in named if each.name != "one"}.values())
    old = {each.name for each in stated.table.stale(*figures)}
    rate = stated.table.of(CNY, "cny/usd")
    return CostResult(
        priced_on=stated.table.today,
        calls_per_month=volume.middle,
        months=stated.traffic.months,
        figures=[_figure(each, old) for each in figures],
        volumes=VOLUMES,
        arms=[_arm(costs, bill, curve=bill.arm in rivals) for bill in bills],
        pairs=[pair for at, a in enumerate(rivals) for b in rivals[at + 1 :] if (pair := _pair(costs, a, b))],
        cny_per_usd=None if rate.middle is None else _figure(rate, {each.name for each in stated.table.stale(rate)}),
    )


def taught_by(arm: ArmResult, n_train: int) -> int:
    """Labelled rows without which the arm could not have been made; those that only judge it count for none."""
    if arm.strategy in _UNTAUGHT:
        return 0
    if arm.strategy == "decision" and arm.config.get("calibration") != "fitted":
        return 0
    n, k = arm.n_train or n_train, arm.config.get("k")
    shown = arm.strategy == "fewshot" and arm.config.get("selection") != "nearest"
    return min(k, n) if shown and isinstance(k, int) else n


def _bill(
    arm: ArmResult,
    took: Took,
    groups: Mapping[str, str],
    stated: Stated,
    n_train: int,
    money: Money | None,
    index_seconds: float | None,
) -> Bill:
    here, model, table = arm.local is not False, arm.model or "", stated.table
    fit, rows = took.fit, [row for row in took.rows if row.status == "scored"]
    if here:  # versions that did not know what services charge wrote none
        fit = replace(fit, usd=fit.usd or 0.0)
        rows = [row if row.usd is not None else row.model_copy(update={"usd": 0.0}) for row in rows]
    reads, terms = arm.reads_documents and index_seconds is not None, stated.terms
    made = Made(fit, taught_by(arm, n_train), (index_seconds or 0.0) if reads else 0.0)
    known = arm.model_ends and date.fromisoformat(arm.model_ends[:10])
    if not known and model and (listed := table.end_of(model)) is not None:
        known = listed.day

    def bill(terms: Terms) -> Bill:
        return bill_of(
            arm.arm_id,
            rows,
            groups,
            made,
            terms,
            price=None if here else _price(model, stated.rates, money),
            model=model,
            on_own_machine=here,
            hours=stated.hours.get(arm.strategy),
            ends_in_months=table.months_until(known) if known else None,
        )

    found = bill(terms)
    if index_seconds is not None and not reads and terms.reindexed is not None:
        # what learned the documents' contents is made again when they change
        again = bill(replace(terms, retrained=terms.reindexed)).part("update").items
        found = replace(found, items=(*found.items, *again))
    return _with_stated(found, table)


def _price(model: str, rates: Mapping[str, Rates], money: Money | None) -> Price | None:
    """As stated now, as it was stated for the run, as it is listed now, or as it was when the run was made."""
    recorded = money.prices.get(model) if money is not None else None
    was = None
    if recorded is not None:
        of_run = Rates(recorded.input, recorded.output, recorded.cached_input, recorded.cache_write)
        was = Price(model, recorded.source, recorded.checked_on, ((-1, of_run),))
    if model in rates or was is None or was.source != STATED:
        return price_of(model, stated=rates) or was
    return was


def _with_stated(bill: Bill, table: PriceTable) -> Bill:
    """With figures of the table in place of prices of the same name and unit."""

    def stated(each: Figure) -> Figure:
        found = table.of(each.name, each.unit)
        return found if found.middle is not None else each

    fleet = bill.fleet and replace(bill.fleet, price=stated(bill.fleet.price))
    return replace(bill, items=tuple(replace(item, price=stated(item.price)) for item in bill.items), fleet=fleet)


def _arm(costs: Costs, bill: Bill, *, curve: bool) -> ArmCosts:
    arm = bill.arm
    monthly = costs.monthly(arm)
    return ArmCosts(
        arm_id=arm,
        missing=list(costs.missing(arm)),
        lines=[
            CostLine(
                when=line.when,
                what=line.what,
                amount=_rounded(line.amount),
                amount_unit=line.amount_unit,
                price=_rounded(line.price),
                price_unit=line.price_unit,
                share=line.share,
                usd=_rounded(line.usd),
                usd_a_month=_rounded(line.usd_a_month),
                missing=list(line.missing),
            )
            for line in costs.lines(arm)
        ],
        monthly=None if monthly is None else _range(monthly),
        curve=[_range(each) for each in costs.curve(arm, VOLUMES) or ()] if curve else [],
        n_groups=len(set(bill.sample.groups)) if bill.sample is not None else 0,
    )


def _pair(costs: Costs, a: str, b: str) -> CostPair | None:
    """``None`` where a figure is missing."""
    turning = costs.turning(a, b)
    if turning is None:
        return None
    by, back = costs.cheaper_by(a, b), costs.pay_back(turning.arm, turning.other)
    return CostPair(
        a=a,
        b=b,
        cheaper_by=None if by is None else _range(by),
        p_cheaper=costs.p_cheaper(a, b),
        turns=turning.arm,
        break_even=_range(turning.calls),
        most=turning.most,
        never=turning.never,
        turns_again=turning.turns_again,
        pay_back=None if back is None else _range(back),
        tornado=[_bar(each) for each in costs.tornado(a, b) or ()],
    )


def _bar(bar: Bar) -> CostBar:
    return CostBar(name=bar.name, at_low=bar.at_low, at_high=bar.at_high)


def _range(ranged: Ranged) -> CostRange:
    def ends(interval: Interval | None) -> CostEnds | None:
        return None if interval is None else CostEnds(low=_rounded(interval.low), high=_rounded(interval.high))

    return CostRange(value=_rounded(ranged.value), inner=ends(ranged.inner), outer=ends(ranged.outer))


def _rounded(value: float | None) -> float | None:
    """To eight digits, for files of a sane size; ``None`` for what is infinite."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.8g}")


def _figure(figure: Figure, stale: set[str]) -> CostFigure:
    return CostFigure(
        name=figure.name,
        unit=figure.unit,
        low=figure.low,
        high=figure.high,
        where=figure.where,
        source=figure.source,
        read_on=figure.read_on,
        valid_until=figure.valid_until,
        stale=figure.name in stale,
    )


# -- a finished run, priced again --------------------------------------------------------------------------


def stated_in(result: RunResult) -> Stated:
    """What was stated for a finished run; of a run of an old version the prices that its result has."""
    kept = (
        {each.name: Figure(**each.model_dump(exclude={"stale"})) for each in result.costs.figures}
        if result.costs
        else {}
    )

    def of(name: str, unit: Unit, usd: float | None = None) -> Figure:
        return kept.get(name) or Figure(name, unit, usd, usd)

    traffic = {each.name: kept.get(each.name, each) for each in stated_traffic().figures}
    named = {name.removeprefix("traffic."): each for name, each in traffic.items()}
    lists = {
        name: each for name, each in kept.items() if name.startswith("price.") and not each.source.startswith(LISTS)
    }
    table = own_table()
    return Stated(
        traffic=replace(stated_traffic(), **named, months=result.costs.months if result.costs else MONTHS),
        terms=Terms(
            of("machine", "usd/hour", result.machine_usd_per_hour),
            of("label", "usd/label", result.usd_per_label),
            of("wage", "usd/hour"),
            kept.get("retrained"),
            kept.get("reindexed"),
        ),
        table=table.stated(replace(table, figures=lists, ends={})),
        hours={name.removeprefix("hours."): each for name, each in kept.items() if name.startswith("hours.")},
    )


def restated(
    stated: Stated, table: PriceTable | None = None, figures: Sequence[Figure] = (), traffic: Traffic | None = None
) -> Stated:
    """With another traffic, with what a price file states, and with figures, by name, that come before all else."""
    first = {each.name: each for each in figures}
    table = stated.table.stated(table) if table is not None else stated.table
    table = replace(table, figures={**table.figures, **first})

    def of(old: Figure) -> Figure:
        found = table.of(old.name, old.unit)
        return found if found.middle is not None else old

    traffic = traffic or stated.traffic
    named = {each.name.removeprefix("traffic."): of(each) for each in traffic.figures}
    terms = stated.terms
    hours = {name.removeprefix("hours."): each for name, each in table.figures.items() if name.startswith("hours.")}
    return Stated(
        traffic=replace(traffic, **named),
        terms=replace(terms, machine=of(terms.machine), label=of(terms.label), wage=of(terms.wage)),
        table=table,
        rates=stated.rates,
        hours={**stated.hours, **hours},
    )


def priced_again(result: RunResult, took: Mapping[str, Took], groups: Mapping[str, str], stated: Stated) -> RunResult:
    """``result`` with costs as stated. Its verdict is as it was: `tuneworth.decide.again` says what it is now."""
    machine, label = stated.terms.machine.middle, stated.terms.label.middle
    index = result.documents.index.seconds if result.documents else None
    arms = [_repriced(arm, took.get(arm.arm_id), machine) for arm in result.arms]
    costs = costs_of(
        arms, took, groups, stated, n_train=result.data.n_train, money=result.money, index_seconds=index, seed=result.provenance.seed
    )  # fmt: skip
    changes = {"arms": arms, "costs": costs, "machine_usd_per_hour": machine, "usd_per_label": label}
    return result.model_copy(update=changes)


def _repriced(arm: ArmResult, took: Took | None, machine_usd_per_hour: float | None) -> ArmResult:
    rows = [row for row in took.rows if row.status == "scored"] if took is not None else []
    if took is None or not rows or any(row.usd is None for row in rows):
        return arm  # what is not known does not become known by the price of a machine
    new = arm_cost(took.fit, rows, machine_usd_per_hour)
    update = {"fit_usd": new.fit_usd}
    if arm.local is not False:  # rows of a service say what they were charged, in batches less than the calls to come
        update["usd_per_1k_rows"] = new.usd_per_1k_rows
    return arm.model_copy(update={"cost": arm.cost.model_copy(update=update)})
