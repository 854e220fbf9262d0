"""The rules of thumb: all of the article is in them, and none is idle."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tuneworth.advisor.article import load_clashes, load_considerations, load_questions
from tuneworth.advisor.chart import CHART_SEED_ROWS
from tuneworth.advisor.conditions import Condition, facts_of
from tuneworth.advisor.costs import COST_ROWS
from tuneworth.advisor.facts import Facts
from tuneworth.advisor.meaning import are_contradictory, with_implied
from tuneworth.advisor.missing import values_told_apart
from tuneworth.advisor.rules import MEASURED_WEIGHT, PRECONDITION_WEIGHT, Rule, load_rules, read_rules
from tuneworth.core.text import Text
from tuneworth.errors import InputError

DOCS = Path(__file__).parents[2] / "docs"
KINDS = {"N": 5, "Y": 5, "Q": 5, "A": 6, "C": 6, "T": 5, "P": 4, "K": 4, "U": 3, "X": 6}
SEED_ROWS = {"F", *(f"{kind}{number}" for kind, most in KINDS.items() for number in range(1, most + 1))}
GOOD = """
- id: a-rule
  seed_rows: [N1]
  when: {private: {is: true}}
  stance: for
  weight: 2
  recommends: [lora]
  reason: {en: because, zh: 因为}
"""


def worlds(condition: Condition):
    """Every way its facts can turn out that its tests can tell apart, known or not, without contradiction."""
    names = facts_of(condition)
    choices = [(*(values_told_apart(name, [condition]) or (1,)), None) for name in names]
    for values in itertools.product(*choices):
        facts = Facts.model_validate(dict(zip(names, values))).model_dump()
        if not are_contradictory(facts):
            yield facts


CONDITIONS = [
    *((rule.id, rule.when) for rule in load_rules()),
    *((question.row, question.when) for question in load_questions()[1]),
    *((f"{item.row}-{item.stance}", item.when) for item in load_considerations()),
    *((f"{clash.row}-for", clash.pulls_for.when) for clash in load_clashes()),
    *((f"{clash.row}-against", clash.pulls_against.when) for clash in load_clashes()),
    *((f"{clash.row}-settled", when) for clash in load_clashes() for when in (item.when for item in clash.settled)),
]


@pytest.mark.parametrize("condition", [when for _, when in CONDITIONS], ids=[name for name, _ in CONDITIONS])
def test_every_condition_can_hold_and_can_fail(condition):
    answers = {condition.holds(with_implied(facts)) for facts in worlds(condition)}
    assert {True, False} <= answers


def test_every_seed_row_is_cited():
    cited = {row for rule in load_rules() for row in rule.seed_rows} | CHART_SEED_ROWS | set(COST_ROWS)
    cited |= {question.row for question in load_questions()[1]} | {item.row for item in load_considerations()}
    cited |= {row for clash in load_clashes() for row in (clash.row, *clash.pulls_for.rows, *clash.pulls_against.rows)}
    cited |= set(re.findall(r"\b[NYQACTPKUX][1-6]\b", (DOCS / "advice.md").read_text(encoding="utf-8")))
    assert SEED_ROWS - cited == set()
    assert cited - SEED_ROWS == set()


def test_rows_that_advise_are_cited_by_a_rule():
    """What the article says about a choice must move the ranking, not only be mentioned."""
    by_rules = {row for rule in load_rules() for row in rule.seed_rows}
    assert {row for row in SEED_ROWS if row[0] in "NYQATK"} - by_rules == set()


def test_a_rule_that_is_ours_says_so():
    ours = [rule for rule in load_rules() if not rule.seed_rows]
    assert ours
    for rule in ours:
        assert rule.reason.en.startswith("Not in the article")
        assert rule.reason.zh.startswith("原文没有提到")


def test_every_rule_moves_the_ranking_or_is_neutral():
    for rule in load_rules():
        assert rule.recommends or rule.discourages or rule.stance == "neutral", rule.id


def test_a_measured_gain_outweighs_all_reasons_and_all_preconditions():
    thumbs = [rule for rule in load_rules() if rule.weight <= 3]
    failed = [rule for rule in load_rules() if rule.weight == PRECONDITION_WEIGHT]
    for approach in ("lora", "prompt", "fewshot", "lora_rag", "head"):
        swing = [abs(rule.votes().get(approach, 0.0)) for rule in thumbs]
        # Rules whose conditions exclude each other cannot add up; the largest 12 are more than ever fire together.
        most = sum(sorted(swing)[-12:])
        assert most + PRECONDITION_WEIGHT * len(failed) < MEASURED_WEIGHT


def text_parts() -> list[tuple[str, Text]]:
    parts = [(rule.id, rule.reason) for rule in load_rules()]
    parts += [(item.row, item.text) for item in load_considerations()]
    parts += [(question.row, question.question) for question in load_questions()[1]]
    for clash in load_clashes():
        parts += [(clash.row, text) for text in (clash.title, clash.clash, clash.settled_by)]
        parts += [(clash.row, item.text) for item in clash.settled]
    return parts


@pytest.mark.parametrize(("name", "text"), text_parts())
def test_both_languages_are_there_and_set_well(name, text):
    assert not re.search(r"[\u4e00-\u9fff]", text.en), name
    assert re.search(r"[\u4e00-\u9fff]", text.zh), name
    assert_set_well(text.zh)


def assert_set_well(zh: str) -> None:
    """Full-width punctuation beside Chinese, and a space between Chinese and Latin words or numbers."""
    plain = re.sub(r"\{\w+\}", "", zh)
    assert not re.search(r"[\u4e00-\u9fff] ?[,;:?!()]|[,;:?!()] ?[\u4e00-\u9fff]", plain), zh
    assert not re.search(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", plain), zh


def read(text: str) -> tuple[Rule, ...]:
    return read_rules(text, "my.yaml")


def test_a_rule_is_read():
    (rule,) = read(GOOD)
    assert (rule.id, rule.weight, rule.seed_rows) == ("a-rule", 2, ["N1"])
    assert rule.votes() == {"lora": 2}


def test_each_further_place_counts_a_quarter_less():
    (rule,) = read(GOOD.replace("[lora]", "[rag, lora, prompt]\n  discourages: [fewshot]"))
    assert rule.votes() == {"fewshot": -2, "rag": 2, "lora": 1.5, "prompt": 1}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("private", "privat"), r"my\.yaml:4 \[0\]\.when\.privat: Extra inputs"),
        (("lora", "magic"), r"my\.yaml:7 \[0\]\.recommends\[0\]: is 'magic'"),
        (("weight: 2", "weight: 7"), r"my\.yaml:6 \[0\]\.weight: is 7: must be from 1 to 3"),
        (("[N1]", "[N9]"), r"my\.yaml:3 \[0\]\.seed_rows\[0\]: is 'N9'"),
        (("a-rule", "A Rule"), r"my\.yaml:2 \[0\]\.id"),
        (("because", "' '"), r"my\.yaml:8 \[0\]\.reason: en is empty"),
        (("stance: for", "stance: maybe"), r"my\.yaml:5 \[0\]\.stance"),
        (("  when:", "  whne:"), r"my\.yaml:2 \[0\]\.when: Field required\nmy\.yaml:4 \[0\]\.whne"),
        (("[lora]", "[lora]\n  discourages: [lora]"), r"my\.yaml:2 \[0\]: recommends and discourages lora"),
        (("weight: 2", "weight: 2\n  wieght: 2"), r"my\.yaml:7 \[0\]\.wieght: "),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(change, says):
    with pytest.raises(InputError, match=says):
        read(GOOD.replace(*change))


def test_an_id_stands_once():
    with pytest.raises(InputError, match=r"my\.yaml:10 \[1\]\.id: .*`a-rule` stands twice"):
        read(GOOD + GOOD)


@pytest.mark.parametrize("text", ["", "rules: 1", "[]"])
def test_no_rules_are_refused(text):
    with pytest.raises(InputError, match=r"my\.yaml:1: .*(valid list|at least 1 item)"):
        read(text)
