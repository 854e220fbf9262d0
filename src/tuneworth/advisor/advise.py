"""From facts to advice: what the rules of thumb say about a situation before anything is measured.

A pure function of the facts: the same facts give the same advice, and nothing else is looked at.
"""

from __future__ import annotations

from tuneworth.advisor.article import contradictions, pros_cons, self_test
from tuneworth.advisor.chart import path
from tuneworth.advisor.costs import cost_table
from tuneworth.advisor.facts import Facts, Situation
from tuneworth.advisor.meaning import assume, check_facts
from tuneworth.advisor.missing import Missing, missing_facts
from tuneworth.advisor.ranking import headline, in_sentence, outcome, ranking, scores_of
from tuneworth.advisor.rules import load_rules
from tuneworth.advisor.taskyaml import task_yaml
from tuneworth.advisor.words import show, title
from tuneworth.core.advice import Advice, KnownFact, MissingFact
from tuneworth.words.say import say


def advise(situation: Situation) -> Advice:
    """Advice on a situation; a prior, to be settled by measurement.

    Raises:
        InputError: facts contradict one another (every pair that does).
    """
    check_facts(situation)
    completed = assume(situation)
    values = completed.facts.model_dump()
    rules = [rule for rule in load_rules() if rule.when.holds(values)]
    found = outcome(values, scores_of(rules))
    ranked = ranking(values, rules)
    steps = path(completed.facts)
    return Advice(
        headline=headline(values, rules, ranked, found),
        expected=found.expected,
        facts=[
            KnownFact(
                name=name,
                value=value,
                origin=completed.origins[name],
                title=title(name),
                shown=show(name, value),
                why=completed.whys.get(name),
            )
            for name in Facts.model_fields
            if (value := completed.given(name)) is not None
        ],
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


def _told(missing: Missing) -> MissingFact:
    """With what one answer would change, or that it counts only together with others."""
    if missing.example is None or missing.outcome is None:
        why = say("advisor.missing.together")
    else:
        shown, expected = show(missing.name, missing.example[missing.name]), missing.outcome.expected
        if expected is None:
            why = say("advisor.missing.nothing_wins", shown=shown)
        else:
            why = say("advisor.missing.another_wins", shown=shown, title=in_sentence(expected))
    question = say(f"advisor.question.{missing.name}")
    return MissingFact(name=missing.name, question=question, why=why, weight=missing.weight)
