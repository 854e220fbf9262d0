"""Are bills right to the cent, and do their intervals hold what they promise?

    python benchmarks/money.py                 # the worked cases (a second), then 500 worlds of each kind (some minutes on one core)
    python benchmarks/money.py --cases
    python benchmarks/money.py --worlds 100

A worked case is one sum twice: as a bill of ``tuneworth.costs``, and as plain arithmetic, written out with the same numbers as one would in
a spreadsheet. Dollars and yuan must agree to the cent, volumes to the call, shares and months to three digits.

A world is made up: how many tokens and seconds calls take (skewed, rows in groups), and what machines, labels and hours cost. What is
measured are some rows of it; what is stated are ranges in which the true price and traffic lie anywhere. So the true dollars a month and the true
break-even are known, and the intervals are counted that hold them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tuneworth.core.outcome import Usage
from tuneworth.costs.bill import MIDDLE, Bill, Fleet, Item, Measured, Sample, sum_of, token_use
from tuneworth.costs.breakeven import cache_pays_from
from tuneworth.costs.draws import N_DRAWS, Costs, Ranged, crossings
from tuneworth.costs.figures import Figure, Unit, figure, read_figure
from tuneworth.costs.prices import Price, Rates
from tuneworth.costs.traffic import Traffic, read_traffic, stated_traffic

CNY_PER_USD = 7.1
LUNA = Rates(0.10, 0.50)
CALLS = figure("traffic.calls_per_month", "call/month", 50_000)
MACHINE = figure("machine", "usd/hour", 1.39)


@dataclass(frozen=True)
class Case:
    """``ours`` and ``plain`` must agree."""

    name: str
    unit: Literal["usd", "calls", "share", "months"]
    ours: float
    plain: float

    @property
    def agrees(self) -> bool:
        if self.unit == "usd":
            return all(cents(self.ours * rate) == cents(self.plain * rate) for rate in (1.0, CNY_PER_USD))
        return f"{self.ours:.0f}" == f"{self.plain:.0f}" if self.unit == "calls" else abs(self.ours - self.plain) < 5e-4


def cents(amount: float) -> str:
    """To two digits, a half of a cent alike whatever its last bit is."""
    return f"{round(amount, 9):.2f}"


def tokens(
    rates: Rates | list[tuple[int, Rates]], *usages: Usage, batch: Rates | None = None, sent: bool = False, hit: float | None = None
) -> Bill:  # fmt: skip
    tiers = tuple(rates) if isinstance(rates, list) else ((-1, rates),)
    price = Price("m", "case", None, tiers, None if batch is None else ((-1, batch),))
    share = None if hit is None else figure("hit", "share", hit)
    columns, items = token_use(usages, price, model="m", batch=sent, hit=share)
    return Bill("api", tuple(items), sample=Sample(columns, tuple(map(str, range(len(usages))))))


def use(prompt: int = 500, completion: int = 50, **kinds: int) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, **kinds)


def lines(*items: Item, arm: str = "tuned", **others: object) -> Bill:
    return Bill(arm, items, **others)  # type: ignore[arg-type]


def item(
    when: str, what: str, n: float, unit: Unit, price: float, per: Unit, *times: float, high: float | None = None
) -> Item:
    shares = tuple(figure(f"{what}.times{at}", "1/month", each) for at, each in enumerate(times))
    return Item(when, what, figure(f"{what}.n", unit, n), figure(f"{what}.price", per, price, high), shares)  # type: ignore[arg-type]


def fleet(per_second: float, price: Figure = MACHINE) -> Bill:
    return Bill("machine", (), Fleet(price, figure("throughput", "call/second", per_second)))


def monthly(bill: Bill, traffic: Traffic | None = None) -> float:
    found = Costs([bill], traffic or stated_traffic(CALLS)).monthly(bill.arm)
    assert found is not None, bill.missing(traffic)
    return found.value


def traffic(**stated: object) -> Traffic:
    return read_traffic({"calls_per_month": 50_000, **stated})


def cases() -> Iterator[Case]:
    yield from token_cases()
    yield from machine_cases()
    yield from other_cases()
    yield from comparing_cases()


def token_cases() -> Iterator[Case]:
    usd = "usd"
    yield Case(
        "500 + 50 tokens at $0.10 / $0.50", usd, monthly(tokens(LUNA, use())), 50_000 * (500 * 0.10 + 50 * 0.50) / 1e6
    )
    cached = Rates(0.10, 0.50, cached_input=0.01)
    yield Case(
        "400 of 500 from a cache",
        usd,
        monthly(tokens(cached, use(cached_tokens=400))),
        50_000 * (100 * 0.10 + 400 * 0.01 + 50 * 0.50) / 1e6,
    )
    write = Rates(3.00, 15.00, cached_input=0.30, cache_write=3.75)
    plain = 50_000 * (100 * 3.00 + 300 * 0.30 + 100 * 3.75 + 50 * 15.00) / 1e6
    yield Case(
        "300 cached, 100 written", usd, monthly(tokens(write, use(cached_tokens=300, cache_write_tokens=100))), plain
    )
    yield Case(
        "30 of 50 reasoned, no rate of their own", usd, monthly(tokens(LUNA, use(reasoning_tokens=30))), 50_000 * 7.5e-5
    )
    thought = Rates(0.10, 0.50, reasoning=2.00)
    yield Case(
        "30 of 50 reasoned at $2",
        usd,
        monthly(tokens(thought, use(reasoning_tokens=30))),
        50_000 * (50 + 20 * 0.50 + 30 * 2.00) / 1e6,
    )
    half = Rates(0.05, 0.25)
    yield Case("a batch at half the price", usd, monthly(tokens(LUNA, use(), batch=half, sent=True)), 50_000 * 3.75e-5)
    yield Case("a batch without a price of its own", usd, monthly(tokens(LUNA, use(), sent=True)), 50_000 * 7.5e-5)
    tiers = [(-1, Rates(1.25, 10.00)), (200_000, Rates(2.50, 15.00))]
    plain = 50_000 * ((1_000 * 1.25 + 100 * 10.00) + (300_000 * 2.50 + 100 * 15.00)) / 2 / 1e6
    yield Case("a short and a long prompt", usd, monthly(tokens(tiers, use(1_000, 100), use(300_000, 100))), plain)
    yield Case(
        "a fee for each call",
        usd,
        monthly(tokens(Rates(0.10, 0.50, call_usd=0.0002), use())),
        50_000 * (7.5e-5 + 0.0002),
    )
    yield Case(
        "rows of 300 and 700 + 10 and 90",
        usd,
        monthly(tokens(LUNA, use(300, 10), use(700, 90))),
        50_000 * (500 * 0.10 + 50 * 0.50) / 1e6,
    )
    price = Rates(1.00, 5.00, cached_input=0.10, cache_write=1.25)
    plain = 50_000 * (100 * 1.00 + 400 * (0.30 * 0.10 + 0.70 * 1.25) + 50 * 5.00) / 1e6
    yield Case(
        "a beginning of 400 tokens found 30 % of the time",
        usd,
        monthly(tokens(price, use(cached_tokens=400), hit=0.30)),
        plain,
    )
    pays = (1.25 - 1.00) / (1.25 - 0.10)
    yield Case("a cache at 1.25 and 0.1 pays from 21.7 %", "share", cache_pays_from(1.25, 0.10), pays)
    yield Case(
        "… and costs then what no cache costs",
        usd,
        monthly(tokens(price, use(cached_tokens=400), hit=pays)),
        50_000 * (500 * 1.00 + 50 * 5.00) / 1e6,
    )
    yield Case(
        "… a little more below",
        usd,
        monthly(tokens(price, use(cached_tokens=400), hit=0.20)),
        50_000 * (100 + 400 * (0.02 + 1.00) + 250) / 1e6,
    )


def machine_cases() -> Iterator[Case]:
    usd, month_s = "usd", 730 * 3600
    yield Case("one machine at $1.39, idle", usd, monthly(fleet(1e6)), 1.39 * 730)
    peak = 2_628_000 / month_s * 4  # four calls a second
    yield Case(
        "4 calls a second at the peak, 1.5 a machine",
        usd,
        monthly(fleet(1.5), traffic(calls_per_month=2_628_000, peak=4)),
        1.39 * 730 * math.ceil(peak / 1.5),
    )
    office = 1_000_000 / month_s * 168 / 45
    yield Case(
        "a million calls in office hours, 0.7 a machine",
        usd,
        monthly(fleet(0.7), traffic(calls_per_month=1_000_000, shape="office_hours")),
        1.39 * 730 * math.ceil(office / 0.7),
    )
    grown = [math.ceil(2_628_000 / month_s * 1.2**month / 2.0) for month in range(12)]
    yield Case(
        "machines for calls that grow by 20 % a month",
        usd,
        monthly(fleet(2.0), traffic(calls_per_month=2_628_000, growth_per_month=0.2)),
        1.39 * 730 * sum(grown) / 12,
    )
    seconds = Sample({"seconds": np.array([0.2, 0.4])}, ("1", "2"))
    alone = Bill("machine", (), Fleet(MACHINE, Measured("seconds", "second")), seconds)
    yield Case(
        "one after the other, 0.3 s each",
        usd,
        monthly(alone, traffic(calls_per_month="20 million")),
        1.39 * 730 * math.ceil(20e6 / month_s * 0.3),
    )
    used = lines(Item("call", "machine", Measured("seconds", "second"), MACHINE), sample=seconds)
    yield Case("a machine paid for by the second", usd, monthly(used), 50_000 * 0.3 / 3600 * 1.39)
    yuan = read_figure("¥14/h", "machine", "usd/hour", cny_per_usd=7.0)
    yield Case("a machine at ¥14 an hour, 7 yuan a dollar", usd, monthly(fleet(1e6, yuan)), 2.00 * 730)
    off = Bill("machine", (), Fleet(MACHINE, figure("throughput", "call/second", 1e6), hours=45 / 168 * 730))
    yield Case("a machine that is off outside of office hours", usd, monthly(off), 1.39 * 730 * 45 / 168)


def other_cases() -> Iterator[Case]:
    usd = "usd"
    grown = sum(50_000 * 1.05**month for month in range(12)) / 12
    yield Case(
        "calls that grow by 5 % a month",
        usd,
        monthly(tokens(LUNA, use()), traffic(growth_per_month=0.05)),
        grown * 7.5e-5,
    )
    cached = replace(tokens(LUNA, use()), answer_cache=True)
    yield Case(
        "a fifth answered from a cache", usd, monthly(cached, traffic(share_repeated=0.2)), 50_000 * 0.8 * 7.5e-5
    )
    yield Case(
        "2,000 calls a day",
        usd,
        monthly(tokens(LUNA, use()), traffic(calls_per_month="2000 per day")),
        2_000 * 365 / 12 * 7.5e-5,
    )
    labels, work = (
        item("once", "labels", 500, "label", 0.20, "usd/label"),
        item("once", "work", 16, "hour", 60.0, "usd/hour"),
    )
    yield Case(
        "500 labels and two days of work in a year", usd, monthly(lines(labels, work)), (500 * 0.20 + 16 * 60) / 12
    )
    yield Case("… in half a year", usd, monthly(lines(labels, work), traffic(months=6)), (500 * 0.20 + 16 * 60) / 6)
    ranged = item("once", "labels", 500, "label", 0.10, "usd/label", high=0.30)
    yield Case("labels at 10 to 30 cents", usd, monthly(lines(ranged)), 500 * 0.20 / 12)
    yield Case(
        "40 GB kept at 8 cents",
        usd,
        monthly(lines(item("month", "storage", 40, "GB", 0.08, "usd/GB-month"))),
        40 * 0.08,
    )
    retrain = item("update", "retrain", 1_800, "second", 1.39, "usd/hour", 2)
    yield Case("half an hour of retraining twice a month", usd, monthly(lines(retrain)), 2 * 0.5 * 1.39)
    index = item("update", "index", 95, "second", 0.69, "usd/hour", 52 / 12)
    yield Case("a new index every week", usd, monthly(lines(index)), 52 / 12 * 95 / 3600 * 0.69)
    trained = [
        item("once", "training", 3_100_000, "token", 8.00, "usd/Mtok"),
        item("month", "hosting", 730, "hour", 1.70, "usd/hour"),
    ]
    yield Case(
        "3.1 M tokens trained at $8, hosted at $1.70", usd, monthly(lines(*trained)), 3.1 * 8.00 / 12 + 730 * 1.70
    )
    again = [
        item("end", "training", 3_100_000, "token", 8.00, "usd/Mtok"),
        item("end", "work", 8, "hour", 60.0, "usd/hour"),
    ]
    ends = lines(*trained, *again, ends_in_months=6.0)
    yield Case(
        "a tuned model that ends in six months", usd, monthly(ends), 2 * 3.1 * 8.00 / 12 + 8 * 60 / 12 + 730 * 1.70
    )
    yield Case("… looked at for six months", usd, monthly(ends, traffic(months=6)), 3.1 * 8.00 / 6 + 730 * 1.70)
    everything = replace(
        tokens(LUNA, use()),
        items=(*tokens(LUNA, use()).items, labels, work, retrain, *trained, *again),
        fleet=fleet(2.0).fleet,
        ends_in_months=6.0,
    )
    plain = 50_000 * 7.5e-5 + (100 + 960 + 24.80) / 12 + 1.39 + 1241.00 + (24.80 + 480) / 12 + 1014.70
    yield Case("all of it together", usd, monthly(everything), plain)


def comparing_cases() -> Iterator[Case]:
    most = 1e9

    def turns(a: Bill, b: Bill, stated: Traffic | None = None) -> float:
        found = Costs([a, b], stated or stated_traffic(CALLS)).turning(a.arm, b.arm, most)
        assert found is not None
        return found.calls.value

    api = tokens(LUNA, use())
    yield Case(
        "$1.39 an hour against $0.10 / $0.50 turns at 13.5 million calls",
        "calls",
        turns(fleet(1e6), api),
        1.39 * 730 / 7.5e-5,
    )
    labels = item("once", "labels", 500, "label", 0.20, "usd/label")
    short = replace(tokens(LUNA, use(60, 5)), items=(*tokens(LUNA, use(60, 5)).items, labels), arm="tuned")
    saved = 7.5e-5 - (60 * 0.10 + 5 * 0.50) / 1e6
    yield Case("labels against a shorter prompt", "calls", turns(short, api), 100 / 12 / saved)
    grown = sum(1.05**month for month in range(12))
    yield Case(
        "… when calls grow by 5 % a month",
        "calls",
        turns(short, api, traffic(growth_per_month=0.05)),
        100 / saved / grown,
    )
    full = (
        2.0 * 730 * 3600
    )  # calls of one machine; it costs more than so many calls, two of them less than twice as many
    dear = tokens(Rates(0.40, 1.60), use())
    per_call = (500 * 0.40 + 50 * 1.60) / 1e6
    yield Case("a machine that is not yet full", "calls", turns(fleet(2.0), dear), min(1.39 * 730 / per_call, full))
    monthly_usd = {"new": 10.0, "old": 50.0}
    fees = {arm: item("month", arm, 1, "piece", usd, "usd/piece") for arm, usd in monthly_usd.items()}
    new, old = lines(labels, fees["new"], arm="new"), lines(fees["old"], arm="old")
    paid = Costs([new, old], stated_traffic(CALLS)).pay_back("new", "old")
    yield Case("$100 of labels against $40 a month", "months", paid.value if paid else math.nan, 100 / 40)
    ended = replace(new, items=(*new.items, replace(labels, when="end")), ends_in_months=2.0)
    paid = Costs([ended, old], stated_traffic(CALLS)).pay_back("new", "old")
    yield Case("… paid again after two months", "months", paid.value if paid else math.nan, 200 / 40)
    warm = 1 - math.exp(-50_000 / (730 * 3600) * 300)
    yield Case(
        "calls that come within five minutes of one another",
        "share",
        stated_traffic(CALLS).warm_share(300).middle or 0,
        warm,
    )


Kind = Literal["token bills", "machines", "mixed"]
KINDS: tuple[Kind, ...] = ("token bills", "machines", "mixed")
MOST = 1e9


class World:
    """A made-up world: what is true, and what is stated and measured of it."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.true = rng, dict[str, float]()

    def stated(self, name: str, unit: Unit, low: float, width: float) -> Figure:
        """A range from ``low`` to at most ``width`` times as much, with the truth anywhere in it."""
        high = low * self.rng.uniform(1.0, width)
        self.true[name] = self.rng.uniform(low, high)
        return figure(name, unit, low, high)

    def truth(self, bill: Bill, means: dict[str, float]) -> Bill:
        """The bill at what is true."""

        def exact(stated: Figure) -> Figure:
            return replace(
                stated, low=self.true.get(stated.name, stated.low), high=self.true.get(stated.name, stated.high)
            )

        items = tuple(
            replace(
                each,
                amount=exact(each.amount) if isinstance(each.amount, Figure) else each.amount,
                price=exact(each.price),
                times=tuple(map(exact, each.times)),
            )
            for each in bill.items
        )
        machines = bill.fleet and replace(bill.fleet, price=exact(bill.fleet.price))
        columns = {name: np.array([mean]) for name, mean in means.items()}
        return replace(bill, items=items, fleet=machines, sample=Sample(columns, ("all",)))

    def rows(self, names: dict[str, float], groups: tuple[str, ...]) -> tuple[Sample, dict[str, float]]:
        """Skewed columns around these medians, rows of a group alike; and the true means."""
        number = np.unique(groups, return_inverse=True)[1]
        columns, means = dict[str, np.ndarray](), dict[str, float]()
        for name, median in names.items():
            within, between = self.rng.uniform(0.1, 0.7), self.rng.uniform(0.0, 0.5)
            shared = between * self.rng.standard_normal(number.max() + 1)[number]
            columns[name] = median * np.exp(shared + within * self.rng.standard_normal(len(groups)))
            means[name] = median * math.exp((within**2 + between**2) / 2)
        return Sample(columns, groups), means


def world(kind: Kind, rng: np.random.Generator) -> tuple[list[Bill], list[Bill], Traffic, Traffic]:
    """Two bills as stated and measured, the same as they truly are, and the traffic as stated and true."""
    made = World(rng)
    n, size = int(rng.integers(40, 300)), int(rng.integers(1, 5))
    groups = tuple(f"g{row // size}" for row in range(n))
    big, big_means = made.rows(
        {"input": rng.uniform(300, 3_000), "output": rng.uniform(20, 300), "seconds": rng.uniform(0.2, 2)}, groups
    )
    small, small_means = made.rows(
        {"input": rng.uniform(50, 300), "output": rng.uniform(5, 50), "seconds": rng.uniform(0.02, 0.2)}, groups
    )
    wage = made.stated("wage", "usd/hour", rng.uniform(20, 80), 2.0)
    label = made.stated("label", "usd/label", rng.uniform(0.05, 0.5), 3.0)
    machine = made.stated("machine", "usd/hour", rng.uniform(0.05, 1.0), 3.0)
    rates = Rates(rng.uniform(0.1, 1.0), rng.uniform(0.5, 4.0))
    spoken = [
        Item("call", kind, Measured(kind, "token"), figure(f"price.{kind}", "usd/Mtok", rate))
        for kind, rate in (("input", rates.input), ("output", rates.output))
    ]
    once = [
        Item("once", "labels", figure("labels", "label", float(rng.integers(200, 3_000))), label),
        Item("once", "work", made.stated("hours", "hour", rng.uniform(4, 20), 2.0), wage),
    ]
    retrain = Item(
        "update",
        "retrain",
        figure("retrain", "second", rng.uniform(300, 7_200)),
        machine,
        (made.stated("updates", "1/month", 0.5, 4.0),),
    )
    if kind == "token bills":
        bills = [Bill("prompt", tuple(spoken), sample=big), Bill("tuned", (*spoken, *once), sample=small)]
    elif kind == "machines":
        seconds = Item(
            "call",
            "machine",
            Measured("seconds", "second"),
            made.stated("by_second", "usd/hour", rng.uniform(2, 6), 2.0),
        )
        bills = [
            Bill("prompt", (seconds,), sample=big),
            Bill("tuned", (*once, retrain), Fleet(machine, Measured("seconds", "second")), small),
        ]
    else:
        ends = rng.uniform(1, 24)
        again = [replace(each, when="end") for each in once[1:]]
        bills = [
            Bill("prompt", tuple(spoken), sample=big),
            Bill("tuned", (*once, retrain, *again), Fleet(machine, Measured("seconds", "second")), small, ends),
        ]
    stated = stated_traffic(
        made.stated("traffic.calls_per_month", "call/month", 10 ** rng.uniform(4, 7), 3.0),
        peak=made.stated("traffic.peak", "ratio", rng.uniform(1, 4), 2.0),
        growth_per_month=made.stated("traffic.growth_per_month", "ratio", rng.uniform(0.001, 0.03), 3.0),
    )
    real = replace(
        stated,
        **{
            name: figure(f"traffic.{name}", getattr(stated, name).unit, made.true[f"traffic.{name}"])
            for name in ("calls_per_month", "peak", "growth_per_month")
        },
    )
    truths = [made.truth(bill, means) for bill, means in zip(bills, (big_means, small_means), strict=True)]
    return bills, truths, stated, real


def coverage(kind: Kind, n_worlds: int, seed: int, n_draws: int = N_DRAWS) -> dict[str, tuple[float, float]]:
    """Answer → shares of worlds whose 80 % and 95 % intervals hold the truth."""
    held: dict[str, list[tuple[bool, bool]]] = {"dollars a month": [], "break-even": []}
    for at in range(n_worlds):
        rng = np.random.default_rng([seed, KINDS.index(kind), at])
        bills, truths, stated, real = world(kind, rng)
        costs, real_costs = Costs(bills, stated, at, n_draws), Costs(truths, real)
        arm = bills[at % 2].arm
        held["dollars a month"].append(holds(costs.monthly(arm), real_costs.monthly(arm)))
        found = costs.break_even("tuned", "prompt", MOST)
        prompt, tuned = (sum_of(bill, real, MIDDLE) for bill in truths)
        true = crossings(tuned, prompt, MOST, 1)[0].item()
        held["break-even"].append(holds(found and found.calls, Ranged(true)))
    return {
        name: (float(np.mean([a for a, _ in each])), float(np.mean([b for _, b in each])))
        for name, each in held.items()
    }


def holds(found: Ranged | None, true: Ranged | None) -> tuple[bool, bool]:
    assert found is not None
    assert true is not None
    assert found.inner is not None
    assert found.outer is not None
    return found.inner.low <= true.value <= found.inner.high, found.outer.low <= true.value <= found.outer.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", action="store_true", help="the worked cases alone")
    parser.add_argument("--worlds", type=int, default=500, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    worked = list(cases())
    print("| case | costs | by hand | |\n|---|---:|---:|---|")
    for case in worked:
        digits = {"usd": 2, "calls": 0, "share": 3, "months": 3}[case.unit]
        shown = [f"{value:,.{digits}f}" for value in (case.ours, case.plain)]
        print(f"| {case.name} | {shown[0]} | {shown[1]} | {'' if case.agrees else '**differs**'} |")
    print(f"\n{sum(case.agrees for case in worked)} of {len(worked)} agree: dollars and yuan to the cent.\n")
    if args.cases:
        return
    print("| worlds | answer | 80 % holds | 95 % holds |\n|---|---|---:|---:|")
    for kind in KINDS:
        for name, (inner, outer) in coverage(kind, args.worlds, args.seed).items():
            print(f"| {args.worlds} {kind} | {name} | {100 * inner:.1f} % | {100 * outer:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
