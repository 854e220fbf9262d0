"""What the arms of a run cost at the user's volume, and from which volume on one costs less than another.

Dollars a month are the mean over the months looked at, with all that is paid once. ``costs/of_run.py`` makes these records;
the formulae are at the heads of the modules beside it.
"""

from __future__ import annotations

from datetime import date

from pydantic import Field

from tuneworth.core.record import Record


class CostEnds(Record):
    """Ends of an interval; ``None``: beyond what was looked at (10 million calls a month, or the months)."""

    low: float | None
    high: float | None


class CostRange(Record):
    """A number with its 80 % (``inner``) and 95 % (``outer``) intervals.

    Attributes:
        value: with every figure at its middle; ``None``: beyond what was looked at, which for a break-even is "never".
        inner, outer: ``None``: fewer than ten groups of rows were measured.
    """

    value: float | None
    inner: CostEnds | None = None
    outer: CostEnds | None = None


class CostFigure(Record):
    """A number that was stated: a price, a wage, calls a month. Both ends ``None``: nobody did.

    Attributes:
        name: ``machine``, ``label``, ``traffic.calls_per_month``, ``price.MODEL.input``.
        source: an address, ``task file``, ``log``, ``option``; empty: taken for granted.
        stale: it was read more than 120 days before it was used.
    """

    name: str
    unit: str
    low: float | None = None
    high: float | None = None
    where: str = ""
    source: str = ""
    read_on: date | None = None
    valid_until: date | None = None
    stale: bool = False


class CostLine(Record):
    """A line of an arm's sum: ``amount`` of something at ``price``, and its part of the mean month.

    Attributes:
        when: ``once``, ``month``, ``call``, ``update`` or ``end`` (of the base model).
        what: a code: ``labels``, ``training``, ``work``, ``input``, ``cached``, ``cache_write``, ``output``, ``reasoning``,
            ``call_fee``, ``charged``, ``machines``, ``retrain``, ``index``.
        share: further factors, multiplied; of machines the hours of a month.
        usd: each time it is paid.
        usd_a_month: ``None`` without a volume, or where a figure is missing.
        missing: names of the figures that it lacks.
    """

    when: str
    what: str
    amount: float | None
    amount_unit: str
    price: float | None
    price_unit: str
    share: float
    usd: float | None
    usd_a_month: float | None
    missing: list[str] = Field(default_factory=list[str])


class CostBar(Record):
    """How far one input alone moves an answer, from its 10th to its 90th percentile, dollars a month."""

    name: str
    at_low: float
    at_high: float


class ArmCosts(Record):
    """What one arm costs.

    Attributes:
        missing: names of the figures without which its dollars are not known.
        monthly: dollars a month at the user's volume; ``None``: no volume, or a figure is missing.
        curve: of an arm of ``pairs``, dollars a month at each of ``CostResult.volumes``; empty where a figure is missing.
        n_groups: groups of rows that its tokens and times were measured on.
    """

    arm_id: str
    missing: list[str] = Field(default_factory=list[str])
    lines: list[CostLine] = Field(default_factory=list[CostLine])
    monthly: CostRange | None = None
    curve: list[CostRange] = Field(default_factory=list[CostRange])
    n_groups: int = 0


class CostPair(Record):
    """Two arms of which nothing is missing.

    Attributes:
        cheaper_by: dollars a month that ``a`` costs less than ``b`` at the user's volume; negative where it costs more.
        p_cheaper: probability that ``a`` costs less.
        turns: that of the two which costs more when there are hardly any calls.
        break_even: calls a month from which ``turns`` costs less; 0: at any volume, value ``None``: never below ``most``.
        never: share of draws in which it never does; ``turns_again``: in which it is dearer again further up.
        pay_back: months until all paid for ``turns`` is less for good; value ``None``: not in the months looked at.
        tornado: the five inputs that move ``cheaper_by`` most.
    """

    a: str
    b: str
    cheaper_by: CostRange | None = None
    p_cheaper: float | None = None
    turns: str
    break_even: CostRange
    most: float
    never: float
    turns_again: float
    pay_back: CostRange | None = None
    tornado: list[CostBar] = Field(default_factory=list[CostBar])


class CostResult(Record):
    """The costs of a run.

    Attributes:
        priced_on: the day for which prices were looked up.
        calls_per_month: the user's volume, the middle of its range; ``None``: not stated.
        months: that costs are looked at for.
        figures: all that was stated or is lacking, each once.
        volumes: calls a month at which curves are given.
        arms: those that may be used and were measured.
        pairs: of the finalists, and of what may be used in their place.
        cny_per_usd: yuan for a dollar, with its source and day; ``None``: not known.
    """

    priced_on: date
    calls_per_month: float | None = None
    months: int
    figures: list[CostFigure]
    volumes: list[float]
    arms: list[ArmCosts]
    pairs: list[CostPair] = Field(default_factory=list[CostPair])
    cny_per_usd: CostFigure | None = None

    def arm(self, arm_id: str) -> ArmCosts | None:
        return next((each for each in self.arms if each.arm_id == arm_id), None)

    def pair(self, a: str, b: str) -> CostPair | None:
        """In this order or the other; ``CostPair.a`` says which."""
        return next((each for each in self.pairs if {each.a, each.b} == {a, b}), None)

    @property
    def stale(self) -> list[str]:
        """Names of the prices that are old."""
        return [each.name for each in self.figures if each.stale]
