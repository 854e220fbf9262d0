"""Whether the finalists' answers rest on passages, and whether they know what the documents do not say.

Only for answers in free text: a label or a filled form is not quoted from a passage, and whether it follows from one
is what the score says.

A passage supports an answer by its words, or by its meaning. Both are evidence, no proof. An answer that is wrong but
stands in the passage is supported; one that draws a conclusion which no sentence states is not. Both thresholds come
from what answers get that have nothing to do with the passage, so they are not tied to one collection or one encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.knowledge import Grounding, NoAnswer, Share
from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.data.documents.sentences import sentence_ends
from tuneworth.findings.documents.seen import Seen, share_of
from tuneworth.metrics._parts.words import answer_tokens, same_words
from tuneworth.models.base import Encoder
from tuneworth.retrieval.fulltext import query_terms
from tuneworth.retrieval.gold import holds_answer
from tuneworth.stats.intervals import wilson
from tuneworth.stats.scores import rng_of
from tuneworth.strategies._parts.passages import search_text

CHECKED_ROWS = 100
"""Answers whose support is looked at when an encoder takes part: each is compared with many others."""
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


@dataclass(frozen=True)
class _Said:
    """An answer that says something.

    Attributes:
        evidence: texts of the passages cited and shown; without citation, of all shown.
    """

    row: Example
    outcome: Outcome
    evidence: list[str]

    @property
    def answer(self) -> str:
        return self.outcome.answer or ""


def groundings(seen: Seen) -> list[Grounding]:
    """One for each finalist that looks things up, where answers are free text."""
    if seen.task.kind != "text":
        return []
    return [_grounding(seen, arm) for arm in seen.finalists() if seen.scored(arm)]


def _grounding(seen: Seen, arm: ArmResult) -> Grounding:
    rows = seen.scored(arm)
    said = _said(seen, arm, rows)
    checked = said
    if seen.encoder is not None:  # at most so many, evenly from first to last
        places = np.linspace(0, len(said) - 1, min(CHECKED_ROWS, len(said))).round().astype(int)
        checked = [said[place] for place in places]
    words = [by_words(one.answer, one.evidence) for one in checked]
    meaning = _meaning(seen, arm, checked, words)
    groups = [one.row.group for one in checked]
    either = words if meaning is None else [a or b for a, b in zip(words, meaning, strict=True)]
    return Grounding(
        arm_id=arm.arm_id,
        stage=seen.stage_of(arm),
        n_answers=len(said),
        n_checked=len(checked),
        cited=share_of([bool(one.outcome.citations) for one in said], [one.row.group for one in said]),
        real=_real([one.outcome for one in said]),
        supported=share_of(either, groups),
        by_words=share_of(words, groups),
        by_meaning=share_of(meaning, groups) if meaning is not None else None,
        no_answer=no_answer(rows, seen.library.no_answer),
    )


def _said(seen: Seen, arm: ArmResult, rows: Sequence[tuple[Example, Outcome]]) -> list[_Said]:
    known = seen.library.passages(seen.passage_tokens(arm))

    def evidence(outcome: Outcome) -> list[str]:
        cited = [name for name in outcome.citations if name in outcome.passages]
        names = cited if outcome.citations else outcome.passages
        return [known[name].text for name in names if name in known]

    return [
        _Said(row, outcome, evidence(outcome))
        for row, outcome in rows
        if outcome.answer and outcome.answer.strip() and not same_words(outcome.answer, seen.library.no_answer)
    ]


def _meaning(seen: Seen, arm: ArmResult, said: Sequence[_Said], by_word: Sequence[bool]) -> list[bool] | None:
    """Whether an answer that words do not support is supported by meaning."""
    if seen.encoder is None or not said:
        return None
    open_rows = [row for row, known in enumerate(by_word) if not known]
    found = by_meaning(
        [search_text(one.row.query) for one in said],
        [one.answer for one in said],
        [one.evidence for one in said],
        seen.encoder(),
        rng_of(seen.seed, "meaning", arm.arm_id),
        open_rows,
    )
    if found is None:
        return None
    supported = {row for row, one in zip(open_rows, found, strict=True) if one}
    return [row in supported for row in range(len(said))]


def _real(outcomes: Sequence[Outcome]) -> Share | None:
    """Share of citations that were shown. The interval counts answers: citations of one answer are not independent."""
    citing = [outcome for outcome in outcomes if outcome.citations]
    made = [name in outcome.passages for outcome in citing for name in outcome.citations]
    if not made:
        return None
    value = sum(made) / len(made)
    return Share(value=value, interval=wilson(value * len(citing), len(citing)))


def no_answer(rows: Sequence[tuple[Example, Outcome]], phrase: str) -> NoAnswer | None:
    """Saying ``phrase`` as a class of its own; ``None`` where it is nobody's answer, right or given.

    Without rows where it is right, its recall is not known, but saying it is still wrong every time.
    """
    said = [outcome.answer is not None and same_words(outcome.answer, phrase) for _, outcome in rows]
    wanted = [same_words(row.output, phrase) for row, _ in rows]
    if not any(said) and not any(wanted):
        return None
    right = [a and b for a, b in zip(said, wanted, strict=True)]
    return NoAnswer(
        n_said=sum(said),
        n_right=sum(right),
        n_unanswerable=sum(wanted),
        precision=share_of([good for good, one in zip(right, said, strict=True) if one]) if any(said) else None,
        recall=share_of([good for good, one in zip(right, wanted, strict=True) if one]) if any(wanted) else None,
    )


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
    single = {token for token in tokens if len(token) == 1 and not token.isascii()}
    return set(tokens) - single | {a + b for a, b in pairwise(tokens) if a in single and b in single}


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

    def parts(text: str) -> list[str]:
        ends = sentence_ends(text, 0, len(text))
        cut = (text[start:end].strip() for start, end in pairwise([0, *ends]))
        return [sentence for sentence in cut if sentence]

    sentences = [[sentence for text in texts for sentence in parts(text)] for texts in passages]
    place = {sentence: at for at, sentence in enumerate(dict.fromkeys(each for row in sentences for each in row))}
    if not place:
        return [np.zeros((0, 0), dtype=np.float32) for _ in passages]
    vectors = encoder.encode(list(place))
    return [vectors[[place[sentence] for sentence in row]] for row in sentences]
