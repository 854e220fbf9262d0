"""The self-test Q1 … Q5: five questions, of which three yeses say "consider fine-tuning".

The questions and their conditions stand in ``selftest.yaml``. An answer that is not known is not a "no".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from tuneworth.advisor.conditionparse import parse_condition
from tuneworth.advisor.conditions import Condition, Values, facts_of
from tuneworth.advisor.words import TITLES, show
from tuneworth.advisor.yamldata import Location, Source, packaged, read_source
from tuneworth.core.advice import SelfTest, SelfTestAnswer
from tuneworth.core.text import Text


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the self-test; ``when`` holds where its answer is yes."""

    row: str
    question: Text
    when: Condition


@cache
def load_questions() -> tuple[int, tuple[Question, ...]]:
    """The threshold and the questions.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    source = read_source(packaged("selftest.yaml"), "selftest.yaml")
    found = [_question(item, ("questions", number), source) for number, item in enumerate(source.data["questions"])]
    source.finish()
    return int(source.data["threshold"]), tuple(question for question in found if question is not None)


def _question(item: dict[str, Any], at: Location, source: Source) -> Question | None:
    when = parse_condition(item["when"], (*at, "when"), source)
    return None if when is None else Question(item["row"], Text(**item["question"]), when)


def self_test(values: Values) -> SelfTest:
    """The answers that the facts give."""
    threshold, questions = load_questions()
    answers = [_answer(question, values) for question in questions]
    return SelfTest(
        answers=answers,
        yes=sum(answer.answer == "yes" for answer in answers),
        unknown=sum(answer.answer == "unknown" for answer in answers),
        threshold=threshold,
    )


def _answer(question: Question, values: Values) -> SelfTestAnswer:
    holds = question.when.holds(values)
    answer = "unknown" if holds is None else "yes" if holds else "no"
    return SelfTestAnswer(row=question.row, question=question.question, answer=answer, why=_why(question, values))


def _why(question: Question, values: Values) -> Text:
    """The facts behind an answer, or the names of those that are missing."""
    names = facts_of(question.when)
    known = [name for name in names if values.get(name) is not None]
    if not known:
        titles = [TITLES[name] for name in names]
        return Text(
            f"not known: {', '.join(title.en for title in titles)}", f"未知：{'、'.join(title.zh for title in titles)}"
        )
    said = [(TITLES[name], show(name, cast("object", values[name]))) for name in known]
    return Text(
        "; ".join(f"{title.en}: {shown.en}" for title, shown in said),
        "；".join(f"{title.zh}：{shown.zh}" for title, shown in said),
    )
