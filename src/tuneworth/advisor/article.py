"""What the seed article asks and weighs beside its rules, as its files write it: the self-test (Q), what speaks for and
against tuning (P, K), and where rows contradict one another (X1 … X6), with what settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tuneworth.advisor.chart import ANSWERS, NODES
from tuneworth.advisor.conditions import Condition, Values, When, break_even_calls_per_day, facts_of
from tuneworth.advisor.facts import Facts
from tuneworth.advisor.words import show, title
from tuneworth.core.advice import ChartStep, Contradiction, ProCon, SelfTest, SelfTestAnswer
from tuneworth.core.text import Text
from tuneworth.core.yamlfile import parse_yaml
from tuneworth.errors import InputError
from tuneworth.words import numbers
from tuneworth.words.names import joined, listed
from tuneworth.words.say import say


class Entry(BaseModel):
    """Something that one of the advisor's files writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def packaged(name: str) -> str:
    """The text of one of the advisor's files."""
    return (files("tuneworth.advisor") / name).read_text(encoding="utf-8")


def read_entries(text: str, name: str, kind: Any, questions: tuple[Condition, ...] = ()) -> Any:
    """What ``text`` writes, checked against the facts there are.

    Args:
        kind: the type that it must be of.
        questions: conditions of the self-test, for ``self_test`` in a condition.

    Raises:
        InputError: with everything that is wrong, by line.
    """
    document = parse_yaml(text, name, ours=True)
    try:
        return TypeAdapter(kind).validate_python(document.data, context={"questions": questions, "ids": set[str]()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            wrong, found = detail["msg"].removeprefix("Value error, "), detail["input"]
            wrong = wrong if isinstance(found, dict | list) else f"is {found!r}: {wrong}"
            document.wrong(detail["loc"], Text(wrong, wrong))
        raise InputError(document.problems) from None


def fill(text: Text, values: Values) -> Text:
    """``text`` with every ``{fact}``, ``{gain_interval}`` and ``{break_even}`` replaced by how its value reads.

    Raises:
        KeyError: a name in braces is none of these.
    """
    names = {name for said in text.by_lang.values() for _, name, _, _ in Formatter().parse(said) if name}
    shown = {name: _shown(name, values) for name in names}
    return Text(
        **{
            lang: said.format_map({name: part.to(lang) for name, part in shown.items()})
            for lang, said in text.by_lang.items()
        }
    )


def _shown(name: str, values: Values) -> Text:
    if name == "gain_interval":
        return gain_interval(values)
    if name == "break_even":
        calls = break_even_calls_per_day(values)
        return show(name, None) if calls is None else numbers.general(calls)
    if name not in Facts.model_fields:
        raise KeyError(name)
    return show(name, values.get(name))


def gain_interval(values: Values) -> Text:
    """``+1.0 to +3.5 points``: the interval of the measured gain, "not known" without both ends."""
    low, high = values.get("measured_gain_low"), values.get("measured_gain_high")
    if low is None or high is None:
        return show("measured_gain", None)
    return say("advisor.gain_interval", low=numbers.signed(low), high=numbers.signed(high))


class Question(Entry):
    """One question of the self-test; ``when`` holds where its answer is yes."""

    row: str
    question: Text
    when: When


class _SelfTestFile(Entry):
    threshold: int
    questions: tuple[Question, ...]


@cache
def load_questions() -> tuple[int, tuple[Question, ...]]:
    """How many of the questions must be answered yes for "consider fine-tuning", and the questions.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    found = read_entries(packaged("selftest.yaml"), "selftest.yaml", _SelfTestFile)
    return found.threshold, found.questions


def self_test(values: Values) -> SelfTest:
    """The answers that the facts give. One that is not known is not a "no"."""
    threshold, questions = load_questions()
    answers = [
        SelfTestAnswer(
            row=question.row,
            question=question.question,
            answer=ANSWERS[question.when.holds(values)],
            why=_why(question, values),
        )
        for question in questions
    ]
    return SelfTest(
        answers=answers,
        yes=sum(answer.answer == "yes" for answer in answers),
        unknown=sum(answer.answer == "unknown" for answer in answers),
        threshold=threshold,
    )


def _why(question: Question, values: Values) -> Text:
    """The facts behind an answer, or the names of those that are missing."""
    names = facts_of(question.when)
    known = [name for name in names if values.get(name) is not None]
    if not known:
        titles = joined([title(name) for name in names], say("units.names.between"))
        return say("advisor.self_test.not_known", titles=titles)
    return listed([say("advisor.self_test.is", title=title(name), shown=show(name, values[name])) for name in known])


class Consideration(Entry):
    """A pro or con with where it applies; ``text`` may hold ``{fact}``."""

    row: str
    stance: Literal["for", "against"]
    when: When
    text: Text


@cache
def load_considerations() -> tuple[Consideration, ...]:
    """All of them, pros first.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    return read_entries(packaged("proscons.yaml"), "proscons.yaml", tuple[Consideration, ...])


def pros_cons(values: Values) -> list[ProCon]:
    """What speaks for and against tuning from an engineer's view, only where the situation calls for it."""
    return [
        ProCon(row=item.row, stance=item.stance, text=fill(item.text, values))
        for item in load_considerations()
        if item.when.holds(values)
    ]


class _Side(Entry):
    """Rows that say the same about tuning, and when they apply."""

    rows: list[str]
    when: When


class _Settled(Entry):
    when: When
    text: Text


class Clash(Entry):
    """A contradiction between rows.

    Attributes:
        settled: what is already measured, tried in order.
    """

    row: str
    title: Text
    clash: Text
    pulls_for: _Side = Field(alias="for")
    pulls_against: _Side = Field(alias="against")
    settled_by: Text
    commands: list[str] = Field(default_factory=list[str])
    settled: tuple[_Settled, ...] = ()


@cache
def load_clashes() -> tuple[Clash, ...]:
    """X1 … X5.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    return read_entries(packaged("contradictions.yaml"), "contradictions.yaml", tuple[Clash, ...])


def contradictions(values: Values, path: Sequence[ChartStep]) -> list[Contradiction]:
    """Those where both sides apply, or one does and the other is not ruled out, in the order X1 … X6.

    Args:
        path: the way through the flow chart; an edge that fills a gap of the article's touches X6.
    """
    told: list[Contradiction] = []
    for clash in load_clashes():
        sides = (clash.pulls_for.when.holds(values), clash.pulls_against.when.holds(values))
        if True in sides and False not in sides:
            settled = next((item.text for item in clash.settled if item.when.holds(values)), clash.settled_by)
            told.append(
                Contradiction(
                    row=clash.row,
                    title=clash.title,
                    clash=clash.clash,
                    pulls_for=clash.pulls_for.rows,
                    pulls_against=clash.pulls_against.rows,
                    settled_by=fill(settled, values),
                    commands=clash.commands,
                )
            )
    # An edge of ours out of a question of the article's: its chart has none there.
    if any(step.ours and NODES[step.node].role == "question" and not NODES[step.node].ours for step in path):
        told.append(
            Contradiction(
                row="X6",
                title=say("advisor.gap.title"),
                clash=say("advisor.gap.clash"),
                pulls_for=["F"],
                pulls_against=["F"],
                settled_by=say("advisor.gap.settled_by"),
                commands=["tuneworth run task.yaml"],
            )
        )
    return told
