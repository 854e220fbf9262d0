"""From facts to advice: what the rules of thumb say about a situation before anything is measured.

A pure function of the facts: the same facts give the same advice, and nothing else is looked at.
"""

from __future__ import annotations

from tuneworth.advisor.approaches import in_sentence
from tuneworth.advisor.assume import assume
from tuneworth.advisor.chart import path
from tuneworth.advisor.checks import check_facts
from tuneworth.advisor.contradictions import contradictions
from tuneworth.advisor.costs import cost_table
from tuneworth.advisor.facts import Facts, Situation
from tuneworth.advisor.headline import headline
from tuneworth.advisor.missing import Missing, missing_facts
from tuneworth.advisor.proscons import pros_cons
from tuneworth.advisor.ranking import outcome, ranking, scores_of
from tuneworth.advisor.rules import fired_by, load_rules
from tuneworth.advisor.selftest import self_test
from tuneworth.advisor.taskyaml import task_yaml
from tuneworth.advisor.words import QUESTIONS, TITLES, show
from tuneworth.core.advice import Advice, KnownFact, MissingFact
from tuneworth.core.text import Text


def advise(situation: Situation) -> Advice:
    """Advice on a situation; a prior, to be settled by measurement.

    Raises:
        InputError: facts contradict one another (every pair that does).
    """
    check_facts(situation)
    completed = assume(situation)
    values = completed.facts.model_dump()
    rules = fired_by(values, load_rules())
    found = outcome(values, scores_of(rules))
    ranked = ranking(values, rules)
    steps = path(completed.facts)
    return Advice(
        headline=headline(values, rules, ranked, found),
        expected=found.expected,
        facts=_known(completed),
        self_test=self_test(values),
        rules=[rule.fired(values) for rule in rules],
        contradictions=contradictions(values, steps),
        ranking=ranked,
        costs=cost_table(values),
        pros_cons=pros_cons(values),
        missing=[_told(item) for item in missing_facts(situation.facts.model_dump())],
        path=steps,
        task_yaml=task_yaml(values, found.expected),
    )


def _known(situation: Situation) -> list[KnownFact]:
    return [
        KnownFact(
            name=name,
            value=value,
            origin=situation.origins[name],
            title=TITLES[name],
            shown=show(name, value),
            why=situation.whys.get(name),
        )
        for name in Facts.model_fields
        if (value := situation.given(name)) is not None
    ]


def _told(missing: Missing) -> MissingFact:
    return MissingFact(name=missing.name, question=QUESTIONS[missing.name], why=_why(missing), weight=missing.weight)


def _why(missing: Missing) -> Text:
    """What one answer would change, or that it counts only together with others."""
    if missing.example is None or missing.outcome is None:
        return Text(
            "Together with other facts that are open it can change the advice.",
            "与其他未知的情况合在一起，可能改变建议。",
        )
    shown = show(missing.name, missing.example[missing.name])
    if missing.outcome.expected is None:
        return Text(f"If it is {shown.en}, nothing is expected to win any more.", f"若为“{shown.zh}”，就没有方案占优。")
    title = in_sentence(missing.outcome.expected)
    return Text(
        f"If the answer is “{shown.en}”, {title.en} would be expected to win.",
        f"若为“{shown.zh}”，则预计{title.zh}胜出。",
    )
