"""Whether a passage supports an answer: by its words, and by its meaning.

Both are evidence, no proof. An answer that is wrong but stands in the passage is supported; one that draws a
conclusion which no sentence states is not. Both thresholds come from what answers get that have nothing to do with
the passage, so they are not tied to one collection or one encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tuneworth.data.documents.sentences import sentence_ends
from tuneworth.metrics._parts.words import answer_tokens
from tuneworth.models.base import Encoder
from tuneworth.retrieval.answers import holds_answer
from tuneworth.retrieval.fulltext import query_terms

MIN_TERMS = 4
"""A shorter answer must stand in the passage as it is: of three words, two are found in many a passage."""
TERM_SHARE = 0.75
"""Share of a longer answer's terms that one passage must hold: in the manner of the knowledge precision of Adlakha et al.
2024 (TACL 12:681). Of sentences taken from one Wikipedia paragraph, 2 in 1,000 reach it in another of the same article,
in English and in Chinese (2,400 sentences); half of them would be too little, which 3 in 100 reach in English."""
N_OTHERS = 19
"""Answers to other rows that an answer must beat: one that has nothing to do with the passage does in 1 of 20 cases.
Of 100 answers to questions on Wikipedia paragraphs, MiniLM let 72 right ones pass, and 4 that belonged to other
questions. It is weak evidence, for answers in other words than the passage's."""


def by_words(answer: str, passages: Sequence[str]) -> bool:
    """Whether one of ``passages`` holds the answer word for word, or most terms of a longer one."""
    if any(holds_answer(text, [answer]) for text in passages):
        return True
    wanted = terms(answer)
    if len(wanted) < MIN_TERMS:
        return False
    return any(len(wanted & terms(text)) >= TERM_SHARE * len(wanted) for text in passages)


def terms(text: str) -> set[str]:
    """The different words of ``text`` but those without a topic; pairs of characters where no spaces part words."""
    tokens = answer_tokens(query_terms(text, "english"))
    words = {token for token in tokens if not _is_character(token)}
    return words | {a + b for a, b in pairwise(tokens) if _is_character(a) and _is_character(b)}


def _is_character(token: str) -> bool:
    return len(token) == 1 and not token.isascii()


def by_meaning(
    questions: Sequence[str],
    answers: Sequence[str],
    passages: Sequence[Sequence[str]],
    encoder: Encoder,
    rng: np.random.Generator,
    which: Sequence[int] | None = None,
) -> list[bool] | None:
    """For each row of ``which``, whether its answer brings the question nearer to a sentence of its passages than others do.

    The question is half of what is compared, so nearness alone would call any answer to it supported. What counts is
    that the row's answer beats those of ``N_OTHERS`` other rows in its place, of rows with other passages if there are
    enough: answers from the same passage are supported by it as well.

    Args:
        passages: of each row, the texts that should support its answer; none: not supported.
        which: rows that are looked at, all if left out; the others only lend their answers. Each costs ``N_OTHERS`` texts to embed.

    Returns:
        ``None`` when there are too few different answers to compare with.
    """
    keys = [" ".join(answer_tokens(answer)) for answer in answers]
    if len(set(keys)) <= N_OTHERS:
        return None
    which = range(len(answers)) if which is None else which
    vectors = _sentence_vectors([passages[row] for row in which], encoder)
    found: list[bool] = []
    for row, nearby in zip(which, vectors, strict=True):
        if not nearby.size:
            found.append(False)
            continue
        others = [answers[at] for at in _others(row, keys, passages)]
        drawn = [others[at] for at in rng.choice(len(others), N_OTHERS, replace=False)]
        asked = encoder.encode([f"{questions[row]} {answer}" for answer in [answers[row], *drawn]])
        cosines = (asked @ nearby.T).max(axis=1)
        found.append(bool(cosines[0] > cosines[1:].max()))
    return found


def _others(row: int, keys: Sequence[str], passages: Sequence[Sequence[str]]) -> list[int]:
    """Rows with different answers, one for each, to put in the place of that of ``row``."""
    own = set(passages[row])
    different = [at for at in range(len(keys)) if keys[at] != keys[row]]
    elsewhere = {keys[at]: at for at in different if own.isdisjoint(passages[at])}
    if len(elsewhere) < N_OTHERS:
        elsewhere = {keys[at]: at for at in different}
    return list(elsewhere.values())


def _sentence_vectors(passages: Sequence[Sequence[str]], encoder: Encoder) -> list[NDArray[np.float32]]:
    """For each row the vectors of its sentences, shape ``(sentences, dimension)``; each is embedded once."""
    sentences = [[sentence for text in texts for sentence in _sentences(text)] for texts in passages]
    place = {sentence: at for at, sentence in enumerate(dict.fromkeys(each for row in sentences for each in row))}
    if not place:
        return [np.zeros((0, 0), dtype=np.float32) for _ in passages]
    vectors = encoder.encode(list(place))
    return [vectors[[place[sentence] for sentence in row]] for row in sentences]


def _sentences(text: str) -> list[str]:
    ends = sentence_ends(text, 0, len(text))
    cut = (text[start:end].strip() for start, end in pairwise([0, *ends]))
    return [sentence for sentence in cut if sentence]
