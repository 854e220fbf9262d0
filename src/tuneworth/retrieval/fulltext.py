"""How text is cut into the terms of the full-text index, and how a question is put to it.

Three ways, chosen by what the passages are written in:

- ``english``: words, stemmed, accents folded.
- ``bigrams``: single characters and pairs, for text that is mostly Chinese, Japanese, Thai, …; no dictionary
  decides what a word is. Latin words are found through their letter pairs, which is poor for English prose.
- ``segmented``: ICU's word boundaries, for mixed text and for all other languages. Nothing is stemmed.

Stop words stay in the index, so a question of nothing else still finds something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from tuneworth.core.documents import Passage
from tuneworth.core.task import Language

if TYPE_CHECKING:
    from lancedb.index import FTS

Cutting = Literal["english", "bigrams", "segmented"]

LONGEST_QUERY = 2_000
"""Characters of a question that are looked up by words; each term costs a pass through its postings."""

_MOSTLY, _SOME = 0.5, 0.01
_SAMPLE = 500
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

# English words that carry no topic: Lucene's 33 (EnglishAnalyzer) and the words that questions are built of.
_EMPTY_WORDS = re.compile(
    "a|an|and|are|as|at|be|but|by|for|if|in|into|is|it|no|not|of|on|or|such|that|the|their|then|there|these"
    "|they|this|to|was|will|with|what|which|who|whom|whose|when|where|why|how|do|does|did|has|have|had|were"
    "|been|am|can|could|would|should|may|might|must|i|me|my|you|your|he|him|his|she|her|we|us|our|its|them"
    "|many|much|some|any|from|about"
)


def searched_text(passage: Passage) -> str:
    """What is indexed and embedded: title, headings and text, each heading once."""
    above = dict.fromkeys(part for part in (passage.title, *passage.headings) if part)
    return clean("\n".join([*above, passage.text]))


def clean(text: str) -> str:
    """``text`` in one Unicode form (full width and compatibility forms folded)."""
    return unicodedata.normalize("NFKC", clean_utf8(text))


def clean_utf8(text: str) -> str:
    """``text`` with a question mark for each half of a character (lone surrogate), which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def choose_cutting(language: Language, texts: Iterable[str]) -> Cutting:
    """The way to cut passages of a task in ``language``, by the scripts that a sample of them is written in."""
    sample = _every_nth(list(texts))
    letters = sum(char.isalpha() for text in sample for char in text)
    share = sum(len(_UNSPACED.findall(text)) for text in sample) / letters if letters else 0.0
    if share >= _MOSTLY or (language == "zh" and not letters):
        return "bigrams"
    return "english" if language == "en" and share < _SOME else "segmented"


def _every_nth(texts: list[str]) -> list[str]:
    return texts[:: max(len(texts) // _SAMPLE, 1)]


def fts_config(cutting: Cutting) -> FTS:
    """LanceDB's settings for one way of cutting."""
    from lancedb.index import FTS

    if cutting == "bigrams":
        return FTS(base_tokenizer="ngram", ngram_min_length=1, ngram_max_length=2, stem=False, remove_stop_words=False)
    if cutting == "english":
        return FTS(base_tokenizer="simple", language="English", stem=True, remove_stop_words=False)
    return FTS(base_tokenizer="icu", stem=False, remove_stop_words=False)


def query_terms(query: str, cutting: Cutting) -> str:
    """The part of a question that is looked up by words.

    In English the words that carry no topic are left out as long as others remain: in a small collection of prose
    "what" and "which" are rare and would weigh like names. Repeated words count once.
    """
    text = clean(query)[:LONGEST_QUERY]
    if cutting == "bigrams":
        return text.strip()
    words = list(dict.fromkeys(text.split()))
    if cutting == "english":
        words = [word for word in words if not _EMPTY_WORDS.fullmatch(re.sub(r"\W", "", word).casefold())] or words
    return " ".join(words)
