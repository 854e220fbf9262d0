"""Repeats, contradictions and templates in made rows with a known truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from audit_rows import WORDS, han_sentences, sentences, subject

from tuneworth.audit.conflicts import PLUGIN as CONFLICTS
from tuneworth.audit.duplicates import PLUGIN as DUPLICATES
from tuneworth.audit.duplicates import find_repeats
from tuneworth.audit.templates import PLUGIN as TEMPLATES
from tuneworth.audit.templates import find_families
from tuneworth.core.task import OutputKind


def families_of(texts):
    return find_families(texts, np.random.default_rng(0))


def repeats(pairs, kind: OutputKind = "label"):
    return [(one.row, one.first, one.degree) for one in find_repeats(subject(pairs, kind=kind).train, kind)]


@pytest.mark.parametrize("texts", [sentences(30, size=20), han_sentences(30, size=60)], ids=["en", "zh"])
def test_each_degree_points_at_the_first_row(texts):
    pairs = [(text, "x") for text in texts]
    pairs += [(texts[3], "x"), (f" {texts[4].upper()}.", "x"), (f"{texts[5]}{texts[5][-1]}", "x"), (texts[3], "x")]
    assert repeats(pairs) == [(30, 3, "exact"), (31, 4, "spacing"), (32, 5, "near"), (33, 3, "exact")]


def test_another_answer_makes_another_row():
    text = sentences(1, size=20)[0]
    assert repeats([(text, "x"), (text, "y"), (text + " so", "z")]) == []
    assert repeats([(text, "the harbour is closed today"), (text, "no ferry leaves from here")], "text") == []
    assert repeats([(text, "the harbour is closed today"), (text, "the harbour is closed today!")], "text") == [
        (1, 0, "near")
    ]


def test_a_chain_of_small_changes_does_not_swallow_the_file():
    words = sentences(1, size=40)[0].split()
    chain = [" ".join([*WORDS[: step * 2], *words[step * 2 :]]) for step in range(15)]
    found = find_repeats(subject([(text, "x") for text in chain]).train, "label")
    leaders = set(range(15)) - {one.row for one in found}
    assert all(one.first in leaders for one in found)
    assert len(leaders) >= 4


def test_duplicates_are_counted_dropped_and_a_fact():
    texts = sentences(40, size=20)
    pairs = [(text, "x") for text in texts[:36]] + [
        (texts[0], "x"),
        (texts[1], "x"),
        (texts[2] + " so", "x"),
        (texts[0], "x"),
    ]
    checked = DUPLICATES.run(subject(pairs, [(texts[38], "x"), (texts[38], "x"), (texts[39], "x")]))
    assert [(fact.name, fact.value) for fact in checked.facts] == [("duplicate_share", 0.1)]
    train, test = checked.findings
    assert (train.id, train.severity, train.n_rows, test.id, test.n_rows) == (
        "duplicates.train",
        "warning",
        4,
        "duplicates.test",
        1,
    )
    assert [(patch.source, patch.certain) for patch in checked.patches] == [
        ("train.jsonl:37", True),
        ("train.jsonl:38", True),
        ("train.jsonl:39", False),
        ("train.jsonl:40", True),
    ]


def test_rows_that_differ_in_a_cell_of_its_own_are_no_near_duplicates():
    texts = sentences(20, size=30)
    made = subject([(f"text: {text}\naspect: {part}", "good") for text in texts for part in ("food", "staff", "Food ")])
    raw = {
        row.id: json.dumps({"text": texts[at // 3], "aspect": ["food", "staff", "Food "][at % 3]})
        for at, row in enumerate(made.train)
    }
    (finding,) = DUPLICATES.run(replace(made, raw=raw, inputs=("text", "aspect"))).findings
    assert finding.n_rows == 20  # the third row of each text is the first one in other letters
    assert DUPLICATES.run(replace(made, raw=raw, inputs=("text",))).findings[0].n_rows == 40


def test_rows_without_repeats_have_no_finding():
    checked = DUPLICATES.run(subject([(text, "x") for text in sentences(50)]))
    assert checked.findings == []
    assert checked.facts[0].value == 0


def test_contradictions_put_a_ceiling_on_accuracy():
    texts = sentences(10)
    pairs = [(text, "a") for text in texts] + [
        (texts[0], "a"),
        (texts[0], "b"),
        (f" {texts[1]}\n", "b"),
        (texts[2], "a"),
    ]
    checked = CONFLICTS.run(subject(pairs))
    (finding,) = checked.findings
    ceiling, rate, lost = finding.measures
    # Two of fourteen rows are lost: one of the three "a a b", one of the two "a b".
    assert ceiling.value == pytest.approx(12 / 14)
    assert lost.value == 2
    assert rate.value == pytest.approx(2 / 3)
    assert rate.interval is not None
    assert rate.interval.low < 2 / 3 < rate.interval.high
    assert (finding.severity, finding.n_rows) == ("serious", 5)
    assert [(patch.source, patch.action, patch.after, patch.certain) for patch in checked.patches] == [
        ("train.jsonl:12", "relabel", "a", False),
        ("train.jsonl:2", "drop", "", False),
        ("train.jsonl:13", "drop", "", False),
    ]


def test_the_ceiling_is_what_the_best_table_of_answers_reaches():
    rng = np.random.default_rng(1)
    texts = [sentences(20)[at] for at in rng.integers(20, size=300)]
    outputs = [str(label) for label in rng.integers(3, size=300)]
    best: dict[str, dict[str, int]] = {}
    for text, output in zip(texts, outputs):
        best.setdefault(text, {}).setdefault(output, 0)
        best[text][output] += 1
    reached = sum(max(counts.values()) for counts in best.values()) / 300
    finding = next(f for f in CONFLICTS.run(subject(list(zip(texts, outputs)))).findings if f.id == "conflicts.same")
    assert finding.measures[0].value == pytest.approx(reached)


def test_a_column_that_explains_contradictions_is_named_and_no_label_is_blamed():
    texts = sentences(40, size=20)
    parts = ["food", "staff", "price"]
    pairs = [(text, "good" if (at + place) % 2 else "bad") for at, text in enumerate(texts) for place in range(3)]
    made = subject(pairs)
    rng = np.random.default_rng(0)
    raw = {
        row.id: json.dumps({"text": row.query.text, "part": parts[at % 3], "rater": int(rng.integers(9)), "key": at})
        for at, row in enumerate(made.train)
    }
    checked = CONFLICTS.run(replace(made, raw=raw, unused=("key", "rater", "part")))
    (finding,) = checked.findings
    assert finding.id == "conflicts.column"
    assert "`part` is not read, and it explains 120 of 120" in finding.title.en
    assert checked.patches == []
    assert CONFLICTS.run(replace(made, raw=raw, unused=("key", "rater"))).findings[0].id == "conflicts.same"


def test_close_versions_with_other_answers_are_reported_apart():
    text = sentences(1, size=30)[0]
    checked = CONFLICTS.run(subject([(text, "a"), (text + "!", "b"), (text + " so", "b"), (sentences(1, 9)[0], "b")]))
    (finding,) = checked.findings
    assert (finding.id, finding.n_rows) == ("conflicts.near", 2)
    assert [(row.source, row.other) for row in finding.rows] == [
        ("train.jsonl:2", "train.jsonl:1"),
        ("train.jsonl:3", "train.jsonl:1"),
    ]
    assert checked.patches == []


def test_several_free_answers_are_references_not_contradictions():
    text = sentences(1)[0]
    checked = CONFLICTS.run(subject([(text, "one way"), (text, "another way"), (text, "one way")], kind="text"))
    assert [(finding.id, finding.severity) for finding in checked.findings] == [("conflicts.several", "note")]
    assert [(patch.action, patch.source, patch.into) for patch in checked.patches] == [
        ("merge", "train.jsonl:2", "train.jsonl-1")
    ]


def test_families_of_numbers_names_and_spans():
    numbers = [f"my parcel number {at} has not arrived at the harbour" for at in range(9)]
    names = [
        f"{name} Street sent {other} a letter about the mortgage on the orchard"
        for name, other in zip(
            ("the Anna", "the Bert", "the Carl", "the Dora", "the Emil"), ("Fritz", "Gerd", "Hans", "Ilse", "Jan")
        )
    ]
    spans = [f"how long does the repair of a {word} take in the winter season" for word in WORDS[20:27]]
    texts = [*sentences(40), *numbers, *names, *spans]
    families = families_of(texts)
    assert [set(family.rows) for family in families] == [set(range(40, 49)), set(range(54, 61)), set(range(49, 54))]
    assert families[1].slot == tuple(WORDS[20:27])


def test_families_in_chinese():
    texts = [*han_sentences(40), *(f"我的包裹编号{at}至今没有送到学校门口" for at in range(6))]
    texts += [f"请问修理一台{word}大概需要多长时间" for word in ("冰箱", "电视机", "洗衣机", "空调", "热水器")]
    assert [set(family.rows) for family in families_of(texts)] == [set(range(40, 46)), set(range(46, 51))]


def test_repeats_of_one_text_are_no_template_but_count_in_one():
    text = "my parcel number {} has not arrived at the harbour"
    assert families_of([text.format(1)] * 20) == []
    texts = [text.format(at) for at in (1, 2, 3, 4, 5, 5)]
    assert [family.rows for family in families_of(texts)] == [(0, 1, 2, 3, 4, 5)]


def test_mostly_templates_is_a_fact_and_serious():
    texts = [f"my parcel number {at} has not arrived at the harbour" for at in range(30)]
    checked = TEMPLATES.run(subject([(text, "late") for text in [*texts, *sentences(10)]]))
    assert [(fact.name, fact.value) for fact in checked.facts] == [("repetitive", True)]
    assert (checked.findings[0].severity, checked.findings[0].n_rows) == ("serious", 30)
    assert TEMPLATES.run(subject([(text, "x") for text in sentences(40)])).findings == []


@pytest.mark.parametrize("n", [200, 2_000])
def test_families_with_several_slots_among_other_rows(n):
    rng = np.random.default_rng(2)
    fills = rng.integers(len(WORDS), size=(n, 3))
    texts = [
        f"please send the refund for the broken {WORDS[a]} to the {WORDS[b]} before the end of the {WORDS[c]} season"
        for a, b, c in fills.tolist()
    ]
    families = families_of([*sentences(n, size=14), *texts])
    rows = {row for family in families for row in family.rows}
    assert len(rows & set(range(n, 2 * n))) >= 0.95 * n
    assert not rows & set(range(n))


def test_families_with_several_slots_in_chinese():
    rng = np.random.default_rng(2)
    things, places = (
        ("冰箱", "电视机", "洗衣机", "空调", "热水器", "电脑", "手机", "台灯"),
        ("学校", "公园", "车站", "医院", "市场", "机场"),
    )
    texts = [
        f"请问把坏掉的{things[a]}送到附近的{places[b]}修理大概需要等多长时间"
        for a, b in zip(rng.integers(8, size=300).tolist(), rng.integers(6, size=300).tolist())
    ]
    families = families_of([*han_sentences(300), *texts])
    rows = {row for family in families for row in family.rows}
    assert rows == set(range(300, 600))
