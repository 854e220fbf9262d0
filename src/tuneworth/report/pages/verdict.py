"""The verdict and the comparisons behind it, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.run import Comparison, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import ArmRow, arm_labels
from tuneworth.report.plain import clean, sentence_case
from tuneworth.report.words import ANSWERS, CERTAINTY, METHODS, METRICS, VERDICTS, label, named
from tuneworth.words import numbers


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value, with a second line of detail."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A pair of arms on the test rows that both scored.

    Attributes:
        rows_needed: test rows in all that would settle it; empty where they would not, or where the verdict asks for
            something else.
        raw: difference, low and high in percentage points, and the margin, for charts; ``None``
            when one of them is not finite.
    """

    a: str
    b: str
    metric: str
    answer: str
    answer_word: str
    difference: str
    interval: str
    level: str
    p_adjusted: str
    method: str
    n_rows: str
    record: str
    margin: str
    rows_needed: str
    sentence: str
    decisive: bool
    raw: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The hero of the report.

    Attributes:
        code: the verdict's id, for styling.
        rows: how many more rows are needed and of which side, or ``None``.
        decisive: the comparison the verdict hangs on most.
    """

    code: str
    word: str
    headline: str
    facts: tuple[Fact, ...]
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    rows: Fact | None
    decisive: ComparisonRow | None


def decisive(result: RunResult) -> Comparison | None:
    """The comparison that the verdict hangs on most, or ``None`` without any.

    The decision names it. A run stored without that name gets its best guess: the question is whether
    to fine-tune, so one tuned against one untuned arm comes first, then the recommended arm, then the
    runner-up.
    """
    chosen = result.decision
    tuned = _tuned(result)

    def weight(pair: Comparison) -> tuple[bool, bool, bool, bool]:
        sides = {pair.a, pair.b}
        named = chosen.decided_by is not None and sides == set(chosen.decided_by)
        return named, len(sides & tuned) == 1, chosen.recommended in sides, chosen.runner_up in sides

    pairs = [pair for pair in result.comparisons if pair.metric == result.primary_metric]
    return max(pairs, key=weight, default=None)


def build_comparisons(result: RunResult, lang: Lang) -> tuple[ComparisonRow, ...]:
    names = arm_labels(result, lang)
    main = decisive(result)
    ordered = sorted(result.comparisons, key=lambda pair: (pair != main, pair.metric != result.primary_metric))
    return tuple(_comparison_row(pair, names, result, pair == main, lang) for pair in ordered)


def is_ahead(result: RunResult, arm_id: str, other: str) -> bool:
    """Whether the test rows show that the first arm is better than the other."""
    pairs = (pair for pair in result.comparisons if pair.metric == result.primary_metric)
    return any((pair.a, pair.b, pair.answer) in ((arm_id, other, "better"), (other, arm_id, "worse")) for pair in pairs)


def build_verdict(
    result: RunResult, arms: Sequence[ArmRow], comparisons: Sequence[ComparisonRow], lang: Lang
) -> VerdictView:
    decision = result.decision
    main = next((row for row in comparisons if row.decisive), None)
    return VerdictView(
        code=decision.verdict,
        word=VERDICTS[decision.verdict].to(lang),
        headline=clean(decision.headline.to(lang)),
        facts=(
            _arm_fact("recommended", decision.recommended, result, arms, lang),
            _arm_fact("runner_up", decision.runner_up, result, arms, lang),
            Fact(label("how_sure", lang), CERTAINTY[_certainty(result)].to(lang), main.sentence if main else ""),
            _running_cost(arms, lang),
        ),
        reasons=tuple(clean(reason.to(lang)) for reason in decision.reasons),
        would_change=tuple(clean(change.to(lang)) for change in decision.would_change),
        rows=_rows(result, lang),
        decisive=main,
    )


def _arm_fact(key: str, arm_id: str | None, result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> Fact:
    if arm_id is None:
        return Fact(label(key, lang), label("no_arm", lang))
    row = next((row for row in arms if row.arm_id == arm_id), None)
    if row is None or row.shown is None:
        return Fact(label(key, lang), arm_labels(result, lang).get(arm_id, clean(arm_id)))
    side = label("test" if row.test else "dev", lang)
    metric = named(METRICS, result.primary_metric, lang)
    if lang == "zh":
        return Fact(label(key, lang), row.label, f"{side}{metric} {row.shown.text}")
    return Fact(label(key, lang), sentence_case(row.label), f"{metric} {row.shown.text} on {side} rows")


def _tuned(result: RunResult) -> set[str]:
    return {arm.arm_id for arm in result.arms if arm.tuned}


def _certainty(result: RunResult) -> str:
    """Key of ``CERTAINTY``: how the decisive comparison bears on the verdict.

    The comparison alone is not enough: a tuned arm that is ahead but breaks a limit still loses, and a
    gain can be too small to matter although its sign is open.
    """
    pair, verdict = decisive(result), result.decision.verdict
    if verdict == "none_meets_limits":
        return "limits" if any(arm.test for arm in result.arms) else "none"
    if verdict == "not_yet":
        return "forecast"
    if pair is None:
        return "none"
    if len({pair.a, pair.b} & _tuned(result)) != 1:
        return "not_tuned"
    if verdict == "cant_tell":
        return "open"
    if _tuned_is_ahead(pair, result):
        return "gain" if verdict == "fine_tune" else "limits"
    return "no_gain" if verdict == "dont_fine_tune" and _gain_below_margin(pair, result) else "limits"


def _tuned_is_ahead(pair: Comparison, result: RunResult) -> bool:
    return pair.answer == ("better" if pair.a in _tuned(result) else "worse")


def _gain_below_margin(pair: Comparison, result: RunResult) -> bool:
    """The interval leaves the tuned arm no gain of the margin."""
    most = pair.interval.high if pair.a in _tuned(result) else -pair.interval.low
    return pair.answer != "cant_tell" or most < pair.margin


def _running_cost(arms: Sequence[ArmRow], lang: Lang) -> Fact:
    row = next((row for row in arms if row.recommended), None)
    if row is None:
        return Fact(label("per_1k", lang), numbers.unknown().to(lang))
    note = f"费用{row.usd_per_1k}" if lang == "zh" else f"cost {row.usd_per_1k}"
    return Fact(label("per_1k", lang), numbers.duration(row.ms_per_row).to(lang), note)


def _rows(result: RunResult, lang: Lang) -> Fact | None:
    decision = result.decision
    if decision.rows is None:
        return None
    key = "rows_training" if decision.verdict == "not_yet" else "rows_test"
    return Fact(label("rows_needed", lang), label(key, lang).replace("{n}", numbers.about(decision.rows).to(lang)))


def _comparison_row(
    pair: Comparison, names: dict[str, str], result: RunResult, main: bool, lang: Lang
) -> ComparisonRow:
    values = (pair.difference, pair.interval.low, pair.interval.high, pair.margin)
    asked = pair.answer == "cant_tell" and not (main and _asks_for_no_test_rows(result))
    ending = _decisive_ending(pair, result, lang) if main else _ending(pair, lang)
    return ComparisonRow(
        a=names.get(pair.a, clean(pair.a)),
        b=names.get(pair.b, clean(pair.b)),
        metric=named(METRICS, pair.metric, lang),
        answer=pair.answer,
        answer_word=ANSWERS[pair.answer].to(lang),
        difference=numbers.signed_points(pair.difference).to(lang),
        interval=numbers.signed_range(pair.interval).to(lang),
        level=numbers.percent(pair.interval.level, 0).to(lang),
        p_adjusted=numbers.p_value(pair.p_adjusted).to(lang),
        method=named(METHODS, pair.method, lang),
        n_rows=numbers.count(pair.n_rows).to(lang),
        record=f"{pair.wins:,} / {pair.losses:,} / {pair.ties:,}",
        margin=numbers.margin(pair.margin).to(lang),
        rows_needed=_in_all(pair, lang) if asked else "",
        sentence=_sentence(pair, names, ending, lang),
        decisive=main,
        raw=(100 * values[0], 100 * values[1], 100 * values[2], 100 * values[3])
        if all(numbers.is_known(value) for value in values)
        else None,
    )


def _sentence(pair: Comparison, names: dict[str, str], ending: str, lang: Lang) -> str:
    """What the comparison found, with its interval, for a person to read."""
    a, b = names.get(pair.a, clean(pair.a)), names.get(pair.b, clean(pair.b))
    difference = numbers.signed_points(pair.difference).to(lang)
    interval = numbers.signed_range(pair.interval).to(lang)
    level = numbers.percent(pair.interval.level, 0).to(lang)
    n_rows = numbers.count(pair.n_rows).to(lang)
    if lang == "zh":
        return f"{a} 对 {b}：{difference}（{level} 置信区间 {interval}，{n_rows} 条）。{ending}"
    return f"{sentence_case(a)} against {b}: {difference} ({level} interval {interval}, {n_rows} rows). {ending}"


def _ending(pair: Comparison, lang: Lang) -> str:
    margin = numbers.margin(pair.margin).to(lang)
    return {
        "better": Text(en="The first is better.", zh="前者更好。"),
        "worse": Text(en="The first is worse.", zh="前者更差。"),
        "equivalent": Text(en=f"That is inside {margin}: equivalent.", zh=f"差异在 {margin}之内，视为相当。"),
        "cant_tell": _needed(pair, lang),
    }[pair.answer].to(lang)


def _decisive_ending(pair: Comparison, result: RunResult, lang: Lang) -> str:
    """The same for the comparison that decided, which must not ask for test rows where the verdict asks for none."""
    if pair.answer == "cant_tell" and _certainty(result) == "no_gain":
        margin = numbers.points(pair.margin).to(lang)
        return Text(
            en=f"With all comparisons counted it is not sure which is ahead, but a gain of {margin} is ruled out.",
            zh=f"计入多重比较后，谁高谁低还说不准，但可以排除提升达到 {margin}的可能。",
        ).to(lang)
    if pair.answer == "cant_tell" and _asks_for_no_test_rows(result):
        return _OPEN.to(lang)
    return _ending(pair, lang)


def _asks_for_no_test_rows(result: RunResult) -> bool:
    """More training rows, a larger budget or nothing at all is what the verdict asks for."""
    return result.decision.rows is None or result.decision.verdict == "not_yet"


_OPEN = Text(en="Not settled.", zh="还分不出高下。")


def _in_all(pair: Comparison, lang: Lang) -> str:
    """Rounded, but never to fewer rows than there are."""
    needed = pair.rows_needed
    exact = needed is not None and numbers.rounded(needed) <= pair.n_rows
    return numbers.count(needed).to(lang) if exact else numbers.about(needed).to(lang)


def _needed(pair: Comparison, lang: Lang) -> Text:
    if pair.rows_needed is None:
        return Text(
            en="Not settled, and no number of rows to settle it is known.",
            zh="还分不出高下，也估计不出需要多少条数据。",
        )
    n = _in_all(pair, lang)
    return Text(en=f"Not settled: about {n} test rows in all would.", zh=f"还分不出高下，总共约需 {n} 条测试数据。")
