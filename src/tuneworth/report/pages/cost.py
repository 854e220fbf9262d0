"""What the arms cost at the user's volume, when one becomes cheaper than another, and the sums behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tuneworth.core.costs import ArmCosts, CostEnds, CostFigure, CostLine, CostPair, CostRange, CostResult
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import NOTHING, arm_labels
from tuneworth.report.plain import clean, sentence_case
from tuneworth.words import numbers
from tuneworth.words.names import figure_name, in_lang, listed, quoted
from tuneworth.words.say import say, table

LEVEL = 0.01
"""Finalists whose dollars differ by less than this share cost about the same."""
COLUMNS = ("prompt", "without_model", "small_model", "provider")
"""Those of the article, and what is no language model."""
COST_ROWS = ("C1", "C2", "C3", "C4", "C5", "C6")
UNITS = (
    *("call/month", "usd/hour", "usd/label", "usd/Mtok", "usd/call", "usd/piece", "usd/GB-month", "1/month"),
    *("second", "hour", "token", "label"),
)
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArmCostRow:
    """An arm: dollars a month with 80 % interval, the same in yuan, the 95 % interval, and what is lacking."""

    label: str
    recommended: bool
    monthly: str
    yuan: str
    outer: str
    lacking: str


@dataclass(frozen=True, slots=True)
class SumView:
    """A sum, each line as it is read."""

    label: str
    recommended: bool
    lines: tuple[Row, ...]
    total: str


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Dollars a month against calls a month: ``(calls, middle, low, high)``, 80 %."""

    label: str
    recommended: bool
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class CostSection:
    """The costs as shown to a reader.

    Attributes:
        answer: what follows, in sentences.
        arms, others: the finalists and what may be used in their place; the other measured arms.
        pairs: pair, cheaper by, probability, break-even, pay-back.
        moves: input, and the answer at its two ends; ``moves_lead`` says of which pair.
        table_c: a row of the cost table: id, what it is about, and a cell for each of ``choices``; ``absent`` says what was not measured.
        basis: number, value, source.
        crossings: calls and dollars where two curves meet, and what that says.
    """

    answer: tuple[str, ...]
    lead: str
    arms: tuple[ArmCostRow, ...]
    others: tuple[ArmCostRow, ...]
    pairs: tuple[Row, ...]
    sums: tuple[SumView, ...]
    moves_lead: str
    moves: tuple[Row, ...]
    choices: tuple[tuple[str, str], ...]
    table_c: tuple[tuple[str, str, Row], ...]
    absent: str
    basis: tuple[Row, ...]
    curves: tuple[CostCurve, ...]
    crossings: tuple[tuple[float, float, str], ...]
    calls: float | None
    words: dict[str, str]


def build_cost(result: RunResult, lang: Lang) -> CostSection | None:
    """``None`` for a run of an old version, which has no costs."""
    return None if result.costs is None else _Builder(result, result.costs, arm_labels(result, lang), lang).section()


@dataclass(frozen=True, slots=True)
class _Builder:
    """Tells the costs of one run in one language, which ``names`` of arms are in."""

    result: RunResult
    costs: CostResult
    names: dict[str, str]
    lang: Lang

    def section(self) -> CostSection:
        rivals, main = self._rivals(), self._main_pair()
        rate = self.costs.cny_per_usd
        lead = say("cost_page.lead", months=self.costs.months).to(self.lang)
        if self.lang == "zh" and rate is not None and rate.low is not None:
            lead += say("cost_page.yuan", rate=f"{rate.low:g}", day=str(rate.read_on or rate.source)).to(self.lang)
        found = {choice: self._arm_of(choice) for choice in COLUMNS}
        choices = {choice: arm for choice, arm in found.items() if arm is not None}
        absent = [say(f"cost_page.choice.{choice}") for choice, arm in found.items() if arm is None]
        return CostSection(
            answer=tuple(sentence_case(text.to(self.lang)) for text in self._answer(rivals)),
            lead=lead,
            arms=tuple(self._row(arm) for arm in rivals),
            others=tuple(self._row(arm) for arm in self.costs.arms if arm not in rivals),
            pairs=tuple(self._pair(pair) for pair in self.costs.pairs),
            sums=tuple(self._sum(arm) for arm in rivals),
            moves_lead="" if main is None else self._say("moves_lead", a=self._name(main.a), b=self._name(main.b)),
            moves=() if main is None else tuple(self._move(bar.name, bar.at_low, bar.at_high) for bar in main.tornado),
            choices=tuple(
                (self._say(f"choice.{choice}"), self.names[arm.arm_id])
                for choice, arm in choices.items()
            ),
            table_c=tuple(
                (row, say(f"rules.{row}").to(self.lang), tuple(self._cell(row, arm).to(self.lang) for arm in choices.values()))
                for row in COST_ROWS
            ),
            absent=self._say("absent", names=listed(absent)) if absent else "",
            basis=tuple(self._basis(each) for each in self.costs.figures),
            curves=tuple(self._curve(arm) for arm in rivals if arm.curve),
            crossings=tuple(found for pair in self.costs.pairs if (found := self._crossing(pair)) is not None),
            calls=self.costs.calls_per_month,
            words=in_lang(table("cost_page.labels"), self.lang),
        )  # fmt: skip

    # -- which arms --------------------------------------------------------------------------------------------

    def _rivals(self) -> list[ArmCosts]:
        """Finalists and what may be used in their place, the recommended one first, then by dollars."""
        may = {arm.arm_id for arm in self.result.arms if arm.finalist or arm.fallback}
        known = [arm for arm in self.costs.arms if arm.arm_id in may]
        return sorted(known, key=lambda arm: (arm.arm_id != self.result.decision.recommended, _value(arm.monthly)))

    def _main_pair(self) -> CostPair | None:
        """Of the recommended arm and the runner-up, or else the first, that do not cost the same."""
        decision = self.result.decision
        pair = self.costs.pair(decision.recommended or "", decision.runner_up or "")
        apart = (each for each in self.costs.pairs if not self._level(each))
        return pair if pair is not None and not self._level(pair) else next(apart, None)

    def _arm_of(self, choice: str) -> ArmResult | None:
        """The arm that stands for a column of the table: the recommended one, a finalist, or else any that was measured."""

        def fits(arm: ArmResult) -> bool:
            untuned = "prompt" if arm.model else "without_model"
            where = untuned if not arm.tuned else "provider" if arm.local is False else "small_model"
            return where == choice and self.costs.arm(arm.arm_id) is not None

        arms = [arm for arm in self.result.arms if fits(arm)]
        wanted = self.result.decision.recommended
        return min(arms, key=lambda arm: (arm.arm_id != wanted, not arm.finalist, arm.effort), default=None)

    # -- sentences ---------------------------------------------------------------------------------------------

    def _answer(self, rivals: Sequence[ArmCosts]) -> Iterable[Text]:
        calls = self.costs.calls_per_month
        if calls is None:
            yield say("cost_page.answer.asks")
        lacking = [arm for arm in rivals if arm.missing]
        if lacking and len(lacking) == len(rivals):
            shared = [name for name in lacking[0].missing if all(name in arm.missing for arm in lacking)]
            yield say("cost_page.answer.all_lack", names=self._figures(shared or lacking[0].missing))
        else:
            for arm in lacking:
                named = quoted(self._name(arm.arm_id))
                yield say("cost_page.answer.lacks", arm=named, names=self._figures(arm.missing))
        priced = sorted((arm for arm in rivals if arm.monthly is not None), key=lambda arm: _value(arm.monthly))
        if priced and calls is not None:
            yield from self._least(priced, numbers.count(calls))
        pair = self._main_pair()
        if pair is not None:
            yield self._turn(pair)
        if self.costs.stale:
            yield say("cost_page.answer.stale", names=self._figures(self.costs.stale))

    def _least(self, priced: Sequence[ArmCosts], calls: Text) -> Iterable[Text]:
        least, most = priced[0], priced[-1]
        parts = {"calls": calls, "arm": quoted(self._name(least.arm_id)), "usd": self._money(least.monthly)}
        if least is most:
            yield say("cost_page.answer.one", **parts)
            return
        level = _value(most.monthly) - _value(least.monthly) <= LEVEL * _value(least.monthly)
        yield say("cost_page.answer.level" if level else "cost_page.answer.least", **parts)
        pair = self.costs.pair(least.arm_id, self.result.decision.recommended or "")
        if not level and pair is not None and pair.cheaper_by is not None and pair.p_cheaper is not None:
            ours = pair.a == least.arm_id
            more = pair.cheaper_by if ours else _minus(pair.cheaper_by)
            chance = pair.p_cheaper if ours else 1 - pair.p_cheaper
            other = quoted(self._name(self.result.decision.recommended or ""))
            p = numbers.percent(chance, 0)
            yield say("cost_page.answer.instead", arm=other, usd=self._money(more), p=p)

    def _turn(self, pair: CostPair) -> Text:
        other = pair.b if pair.turns == pair.a else pair.a
        parts = {"arm": quoted(self._name(pair.turns)), "other": quoted(self._name(other))}
        calls, ends = pair.break_even.value, pair.break_even.inner
        if calls is None:
            return say("cost_page.answer.never", most=numbers.count(pair.most), **parts)
        if calls == 0:
            return say("cost_page.answer.at_once", **parts)
        interval: Text | str = ""
        if ends is not None:
            interval = say("cost_page.answer.turns_between", low=self._calls(ends.low), high=self._calls(ends.high))
        return say("cost_page.answer.turns", calls=numbers.about(calls), interval=interval, **parts)

    # -- rows --------------------------------------------------------------------------------------------------

    def _level(self, pair: CostPair) -> bool:
        """They cost about the same at the user's volume."""
        a, by = self.costs.arm(pair.a), pair.cheaper_by
        return a is not None and by is not None and abs(by.value or 0.0) <= LEVEL * _value(a.monthly)

    def _row(self, arm: ArmCosts) -> ArmCostRow:
        cost = arm.monthly
        return ArmCostRow(
            label=self._name(arm.arm_id),
            recommended=arm.arm_id == self.result.decision.recommended,
            monthly=numbers.usd_range(cost).to(self.lang),
            yuan=self._yuan(None if cost is None else cost.value),
            outer="" if cost is None or cost.outer is None else _ends(cost.outer, _plain_usd),
            lacking=self._figures(arm.missing).to(self.lang) if arm.missing else "",
        )

    def _pair(self, pair: CostPair) -> Row:
        most, back, by = numbers.count(pair.most).en, pair.pay_back, pair.cheaper_by
        turns = pair.break_even.value
        if turns is None or turns == 0:
            at = self._say("never", most=most) if turns is None else self._say("any")
        else:
            ends = pair.break_even.inner
            between = "" if ends is None else numbers.in_parentheses(_ends(ends, self._calls)).to(self.lang)
            at = numbers.about(turns).en + between
        paid = NOTHING if back is None else self._say("not_within", n=self.costs.months) if back.value is None else ""
        if back is not None and back.value is not None:
            paid = self._say("months", n=f"{back.value:.1f}") if back.value >= 0.05 else self._say("at_once")
        name = f"{self._name(pair.a)} – {self._name(pair.b)}"
        if self._level(pair):
            return name, self._say("level"), NOTHING, NOTHING, NOTHING
        return (
            name,
            NOTHING if by is None else self._signed(by.value or 0.0, by.inner),
            NOTHING if pair.p_cheaper is None else numbers.percent(pair.p_cheaper, 0).to(self.lang),
            at if turns is None else self._say("turns_at", arm=self._name(pair.turns), calls=at),
            paid,
        )

    def _sum(self, arm: ArmCosts) -> SumView:
        return SumView(
            label=self._name(arm.arm_id),
            recommended=arm.arm_id == self.result.decision.recommended,
            lines=tuple(self._line(line) for line in arm.lines),
            total=self._in_both(None if arm.monthly is None else arm.monthly.value),
        )

    def _line(self, line: CostLine) -> Row:
        amount = self._unit(line.amount, line.amount_unit)
        if line.what == "machines" and line.amount is not None:
            amount = self._say("machines", n=numbers.general(line.amount), hours=numbers.general(line.share))
        price = NOTHING if line.price_unit == "1" else self._unit(line.price, line.price_unit)
        return (
            self._say(f"when.{line.when}"),
            self._say(f"what.{line.what}"),
            amount,
            price,
            numbers.usd(line.usd).to(self.lang),
            numbers.usd(line.usd_a_month).to(self.lang) if self.costs.calls_per_month is not None else NOTHING,
        )

    def _move(self, name: str, low: float, high: float) -> Row:
        return self._figure(name).to(self.lang), self._signed(low), self._signed(high)

    def _basis(self, each: CostFigure) -> Row:
        value = numbers.unknown().to(self.lang)
        if each.low is not None and each.high is not None:
            ends = [self._unit(end, each.unit) for end in (each.low, each.high)]
            value = "–".join(dict.fromkeys(ends))
        told = {"task file": "task file", "option": "option", "log": "log"}.get(each.source)
        source = self._say(f"source.{told}") if told else each.source or self._say("figure.taken")
        if each.low is None:
            source = NOTHING
        elif each.read_on is not None:
            source = self._say("figure.read", source=source, day=str(each.read_on))
        return self._figure(each.name).to(self.lang), value, source + (" ⚠" if each.stale else "")

    # -- the cost table of the rules of thumb ------------------------------------------------------------------

    def _cell(self, row: str, arm: ArmResult) -> Text:
        return getattr(self, f"_{row.lower()}")(arm, self.costs.arm(arm.arm_id))

    def _c1(self, arm: ArmResult, found: ArmCosts) -> Text:
        line = next((line for line in found.lines if line.what == "labels"), None)
        n = 0 if line is None else round(line.amount or 0)
        if line is None or line.usd is None:
            return say("cost_page.cell.rows", n=n)
        return say("cost_page.cell.rows_usd", n=n, usd=numbers.usd(line.usd))

    def _c2(self, arm: ArmResult, found: ArmCosts) -> Text:
        line = next((line for line in found.lines if line.what == "work" and line.when == "once"), None)
        if line is None or line.amount is None:
            return say("cost_page.cell.no_hours")
        return say("cost_page.cell.hours", n=numbers.general(line.amount), usd=numbers.usd(line.usd))

    def _c3(self, arm: ArmResult, found: ArmCosts) -> Text:
        time, usd = self._making(arm, found)
        return say("cost_page.cell.making", time=time, usd=usd)

    def _c4(self, arm: ArmResult, found: ArmCosts) -> Text:
        lines = [line for line in found.lines if line.when in ("month", "call")]
        if lacking := [name for line in lines for name in line.missing]:
            return say("cost_page.cell.unknown", names=self._figures(lacking))
        if self.costs.calls_per_month is not None:
            return say("cost_page.cell.calls", usd=numbers.usd(sum(line.usd_a_month or 0.0 for line in lines)))
        if any(line.when == "month" for line in lines):
            return say("cost_page.cell.unknown", names=self._figure("traffic.calls_per_month"))
        return say("cost_page.cell.calls_each", usd=numbers.usd(1000 * sum(line.usd or 0.0 for line in lines)))

    def _c5(self, arm: ArmResult, found: ArmCosts) -> Text:
        if arm.local is not False:
            return say("cost_page.cell.own")
        return say("cost_page.cell.service_ends", day=arm.model_ends) if arm.model_ends else say("cost_page.cell.service")  # fmt: skip

    def _c6(self, arm: ArmResult, found: ArmCosts) -> Text:
        if not arm.tuned and arm.cost.fit_seconds < 1:
            return say("cost_page.cell.edit")
        time, usd = self._making(arm, found)
        return say("cost_page.cell.update", time=time, usd=usd)

    def _making(self, arm: ArmResult, found: ArmCosts) -> tuple[Text, Text]:
        lines = [line for line in found.lines if line.when == "once" and line.what in ("training", "charged", "index")]
        known = [line.usd for line in lines if line.usd is not None]
        return numbers.duration(arm.cost.fit_seconds), numbers.usd(sum(known) if len(known) == len(lines) else None)

    # -- the picture -------------------------------------------------------------------------------------------

    def _curve(self, arm: ArmCosts) -> CostCurve:
        points: list[tuple[float, float, float, float]] = []
        for calls, cost in zip(self.costs.volumes, arm.curve, strict=True):
            value = cost.value or 0.0
            ends = cost.inner or CostEnds(low=value, high=value)
            points.append((calls, value, value if ends.low is None else ends.low, value if ends.high is None else ends.high))  # fmt: skip
        return CostCurve(self._name(arm.arm_id), arm.arm_id == self.result.decision.recommended, tuple(points))

    def _crossing(self, pair: CostPair) -> tuple[float, float, str] | None:
        """Where the middles meet; the dollars are those between the curve's nearest volumes."""
        calls, arm, volumes = pair.break_even.value, self.costs.arm(pair.turns), self.costs.volumes
        if not calls or arm is None or not volumes[0] <= calls <= volumes[-1]:
            return None
        at = next(place for place, volume in enumerate(volumes) if volume >= calls)
        before, after = (arm.curve[place].value or 0.0 for place in (max(at - 1, 0), at))
        width = volumes[at] - volumes[max(at - 1, 0)]
        share = (calls - volumes[at - 1]) / width if width else 1.0
        return calls, before + share * (after - before), self._turn(pair).to(self.lang)

    # -- words -------------------------------------------------------------------------------------------------

    def _say(self, key: str, **parts: str | int | Text) -> str:
        return say(f"cost_page.{key}", **parts).to(self.lang)

    def _name(self, arm_id: str) -> str:
        return self.names.get(arm_id, clean(arm_id))

    def _figures(self, names: Sequence[str]) -> Text:
        return listed([self._figure(name) for name in dict.fromkeys(names)])

    def _figure(self, name: str) -> Text:
        return figure_name(clean(name), {arm_id: quoted(label) for arm_id, label in self.names.items()})

    def _unit(self, value: float | None, unit: str) -> str:
        if value is None:
            return numbers.unknown().to(self.lang)
        money = unit.startswith("usd")
        told = numbers.usd(value) if money else numbers.general(value)
        if unit == "share":
            return numbers.percent(value).to(self.lang)
        return self._say(f"unit.{unit}", n=told) if unit in UNITS else told.to(self.lang)

    def _money(self, cost: CostRange | None) -> Text:
        told, yuan = numbers.usd_range(cost), self._yuan(None if cost is None else cost.value)
        return say("cost_page.both", usd=told, yuan=yuan) if yuan else told

    def _in_both(self, usd: float | None) -> str:
        yuan = self._yuan(usd)
        return numbers.usd(usd).to(self.lang) + (numbers.in_parentheses(yuan).to(self.lang) if yuan else "")

    def _yuan(self, usd: float | None) -> str:
        """Chinese readers get yuan as well."""
        rate = self.costs.cny_per_usd
        return numbers.yuan(usd, None if rate is None else rate.low) if self.lang == "zh" else ""

    def _signed(self, usd: float, ends: CostEnds | None = None) -> str:
        """``$310 less (240–400)``; of an interval across 0 each end says which way."""
        if ends is None or ends.low is None or ends.high is None:
            return self._say("dearer" if usd < 0 else "less", usd=numbers.usd(abs(usd)))
        if ends.low < 0 < ends.high:
            low, high = self._signed(ends.low), self._signed(ends.high)
            return self._signed(usd) + numbers.in_parentheses(self._say("to", low=low, high=high)).to(self.lang)
        both = sorted((abs(ends.low), abs(ends.high)))
        between = _ends(CostEnds(low=both[0], high=both[1]), _plain_usd)
        return self._signed(usd) + (numbers.in_parentheses(between).to(self.lang) if "–" in between else "")

    def _calls(self, calls: float | None) -> str:
        return numbers.about(calls).en if calls is not None else self._say("beyond", most=numbers.count(1e7).en)


def _value(cost: CostRange | None) -> float:
    return float("inf") if cost is None or cost.value is None else cost.value


def _minus(cost: CostRange) -> CostRange:
    def turned(ends: CostEnds | None) -> CostEnds | None:
        return None if ends is None else CostEnds(low=-(ends.high or 0.0), high=-(ends.low or 0.0))

    return CostRange(value=-(cost.value or 0.0), inner=turned(cost.inner), outer=turned(cost.outer))


def _plain_usd(value: float | None) -> str:
    return numbers.usd(value).en.replace("$", "")


def _ends(ends: CostEnds, told: Callable[[float | None], str]) -> str:
    return "–".join(dict.fromkeys((told(ends.low), told(ends.high))))
