"""Questions, how answers are read, and the conversation's logic."""

import random
import typing

import pytest

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Facts, Situation
from tuneworth.advisor.interview import WORTH_ASKING, Interview, next_question, open_questions
from tuneworth.advisor.questions import ASKABLE, read
from tuneworth.errors import InputError

SHOWN_BY_ROWS_OR_RUNS = {
    "noise_rate",
    "duplicate_share",
    "format_regularity",
    "style_consistency",
    "answer_novelty",
    "documents_cover",
    "measured_gain",
    "measured_gain_low",
    "measured_gain_high",
    "retrieval_recall",
}


def test_every_fact_can_be_asked_for_but_those_that_rows_or_runs_show():
    assert set(ASKABLE) == set(Facts.model_fields) - SHOWN_BY_ROWS_OR_RUNS


@pytest.mark.parametrize("name", ASKABLE)
def test_a_question_is_answered_as_its_fact_is_typed(name):
    kinds = [kind for kind in typing.get_args(Facts.model_fields[name].annotation) if kind is not type(None)]
    expected = {bool: "yes_no", int: "whole", float: "number"}.get(kinds[0], "choice")
    question = ASKABLE[name]
    assert question.kind == expected
    if expected == "choice":
        assert list(question.choices) == list(typing.get_args(kinds[0]))
    for text in (question.text, question.explanation):
        assert text.en.isascii() or "…" in text.en or "“" in text.en
        assert any("\u4e00" <= char <= "\u9fff" for char in text.zh)


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("private", "Y", True),
        ("private", "是的", True),
        ("private", " no ", False),
        ("private", "不", False),
        ("scenario", "3", "structured_output"),
        ("scenario", "３", "structured_output"),
        ("scenario", "STYLE", "style"),
        ("scenario", "分类", "classification"),
        ("skills", "a team that has done it", "team"),
        ("quality_rows", "800", 800),
        ("quality_rows", "12,000", 12_000),
        ("quality_rows", "12k", 12_000),
        ("quality_rows", "1.1k", 1_100),
        ("quality_rows", "1.2万条", 12_000),
        ("quality_rows", "５千 条", 5_000),
        ("quality_rows", "0", 0),
        ("calls_per_day", "1m", 1_000_000.0),
        ("calls_per_day", "1000 次", 1_000.0),
        ("p95_target_ms", "2s", 2_000.0),
        ("p95_target_ms", "0.5 秒", 500.0),
        ("p95_target_ms", "800ms", 800.0),
        ("label_price_usd", "$0.5", 0.5),
        ("label_price_usd", ".5 usd", 0.5),
        ("api_usd_per_1k_calls", "2 美元", 2.0),
    ],
)
def test_answers_are_read_as_people_write_them(name, said, value):
    found = read(ASKABLE[name], said)
    assert found == value
    assert type(found) is type(value)
    assert Situation().with_facts("answered", {name: found}).given(name) == value


@pytest.mark.parametrize(
    ("name", "said", "rule"),
    [
        ("private", "maybe", "answer yes or no"),
        ("private", "", "answer yes or no"),
        ("scenario", "9", "from 1 to 8"),
        ("scenario", "0", "from 1 to 8"),
        ("scenario", "poetry", "must be one of general_chat"),
        ("quality_rows", "many", "must be a number"),
        ("quality_rows", "1e5", "must be a number"),
        ("quality_rows", "nan", "must be a number"),
        ("quality_rows", "1.5", "whole number"),
        ("quality_rows", "-3", "at least 0"),
        ("quality_rows", "5 s", "must be a number"),
        ("concurrency", "0", "at least 1"),
        ("p95_target_ms", "0", "over 0"),
        ("p95_target_ms", "2 minutes", "must be a number"),
        ("calls_per_day", "1.2.3", "must be a number"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_rule(name, said, rule):
    with pytest.raises(InputError, match=rule) as caught:
        read(ASKABLE[name], said, "here")
    [problem] = caught.value.problems
    assert problem.where == "here"
    assert repr(said) in problem.message.zh


def test_an_answer_without_end_is_not_shown_whole():
    with pytest.raises(InputError) as caught:
        read(ASKABLE["private"], "x" * 10_000)
    assert len(str(caught.value)) < 200


def test_it_opens_with_the_task():
    assert next_question(Situation()) == ASKABLE["scenario"]


def test_only_questions_that_can_change_the_advice_are_asked():
    situation = Situation().with_facts("answered", {"scenario": "knowledge_qa"})
    telling = {item.name: item.weight for item in advise(situation).missing}
    asked = [question.fact for question in open_questions(situation)]
    assert asked
    assert all(telling[name] >= WORTH_ASKING for name in asked)
    assert [telling[name] for name in asked] == sorted((telling[name] for name in asked), reverse=True)


def test_a_measurement_leaves_fewer_questions_than_rules_of_thumb():
    said = {"scenario": "specialised", "output_kind": "text", "prompt_suffices": False, "quality_rows": 20_000}
    situation = Situation().with_facts("answered", said)
    measured = situation.with_facts(
        "measured", {"measured_gain": 0.1, "measured_gain_low": 0.08, "measured_gain_high": 0.12}
    )
    assert len(open_questions(measured)) < len(open_questions(situation))


def answer_for(question, rng):
    if question.kind == "choice":
        return rng.choice(list(question.choices))
    if question.kind == "yes_no":
        return rng.random() < 0.5
    value = 10 ** rng.uniform(0, 5)
    return int(value) if question.kind == "whole" else value


@pytest.mark.parametrize("seed", range(8))
def test_a_conversation_ends_without_asking_twice_and_goes_all_the_way_back(seed):
    rng, interview, asked = random.Random(seed), Interview(), []
    while interview.question is not None:
        question = interview.question
        asked.append(question.fact)
        try:
            interview = interview.skip() if rng.random() < 0.2 else interview.answer(answer_for(question, rng))
        except InputError:
            interview = interview.skip()
    assert len(asked) == len(set(asked)) <= len(ASKABLE)
    for name in reversed(asked):
        interview = interview.back()
        assert interview.question == ASKABLE[name]
    assert interview == Interview()
    assert interview.back() is interview


def test_an_answer_that_contradicts_an_earlier_one_changes_nothing():
    situation = Situation().with_facts("answered", {"total_rows": 3_000})
    interview = Interview(situation, skipped=frozenset(set(ASKABLE) - {"quality_rows"}))
    assert interview.question == ASKABLE["quality_rows"]
    with pytest.raises(InputError, match="cannot outnumber"):
        interview.answer(5_000)
    assert interview.situation.given("quality_rows") is None
    assert interview.answer(2_000).situation.given("quality_rows") == 2_000


def test_a_skipped_question_stays_unknown_and_can_be_answered_after_going_back():
    interview = Interview()
    skipped = interview.skip()
    assert skipped.situation.given("scenario") is None
    assert "scenario" not in [question.fact for question in skipped.questions]
    assert skipped.back().answer("style").situation.given("scenario") == "style"


def test_there_is_nothing_to_answer_at_the_end():
    over = Interview(skipped=frozenset(ASKABLE))
    assert over.question is None
    with pytest.raises(RuntimeError, match="over"):
        over.answer(1)
    with pytest.raises(RuntimeError, match="over"):
        over.skip()
