"""From fired rules to a ranking, and to the advice in a sentence.

Score = weights for − weights against; what is impossible comes last; ties go to the simpler. The sentence is a prior
and says so; only a measured gain speaks plainly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, get_args

from tuneworth.advisor.article import gain_interval
from tuneworth.advisor.conditions import Condition, Test, Values, all_of, any_of
from tuneworth.advisor.rules import MEASURED_WEIGHT, Rule
from tuneworth.advisor.words import show
from tuneworth.core.advice import Approach, RankedApproach
from tuneworth.core.text import Text
from tuneworth.words.say import say

APPROACHES: tuple[Approach, ...] = get_args(Approach)
"""From the simplest to the most complex; a tie goes to the simpler."""
TUNED: frozenset[Approach] = frozenset({"lora", "lora_rag", "distill", "provider_ft"})
"""Approaches that change the weights of a language model."""
NEAR = 1.0
"""Scores nearer than this are a close call: one hint would turn them round."""


class Exclusion(NamedTuple):
    """A fact that makes approaches impossible, whatever speaks for them. ``key`` names the reason in the catalogue."""

    key: str
    when: Condition
    approaches: frozenset[Approach]


EXCLUSIONS = (
    Exclusion(
        "stays_home",
        any_of(Test("private", "is", True), Test("local_deployment", "is", True)),
        frozenset({"provider_ft"}),
    ),
    Exclusion(
        "no_rows",
        any_of(Test("quality_rows", "is", 0), Test("total_rows", "is", 0)),
        frozenset({"optimised_prompt", "head", *TUNED}),
    ),
    Exclusion(
        "no_labels",
        any_of(
            Test("output_kind", "in", ("choice", "json", "text")),
            all_of(
                Test("output_kind", "known", False),
                Test("scenario", "in", ("general_chat", "knowledge_qa", "structured_output", "style")),
            ),
        ),
        frozenset({"head"}),
    ),
    Exclusion(
        "no_choices",
        any_of(
            Test("output_kind", "in", ("multilabel", "number", "json", "text")),
            all_of(
                Test("output_kind", "known", False),
                Test("scenario", "in", ("general_chat", "knowledge_qa", "structured_output", "style")),
            ),
        ),
        frozenset({"decision"}),
    ),
    Exclusion("no_documents", Test("needs_documents", "is", False), frozenset({"rag", "lora_rag"})),
)


class Outcome(NamedTuple):
    """What a ranking comes to.

    Attributes:
        expected: the approach on top; ``None`` when nothing speaks for any.
        fine_tune: whether that approach tunes a language model.
    """

    expected: Approach | None
    fine_tune: bool


def approach_title(approach: Approach) -> Text:
    return say(f"advisor.approach.{approach}")


def in_sentence(approach: Approach) -> Text:
    """Its name as it stands in a sentence."""
    return say(f"advisor.in_sentence.{approach}")


def ruled_out(values: Values) -> dict[Approach, str]:
    """Approaches that the facts make impossible, each with the key of the first reason."""
    found: dict[Approach, str] = {}
    for exclusion in EXCLUSIONS:
        if exclusion.when.holds(values):
            for approach in exclusion.approaches:
                found.setdefault(approach, exclusion.key)
    return found


def scores_of(rules: Iterable[Rule]) -> dict[Approach, float]:
    """The score of every approach under ``rules``, all of which fired."""
    scores: dict[Approach, float] = dict.fromkeys(APPROACHES, 0.0)
    for rule in rules:
        for approach, vote in rule.votes().items():
            scores[approach] += vote
    return scores


def outcome(values: Values, scores: Mapping[Approach, float]) -> Outcome:
    """What ``scores`` come to, once what the facts rule out is set aside."""
    out = ruled_out(values)
    best: Approach | None = None
    for approach in APPROACHES:  # simple ones first, so a tie stays with them
        if approach not in out and scores[approach] > (scores[best] if best else 0.0):
            best = approach
    return Outcome(best, best in TUNED)


def ranking(values: Values, rules: list[Rule]) -> list[RankedApproach]:
    """Every approach, best first; those that are ruled out come last."""
    out, scores = ruled_out(values), scores_of(rules)
    ranked = [
        RankedApproach(
            approach=approach,
            title=approach_title(approach),
            score=scores[approach],
            rules_for=[rule.id for rule in rules if approach in rule.recommends],
            rules_against=[rule.id for rule in rules if approach in rule.discourages],
            ruled_out=say(f"advisor.ruled_out.{out[approach]}") if approach in out else None,
        )
        for approach in APPROACHES
    ]
    return sorted(ranked, key=lambda item: (item.ruled_out is not None, -item.score))  # stable: simpler first


def headline(values: Values, rules: list[Rule], ranked: list[RankedApproach], found: Outcome) -> Text:
    """The advice in a sentence or two.

    Args:
        rules: those that fired.
        ranked: the ranking they make, best first.
        found: what the ranking comes to.
    """
    if found.expected is None:
        return say("advisor.headline.nothing")
    title = in_sentence(found.expected)
    measured = next((rule for rule in rules if rule.weight == MEASURED_WEIGHT), None)
    if measured is not None and measured.stance == "for":
        return say("advisor.headline.gains", gain=gain_interval(values), title=title)
    if measured is not None:
        gain = show("measured_gain_high", values.get("measured_gain_high"))
        return say("advisor.headline.gains_little", gain=gain, title=title)
    # The best of the other camp, tuned or not.
    others = (item for item in ranked if (item.approach in TUNED) != found.fine_tune and item.ruled_out is None)
    rival = next(others, None)
    if rival is not None and ranked[0].score - rival.score < NEAR:
        return say("advisor.headline.close", first=title, second=in_sentence(rival.approach))
    said = say("advisor.headline.tune" if found.fine_tune else "advisor.headline.dont_tune", title=title)
    # Whether the advice would turn without the rules about how many rows there are.
    others = [rule for rule in rules if "X4" not in rule.seed_rows]
    without = outcome(values, scores_of(others))
    if len(others) < len(rules) and (without.expected is None or without.fine_tune != found.fine_tune):
        return say("advisor.headline.rests_on_count", said=said)
    return said
