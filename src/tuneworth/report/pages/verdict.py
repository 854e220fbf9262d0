"""The verdict, the comparisons behind it, and short notes on how to read it for someone who decides and does no statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.run import Comparison, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import Fact, rows_and_worth, worth_less
from tuneworth.report.pages.arms import ArmRow, arm_labels
from tuneworth.report.plain import as_first_word, clean
from tuneworth.words import numbers
from tuneworth.words.names import in_lang, joined, metric_name, word
from tuneworth.words.say import say, table


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
        doubts: what to settle before the verdict is believed.
    """

    code: str
    word: str
    headline: str
    facts: tuple[Fact, ...]
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    rows: Fact | None
    decisive: ComparisonRow | None
    doubts: tuple[str, ...] = ()


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


def is_ahead(result: RunResult, arm_id: str, other: str) -> bool:
    """Whether the test rows show that the first arm is better than the other."""
    pairs = (pair for pair in result.comparisons if pair.metric == result.primary_metric)
    return any((pair.a, pair.b, pair.answer) in ((arm_id, other, "better"), (other, arm_id, "worse")) for pair in pairs)


def build_comparisons(result: RunResult, lang: Lang) -> tuple[ComparisonRow, ...]:
    names = arm_labels(result, lang)
    main = decisive(result)
    ordered = sorted(result.comparisons, key=lambda pair: (pair != main, pair.metric != result.primary_metric))
    # More training rows, a larger budget or nothing at all may be what the verdict asks for, and not test rows.
    no_test_rows = result.decision.rows is None or result.decision.verdict == "not_yet"
    open_as = "no_gain" if _certainty(result) == "no_gain" else "open" if no_test_rows else ""
    return tuple(
        comparison_row(pair, names, lang, decisive=pair == main, open_as=open_as if pair == main else "")
        for pair in ordered
    )


def build_verdict(
    result: RunResult, arms: Sequence[ArmRow], comparisons: Sequence[ComparisonRow], lang: Lang
) -> VerdictView:
    decision = result.decision
    main = next((row for row in comparisons if row.decisive), None)
    cards = in_lang(table("verdict_page.cards"), lang)
    chosen = next((row for row in arms if row.recommended), None)
    cost = say("verdict_page.cost", usd=chosen.usd_per_1k).to(lang) if chosen else ""
    newest, rows = _newest(result, lang), None
    is_worse = any(one.arm_id == decision.recommended and one.difference.high < 0 for one in result.newest)
    if decision.rows is not None:
        side = "training" if decision.verdict == "not_yet" else "test"
        rows = Fact(cards["rows_needed"], say(f"verdict_page.rows.{side}", n=numbers.about(decision.rows)).to(lang))
    return VerdictView(
        code=decision.verdict,
        word=say(f"verdict_page.words.{decision.verdict}").to(lang),
        headline=clean(decision.headline.to(lang)),
        facts=(
            Fact(cards["recommended"], *_arm(decision.recommended, result, arms, lang)),
            Fact(cards["runner_up"], *_arm(decision.runner_up, result, arms, lang)),
            Fact(
                cards["how_sure"],
                say(f"verdict_page.certainty.{_certainty(result)}").to(lang),
                main.sentence if main else "",
            ),
            Fact(cards["per_1k"], numbers.duration(chosen.ms_per_row if chosen else None).to(lang), cost),
        ),
        reasons=(*(clean(reason.to(lang)) for reason in decision.reasons), *(() if is_worse else newest)),
        would_change=tuple(clean(change.to(lang)) for change in decision.would_change),
        rows=rows,
        decisive=main,
        doubts=(*(clean(doubt.to(lang)) for doubt in result.data.doubts), *(newest if is_worse else ())),
    )


def _newest(result: RunResult, lang: Lang) -> tuple[str, ...]:
    """One sentence: the finalists on the newest test rows beside the others; none where rows have no dates."""
    if not result.newest:
        return ()
    first, names = result.newest[0], arm_labels(result, lang)
    each = [
        say(
            "verdict_page.newest.arm",
            arm=names.get(one.arm_id, clean(one.arm_id)),
            score=numbers.score(one.newest),
            older=numbers.percent(one.older.value),
            interval=numbers.signed_range(one.difference),
        )
        for one in result.newest
    ]
    n = {"n": numbers.count(first.newest.n_rows), "n_older": numbers.count(first.older.n_rows)}
    arms = joined(each, say("units.names.between_clauses"))
    return (clean(say("verdict_page.newest.rows", since=first.since.isoformat(), arms=arms, **n).to(lang)),)


def _arm(arm_id: str | None, result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> tuple[str, str]:
    """The name of an arm and its score."""
    if arm_id is None:
        return say("verdict_page.no_arm").to(lang), ""
    row = next((row for row in arms if row.arm_id == arm_id), None)
    if row is None or row.shown is None:
        return arm_labels(result, lang).get(arm_id, clean(arm_id)), ""
    side = "test" if row.test else "dev"
    scored = say(f"verdict_page.scored.{side}", metric=metric_name(result.primary_metric), score=row.shown.text)
    return as_first_word(row.label, lang), scored.to(lang)


def build_guide(result: RunResult, lang: Lang) -> tuple[Fact, ...]:
    """How to read a verdict, with this run's margin filled in."""
    notes = ["interval", "overlap", "margin", "cant_tell", "dev_and_test", "yardsticks", "money"]
    notes += ["race"] if result.race and result.race.stops else []
    notes += ["forecast"] if result.forecasts else []
    notes += ["reading", "upper_bound"] if result.documents else []
    margin = numbers.margin(result.task.margin)
    return tuple(
        Fact(
            say(f"verdict_page.guide.{of}.title").to(lang), say(f"verdict_page.guide.{of}.note", margin=margin).to(lang)
        )
        for of in notes
    )


def build_meanings(result: RunResult, lang: Lang) -> tuple[tuple[Fact, bool], ...]:
    """What each of the five verdicts means; true marks the verdict of this run."""
    words = in_lang(table("verdict_page.words"), lang)
    meanings = in_lang(table("verdict_page.meanings"), lang)
    return tuple((Fact(words[code], meaning), code == result.decision.verdict) for code, meaning in meanings.items())


def _tuned(result: RunResult) -> set[str]:
    return {arm.arm_id for arm in result.arms if arm.tuned}


def _certainty(result: RunResult) -> str:
    """How the decisive comparison bears on the verdict, as a key of ``verdict_page.certainty``.

    The comparison alone is not enough: a tuned arm that is ahead but breaks a limit still loses, and a
    gain can be too small to matter although its sign is open.
    """
    pair, verdict, tuned = decisive(result), result.decision.verdict, _tuned(result)
    if result.decision.codes[:1] in (["pays.saves"], ["pays.worth"]):
        return "money"
    if verdict == "none_meets_limits":
        return "limits" if any(arm.test for arm in result.arms) else "none"
    if verdict == "not_yet":
        return "forecast"
    if pair is None:
        return "none"
    if len({pair.a, pair.b} & tuned) != 1:
        return "not_tuned"
    if verdict == "cant_tell":
        return "open"
    if pair.answer == ("better" if pair.a in tuned else "worse"):
        return "gain" if verdict == "fine_tune" else "limits"
    most = pair.interval.high if pair.a in tuned else -pair.interval.low
    below_margin = pair.answer != "cant_tell" or most < pair.margin
    return "no_gain" if verdict == "dont_fine_tune" and below_margin else "limits"


def comparison_row(
    pair: Comparison, names: Mapping[str, str], lang: Lang, *, decisive: bool = False, open_as: str = ""
) -> ComparisonRow:
    """
    Args:
        open_as: what to say of a pair that is not settled, in place of the rows that would settle it.
    """
    a, b = names.get(pair.a, clean(pair.a)), names.get(pair.b, clean(pair.b))
    values = (pair.difference, pair.interval.low, pair.interval.high, pair.margin)
    shown = {
        "difference": numbers.signed_points(pair.difference).to(lang),
        "interval": numbers.signed_range(pair.interval).to(lang),
        "level": numbers.percent(pair.interval.level, 0).to(lang),
        "n_rows": numbers.count(pair.n_rows).to(lang),
    }
    if pair.answer != "cant_tell":
        ending = say(f"verdict_page.pair.ending.{pair.answer}", margin=numbers.margin(pair.margin))
    elif open_as:
        ending = say(f"verdict_page.pair.ending.{open_as}", margin=numbers.points(pair.margin))
    else:
        known = pair.rows_needed is not None
        ending = say(f"verdict_page.pair.ending.{'needs' if known else 'needs_unknown'}", n=_in_all(pair))
    between = say("verdict_page.pair.against").to(lang)
    found = say("verdict_page.pair.found", **shown, ending=ending).to(lang)
    if pair.n_groups is not None and pair.n_effective is not None and worth_less(pair.n_rows, pair.n_effective):
        shown["n_rows"] = rows_and_worth(pair.n_rows, pair.n_effective).to(lang)
        worth = say("groups.worth", groups=pair.n_groups, n=pair.n_rows, worth=round(pair.n_effective))
        found = f"{found}{say('units.marks.space').to(lang)}{worth.to(lang)}"
    return ComparisonRow(
        a=a,
        b=b,
        metric=metric_name(pair.metric).to(lang),
        answer=pair.answer,
        answer_word=say(f"verdict_page.pair.answers.{pair.answer}").to(lang),
        p_adjusted=numbers.p_value(pair.p_adjusted).to(lang),
        method=word(table("verdict_page.pair.methods"), pair.method).to(lang),
        record=f"{pair.wins:,} / {pair.losses:,} / {pair.ties:,}",
        margin=numbers.margin(pair.margin).to(lang),
        rows_needed=_in_all(pair).to(lang) if pair.answer == "cant_tell" and not open_as else "",
        sentence=f"{as_first_word(a, lang)}{between}{b}{found}",
        decisive=decisive,
        raw=(100 * values[0], 100 * values[1], 100 * values[2], 100 * values[3])
        if all(map(numbers.is_known, values))
        else None,
        **shown,
    )


def _in_all(pair: Comparison) -> Text:
    """Test rows in all that would settle it, rounded, but never to fewer than there are; and what so many are worth."""
    needed = pair.rows_needed
    exact = needed is not None and numbers.rounded(needed) <= pair.n_rows
    rows = numbers.count(needed) if exact else numbers.about(needed)
    if needed is None or pair.n_effective is None or not worth_less(pair.n_rows, pair.n_effective):
        return rows
    return say("groups.rows", n=rows, worth=numbers.about(round(needed * pair.n_effective / pair.n_rows)))
