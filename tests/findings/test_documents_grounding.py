import numpy as np
import pytest
from documents_seen import ITEMS, NO_ANSWER, PLACES, arm, library, outcome, row, rows, seen, task, unanswerable

from tuneworth.findings.documents import grounding
from tuneworth.findings.documents.grounding import N_OTHERS, by_meaning, by_words, groundings, terms
from tuneworth.testing.cases import HashEncoder

TEXT = "Im Jahr 1885 zog die Mühle an den Fluss. The mill by the river ground rye, barley and oats until 1931."


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("until 1931", True),
        ("UNTIL 1931.", True),
        ("until 1932", False),
        ("1931 until", False),
        ("It ground barley, oats and rye by the river until it closed", True),
        ("It ground maize and peas by the river until a fire came", False),
        ("rye wheat oats", False),
        ("", False),
    ],
)
def test_words_of_a_passage(answer, supported):
    assert by_words(answer, ["Nothing of it stands here.", TEXT]) is supported


def test_words_of_chinese_are_pairs_of_characters():
    text = "磨坊在河边一直经营到一九三一年，磨过黑麦、大麦和燕麦。"
    assert terms("磨坊在河边") == {"磨坊", "坊在", "在河", "河边"}
    assert by_words("一九三一年", [text])
    assert by_words("磨坊在河边磨过大麦和燕麦", [text])
    assert not by_words("麦磨河边坊在过大一年", [text])
    assert not by_words("anything", [])


def test_an_answer_must_beat_those_of_other_rows():
    n = N_OTHERS + 5
    questions = [f"What stands in hall {at}?" for at in range(n)]
    answers = [f"{ITEMS[at % 10]} number {at} of {PLACES[at // 10]}" for at in range(n)]
    passages = [[f"In the hall stands {answer}. It is old."] for answer in answers]
    shifted = passages[1:] + passages[:1]
    encoder = HashEncoder()
    own = by_meaning(questions, answers, passages, encoder, np.random.default_rng(0))
    other = by_meaning(questions, answers, shifted, encoder, np.random.default_rng(0))
    assert own is not None
    assert other is not None
    assert sum(own) >= n - 2
    assert sum(other) <= 4


def test_answers_that_have_nothing_to_do_with_it_pass_as_rarely_as_promised():
    class Noise:
        """A vector for every text that says nothing of it."""

        id = "noise"

        def encode(self, texts, *, role="text"):
            made = [np.random.default_rng([7, *text.encode()]).normal(size=16) for text in texts]
            return (np.array(made) / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

        def describe(self):
            return {}

    n = 400
    texts = [f"word{at}" for at in range(n)]
    found = by_meaning(texts, texts, [[f"passage {at}"] for at in range(n)], Noise(), np.random.default_rng(1))
    assert found is not None
    assert 0.02 < np.mean(found) < 0.085  # 1 of 20, three standard errors


def test_too_few_answers_to_compare_with():
    same = ["yes"] * 50
    assert by_meaning(same, same, [[TEXT]] * 50, HashEncoder(), np.random.default_rng(0)) is None


def test_no_passage_supports_nothing():
    answers = [f"answer {at}" for at in range(N_OTHERS + 3)]
    none = [[] for _ in answers]
    assert by_meaning(answers, answers, none, HashEncoder(), np.random.default_rng(0)) == [False] * len(answers)


def run(tmp_path, test, answers, **fields):
    return seen(library(tmp_path), test=test, arms=[arm()], on_test={"rag": answers}, **fields)


def test_citations_and_support(tmp_path):
    test = rows("t", [0, 1, 2, 3, 4, 5])
    answers = [
        outcome(test[0], "300 kilos", [0, 1], ["d0#0"]),  # cited, and stands there
        outcome(test[1], "301 kilos", [0, 1], ["d0#0"]),  # stands in the other one
        outcome(test[2], "302 kilos", [2, 3], ["?7"]),  # cites what was not shown
        outcome(test[3], "303 kilos", [2, 3]),  # not cited, but stands in one that was shown
        outcome(test[4], "as heavy as gold", [4, 5], ["d4#0", "d9#0"]),
        outcome(test[5], None),
    ]
    [found] = groundings(run(tmp_path, test, answers))
    assert (found.n_answers, found.n_checked, found.stage) == (5, 5, "test")
    assert found.cited.value == 4 / 5
    assert found.real is not None
    assert found.real.value == 3 / 5
    assert found.real.interval.high > 0.85  # four answers say little
    assert found.supported == found.by_words
    assert found.by_words.value == 2 / 5
    assert found.by_meaning is None
    assert found.no_answer is None


def test_meaning_adds_to_words_where_an_encoder_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(grounding, "CHECKED_ROWS", 25)
    embedded: list[str] = []

    class Counting(HashEncoder):
        def encode(self, texts, *, role="text"):
            embedded.extend(texts)
            return super().encode(texts)

    test = [row(f"t{at}", at % 10) for at in range(40)]
    said = [one.output if at % 4 == 0 else f"{one.output} for {one.id}" for at, one in enumerate(test)]
    answers = [outcome(one, text, [at % 10]) for at, (one, text) in enumerate(zip(test, said, strict=True))]
    result = run(tmp_path, test, answers, encoder=Counting)
    [found] = groundings(result)
    assert (found.n_answers, found.n_checked) == (40, 25)
    assert found.by_meaning is not None
    assert 0 < found.by_words.value < 1
    assert found.by_meaning.value > 0
    assert found.supported.value == pytest.approx(found.by_words.value + found.by_meaning.value)
    asked = [text for text in embedded if any(text.endswith(each) for each in said)]
    assert len(asked) == round(25 * (1 - found.by_words.value)) * (1 + N_OTHERS)
    assert groundings(result) == [found]


def test_saying_that_it_is_not_there(tmp_path):
    test = [*rows("t", [0, 1]), *(unanswerable(name) for name in "abc")]
    answers = [
        outcome(test[0], "300 kilos", [0]),
        outcome(test[1], "Not in the documents.", [1]),
        outcome(test[2], NO_ANSWER, [2]),
        outcome(test[3], NO_ANSWER, []),
        outcome(test[4], "a painter", [2]),
    ]
    [found] = groundings(run(tmp_path, test, answers))
    assert found.n_answers == 2
    said = found.no_answer
    assert said is not None
    assert said.precision is not None
    assert said.recall is not None
    assert (said.n_said, said.n_right, said.n_unanswerable) == (3, 2, 3)
    assert (said.precision.value, said.recall.value) == (2 / 3, 2 / 3)


def test_nobody_says_it_or_nobody_should(tmp_path):
    test = [row("t0", 0), unanswerable("a")]
    [found] = groundings(run(tmp_path, test, [outcome(test[0], "x", [0]), outcome(test[1], "y", [0])]))
    assert found.no_answer is not None
    assert found.no_answer.precision is None
    assert found.no_answer.recall is not None
    assert found.no_answer.recall.value == 0
    [found] = groundings(run(tmp_path, test[:1], [outcome(test[0], NO_ANSWER, [0])]))
    assert found.n_answers == 0
    assert found.supported.interval.high == 1.0
    assert found.no_answer is not None
    assert found.no_answer.recall is None
    assert found.no_answer.precision is not None
    assert found.no_answer.precision.value == 0


def test_only_free_text_of_finalists_that_look_things_up(tmp_path):
    test = [row("t0", 0)]
    answers = {name: [outcome(test[0], "300 kilos", [0])] for name in ("rag", "prompt", "rag/b", "oracle")}
    arms = [
        arm("rag"),
        arm("prompt", reads_documents=False),
        arm("rag/b", finalist=False),
        arm("oracle", yardstick=True),
    ]
    result = seen(library(tmp_path), test=test, arms=arms, on_test=answers)
    assert [found.arm_id for found in groundings(result)] == ["rag"]
    labels = seen(library(tmp_path), test=test, arms=arms, on_test=answers, task=task(kind="label"))
    assert groundings(labels) == []
