"""One voice or two, rows against need, and train against test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_rows import WORDS, subject

from tuneworth.audit import shift, size, style
from tuneworth.audit._learned import auc
from tuneworth.audit.shift import compare_inputs, compare_labels
from tuneworth.audit.style.voice import NAMES, style_vector, tokens

FORMAL = ["the", "of", "which", "has", "been", "by", "that", "is", "not", "with"]
CHATTY = ["i", "you", "so", "just", "my", "can't", "we", "do", "but", "me"]
CLASSICAL, MODERN = "之乎者也矣其于以则曰", "的了着吗呢吧啊您我们"


def voiced(kind, n, seed):
    """Texts of random content words in a made voice: its function words and its marks."""
    rng = np.random.default_rng(seed)
    words, marks = (FORMAL, [";", ","]) if kind == "formal" else (CHATTY, ["!", "..."])
    texts: list[str] = []
    for _ in range(n):
        parts = [str(rng.choice(words if rng.random() < 0.5 else WORDS)) for _ in range(50)]
        texts.append(" ".join(part + (str(rng.choice(marks)) if rng.random() < 0.15 else "") for part in parts))
    return texts


def han_voiced(particles, n, seed):
    rng = np.random.default_rng(seed)
    content = "山水云石花木春秋城河江湖鸟马车舟书剑"
    return [
        "".join(str(rng.choice(list(particles if rng.random() < 0.4 else content))) for _ in range(60))
        for _ in range(n)
    ]


def as_subject(outputs, inputs=None):
    return subject(list(zip(inputs or [f"write {at}" for at in range(len(outputs))], outputs)), kind="text")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (voiced("formal", 600, 1), voiced("chatty", 300, 2)),
        (han_voiced(CLASSICAL, 600, 3), han_voiced(MODERN, 300, 4)),
    ],
    ids=["en", "zh"],
)
def test_one_voice_is_told_from_two(one, other):
    single, mixed = style.judge(as_subject(one)).voice, style.judge(as_subject([*one[:300], *other])).voice
    assert single.value > 0.85
    assert mixed.value < 0.2
    assert single.interval.low <= single.value <= single.interval.high
    assert mixed.interval.high < single.interval.low
    assert mixed.minority == pytest.approx(0.5, abs=0.05)


def test_the_smaller_voice_is_listed():
    outputs = [*voiced("formal", 400, 1), *voiced("chatty", 60, 2)]
    [finding] = style.PLUGIN.run(as_subject(outputs)).findings
    assert finding.severity == "warning"
    lines = [int(row.source.rpartition(":")[2]) for row in finding.rows]
    assert lines
    assert all(line > 400 for line in lines)


def test_outputs_are_compared_with_inputs():
    formal, chatty, more = voiced("formal", 300, 1), voiced("chatty", 300, 2), voiced("formal", 300, 5)
    told, alike = style.judge(as_subject(formal, chatty)), style.judge(as_subject(formal, more))
    assert told.against_inputs is not None
    assert told.against_inputs.interval.low > 0.95
    assert alike.against_inputs is not None
    assert alike.against_inputs.interval.low < 0.5 < alike.against_inputs.interval.high


def test_style_ignores_what_a_text_is_about():
    assert np.array_equal(
        style_vector(tokens("the cat sat on the mat")), style_vector(tokens("the dog lay on the rug"))
    )
    assert style_vector([]).shape == (len(NAMES),)


def test_style_skips_labels_short_outputs_and_code():
    assert style.PLUGIN.skip(subject([("a", "b")])) is not None
    short = style.PLUGIN.skip(as_subject(["Too short."] * 200))
    assert short is not None
    assert "at least 16 words" in short.en
    code = style.PLUGIN.skip(as_subject(["x = f(y); z[0] += g(x, y) * h(z) // k(q) - m[p] ** n(r)"] * 200))
    assert code is not None
    assert "function words" in code.en


def test_equal_outputs_have_one_voice():
    assert style.judge(as_subject([voiced("formal", 1, 1)[0]] * 150)).voice.value == 1.0


def topical(n, low, high, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(str(word) for word in rng.choice(WORDS[low:high], 8)) for _ in range(n)]


def test_rows_from_one_source_show_no_shift_more_often_than_the_level():
    """Simulated: under no difference p-values are uniform."""
    values = []
    for seed in range(20):
        texts = topical(160, 0, 90, seed)
        made = subject([(text, "a") for text in texts[:80]], [(text, "a") for text in texts[80:]])
        found = compare_inputs(replace(made, seed=seed))
        assert found is not None
        values.append(found.auc.p_value)
    assert 3 <= sum(value < 0.5 for value in values) <= 17
    assert sum(value < 0.01 for value in values) <= 2


def test_another_topic_in_the_test_file_is_a_serious_shift():
    train, test = topical(200, 0, 60, 1), topical(200, 30, 90, 2)
    checked = shift.PLUGIN.run(subject([(text, "a") for text in train], [(text, "a") for text in test], kind="text"))
    [finding] = checked.findings
    assert finding.severity == "serious"
    assert finding.rows
    assert all(row.side == "test" for row in finding.rows)


def test_repeated_rows_do_not_fake_a_shift():
    """Two hundred copies of three test rows are three rows."""
    texts = topical(240, 0, 90, 3)
    made = subject(
        [(text, "a") for text in texts[:120]], [(text, "a") for text in [*texts[120:], *texts[120:123] * 60]]
    )
    found = compare_inputs(made)
    assert found is not None
    assert found.auc.p_value > 0.01
    assert found.n_units <= 122


def test_label_shift():
    train = subject([("x", "a")] * 300 + [("y", "b")] * 100).train
    same = compare_labels(train, subject([("x", "a")] * 75 + [("y", "b")] * 25).train)
    assert same.distance == pytest.approx(0)
    assert same.p_value > 0.5
    other = compare_labels(train, subject([("x", "a")] * 30 + [("y", "b")] * 70).train)
    assert other.distance == pytest.approx(0.45)
    assert other.p_value < 1e-6
    assert compare_labels(train[:10], train[:10]).p_value == 1.0


def test_shift_needs_a_test_file():
    assert shift.PLUGIN.skip(subject([("x", "a")] * 100)) is not None


def test_auc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    above, below = rng.normal(0.7, 1, 90).round(1), rng.normal(0, 1, 140).round(1)
    truth = roc_auc_score(np.repeat([1, 0], [90, 140]), np.concatenate([above, below]))
    found = auc(above, below)
    assert found.value == pytest.approx(truth)
    assert found.interval.low < truth < found.interval.high


def test_classes_and_power():
    rows = [(f"text {at}", "a" if at % 2 else "b") for at in range(400)] + [("odd", "c")] * 3
    power, classes = size.PLUGIN.run(subject(rows)).findings
    assert power.measures[0].value == 100  # a quarter of 403
    assert power.severity == "warning"
    assert classes.severity == "warning"
    assert classes.n_rows == 3
    assert classes.measures[2].value == pytest.approx(2.08, abs=0.02)


def test_a_large_test_file_shows_a_large_margin():
    made = subject([("x", "a"), ("y", "b")] * 100, [("z", "a")] * 300)
    made = replace(made, task=made.task.model_copy(update={"margin": 0.1}))
    assert size.PLUGIN.run(made).findings[0].severity == "note"


def test_rows_over_the_context_are_counted_exactly():
    rows = [("word " * 10, "a")] * 50 + [("word " * 500, "a")] * 4 + [("长" * 300, "a")]
    made = replace(subject(rows, kind="text"), count_tokens=lambda text: len(text.split()), context_tokens=200)
    tokens_found = size.PLUGIN.run(made).findings[1]
    assert tokens_found.n_rows == 4  # the Chinese row has 900 bytes, but two tokens of this made tokenizer
    assert tokens_found.severity == "serious"
    assert [row.source for row in tokens_found.rows] == [f"train.jsonl:{at}" for at in (51, 52, 53, 54)]
