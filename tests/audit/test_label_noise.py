"""Wrong labels are ranked first, their number is estimated, and hard rows are not called wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_rows import WORDS, Pair, example, subject

from tuneworth.audit._learned import group_names, grouped_folds
from tuneworth.audit.label_noise import PLUGIN, judge

LABELS = ("fruit", "tool", "place")


def clean_rows(n: int, seed: int = 0) -> list[Pair]:
    """Rows whose label is told by half of their words."""
    rng = np.random.default_rng(seed)
    rows: list[Pair] = []
    for at in range(n):
        label = at % 3
        own = [WORDS[30 * label + k] for k in rng.integers(0, 30, 5)]
        rows.append((" ".join([*own, *rng.choice(WORDS[90:], 3)]), LABELS[label]))
    return rows


def flipped(rows: list[Pair], share: float, seed: int = 1) -> tuple[list[Pair], list[bool]]:
    rng = np.random.default_rng(seed)
    wrong = [bool(flag) for flag in rng.random(len(rows)) < share]
    others = {label: [other for other in LABELS if other != label] for label in LABELS}
    return [(text, str(rng.choice(others[label])) if bad else label) for (text, label), bad in zip(rows, wrong)], wrong


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_random_flips_are_counted_and_ranked_first(share):
    rows, wrong = flipped(clean_rows(900), share)
    judged = judge(subject(rows))
    true = float(np.mean(wrong))
    assert judged.rate.estimate == pytest.approx(true, abs=0.05)
    assert judged.rate.interval.low <= true <= judged.rate.interval.high
    top = np.argsort(-judged.doubts)[: sum(wrong)]
    assert np.mean(np.array(wrong)[top]) > 0.9


def test_clean_labels_are_not_called_wrong():
    checked = PLUGIN.run(subject(clean_rows(900)))
    [fact] = checked.facts
    assert fact.name == "noise_rate"
    assert isinstance(fact.value, float)
    assert fact.value < 0.01
    assert checked.findings[0].severity == "note"


def test_suggestions_are_the_true_labels_and_never_certain():
    clean = clean_rows(900)
    rows, wrong = flipped(clean, 0.1)
    checked = PLUGIN.run(subject(rows))
    by_id = {f"train.jsonl-{at}": label for at, (_, label) in enumerate(clean, 1)}
    assert len(checked.patches) > 0.7 * sum(wrong)
    assert not any(patch.certain for patch in checked.patches)
    assert np.mean([patch.after == by_id[patch.row_id] for patch in checked.patches]) > 0.95


def test_answers_that_cannot_be_predicted_are_no_noise():
    rng = np.random.default_rng(3)
    rows = [(text, str(rng.choice(LABELS))) for text, _ in clean_rows(600)]
    checked = PLUGIN.run(subject(rows))
    assert [finding.id for finding in checked.findings] == ["label_noise.unknown"]
    assert not checked.facts
    assert not checked.patches


def test_overlapping_classes_widen_the_range_and_leave_its_lower_end():
    """A fifth of the rows has no telling word: nobody could label those, but no label is known to be wrong."""
    rng = np.random.default_rng(4)
    rows = [
        (" ".join(rng.choice(WORDS[90:], 8)), label) if rng.random() < 0.2 else (text, label)
        for text, label in clean_rows(900)
    ]
    rate = judge(subject(rows)).rate
    assert rate.disagreement > 0.1
    assert rate.at_least < 0.02
    assert rate.interval.high > rate.at_most > rate.estimate


def test_a_repeated_wrong_label_does_not_vouch_for_itself():
    rows = clean_rows(600)
    copies = [(rows[0][0], "tool")] * 12
    judged = judge(subject([*rows, *copies]))
    assert rows[0][1] == "fruit"
    assert judged.doubts[-12:].min() > 0.9


def test_folds_keep_groups_whole_and_labels_even():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [80, 20]).astype(np.intp)
    groups = [f"g{at // 2}" for at in range(100)]
    folds = grouped_folds(groups, labels, 5, rng)
    assert all(folds[at] == folds[at + 1] for at in range(0, 100, 2))
    assert [int(labels[folds == fold].sum()) for fold in range(5)] == [4] * 5


def test_the_users_group_and_equal_texts_name_a_group():
    rows = [example("Order 12!", "a", 1), example("order 99", "a", 2), replace(example("x", "a", 3), group="mine")]
    assert group_names(rows)[0] == group_names(rows)[1]
    assert group_names(rows)[2] == "group mine"


def test_rare_classes_are_left_out_and_few_rows_skip():
    rows = [*clean_rows(300), ("quite alone", "rare")]
    assert judge(subject(rows)).names == tuple(sorted(LABELS))
    why = PLUGIN.skip(subject(clean_rows(30)))
    assert why is not None
    assert "needs 100 rows" in why.en
    assert PLUGIN.skip(subject(clean_rows(300), kind="text")) is not None


def test_embeddings_are_used_where_there_is_an_encoder():
    seen: list[int] = []

    def embed(texts):
        seen.append(len(texts))
        return np.array(
            [[sum(word in text for word in WORDS[30 * k : 30 * k + 30]) for k in range(3)] for text in texts]
        )

    judged = judge(replace(subject(clean_rows(600)), embed=embed))
    assert sum(seen) == 600
    assert judged.rate.disagreement < 0.01


def test_noise_in_a_small_class_is_told():
    """With one row in eight of a class, noise brings accuracy near that of always answering the other class."""
    rng = np.random.default_rng(5)
    noisy: list[Pair] = []
    for at, (text, _) in enumerate(clean_rows(900)):
        small, wrong = at % 8 == 0, bool(rng.random() < 0.1)
        noisy.append((f"{text} alarm siren" if small else text, "urgent" if small != wrong else "usual"))
    rate = judge(subject(noisy)).rate
    assert rate.told
    assert rate.estimate == pytest.approx(0.1, abs=0.04)
