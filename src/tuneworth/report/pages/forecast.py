"""What more data would give: the stored learning curves as numbers to draw and sentences to read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tuneworth.core.race import Forecast
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import arm_labels
from tuneworth.report.pages.forecast_words import (
    LABELS,
    Question,
    ahead_on_test,
    answer,
    cost,
    gain,
    moving_target,
    no_curve,
    rising_target,
    why_not,
)
from tuneworth.report.pages.rules import RULES
from tuneworth.report.pages.verdict import is_ahead
from tuneworth.report.plain import clean, sentence_case
from tuneworth.words import numbers

RULE = "X4"
"""The contradiction that a learning curve settles: how many rows are enough."""
REACH = 100
"""Sizes up to this many times the largest measured one are looked at (``stats.curve_crossing``)."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A measured score in per cent; ``shown`` is its number of rows or demonstrations."""

    n: int
    shown: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CurveBand:
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
    points: tuple[CurvePoint, ...]
    band: tuple[CurveBand, ...]
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
    forecasts = [forecast for forecast in result.forecasts if forecast.points]
    tuned = {arm.arm_id for arm in result.arms if arm.tuned}
    if not forecasts and (result.race is None or not tuned):
        return None
    forecasts.sort(key=lambda forecast: _order(forecast, result, tuned))
    builder = _Builder(result, arm_labels(result, "en"), arm_labels(result, "zh"), lang)
    curves = [builder.curve(forecast, f"forecast-{number}") for number, forecast in enumerate(forecasts, 1)]
    main = curves[0] if forecasts and None not in (forecasts[0].target, forecasts[0].crossing) else None
    measured = any(arm.tuned and arm.state == "measured" for arm in result.arms)
    unknown = no_curve(measured=measured).to(lang) if tuned else ""
    return ForecastSection(
        main=main,
        answer=main.answer if main else unknown,
        open=tuple(curve for curve in curves if not curve.shots),
        folded=tuple(curve for curve in curves if curve.shots),
        rules=((RULE, RULES[RULE].to(lang)),) if main else (),
        words={key: text.to(lang) for key, text in LABELS.items()},
    )


def _order(forecast: Forecast, result: RunResult, tuned: set[str]) -> tuple[bool, bool, bool, float]:
    decisive = result.decision.decided_by or ()
    best = max(point.score for point in forecast.points)
    return forecast.axis == "shots", forecast.arm_id not in tuned, forecast.arm_id not in decisive, -best


@dataclass(frozen=True, slots=True)
class _Builder:
    result: RunResult
    names_en: Mapping[str, str]
    names_zh: Mapping[str, str]
    lang: Lang

    def curve(self, forecast: Forecast, chart_id: str) -> CurveView:
        shots, question = forecast.axis == "shots", self._question(forecast)
        crossing = forecast.crossing
        target = forecast.target_score if numbers.is_known(forecast.target_score) else None
        return CurveView(
            id=chart_id,
            label=self._names[forecast.arm_id] if forecast.arm_id in self._names else clean(forecast.arm_id),
            shots=shots,
            answer=sentence_case(self._answer(forecast, question).to(self.lang)),
            notes=tuple(note.to(self.lang) for note in self._notes(forecast, question)),
            points=tuple(
                CurvePoint(
                    point.n,
                    point.n - shots,
                    100 * point.score,
                    100 * point.interval.low,
                    100 * point.interval.high,
                )
                for point in sorted(forecast.points, key=lambda point: (point.n, point.repeat))
            ),
            band=_band(forecast),
            target=self._names.get(forecast.target, clean(forecast.target)) if forecast.target else "",
            target_score=None if target is None else 100 * target,
            margin=100 * forecast.margin,
            target_line=self._target_line(forecast),
            crossing=(crossing.low or crossing.n, crossing.n, crossing.high)
            if crossing and crossing.status == "forecast" and crossing.n
            else None,
            at_hand=None if shots else self._at_hand,
        )

    @property
    def _names(self) -> Mapping[str, str]:
        return self.names_zh if self.lang == "zh" else self.names_en

    @property
    def _at_hand(self) -> int:
        race = self.result.race
        return self.result.data.n_train if race is None else race.n_train

    def _name(self, arm_id: str) -> Text:
        en, zh = (names.get(arm_id, clean(arm_id)) for names in (self.names_en, self.names_zh))
        return Text(en=f"“{en}”", zh=f"“{zh}”")

    def _target_line(self, forecast: Forecast) -> tuple[tuple[int, float], ...]:
        """The target's own curve, moved so that it has ``target_score`` at its largest measured size."""
        own = self._curve_of_target(forecast) if forecast.target_grows else None
        if own is None or not numbers.is_known(forecast.target_score):
            return ()
        now = _at(own, max(point.n for point in own.points))
        if now is None:
            return ()
        return tuple((at.n, at.value + 100 * (forecast.target_score - now[0])) for at in _band(own))

    def _curve_of_target(self, forecast: Forecast) -> Forecast | None:
        others = self.result.forecasts
        return next((each for each in others if each.arm_id == forecast.target and each.axis == "rows"), None)

    def _question(self, forecast: Forecast) -> Question | None:
        if forecast.target is None or forecast.crossing is None:
            return None
        largest = max(point.n for point in forecast.points)
        return Question(
            arm=self._name(forecast.arm_id),
            target=self._name(forecast.target),
            margin=forecast.margin,
            n_measured=largest,
            n_at_hand=self._at_hand,
            reach=REACH * largest,
            crossing=forecast.crossing,
            won=forecast.crossing.status != "already" and self._is_won(forecast.arm_id, forecast.target),
        )

    def _answer(self, forecast: Forecast, question: Question | None) -> Text:
        already = question is not None and question.crossing.status == "already"
        if question is not None and question.won:
            return ahead_on_test(question.arm)
        if forecast.cannot_tell is not None and not already:
            return why_not(forecast.cannot_tell, self._name(forecast.arm_id))
        if question is not None:
            return answer(question)
        return self._gain(forecast)

    def _is_won(self, arm_id: str, target: str) -> bool:
        """A verdict to tune may also rest on a limit that the other arm breaks; then nothing is won."""
        return self.result.decision.verdict == "fine_tune" and is_ahead(self.result, arm_id, target)

    def _gain(self, forecast: Forecast) -> Text:
        shots = forecast.axis == "shots"
        largest = max(point.n for point in forecast.points)
        now = [point.score for point in forecast.points if point.n == largest]
        twice = 2 * (largest - shots)
        at = _at(forecast, twice + shots)
        if at is None:
            return why_not("no_trend", self._name(forecast.arm_id))
        return gain(
            self._name(forecast.arm_id),
            twice,
            shots=shots,
            now=sum(now) / len(now),
            value=at[0],
            low=at[1],
            high=at[2],
        )

    def _notes(self, forecast: Forecast, question: Question | None) -> list[Text]:
        if question is None:
            return []
        price = self.result.usd_per_label
        spent = cost(question, price) if numbers.is_known(price) else None
        notes = [spent] if spent else []
        if forecast.target_grows:
            notes.append(moving_target(question.target))
        elif self._curve_of_target(forecast) is not None and question.crossing.status in ("forecast", "cannot_tell"):
            notes.append(rising_target(question.target))
        return notes


def _band(forecast: Forecast) -> tuple[CurveBand, ...]:
    values = [
        CurveBand(b.n, *(100 * value for value in (b.value, b.low80, b.high80, b.low95, b.high95)))
        for b in sorted(forecast.band, key=lambda b: b.n)
    ]
    return tuple(b for b in values if all(map(math.isfinite, (b.value, b.low80, b.high80, b.low95, b.high95))))


def _at(forecast: Forecast, n: int) -> tuple[float, float, float] | None:
    """Median and 80 % interval at ``n``, between the two nearest sizes of the band; ``None`` outside of it."""
    band = sorted(forecast.band, key=lambda b: b.n)
    for before, after in pairwise(band):
        if before.n <= n <= after.n:
            # Curves are smooth in the logarithm of the size.
            share = math.log(n / before.n) / math.log(after.n / before.n) if after.n > before.n else 0.0
            pairs = ((before.value, after.value), (before.low80, after.low80), (before.high80, after.high80))
            low_high: Sequence[float] = [first + share * (second - first) for first, second in pairs]
            return low_high[0], low_high[1], low_high[2]
    return None
