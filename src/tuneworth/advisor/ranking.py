"""From fired rules to a ranking: score = weights for − weights against, what is impossible last, ties to the simpler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tuneworth.advisor.approaches import APPROACHES, TITLES, TUNED, ruled_out
from tuneworth.advisor.conditions import Values
from tuneworth.advisor.rules import Rule
from tuneworth.core.advice import Approach, RankedApproach

NEAR = 1.0
"""Scores nearer than this are a close call: one hint would turn them round."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a ranking comes to.

    Attributes:
        expected: the approach on top; ``None`` when nothing speaks for any.
        fine_tune: whether that approach tunes a language model.
    """

    expected: Approach | None
    fine_tune: bool


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
            title=TITLES[approach],
            score=scores[approach],
            rules_for=[rule.id for rule in rules if approach in rule.recommends],
            rules_against=[rule.id for rule in rules if approach in rule.discourages],
            ruled_out=out.get(approach),
        )
        for approach in APPROACHES
    ]
    return sorted(ranked, key=lambda item: (item.ruled_out is not None, -item.score))  # stable: simpler first
