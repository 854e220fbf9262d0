"""Cutting text into words, in any language.

Languages that put no spaces between words (Chinese, Japanese, Thai, …) are cut into characters, all
others at spaces, so "用iPhone15拍照" is 用 · iphone15 · 拍 · 照. No segmenter is needed and the result
never depends on a dictionary.
"""

from __future__ import annotations

import re
import string
import unicodedata

# Han with its iteration marks, kana, Thai, Lao, Myanmar, Khmer.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_PIECES = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_CHARACTER = re.compile(rf"[{_UNSPACED}]")
_ARTICLES = frozenset({"a", "an", "the"})


def answer_tokens(text: str) -> list[str]:
    """Tokens of a short answer, without what does not change its meaning.

    The normalisation of SQuAD (Rajpurkar et al. 2016, evaluation script 1.1) with Unicode in mind:
    width (NFKC) and case are folded, punctuation is deleted, English articles are dropped. Unlike
    the script, the point and the minus sign of a number stay, so 3.5 is not 35 and -5 is not 5.
    As in the script, "C++" and "C" become the same token.
    """
    folded = _folded(text)
    kept = "".join(c for i, c in enumerate(folded) if not _is_punctuation(c) or _in_number(folded, i))
    return [token for token in _PIECES.findall(kept) if token not in _ARTICLES]


def is_unspaced(token: str) -> bool:
    """Whether ``token`` is a character of a language without spaces."""
    return _CHARACTER.fullmatch(token) is not None


def rouge_words(text: str) -> list[str]:
    """Words as ROUGE counts them: runs of letters and digits, everything else separates.

    Equals the tokenizer of ``rouge_score`` (no stemming) on ASCII, and keeps the other scripts,
    which that one drops.
    """
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in _folded(text))
    return _PIECES.findall(kept)


def same_text(answer: str, reference: str) -> bool:
    """Equal but for case, width and outer spaces."""
    return _folded(answer).strip() == _folded(reference).strip()


def same_words(answer: str, phrase: str) -> bool:
    """Equal but for case, width, punctuation and articles; nothing equals a phrase without words."""
    tokens = answer_tokens(phrase)
    return bool(tokens) and answer_tokens(answer) == tokens


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char)[0] == "P"


def _in_number(text: str, i: int) -> bool:
    before, after = text[i - 1 : i], text[i + 1 : i + 2]
    if not after.isdigit():
        return False
    return before.isdigit() if text[i] == "." else text[i] == "-" and not before.strip()
