import hashlib
import re
import time
from itertools import pairwise

import pytest
from document_files import PROSE, PROSE_ZH
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.core.documents import Block, Document
from tuneworth.data.documents.cutting import MAX_TOKENS, OVERLAP_SHARE, cut
from tuneworth.errors import InputError


def words(text):
    """Latin words, Chinese characters and signs: what a tokenizer makes of them, roughly."""
    return len(re.findall(r"[\u3400-\u9fff]|\w+|[^\w\s]", text))


def document(*blocks, title="", **rest):
    return Document("d", title, tuple(block if isinstance(block, Block) else Block(block) for block in blocks), **rest)


def texts(passages):
    return [passage.text for passage in passages]


def test_one_word_gives_one_passage():
    passages = cut(document("Yes"), count_tokens=words)
    assert [(passage.id, passage.text) for passage in passages] == [("d#0", "Yes")]


def test_nothing_gives_nothing():
    assert cut(document(), count_tokens=words) == []
    assert cut(document(" \n", "\u3000"), count_tokens=words) == []


def test_blocks_are_joined_while_they_fit_and_never_across_a_heading():
    blocks = [Block("one two three four five", ("A",), 1), Block("six " * 6, ("A",), 2), Block("seven " * 5, ("A",), 3)]
    passages = cut(
        document(*blocks, Block("eight", ("A", "B"), 4)), count_tokens=words, max_tokens=16, overlap_tokens=0
    )
    assert [(passage.headings, passage.page) for passage in passages] == [(("A",), 1), (("A",), 3), (("A", "B"), 4)]
    assert passages[0].text == "one two three four five\n\nsix six six six six six"
    assert passages[1].text == "seven " * 4 + "seven"


def test_a_long_block_is_cut_after_sentences_into_even_parts_that_overlap():
    sentences = [f"This is sentence number {n} of the block." for n in range(20)]
    passages = cut(document(" ".join(sentences)), count_tokens=words, max_tokens=60, overlap_tokens=12)
    found = texts(passages)
    assert all(text.startswith("This") and text.endswith("block.") for text in found)
    assert all(after.startswith(before[before.rindex("This") :]) for before, after in pairwise(found))
    sizes = [words(text) for text in found]
    assert max(sizes) <= 60
    assert min(sizes) >= 0.5 * max(sizes)


def test_chinese_is_cut_after_sentences():
    sentences = [f"这是第{n}句话，它说明“水泵”的一个要点！" for n in "一二三四五六七八九"]
    passages = cut(document("".join(sentences)), count_tokens=words, max_tokens=60, overlap_tokens=24)
    assert len(passages) > 2
    assert all(passage.text.startswith("这是第") and passage.text.endswith("要点！") for passage in passages)
    assert all(after.text.startswith(before.text[-len(sentences[0]) :]) for before, after in pairwise(passages))


def test_a_sentence_that_is_too_long_is_cut_at_clauses_then_words_then_characters():
    clauses = ", ".join(["a clause of five words"] * 9) + "."
    by_clause = texts(cut(document(clauses), count_tokens=words, max_tokens=20, overlap_tokens=0))
    assert all(text.startswith("a clause") and text.endswith(("words,", "words.")) for text in by_clause)
    by_word = texts(cut(document("word " * 99), count_tokens=words, max_tokens=20, overlap_tokens=0))
    assert {word for text in by_word for word in text.split()} == {"word"}
    chinese = texts(cut(document("水" * 99), count_tokens=words, max_tokens=20, overlap_tokens=4))
    assert {len(text) for text in chinese} <= set(range(16, 21))
    accents = texts(cut(document("e\u0301" * 60), count_tokens=len, max_tokens=17, overlap_tokens=5))
    assert all(len(text) % 2 == 0 and text.startswith("e") for text in accents)


def test_a_line_that_leads_in_goes_with_the_table_below():
    table = "\n".join(f"part {n} | {n} EUR" for n in range(30))
    passages = cut(document("The following table has all prices:", table), count_tokens=words, max_tokens=60)
    assert passages[0].text.startswith("The following table has all prices:\n\npart 0")
    assert all(line.startswith("part") for passage in passages[1:] for line in passage.text.split("\n"))


def test_title_and_headings_count():
    blocks = [Block(f"{PROSE} {PROSE} {PROSE_ZH}", ("Operation", "Before the first start"))]
    passages = cut(document(*blocks, title="Pump manual"), count_tokens=words, max_tokens=40, overlap_tokens=8)
    whole = ["\n".join((passage.title, *passage.headings, passage.text)) for passage in passages]
    assert max(map(words, whole)) <= 40
    huge = cut(document(Block(PROSE, ("h " * 90,))), count_tokens=words, max_tokens=40, overlap_tokens=8)
    assert 10 < max(words(passage.text) for passage in huge) <= 20


def test_a_passage_carries_what_the_document_says():
    source = document("Text.", title="T", doc_set="old", metadata={"lang": "en"})
    (passage,) = cut(source, count_tokens=words)
    assert (passage.document_id, passage.title, passage.doc_set, passage.metadata) == ("d", "T", "old", {"lang": "en"})


def test_the_digest_is_of_title_headings_and_text_alone():
    def digest(title="T", headings=("H",), text="Text.", **rest):
        return cut(document(Block(text, headings), title=title, **rest), count_tokens=words)[0].digest

    same = digest()
    assert same == digest(doc_set="new", metadata={"a": "b"}, source="elsewhere")
    assert len({same, digest(title="U"), digest(headings=("T",)), digest(text="Other."), digest("", ("T", "H"))}) == 5
    assert same == hashlib.sha256(b'["T", ["H"], "Text."]').hexdigest()


def test_a_change_in_one_section_leaves_the_passages_of_the_others():
    sections = [Block(f"{name} " + PROSE * 3, (name,)) for name in ("A", "B", "C")]
    before = cut(document(*sections), count_tokens=words, max_tokens=40, overlap_tokens=8)
    changed = [sections[0], Block("Now short.", ("B",)), sections[2]]
    after = cut(document(*changed), count_tokens=words, max_tokens=40, overlap_tokens=8)
    kept = {passage.digest for passage in before if passage.headings != ("B",)}
    assert kept == {passage.digest for passage in after if passage.headings != ("B",)}


@pytest.mark.parametrize(("limits", "n"), [((15, 0), 1), ((40, 21), 1), ((8, -1), 2)])
def test_limits_that_cannot_be_kept(limits, n):
    with pytest.raises(InputError, match="must be") as caught:
        cut(document("a"), count_tokens=words, max_tokens=limits[0], overlap_tokens=limits[1])
    assert len(caught.value.problems) == n


PIECES = st.sampled_from(
    [
        "word",
        "3.5",
        "Dr.",
        "e.g.",
        "end.",
        "What?",
        "好。",
        "数据，",
        "“是吗？”",
        "long" * 30,
        "中" * 40,
        "\n",
        "e\u0301",
        "👍🏽",
        ";",
        "(x)",
    ]
)
TEXTS = st.lists(PIECES, max_size=120).flatmap(lambda pieces: st.sampled_from([" ".join(pieces), "".join(pieces)]))
BLOCKS = st.lists(
    st.builds(Block, TEXTS | st.text(max_size=300), st.sampled_from([(), ("A",), ("A", "B")])), max_size=8
)
COUNTERS = st.sampled_from(
    [words, len, lambda text: len(text.encode("utf-8", "replace")), lambda text: -(-len(text) // 4)]
)


@settings(max_examples=300, deadline=None)
@given(BLOCKS, COUNTERS, st.integers(16, 80), st.integers(0, 8), st.sampled_from(["", "Title", "A"]))
def test_every_character_is_in_a_passage_and_every_passage_fits(blocks, count, most, overlap, title):
    source = document(*blocks, title=title)
    text, covered = source.text, 0
    for number, passage in enumerate(cut(source, count_tokens=count, max_tokens=most, overlap_tokens=overlap)):
        assert passage.id == f"d#{number}"
        assert passage.text == passage.text.strip() != ""
        next_one = covered + len(text[covered:]) - len(text[covered:].lstrip())
        start = text.rfind(passage.text, 0, next_one + len(passage.text))
        assert start >= 0, "it leaves a gap"
        covered = max(covered, start + len(passage.text))
        above = "".join(f"{part}\n" for part in dict.fromkeys(filter(None, (title, *passage.headings))))
        limit = max(most - count(above), most // 2)
        assert count(passage.text) <= limit or len(passage.text) <= 8  # one character of many bytes may not fit
    assert not text[covered:].strip()


def test_a_thousand_passages_a_second_with_a_cheap_counter():
    """Ten times slower than measured still passes: what must not come back is a cost that grows with the square."""
    blocks = [Block(f"{n} {PROSE} {PROSE_ZH} " * (1 + n % 5), (f"H{n // 7}",)) for n in range(3_000)]
    one_long_block = Block("word and " * 200_000)
    start = time.process_time()
    n_passages = len(cut(document(*blocks, one_long_block), count_tokens=lambda text: len(text) // 3))
    assert n_passages > 3_000
    assert time.process_time() - start < n_passages / 1_000


def test_defaults_fit_the_embedded_encoder():
    assert MAX_TOKENS <= 254  # 256 less the two marks it adds
    sentences = " ".join(f"Sentence {n} has exactly these ten words, signs counted." for n in range(99))
    passages = cut(document(sentences), count_tokens=words)
    shared = [len(set(before.text.split(". ")) & set(after.text.split(". "))) for before, after in pairwise(passages)]
    assert shared
    assert {n * 11 <= OVERLAP_SHARE * MAX_TOKENS and n >= 3 for n in shared} == {True}
