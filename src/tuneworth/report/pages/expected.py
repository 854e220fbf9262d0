"""What was expected before the run, held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.advice import Advice, FiredRule, RankedApproach
from tuneworth.core.run import ArmResult, Comparison, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import arm_labels
from tuneworth.report.pages.evidence import FINDING_ORDER, Finding
from tuneworth.report.plain import clean
from tuneworth.report.words import FINDINGS

OPEN_VERDICTS = ("cant_tell", "not_yet", "none_meets_limits")


@dataclass(frozen=True, slots=True)
class ExpectedRule:
    """A rule behind the advice and how it fared."""

    reason: str
    rows: str
    finding: str
    finding_word: str


@dataclass(frozen=True, slots=True)
class ExpectedView:
    """The expectation and its fate.

    Attributes:
        sentence: who was expected to win, and who did.
        rules: those this run speaks to, overturned first.
        untested: how many rules it does not speak to, in words; empty when there are none.
    """

    finding: str
    finding_word: str
    sentence: str
    rules: tuple[ExpectedRule, ...]
    untested: str


def build_expected(result: RunResult, lang: Lang) -> ExpectedView | None:
    """``None`` for a run without advice."""
    advice = result.advice
    if advice is None:
        return None
    finding = expectation(result)
    rules = [(rule, _rule_finding(rule, result)) for rule in advice.rules]
    tested = [(rule, found) for rule, found in rules if found is not None]
    tested.sort(key=lambda item: FINDING_ORDER.index(item[1]))
    left = len(rules) - len(tested)
    return ExpectedView(
        finding=finding,
        finding_word=FINDINGS[finding].to(lang),
        sentence=_sentence(advice, result, lang),
        rules=tuple(
            ExpectedRule(clean(rule.reason.to(lang)), " ".join(rule.seed_rows), found, FINDINGS[found].to(lang))
            for rule, found in tested
        ),
        untested=_untested(left).to(lang) if left else "",
    )


def expectation(result: RunResult) -> Finding:
    """Whether the approach that the advice expected to win did.

    ``open`` when the verdict is, when the approach was not measured, or when nothing tells it from the
    recommended arm. An approach of the wrong side (tuned or not) is overturned by a clear verdict.
    """
    decision = result.decision
    arms = {arm.arm_id: arm for arm in result.arms if arm.state == "measured"}
    winner = arms.get(decision.recommended or "")
    expected = [arm for arm in arms.values() if result.advice and arm.strategy == result.advice.expected]
    if winner is None or not expected or decision.verdict in OPEN_VERDICTS:
        return "open"
    if winner.strategy == expected[0].strategy:
        return "confirmed"
    if winner.tuned != expected[0].tuned:
        return "overturned"
    return "overturned" if any(_beats(winner, arm, result.comparisons) for arm in expected) else "open"


def _beats(winner: ArmResult, arm: ArmResult, comparisons: list[Comparison]) -> bool:
    for pair in comparisons:
        if (pair.a, pair.b, pair.answer) == (winner.arm_id, arm.arm_id, "better"):
            return True
        if (pair.a, pair.b, pair.answer) == (arm.arm_id, winner.arm_id, "worse"):
            return True
    return False


def _rule_finding(rule: FiredRule, result: RunResult) -> Finding | None:
    """How the rows that ``rule`` comes from fared; one overturned row outweighs the others."""
    found = {seed.finding for seed in result.decision.seed_rows if seed.row in rule.seed_rows}
    return next((finding for finding in FINDING_ORDER if finding in found), None)


def _sentence(advice: Advice, result: RunResult, lang: Lang) -> str:
    recommended = arm_labels(result, lang).get(result.decision.recommended or "")
    ranked: RankedApproach | None = next((r for r in advice.ranking if r.approach == advice.expected), None)
    if ranked is None:
        said = Text(en="The rules of thumb expected no approach to win.", zh="经验法则没有给出明确的预期。")
    else:
        measured = any(arm.strategy == ranked.approach and arm.state == "measured" for arm in result.arms)
        said = _expected_of(clean(ranked.title.to("en")), clean(ranked.title.to("zh")), measured)
    if recommended is None:
        return said.to(lang)
    told = Text(en=f" The run recommends “{recommended}”.", zh=f"实测推荐“{recommended}”。")
    return said.to(lang) + told.to(lang)


def _expected_of(en: str, zh: str, measured: bool) -> Text:
    if measured:
        return Text(en=f"Before the run the rules of thumb expected: {en}.", zh=f"实测之前，经验法则看好的是：{zh}。")
    return Text(
        en=f"Before the run the rules of thumb expected: {en}, which this run did not measure.",
        zh=f"实测之前，经验法则看好的是：{zh}，这次没有测到它。",
    )


def _untested(n: int) -> Text:
    rules = "1 more rule" if n == 1 else f"{n} more rules"
    return Text(
        en=f"{rules} led to this advice without anything in this run to hold against.",
        zh=f"另有 {n} 条规则参与了这一建议，本次实测没有涉及。",
    )
