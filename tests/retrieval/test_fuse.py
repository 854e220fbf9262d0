import pytest

from tuneworth.retrieval.fuse import reciprocal_rank_fusion


def test_scores_are_the_sums_of_reciprocal_ranks():
    first, second, third = reciprocal_rank_fusion([["a", "b"], ["b", "c"]])
    assert [first.id, second.id, third.id] == ["b", "a", "c"]
    assert first.score == pytest.approx(1 / 62 + 1 / 61)
    assert first.ranks == (2, 1)
    assert second.score == pytest.approx(1 / 61)
    assert third.ranks == (None, 2)


def test_equal_scores_go_by_id_whatever_the_order_of_the_rankings():
    one = reciprocal_rank_fusion([["z", "a"], ["a", "z"]])
    other = reciprocal_rank_fusion([["a", "z"], ["z", "a"]])
    assert [item.id for item in one] == [item.id for item in other] == ["a", "z"]


def test_a_passage_that_both_find_beats_the_best_of_one():
    only_once = [f"t{at}" for at in range(20)]
    fused = reciprocal_rank_fusion([[*only_once, "both"], [*(f"v{at}" for at in range(20)), "both"]])
    assert fused[0].id == "both"


@pytest.mark.parametrize("rankings", [[], [[], []]])
def test_nothing_gives_nothing(rankings):
    assert reciprocal_rank_fusion(rankings) == []


def test_smoothing_decides_how_much_the_first_place_weighs():
    rankings = [["top", "both"], ["x", "y", "both"]]
    assert reciprocal_rank_fusion(rankings, smoothing=0)[0].id in ("top", "x")
    assert reciprocal_rank_fusion(rankings)[0].id == "both"
