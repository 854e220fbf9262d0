"""Text metrics: SQuAD's values, agreement with rouge-score and sacrebleu, and Chinese."""

from __future__ import annotations

import re
import string
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.chrf import CHRF

from tuneworth.core.registry import load_plugin
from tuneworth.errors import EnvironmentProblem
from tuneworth.metrics import require
from tuneworth.metrics._parts.words import answer_tokens, rouge_words

EXACT, F1, ROUGE, CHR = (
    load_plugin("tuneworth.metrics", name) for name in ("exact_match", "token_f1", "rouge_l", "chrf")
)
texts = st.text(max_size=30) | st.text(alphabet="ab cd。北京 ,.-5", max_size=20)
letters = st.text(alphabet=string.ascii_letters + " ,.!?'\"()", max_size=60)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The  U.S. Army's mother-in-law", ["us", "armys", "motherinlaw"]),
        ("北京，是 中国的首都。", list("北京是中国的首都")),
        ("用iPhone15拍照", ["用", "iphone15", "拍", "照"]),
        ("ＧＰＴ４！", ["gpt4"]),
        ("3.5, 1,000 and -5.", ["3.5", "1000", "and", "-5"]),
        ("covid-19 in 1999.", ["covid19", "in", "1999"]),
        ("第3.5节", ["第", "3.5", "节"]),
        ("don’t", ["dont"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("The a an", []),
        ("...", []),
    ],
)
def test_answer_tokens(text, tokens):
    assert answer_tokens(text) == tokens


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("the Eiffel Tower.", "Eiffel tower", 1, 1.0),
        ("Eiffel Tower in Paris", "Eiffel tower", 0, 2 * 2 / 6),
        ("北京。", "北京", 1, 1.0),
        ("北 京", "北京", 1, 1.0),
        ("北京市", "北京", 0, 4 / 5),
        ("在iPhone上", "iphone 上", 0, 4 / 5),
        ("3.5", "35", 0, 0.0),
        ("-5", "5", 0, 0.0),
        ("cat cat dog", "cat dog dog", 0, 4 / 6),
        ("dog bites man", "man bites dog", 0, 1.0),
        ("", "yes", 0, 0.0),
        ("The", "the", 1, 1.0),
        ("+", "-", 0, 0.0),
        ("+", " + ", 1, 1.0),
    ],
)
def test_exact_match_and_token_f1(answer, reference, exact, f1):
    assert EXACT.score(answer, [reference]) == exact
    assert F1.score(answer, [reference]) == pytest.approx(f1)


def squad_tokens(text: str) -> list[str]:
    """The published normalisation: lower, drop ASCII punctuation, drop articles, split."""
    without = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", without).split()


@given(letters, letters)
def test_agreement_with_the_squad_definition(answer, reference):
    found, wanted = Counter(squad_tokens(answer)), Counter(squad_tokens(reference))
    if not wanted:  # there the script calls any two empty texts equal; we compare the texts
        return
    common = (found & wanted).total()
    expected = 2 * common / (found.total() + wanted.total())
    assert F1.score(answer, [reference]) == pytest.approx(expected)
    assert EXACT.score(answer, [reference]) == float(squad_tokens(answer) == squad_tokens(reference))


@given(st.text(alphabet=string.printable, max_size=60))
def test_rouge_words_are_those_of_the_library_on_ascii(text):
    from rouge_score.tokenizers import DefaultTokenizer

    assert rouge_words(text) == DefaultTokenizer().tokenize(text)


@given(letters, letters)
def test_rouge_l_agrees_with_the_library(answer, reference):
    expected = RougeScorer(["rougeL"]).score(reference, answer)["rougeL"].fmeasure
    if answer.strip().casefold() != reference.strip().casefold():
        assert ROUGE.score(answer, [reference]) == pytest.approx(expected)


def test_rouge_l_by_hand():
    # longest common subsequence: police the gunman → 3; precision 3/4, recall 3/4
    assert ROUGE.score("police ended the gunman", ["police kill the gunman"]) == pytest.approx(0.75)
    # 北京首都 of 5 and 9 characters: 4/5 and 4/9
    assert ROUGE.score("北京首都市", ["北京，是中国的首都。"]) == pytest.approx(2 * 4 / (5 + 8))
    assert ROUGE.score("首都北京", ["北京首都"]) == pytest.approx(0.5)
    assert RougeScorer(["rougeL"]).score("北京", "北京")["rougeL"].fmeasure == 0  # why the tokenizer is ours


@pytest.mark.parametrize(
    ("answer", "references"),
    [
        ("The cat sat on the mat", ["The cat is on the mat", "A cat sat there"]),
        ("北京是首都", ["北京是中国的首都", "首都是北京"]),
        ("北", ["北京"]),
        ("上海", ["北京"]),
        ("iPhone 拍照", ["用 iPhone 拍照"]),
        ("", ["something"]),
    ],
)
def test_chrf_is_sacrebleus(answer, references):
    expected = CHRF().sentence_score(answer, references).score / 100
    assert CHR.score(answer, references) == pytest.approx(expected)


def test_chrf_of_a_short_chinese_text_by_hand():
    # one character of two: precision 1, recall 1/2; F2 = 5·1·0.5 / (4·1 + 0.5). No bigram on one side.
    assert CHR.score("北", ["北京"]) == pytest.approx(2.5 / 4.5)
    assert CHR.score("北京", ["北京"]) == 1.0


@given(texts, texts, st.sampled_from([EXACT, F1, ROUGE, CHR]))
def test_range_identity_and_best_reference(answer, reference, metric):
    score = metric.score(answer, [reference])
    assert 0.0 <= score <= 1.0
    assert metric.score(reference, [reference]) == 1.0
    assert metric.score(answer, [reference, "another reference"]) >= score
    assert metric.score(reference, ["another reference", reference]) == 1.0


@given(letters, letters, st.sampled_from([EXACT, F1, ROUGE]))
def test_symmetry(left, right, metric):
    if answer_tokens(left) and answer_tokens(right):
        assert metric.score(left, [right]) == pytest.approx(metric.score(right, [left]))


@given(texts, texts)
def test_a_match_has_full_token_f1(answer, reference):
    assert F1.score(answer, [reference]) >= EXACT.score(answer, [reference])


def test_a_missing_library_names_its_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.delitem(sys.modules, "sacrebleu.metrics.chrf", raising=False)
    monkeypatch.delitem(sys.modules, "sacrebleu.metrics", raising=False)
    with pytest.raises(
        EnvironmentProblem, match=r"chrf: this metric needs the library .*\n.*tuneworth\[local\]"
    ) as caught:
        require("sacrebleu.metrics.chrf", "chrf")
    assert "尚未安装" in caught.value.to("zh")
