"""From documents to passages, the unit that is retrieved.

The limit counts what an index embeds and a model reads: title, headings and text together. Its default is set by
the embedded sentence encoder, which reads 256 tokens and drops the rest: cut to 240 by the tokenizer of either
embedded model, hardly any English passage (1 % of a technical text, none of an encyclopedia) has more for the
encoder. Five such passages and a question make a prompt of about 1,300 tokens. The overlap, a fifth, holds the last
sentence whole in six of seven cases (half of all sentences have up to 30 tokens, in English as in Chinese); it
applies only where a block is cut, since between paragraphs nothing is torn apart.

Whole blocks are joined while they fit. A block that does not fit alone is cut after sentences, a sentence that does
not fit after clauses, then between words, then between characters. Such cuts make parts of about equal size, since
greedy ones would leave a stump at the end, and parts overlap: what a cut tears apart stands whole in one of them.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tuneworth.core.documents import Block, Document, Passage
from tuneworth.data.documents.sentences import clause_ends, is_inside_character, sentence_ends, word_ends
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

CountTokens = Callable[[str], int]
_Ends = Callable[[str, int, int], Sequence[int]]

_SMALL = 0.25
"""Share of the limit below which blocks go with a long neighbour: a line that only introduces a table."""
_GUESSES = 3
_SAMPLE_CHARS = 400
_LONGEST_CHARACTER = 32
MAX_TOKENS = 240
OVERLAP_SHARE = 0.2
FEWEST_TOKENS = 16
_BETWEEN_BLOCKS = 2  # the line breaks with which ``Document.text`` joins blocks


class Span(NamedTuple):
    """``text[start:end]``; its first characters may be the last of the span before."""

    start: int
    end: int


def _characters(text: str, start: int, end: int) -> Sequence[int]:
    return range(start + 1, end + 1)


_FINER: tuple[_Ends, ...] = (sentence_ends, clause_ends, word_ends, _characters)


class Cutter:
    """Cuts ``text``, all of whose tokens are counted by ``count_tokens``.

    A longer text is taken to have no fewer tokens than its beginning. Where one character alone has more tokens than
    the limit, it is a span all the same.
    """

    def __init__(self, text: str, count_tokens: CountTokens, overlap_tokens: int):
        self._text = text
        self._count_tokens = count_tokens
        self._overlap = overlap_tokens
        self._counted: dict[tuple[int, int], int] = {}
        self._chars_per_token = 1.0
        self._count(0, min(len(text), _SAMPLE_CHARS))  # so that the first guess is a good one

    def cut(self, start: int, ends: Sequence[int], limit: int) -> list[Span]:
        """Spans of at most ``limit`` tokens that cover a section which begins at ``start``, blank ones left out.

        Args:
            ends: where its blocks end, ascending.
        """
        spans = [span for span in self._blocks(start, ends, limit) if self._text[span.start : span.end].strip()]
        return self._joined(spans, limit)

    def _blocks(self, start: int, ends: Sequence[int], limit: int) -> Iterator[Span]:
        i = 0
        while i < len(ends):
            far = self._furthest(ends, i, start, limit)
            if far + 1 < len(ends) and self._leads_in(start, ends, far, limit):
                far += 1
                yield from self._finer(start, ends[far], limit, 0)
            elif far < i:
                far = i
                yield from self._finer(start, ends[far], limit, 0)
            else:
                yield Span(start, ends[far])
            i, start = far + 1, ends[far]

    def _leads_in(self, start: int, ends: Sequence[int], far: int, limit: int) -> bool:
        """Whether the blocks up to ``far`` are few words before a block that has to be cut."""
        if ends[far] <= start or self._count(start, ends[far]) > _SMALL * limit:
            return False
        return self._furthest(ends, far + 1, ends[far], limit) == far

    def _finer(self, start: int, end: int, limit: int, level: int) -> Iterator[Span]:
        """Spans of ``text[start:end]``, cut where ``_FINER[level]`` allows it, finer only where one part is too long."""
        ends = _FINER[level](self._text, start, end)
        i, new = 0, start  # what is before ``new`` was in a span already
        while i < len(ends):
            far = self._furthest(ends, i, start, limit)
            if far < i and start < new:
                start = new  # with the overlap not even one more part fits
                continue
            if far < i and level + 1 < len(_FINER):
                far = i
                yield from self._finer(start, ends[i], limit, level + 1)
            else:
                far = self._even(ends, i, max(far, i), new)
                yield Span(start, ends[far])
            i, new = far + 1, ends[far]
            start = self._overlap_before(ends, far, start) if i < len(ends) else new

    def _even(self, ends: Sequence[int], i: int, far: int, new: int) -> int:
        """The end at or before ``far`` that leaves parts of about the same size."""
        left, taken = ends[-1] - new, ends[far] - new
        n_parts = -(-left // taken)
        even = min(bisect_left(ends, new + left / n_parts, i), far) if n_parts > 1 else far
        for _ in range(_LONGEST_CHARACTER):
            if even == i or not is_inside_character(self._text, ends[even]):
                break
            even -= 1
        return even

    def _overlap_before(self, ends: Sequence[int], far: int, start: int) -> int:
        """Where the next span starts: the earliest beginning of a part whose rest has no more than the overlap."""
        end = ends[far]
        wanted = self._overlap * self._chars_per_token
        while wanted >= 1:
            at = bisect_left(ends, end - wanted, 0, far)
            if at == far or ends[at] <= start:
                at = bisect_right(ends, start, 0, far)  # a span must not start where the one before did
            if at == far:
                return end
            if self._count(ends[at], end) <= self._overlap and not is_inside_character(self._text, ends[at]):
                return ends[at]
            wanted = min(wanted, end - ends[at]) * 0.7
        return end

    def _furthest(self, ends: Sequence[int], i: int, start: int, limit: int) -> int:
        """The last of ``ends``, from ``i`` on, up to which the text from ``start`` fits; ``i - 1`` if none does.

        Found by guessing from the tokens counted so far: text much longer than the limit is never counted.
        """
        fits, too_far, guesses = i - 1, len(ends), 0
        position = start + limit * self._chars_per_token
        while fits + 1 < too_far:
            probe = min(max(bisect_right(ends, position, i) - 1, fits + 1), too_far - 1)
            n_tokens = self._count(start, ends[probe])
            if n_tokens <= limit:
                fits = probe
            else:
                too_far = probe
            guesses += 1
            if guesses <= _GUESSES:
                position = start + limit * self._chars_per_token
            elif too_far < len(ends):
                position = ends[(fits + too_far) // 2]
            else:
                position = start + 2 * (ends[probe] - start)
        return fits

    def _joined(self, spans: list[Span], limit: int) -> list[Span]:
        """Neighbours that fit together made one, as the end of a cut block and the short block behind it may."""
        joined = spans[:1]
        for span in spans[1:]:
            both = Span(joined[-1].start, span.end)
            is_likely = both.end - both.start <= 2 * limit * self._chars_per_token
            if is_likely and self._count(*both) <= limit:
                joined[-1] = both
            else:
                joined.append(span)
        return joined

    def _count(self, start: int, end: int) -> int:
        if (start, end) not in self._counted:
            n_tokens = self._count_tokens(self._text[start:end].strip())
            if n_tokens > 0:
                self._chars_per_token = max((end - start) / n_tokens, 0.1)
            self._counted[start, end] = n_tokens
        return self._counted[start, end]


def cut(
    document: Document,
    *,
    count_tokens: CountTokens,
    max_tokens: int = MAX_TOKENS,
    overlap_tokens: int | None = None,
) -> list[Passage]:
    """The passages of ``document``, in its order; none where it has no text.

    A passage holds text under one heading path. Everything but white space is in at least one passage. The result
    depends on this document alone.

    Args:
        count_tokens: of the model that reads or embeds the passages.
        max_tokens: most tokens of title, headings and text together; where title and headings take more than half of
            it, the text gets half of it all the same.
        overlap_tokens: most tokens that two neighbours share where a block had to be cut; a fifth of ``max_tokens`` unless
            given.

    Raises:
        InputError: a limit that cannot be kept.
    """
    overlap_tokens = int(OVERLAP_SHARE * max_tokens) if overlap_tokens is None else overlap_tokens
    _check(max_tokens, overlap_tokens)
    text = document.text
    cutter, passages = Cutter(text, count_tokens, overlap_tokens), list[Passage]()
    for start, blocks in _sections(document):
        headings = blocks[0].headings
        ends = list(_ends(start, blocks))
        above = "\n".join(dict.fromkeys(part for part in (document.title, *headings) if part))
        limit = max(max_tokens - (count_tokens(f"{above}\n") if above else 0), max_tokens // 2)
        for span in cutter.cut(start, ends, limit):
            page = blocks[bisect_right(ends, span.start)].page
            passages.append(_passage(document, len(passages), text[span.start : span.end].strip(), headings, page))
    return passages


def digest_of(title: str, headings: tuple[str, ...], text: str) -> str:
    """SHA-256 of what a passage says, in hexadecimal."""
    return hashlib.sha256(json.dumps([title, headings, text]).encode()).hexdigest()


def _check(max_tokens: int, overlap_tokens: int) -> None:
    problems: list[Problem] = []
    if max_tokens < FEWEST_TOKENS:
        message = say("docs_read.cut.max_tokens", max_tokens=str(max_tokens), fewest=FEWEST_TOKENS)
        problems.append(Problem("max_tokens", message))
    if not 0 <= overlap_tokens <= max_tokens // 2:
        message = say(
            "docs_read.cut.overlap_tokens", overlap_tokens=str(overlap_tokens), max_tokens=str(max_tokens // 2)
        )
        problems.append(Problem("overlap_tokens", message))
    if problems:
        raise InputError(problems)


def _sections(document: Document) -> Iterator[tuple[int, list[Block]]]:
    """Neighbouring blocks under the same headings, and where they start in the document's text."""
    start = 0
    for _, group in groupby(document.blocks, key=lambda block: block.headings):
        blocks = list(group)
        yield start, blocks
        start += sum(len(block.text) + _BETWEEN_BLOCKS for block in blocks)


def _ends(start: int, blocks: list[Block]) -> Iterator[int]:
    """Where blocks end, the line breaks behind them included."""
    for block in blocks:
        start += len(block.text) + _BETWEEN_BLOCKS
        yield start


def _passage(document: Document, number: int, text: str, headings: tuple[str, ...], page: int | None) -> Passage:
    return Passage(
        id=f"{document.id}#{number}",
        document_id=document.id,
        title=document.title,
        text=text,
        digest=digest_of(document.title, headings, text),
        headings=headings,
        page=page,
        changed=document.changed,
        doc_set=document.doc_set,
        metadata=document.metadata,
    )
