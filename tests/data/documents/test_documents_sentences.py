import pytest

from tuneworth.data.documents.sentences import clause_ends, is_inside_character, sentence_ends, word_ends


def parts(ends, text):
    starts = [0, *ends[:-1]]
    return [text[start:end].strip() for start, end in zip(starts, ends)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith paid $3.50, e.g. on Jan. 5. ", "See Fig. 3 and No. 5. ", "He said no. ", "Then J. R. Lee left."],
        ['"Really?" he asked. ', "Yes! ", "Ok... maybe not. ", "Is it (in the U.S. Army)? ", "It is."],
        ["Version 2.0.1 is out. ", "3 of 5 failed. ", "The end"],
        ["1. Open the valve. ", "2. Close it.\n", "3. (See below.) ", "Done in 5. ", "Next."],
        [
            "他说：“你好吗？”",
            "我说：“好。”",
            "然后走了；",
            "版本3.5发布了！",
            "版本v2.中文可用。",
            "It works. ",
            "真的?",
            "是的!",
        ],
        ["他犹豫了……但还是答应了。", "（见下文。）", "《手册》第三章。"],
        ["你好.", "我来了. ", "Use pip install a.b.c to start. ", "No comma"],
        ["A line without a stop\n", "and the next"],
        ["e.g. this"],
    ],
)
def test_sentences(sentences):
    text = "".join(sentences)
    assert parts(sentence_ends(text, 0, len(text)), text) == [sentence.strip() for sentence in sentences]


def test_only_the_range_given_is_looked_at():
    text = "One. Two. Three. Four."
    assert sentence_ends(text, 5, 16) == [10, 16]


def test_clauses_and_words():
    text = "First, 1,000 pumps; then (as said) 密封圈，叶轮、电机: all"
    assert parts(clause_ends(text, 0, len(text)), text) == [
        *("First,", "1,000 pumps;", "then (", "as said) 密封圈，", "叶轮、", "电机:", "all"),
    ]
    assert parts(word_ends("a  bc\td", 0, 7), "a  bc\td") == ["a", "bc", "d"]


def test_what_is_seen_as_one_character_is_not_parted():
    assert [at for at in range(8) if is_inside_character("e\u0301👍🏽a\r\nb", at)] == [1, 3, 6]
    family = "👨\u200d👩"
    assert [at for at in range(4) if is_inside_character(family, at)] == [1, 2]
