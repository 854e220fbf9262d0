"""What more data would give: the stored learning curves as numbers to draw and sentences to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from tuneworth.core.race import Forecast, ForecastCrossing
from tuneworth.core.record import Interval
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import arm_labels
from tuneworth.report.pages.verdict import is_ahead
from tuneworth.report.plain import clean, sentence_case
from tuneworth.words import numbers
from tuneworth.words.names import quoted
from tuneworth.words.say import say, table

RULE = "X4"
"""The contradiction that a learning curve settles: how many rows are enough."""
REACH = 100
"""Sizes up to this many times the largest measured one are looked at (``stats.curve_crossing``)."""


@dataclass(frozen=True, slots=True)
class PointView:
    """A measured score in per cent; ``shown`` is its number of rows or demonstrations."""

    n: int
    shown: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BandView:
    """The forecast at one size, in per cent."""

    n: int
    value: float
    low80: float
    high80: float
    low95: float
    high95: float


@dataclass(frozen=True, slots=True)
class CurveView:
    """One arm's learning curve.

    Attributes:
        id: of its chart.
        shots: the axis counts demonstrations; ``n`` is one more, so that none has a place on a log axis.
        answer: what the curve says, in a sentence.
        notes: what the reader should keep in mind.
        target: name of the arm to overtake; empty when there is none.
        target_score, margin: its score on the rows of the points, and what counts as overtaking, in per cent.
        target_line: the target's score over training rows, ``(n, per cent)``; empty where it is taken to stand still.
        crossing: where target and margin are overtaken: low, median, high; ``high`` is ``None`` beyond reach.
        at_hand: training rows that the run has; ``None`` for demonstrations.
    """

    id: str
    label: str
    shots: bool
    answer: str
    notes: tuple[str, ...]
    points: tuple[PointView, ...]
    band: tuple[BandView, ...]
    target: str
    target_score: float | None
    margin: float
    target_line: tuple[tuple[int, float], ...]
    crossing: tuple[int, int, int | None] | None
    at_hand: int | None


@dataclass(frozen=True, slots=True)
class ForecastSection:
    """The curves as shown to a reader.

    Attributes:
        main: the curve that answers how many more rows would change the verdict, or ``None``.
        answer: that answer, or why there is none.
        open, folded: the curves shown at once, and those behind a click.
        rules: id and few words of the rule of thumb that the main curve bears on.
    """

    main: CurveView | None
    answer: str
    open: tuple[CurveView, ...]
    folded: tuple[CurveView, ...]
    rules: tuple[tuple[str, str], ...]
    words: dict[str, str]

    @property
    def curves(self) -> tuple[CurveView, ...]:
        return self.open + self.folded


def build_forecasts(result: RunResult, lang: Lang) -> ForecastSection | None:
    """Tuned arms first, few-shot last and folded; ``None`` for a run without curves that did not race for any."""
    tuned = {arm.arm_id: arm.state == "measured" for arm in result.arms if arm.tuned}
    decisive = result.decision.decided_by or ()

    def order(forecast: Forecast) -> tuple[bool, bool, bool, float]:
        best = max(point.score for point in forecast.points)
        return forecast.axis == "shots", forecast.arm_id not in tuned, forecast.arm_id not in decisive, -best

    forecasts = sorted((forecast for forecast in result.forecasts if forecast.points), key=order)
    if not forecasts and (result.race is None or not tuned):
        return None
    builder = _Builder(result, arm_labels(result, lang), lang)
    curves = [builder.curve(forecast, f"forecast-{number}") for number, forecast in enumerate(forecasts, 1)]
    main = curves[0] if forecasts and None not in (forecasts[0].target, forecasts[0].crossing) else None
    unknown = say(f"forecast.no_curve.{'one_size' if any(tuned.values()) else 'not_measured'}").to(lang)
    return ForecastSection(
        main=main,
        answer=main.answer if main else unknown if tuned else "",
        open=tuple(curve for curve in curves if not curve.shots),
        folded=tuple(curve for curve in curves if curve.shots),
        rules=((RULE, say(f"rules.{RULE}").to(lang)),) if main else (),
        words={key: text.to(lang) for key, text in table("forecast.labels").items()},
    )


@dataclass(frozen=True, slots=True)
class _Builder:
    """Tells the curves of one run in one language, which ``names`` of arms are in."""

    result: RunResult
    names: Mapping[str, str]
    lang: Lang

    def curve(self, forecast: Forecast, chart_id: str) -> CurveView:
        shots, crossing = forecast.axis == "shots", forecast.crossing
        return CurveView(
            id=chart_id,
            label=self._name(forecast.arm_id),
            shots=shots,
            answer=sentence_case(self._answer(forecast).to(self.lang)),
            notes=tuple(note.to(self.lang) for note in self._notes(forecast)),
            points=tuple(
                PointView(
                    n=point.n,
                    shown=point.n - shots,
                    value=100 * point.score,
                    low=100 * point.interval.low,
                    high=100 * point.interval.high,
                )
                for point in sorted(forecast.points, key=lambda point: (point.n, point.repeat))
            ),
            band=_band(forecast),
            target=self._name(forecast.target) if forecast.target else "",
            target_score=100 * forecast.target_score if numbers.is_known(forecast.target_score) else None,
            margin=100 * forecast.margin,
            target_line=self._target_line(forecast),
            crossing=(crossing.low or crossing.n, crossing.n, crossing.high)
            if crossing and crossing.status == "forecast" and crossing.n
            else None,
            at_hand=None if shots else self._n_at_hand,
        )

    @property
    def _n_at_hand(self) -> int:
        race = self.result.race
        return self.result.data.n_train if race is None else race.n_train

    def _name(self, arm_id: str) -> str:
        return self.names.get(arm_id, clean(arm_id))

    def _own_curve(self, target: str | None) -> Forecast | None:
        return next((each for each in self.result.forecasts if each.arm_id == target and each.axis == "rows"), None)

    def _target_line(self, forecast: Forecast) -> tuple[tuple[int, float], ...]:
        """The target's own curve, moved so that it has ``target_score`` at its largest measured size."""
        own = self._own_curve(forecast.target) if forecast.target_grows else None
        now = _at(own, max(point.n for point in own.points)) if own else None
        if own is None or now is None or not numbers.is_known(forecast.target_score):
            return ()
        return tuple((at.n, at.value + 100 * (forecast.target_score - now[0])) for at in _band(own))

    def _answer(self, forecast: Forecast) -> Text:
        """How many more rows it takes to overtake the target, or what more would give; else why that cannot be said."""
        arm, crossing = quoted(self._name(forecast.arm_id)), forecast.crossing
        already = forecast.target is not None and crossing is not None and crossing.status == "already"
        if self._is_won(forecast):
            # Said instead of a forecast that is less favourable than what the test rows have shown.
            return say("forecast.overtakes.on_test", arm=arm)
        if forecast.cannot_tell is not None and not already:
            return say(f"forecast.cannot_tell.{forecast.cannot_tell}", arm=arm)
        if forecast.target is not None and crossing is not None:
            return self._overtakes(forecast, forecast.target, crossing, arm)
        shots = forecast.axis == "shots"
        largest = max(point.n for point in forecast.points)
        now = [point.score for point in forecast.points if point.n == largest]
        twice = 2 * (largest - shots)
        at = _at(forecast, twice + shots)
        if at is None:
            return say("forecast.cannot_tell.no_trend", arm=arm)
        return say(
            "forecast.twice.shots" if shots else "forecast.twice.rows",
            n=twice,
            arm=arm,
            score=numbers.percent(at[0]),
            between=numbers.bounds(Interval(low=at[1], high=at[2], level=0.8)),
            before=numbers.percent(sum(now) / len(now)),
        )

    def _is_won(self, forecast: Forecast) -> bool:
        """The test rows show what the curve, on dev rows, does not: the arm is ahead, and the verdict is to tune.

        A verdict to tune may also rest on a limit that the other arm breaks; then nothing is won.
        """
        if forecast.target is None or forecast.crossing is None or forecast.crossing.status == "already":
            return False
        tune = self.result.decision.verdict == "fine_tune"
        return tune and is_ahead(self.result, forecast.arm_id, forecast.target)

    def _overtakes(self, forecast: Forecast, target: str, crossing: ForecastCrossing, arm: Text) -> Text:
        have, measured = self._n_at_hand, max(point.n for point in forecast.points)
        reach, chance = numbers.about(REACH * measured), ""
        if numbers.is_known(crossing.probability):
            chance = say("forecast.chance", chance=numbers.percent(crossing.probability, 0))
        ahead = say("forecast.ahead", target=quoted(self._name(target)), margin=numbers.points(forecast.margin))
        if crossing.status == "already":
            return say("forecast.overtakes.already", n=measured, arm=arm, ahead=ahead)
        if crossing.status == "not_within":
            return say("forecast.overtakes.not_within", reach=reach, arm=arm, ahead=ahead, chance=chance)
        if crossing.status == "cannot_tell" or crossing.n is None:
            return say("forecast.overtakes.uncertain", reach=reach, arm=arm, ahead=ahead, chance=chance)
        n = numbers.about(crossing.n)
        if crossing.n <= have:
            if measured < have and crossing.n > measured:
                return say("forecast.overtakes.at_hand", n=n, measured=measured, have=have, arm=arm, ahead=ahead)
            return say("forecast.overtakes.close", n=n, have=have, arm=arm, ahead=ahead)
        low = max(0, (crossing.low or 0) - have)
        if crossing.high is not None:
            between = say("forecast.more.between", low=numbers.about(low), high=numbers.about(crossing.high - have))
        else:
            between = say("forecast.more.from", low=numbers.about(low)) if low else say("forecast.more.from_none")
        interval = say("forecast.more.interval", level=numbers.percent(crossing.level, 0), between=between)
        return say(
            "forecast.overtakes.more", n=numbers.about(crossing.n - have), arm=arm, ahead=ahead, interval=interval
        )

    def _notes(self, forecast: Forecast) -> list[Text]:
        """What the labels would cost, and how the target was reckoned."""
        crossing, notes = forecast.crossing, list[Text]()
        if forecast.target is None or crossing is None:
            return notes
        each, have, target = self.result.usd_per_label, self._n_at_hand, quoted(self._name(forecast.target))
        more = crossing.n is not None and crossing.n > have and crossing.status == "forecast"
        if crossing.n is not None and more and numbers.is_known(each) and not self._is_won(forecast):
            low = numbers.about_usd(max(0, (crossing.low or crossing.n) - have) * each)
            between = say("forecast.cost_from", low=low)
            if crossing.high is not None:
                between = say("forecast.cost_between", low=low, high=numbers.about_usd((crossing.high - have) * each))
            usd = numbers.about_usd((crossing.n - have) * each)
            notes.append(say("forecast.cost", each=say("units.usd", n=f"{each:,.10g}"), usd=usd, between=between))
        if forecast.target_grows:
            notes.append(say("forecast.target.moves", target=target))
        elif crossing.status in ("forecast", "cannot_tell") and self._own_curve(forecast.target) is not None:
            notes.append(say("forecast.target.may_rise", target=target))
        return notes


def _band(forecast: Forecast) -> tuple[BandView, ...]:
    return tuple(
        BandView(b.n, 100 * b.value, 100 * b.low80, 100 * b.high80, 100 * b.low95, 100 * b.high95)
        for b in sorted(forecast.band, key=lambda b: b.n)
        if all(map(math.isfinite, (b.value, b.low80, b.high80, b.low95, b.high95)))
    )


def _at(forecast: Forecast, n: int) -> tuple[float, float, float] | None:
    """Median and 80 % interval at ``n``, between the two nearest sizes of the band; ``None`` outside of it."""
    band = sorted(forecast.band, key=lambda b: b.n)
    for before, after in pairwise(band):
        if before.n <= n <= after.n:
            # Curves are smooth in the logarithm of the size.
            share = math.log(n / before.n) / math.log(after.n / before.n) if after.n > before.n else 0.0
            pairs = ((before.value, after.value), (before.low80, after.low80), (before.high80, after.high80))
            value, low, high = (first + share * (second - first) for first, second in pairs)
            return value, low, high
    return None
