"""Leaks planted in both languages, each told apart, and none where there is none."""

from __future__ import annotations

import pytest
from audit_rows import han_sentences, sentences, subject

from tuneworth.audit.leaks import PLUGIN, find_leaks
from tuneworth.core.task import OutputKind

ROW = "Please send the refund for my broken kettle 25 to Anna Berg before the end of summer"
ROW_ZH = "请把坏掉的热水壶的退款25元转给王小明并在夏天结束前回复"
BACKGROUND = [(text, "x") for text in sentences(40)]
BACKGROUND_ZH = [(text, "x") for text in han_sentences(40)]


def kinds(train, test, kind: OutputKind = "label"):
    return [leak.kind for leak in find_leaks(subject(train, test, kind))]


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        (ROW, "exact"),
        (ROW.upper(), "spacing"),
        (f"  {ROW.replace(' ', '  ')}!", "spacing"),
        (ROW.replace("25", "1,730"), "numbers"),
        (ROW.replace("25", "forty two"), "numbers"),
        (ROW.replace("Anna Berg", "Zoltan"), "names"),
        (ROW.replace("25", "9").replace("Anna Berg", "Zoltan"), "names"),
        (ROW.lower().replace("anna berg", "zoltan"), "names"),
        ("before the end of summer " + ROW.removesuffix(" before the end of summer"), "order"),
        (ROW.replace("kettle", "kettles"), "wording"),
    ],
)
def test_each_change_is_told_apart(test, kind):
    assert kinds([*BACKGROUND, (ROW, "refund")], [(test, "refund")]) == [kind]


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        (ROW_ZH, "exact"),
        (f" {ROW_ZH[:9]} {ROW_ZH[9:]}。", "spacing"),
        (ROW_ZH.replace("25", "３８０"), "numbers"),
        (ROW_ZH.replace("王小明", "李华"), "names"),
        (ROW_ZH.replace("王小明", "王大力"), "names"),
        (ROW_ZH[14:] + ROW_ZH[:14], "order"),
    ],
)
def test_each_change_is_told_apart_in_chinese(test, kind):
    assert kinds([*BACKGROUND_ZH, (ROW_ZH, "退款")], [(test, "退款")]) == [kind]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("How do I cancel my card", "How do I activate my card"),
        ("Can I get a refund for a ticket I bought", "Can I get a receipt for a ticket I bought"),
        ("what is the fee for a transfer", "what is the limit for a transfer"),
        ("Deactivate my card and my account please", "Reactivate my card and my account please"),
        ("Order 12", "Order 13"),
        ("北京的冬天为什么这么冷", "北京的夏天为什么这么热"),
        ("大豆品种的抗病性鉴定方法研究", "水稻品种的抗虫性鉴定方法研究"),
        ("", "?!"),
    ],
)
def test_ordinary_questions_with_much_in_common_are_no_leaks(train, test):
    assert set(kinds([*BACKGROUND, (train, "a")], [(test, "a")])) <= {"wording"}


def test_a_number_that_decides_the_answer_is_no_leak():
    rows = [(f"the patient in bed {at} has a temperature of {at} degrees today", f"{at % 2}") for at in range(60)]
    assert kinds(rows[:50], rows[50:]) == []
    mixed = [
        (f"patient {at} in the {text} has a temperature of {at} degrees", f"{at % 2}")
        for at, (text, _) in zip(range(6), BACKGROUND)
    ]
    for at, (text, answer) in enumerate(mixed):
        again = text.replace(f" {at} ", " 77 ")
        assert kinds([*BACKGROUND, *mixed], [(again, answer)]) == ["numbers"]
        assert kinds([*BACKGROUND, *mixed], [(again, "3")]) == []
    sums = [(f"work out the sum of the numbers {at} and {at * 7}", str(at * 8)) for at in range(60)]
    assert kinds(sums[:50], sums[50:], "text") == []


def test_a_number_that_decides_nothing_is():
    rows = [(f"my parcel with the number {at} has not arrived", "late") for at in range(60)]
    assert kinds([*BACKGROUND, *rows[:50]], rows[50:]) == ["numbers"] * 10


def test_an_instruction_that_all_rows_share_is_no_likeness():
    instruction = "Say which department should answer the following message of a customer: "
    rows = [(instruction + text, "x") for text in ("12", "a b 3", "why?", "c d 4", "where", "so", "how", "who")]
    assert kinds(rows[:5], [(instruction + "77", "x"), (instruction + "e f", "x")]) == []


def test_every_training_row_that_is_equal_is_dropped_for_sure_and_others_are_suggested():
    train = [(ROW, "refund"), *BACKGROUND, (ROW.lower(), "refund"), (BACKGROUND[0][0] + " 7 metres", "x")]
    rows = subject(train, [(ROW, "refund"), (BACKGROUND[0][0] + " 9 metres", "x")])
    checked = PLUGIN.run(rows)
    certain = {patch.source for patch in checked.patches if patch.certain}
    assert certain == {"train.jsonl:1"}
    assert {patch.source for patch in checked.patches if not patch.certain} == {"train.jsonl:43"}
    finding = checked.findings[0]
    assert (finding.id, finding.severity, finding.n_rows) == ("leaks.repeats", "serious", 2)
    assert [(row.source, row.other) for row in finding.rows] == [
        ("test.jsonl:1", "train.jsonl:1"),
        ("test.jsonl:2", "train.jsonl:43"),
    ]


def test_without_a_test_file_the_check_does_not_run():
    assert PLUGIN.skip(subject(BACKGROUND)) is not None
    assert PLUGIN.skip(subject(BACKGROUND, BACKGROUND[:1])) is None


def test_rows_of_one_choice_question_with_other_choices_are_not_the_same():
    from dataclasses import replace

    rows = subject([("which of these is the largest", "a")] * 2, [("which of these is the largest", "a")], "choice")
    train = tuple(
        replace(row, query=replace(row.query, choices=("a", f"other {at}"))) for at, row in enumerate(rows.train)
    )
    assert find_leaks(replace(rows, train=train)) == []
