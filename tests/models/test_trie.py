from __future__ import annotations

import torch

from tuneworth.models.local.constrain import TrieGuide, build_trie

END = 9
PATHS = [("a", [1, END]), ("ab", [1, 2, END]), ("acd", [1, 3, 4, 5, END]), ("e", [6, 7, END])]


def logits(**best: float) -> torch.Tensor:
    values = torch.zeros(10)
    for token, value in best.items():
        values[int(token[1:])] = value
    return values


def test_only_tokens_that_lead_to_a_label_are_chosen():
    guide = TrieGuide(build_trie(PATHS))
    assert guide.start() == []
    assert guide.choose(logits(t8=5.0, t6=1.0)) == 6
    assert guide.advance(6) == [7, END]
    assert guide.text() == "e"


def test_a_label_that_begins_another_one_can_end():
    guide = TrieGuide(build_trie(PATHS))
    assert guide.advance(1) == []
    assert guide.text() is None
    assert guide.choose(logits(t9=2.0, t2=1.0)) == END
    assert guide.advance(END) == []
    assert guide.text() == "a"


def test_a_stretch_without_alternatives_is_forced():
    guide = TrieGuide(build_trie(PATHS))
    guide.advance(1)
    assert guide.advance(3) == [4, 5, END]
    assert guide.text() == "acd"


def test_a_single_label_needs_no_model():
    guide = TrieGuide(build_trie(PATHS[:1]))
    assert guide.start() == [1, END]
    assert guide.text() == "a"


def test_the_first_of_two_labels_with_the_same_tokens_stands_for_both():
    guide = TrieGuide(build_trie([("x", [1, END]), ("X", [1, END])]))
    guide.start()
    assert guide.text() == "x"
