import numpy as np
import pytest

from tuneworth.retrieval import measure

RANKED = [["a", "b", "c"], ["x", "a", "y"], [], ["a"]]
GOLD = [{"a"}, {"a", "y"}, {"a"}, set()]


def test_recall_is_the_share_of_gold_found():
    np.testing.assert_array_equal(measure.recall_at(1, RANKED, GOLD), [1, 0, 0, np.nan])
    np.testing.assert_array_equal(measure.recall_at(2, RANKED, GOLD), [1, 0.5, 0, np.nan])
    np.testing.assert_array_equal(measure.recall_at(9, RANKED, GOLD), [1, 1, 0, np.nan])


def test_reciprocal_rank_is_of_the_first_gold():
    np.testing.assert_array_equal(measure.reciprocal_rank(RANKED, GOLD), [1, 0.5, 0, np.nan])


def test_ndcg_against_scikit_learn():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(3)
    for k in (1, 3, 10):
        for _ in range(50):
            names = [f"p{at}" for at in rng.permutation(12)]
            gold = set(rng.choice(names, int(rng.integers(1, 6)), replace=False).tolist())
            relevant = np.array([[name in gold for name in names]], dtype=float)
            expected = ndcg_score(relevant, -np.arange(12.0)[None], k=k)
            assert measure.ndcg_at(k, [names], [gold])[0] == pytest.approx(expected)


def test_a_document_counts_once_and_its_passages_take_up_places():
    ranked, gold = [["d1", "d1", "d2"]], [{"d1", "d2"}]
    assert measure.recall_at(2, ranked, gold)[0] == 0.5
    assert measure.ndcg_at(3, ranked, gold)[0] == pytest.approx((1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3)))
    assert measure.ndcg_at(2, ranked, [{"d1"}])[0] == 1


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("The Panthers gave up just 308 points.", "308", 1),
        ("In 1308 a treaty was signed.", "308", 0),
        ("It was The  BIG, red barn", "a big red barn", 1),
        ("It was red and big", "big red", 0),
        ("夏季剧院位于附近的萨克森花园中。", "萨克森花园", 1),
        ("夏季剧院位于附近的萨克森公园中。", "萨克森花园", 0),
        ("运营时间为１９５０年至今", "1950 年", 1),
    ],
)
def test_an_answer_is_found_where_its_words_stand_in_a_row(text, answer, found):
    assert measure.answer_recall_at(1, [[text]], [[answer]])[0] == found


def test_any_accepted_answer_will_do_and_only_the_first_k_count():
    texts = [["nothing here", "the keeper lives in a lighthouse"]]
    assert measure.answer_recall_at(1, texts, [["tower", "lighthouse"]])[0] == 0
    assert measure.answer_recall_at(2, texts, [["tower", "lighthouse"]])[0] == 1


def test_an_answer_without_words_is_not_scored():
    scores = measure.answer_recall_at(3, [["text"], ["text"], ["text"]], [["..."], [], ["the"]])
    assert np.isnan(scores).all()


def test_rows_and_gold_must_be_as_many():
    with pytest.raises(ValueError, match="zip"):
        measure.recall_at(1, [["a"]], [])
