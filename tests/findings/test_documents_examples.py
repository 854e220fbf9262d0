from collections import Counter
from dataclasses import replace

from documents_seen import arm, library, outcome, passages, rows, seen, unanswerable

from tuneworth.findings.documents.losses import MAX_EXAMPLES, MAX_TEXT, examples
from tuneworth.findings.documents.seen import referee_for


def of(result):
    return examples(result, referee_for(result.library, result.split.test))


def test_a_mix_of_causes_with_what_was_shown(tmp_path):
    test = rows("t", [at % 10 for at in range(30)])
    answers = []
    for at, one in enumerate(test):
        item = at % 10
        if at < 20:
            answers.append(outcome(one, one.output, [item, 9 - item], [f"d{item}#0"]))
        elif at < 25:
            answers.append(outcome(one, "no idea", [item]))
        else:
            answers.append(outcome(one, "no idea", [9 - item]))
    found = of(seen(library(tmp_path), test=test, arms=[arm()], on_test={"rag": answers}))
    assert len(found) == MAX_EXAMPLES
    assert Counter(each.cause for each in found) == {"not_read": 4, "not_found": 4, "right": 4}
    assert [each.cause for each in found] == ["not_read"] * 4 + ["not_found"] * 4 + ["right"] * 4
    assert all(not any(passage.right for passage in each.passages) for each in found if each.cause == "not_found")
    right = found[-1]
    assert [(passage.right, passage.cited) for passage in right.passages] == [(True, True), (False, False)]
    assert right.question.startswith("How heavy")
    assert right.answer == right.reference
    assert right.score == 1.0
    assert found == of(seen(library(tmp_path), test=test, arms=[arm()], on_test={"rag": answers}))


def test_the_best_finalist_is_shown(tmp_path):
    test = rows("t", [0, 1])
    answers = {
        "rag": [outcome(one, "wrong", [0]) for one in test],
        "lora_rag": [outcome(one, one.output, [0]) for one in test],
        "oracle": [outcome(one, one.output, [0]) for one in test],
    }
    arms = [arm("rag"), arm("lora_rag", tuned=True), arm("oracle", yardstick=True)]
    found = of(seen(library(tmp_path), test=test, arms=arms, on_test=answers))
    assert {each.arm_id for each in found} == {"lora_rag"}


def test_long_texts_are_cut_and_failures_left_out(tmp_path):
    made = [replace(passages()[0], text="long " * 500)]
    test = rows("t", [0, 1])
    answers = [outcome(test[0], "wrong " * 300, [0]), outcome(test[1], None)]
    [found] = of(seen(library(tmp_path, made), test=test, arms=[arm()], on_test={"rag": answers}))
    assert found.answer is not None
    assert found.answer.endswith("…")
    assert len(found.passages[0].text) <= MAX_TEXT
    assert len(found.answer) <= MAX_TEXT


def test_what_cannot_be_judged_has_no_cause(tmp_path):
    test = [unanswerable("a"), unanswerable("b")]
    answers = [outcome(test[0], "a painter", [0]), outcome(test[1], test[1].output, [0])]
    found = of(seen(library(tmp_path), test=test, arms=[arm()], on_test={"rag": answers}))
    assert [each.cause for each in found] == ["right", None]
    assert [passage.right for each in found for passage in each.passages] == [None, None]


def test_nobody_met_the_test_rows(tmp_path):
    dev = rows("v", [0])
    on_dev = {"rag": [outcome(dev[0], "wrong", [0], stage="dev")]}
    assert of(seen(library(tmp_path), dev=dev, arms=[arm()], on_dev=on_dev)) == []
