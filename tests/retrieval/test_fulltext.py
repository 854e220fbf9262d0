import pytest
from passages_made import passage

from tuneworth.retrieval.fulltext import LONGEST_QUERY, choose_cutting, clean, query_terms, searched_text


@pytest.mark.parametrize(
    ("language", "texts", "cutting"),
    [
        ("en", ["The keeper writes a book."], "english"),
        ("en", ["The keeper writes a book.", "灯塔看守人每天早晨记录天气。"], "segmented"),
        ("zh", ["灯塔看守人每天早晨记录天气。"], "bigrams"),
        ("zh", ["The keeper writes a book."], "segmented"),
        ("other", ["Der Wärter schreibt ein Buch."], "segmented"),
        ("other", ["すもももももももものうち、東京の話。"], "bigrams"),
        ("other", ["พนักงานเฝ้าประภาคาร"], "bigrams"),
        ("en", [], "english"),
        ("zh", [], "bigrams"),
        ("en", ["1 + 1 = 2"], "english"),
    ],
)
def test_the_script_decides_how_text_is_cut(language, texts, cutting):
    assert choose_cutting(language, texts) == cutting


def test_a_long_collection_is_sampled_evenly():
    texts = ["English words only."] * 5_000 + ["只有中文的段落。"] * 5_000
    assert choose_cutting("en", texts) == "segmented"


def test_words_without_a_topic_are_left_out_while_others_remain():
    assert query_terms("What is the Saxon Garden in Polish?", "english") == "Saxon Garden Polish?"
    assert query_terms("To be or not to be", "english") == "To be or not to"
    assert query_terms("was ist die", "segmented") == "was ist die"


def test_a_question_of_any_length_is_cut():
    assert len(query_terms("字" * 10_000, "bigrams")) == LONGEST_QUERY
    assert query_terms("same " * 10_000, "english") == "same"


def test_one_unicode_form_and_no_halves_of_characters():
    assert clean("ｉＰｈｏｎｅ　１５") == "iPhone 15"
    assert clean("a\ud800b") == "a?b"


def test_title_and_headings_are_searched_once_each():
    found = searched_text(passage("d#0", "Text.", title="Guide", headings=("Guide", "Setup", "Network")))
    assert found == "Guide\nSetup\nNetwork\nText."
