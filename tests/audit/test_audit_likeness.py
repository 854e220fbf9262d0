"""Forms, near-duplicates and frames against what is slow and sure."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from audit_rows import WORDS, han_sentences, sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.audit._likeness.forms import Names, bare, letters, tokens, without_numbers
from tuneworth.audit._likeness.frames import Lines, common_frames, shared_frames
from tuneworth.data.neardup import pairs_across, pairs_within, similarities, sketch


def changed(text: str, share: float, rng: np.random.Generator) -> str:
    words = text.split()
    for at in rng.choice(len(words), max(round(share * len(words)), 1), replace=False):
        words[at] = WORDS[int(rng.integers(len(WORDS)))]
    return " ".join(words)


def jaccard(a: str, b: str, n: int = 4) -> float:
    mine, theirs = ({text[at : at + n] for at in range(len(text) - n + 1)} for text in (a, b))
    return len(mine & theirs) / len(mine | theirs)


def test_similarities_are_those_of_the_sets_of_ngrams():
    rng = np.random.default_rng(3)
    texts = sentences(40)
    texts += [changed(text, 0.3, rng) for text in texts]
    found = sketch(texts, 4)
    a, b = np.arange(40), np.arange(40, 80)
    exact = [jaccard(texts[i], texts[i + 40]) for i in range(40)]
    assert similarities(found, found, a, b) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("threshold", "recall"), [(0.7, 0.98), (0.8, 0.995)])
def test_pairs_at_the_threshold_are_found(threshold, recall):
    rng = np.random.default_rng(5)
    texts = sentences(600, size=25)
    texts += [changed(text, 0.08, rng) for text in texts]
    known = {(i, i + 600) for i in range(600) if jaccard(texts[i], texts[i + 600]) >= threshold}
    assert len(known) > 100
    within = pairs_within(sketch(texts, 4), threshold)
    found = set(zip(within.a.tolist(), within.b.tolist()))
    assert len(known & found) >= recall * len(known)
    assert found <= known
    across = pairs_across(sketch(texts[600:], 4), sketch(texts[:600], 4), threshold)
    found = {(b, a + 600) for a, b in zip(across.a.tolist(), across.b.tolist())}
    assert recall * len(known) <= len(known & found) <= len(found) == len(found & known)


def test_a_large_cluster_is_not_compared_all_with_all():
    texts = [f"the very same long sentence about the harbour and the school {at:04}" for at in range(2_000)]
    found = pairs_within(sketch(texts, 4), 0.7)
    assert set(found.b.tolist()) == set(range(1, 2_000))
    assert len(found.a) < 100 * len(texts)


@pytest.mark.parametrize("texts", [[], [""], ["", "", "a"]])
def test_empty_texts_have_sketches(texts):
    found = pairs_within(sketch(texts, 4), 0.8)
    assert list(zip(found.a.tolist(), found.b.tolist())) == ([(0, 1)] if len(texts) == 3 else [])
    assert len(pairs_across(sketch(texts, 4), sketch([], 4), 0.8).a) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=9), min_size=2, max_size=6))
def test_two_rows_share_a_frame_when_and_only_when_one_span_differs(rows):
    words = {letter: letter * 9 for letter in "abcdefghij"}
    lines = Lines.of(" ".join(words[letter] for letter in row) for row in rows)
    shared = shared_frames(lines, 0.0)
    by_key: dict[int, set[int]] = {}
    for key, row in zip(shared.key.tolist(), shared.row.tolist()):
        by_key.setdefault(key, set()).add(row)
    found = {pair for members in by_key.values() for pair in combinations(sorted(members), 2)}
    known = {(i, j) for i, j in combinations(range(len(rows)), 2) if _one_span(rows[i], rows[j])}
    assert found == known


def _one_span(a: list[str], b: list[str]) -> bool:
    """Equal, or equal once a span of one to four words is cut out of each and two words are left."""
    cuts = [
        {(*row[:i], "|", *row[i + n :]) for n in range(1, 5) for i in range(len(row) - n + 1) if len(row) - n >= 2}
        for row in (a, b)
    ]
    return a == b or bool(cuts[0] & cuts[1])


def test_common_frames_point_at_the_differing_span():
    mine = Lines.of(["please send the refund for the broken kettle to Anna Berg tomorrow"])
    others = Lines.of([*sentences(50), "please send the refund for the broken kettle to Peter tomorrow"])
    ours, theirs = common_frames(mine, others, 0.6)
    spans = {
        (" ".join(mine.row(0)[a:b]), " ".join(others.row(row)[c:d]))
        for (_, a, b), (row, c, d) in zip(ours.spans(), theirs.spans())
    }
    assert ("Anna Berg", "Peter") in spans
    assert {row for row, _, _ in theirs.spans()} == {50}


def test_frames_are_few_for_a_frame_that_many_rows_have():
    lines = Lines.of(f"please send the refund for the broken {word} tomorrow" for word in WORDS)
    ours, _ = common_frames(lines.take([0]), lines, 0.6, most=8)
    assert 1 <= len(ours.row) <= 8 * 4 * 12


@pytest.mark.parametrize(
    ("a", "b"),
    [("Café  Ｏｎｅ!", "café one"), ("订单 12 号。", "订单12号"), ("A/B", "ab")],
)
def test_bare_ignores_case_width_spacing_and_punctuation(a, b):
    assert bare(a) == bare(b)


def test_signs_alone_are_kept():
    assert bare(" :-) ") == ":-)"
    assert bare(":)") != bare(":(")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("order 12 is late", "Order 3,450 is late!", True),
        ("wait twenty five minutes", "wait two minutes", True),
        ("十二月的三份报告", "五月的二十份报告", True),
        ("order 12 is late", "order 12 is lost", False),
    ],
)
def test_numbers_are_masked_in_digits_and_words(a, b, same):
    assert (without_numbers(a) == without_numbers(b)) is same


def test_letters_count_han_characters_thrice_and_masks_not_at_all():
    assert letters("ab 12") == 2
    assert letters("北京 a") == 7
    assert letters(Names(["see Anna now"]).masked("see Anna now")) == len("seenow")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("the cat, the dog", "Dog the the cat", True),
        ("the cat", "the the cat", False),
        ("北京大学 3 人", "大学 12 人北京", True),
        ("", "?", True),
    ],
)
def test_the_unordered_key_is_blind_to_order_and_numbers_only(a, b, same):
    keys = Lines.of([a, b]).unordered()
    assert (keys[0] == keys[1]) is np.bool_(same)


def test_names_are_capitals_that_the_data_do_not_also_write_small():
    names = Names(["We met Anna there.", "Please help. please help", "the Card works, my card works, a card"])
    assert names.masked("I saw Anna Berg there") == names.masked("I saw Zoltan there")
    assert names.masked("Please call me") != names.masked("Kindly call me")
    assert names.masked("use the Card now") == bare("use the card now")
    assert names.masked("closed on Monday") != names.masked("closed on Friday")
    assert names.masked("WHERE IS ANNA") == bare("where is anna")


def test_tokens_are_words_numbers_and_han_characters():
    assert tokens("don't pay 3.50 到北京") == ["don't", "pay", "3.50", "到", "北", "京"]
    assert all(len(token) == 1 for text in han_sentences(3) for token in tokens(text))


def test_the_hashes_of_words_are_those_of_any_process():
    """Python's own are not: families of an audit changed from run to run."""
    code = "from tuneworth.audit._likeness.frames import Lines; print(Lines.of(['a Kettle 17 for 阿 \\udc80']).hashes.tolist())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
