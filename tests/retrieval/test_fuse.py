import pytest

from tuneworth.retrieval.search import Found, reciprocal_rank_fusion


def fused(rankings, **options):
    """Ids in rankings, whose own scores must not count."""
    return reciprocal_rank_fusion(
        [[Found(name, hash(name), 1.0) for name in ranking] for ranking in rankings], **options
    )


def test_scores_are_the_sums_of_reciprocal_ranks():
    first, second, third = fused([["a", "b"], ["b", "c"]])
    assert [first.id, second.id, third.id] == ["b", "a", "c"]
    assert first.score == pytest.approx(1 / 62 + 1 / 61)
    assert second.score == pytest.approx(1 / 61)
    assert third.score == pytest.approx(1 / 62)


def test_equal_scores_go_by_id_whatever_the_order_of_the_rankings():
    one = fused([["z", "a"], ["a", "z"]])
    other = fused([["a", "z"], ["z", "a"]])
    assert [item.id for item in one] == [item.id for item in other] == ["a", "z"]


def test_a_passage_that_both_find_beats_the_best_of_one():
    only_once = [f"t{at}" for at in range(20)]
    found = fused([[*only_once, "both"], [*(f"v{at}" for at in range(20)), "both"]])
    assert found[0].id == "both"


@pytest.mark.parametrize("rankings", [[], [[], []]])
def test_nothing_gives_nothing(rankings):
    assert fused(rankings) == []


def test_smoothing_decides_how_much_the_first_place_weighs():
    rankings = [["top", "both"], ["x", "y", "both"]]
    assert fused(rankings, smoothing=0)[0].id in ("top", "x")
    assert fused(rankings)[0].id == "both"
