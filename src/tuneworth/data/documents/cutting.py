"""From documents to passages, the unit that is retrieved.

The limit counts what an index embeds and a model reads: title, headings and text together. Its default is set by
the embedded sentence encoder, which reads 256 tokens and drops the rest: cut to 240 by the tokenizer of either
embedded model, hardly any English passage (1 % of a technical text, none of an encyclopedia) has more for the
encoder. Five such passages and a question make a prompt of about 1,300 tokens. The overlap, a fifth, holds the last
sentence whole in six of seven cases (half of all sentences have up to 30 tokens, in English as in Chinese); it
applies only where a block is cut, since between paragraphs nothing is torn apart.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby

from tuneworth.core.documents import Block, Document, Passage
from tuneworth.core.text import Text
from tuneworth.data.documents.spans import CountTokens, Cutter
from tuneworth.errors import InputError, Problem

MAX_TOKENS = 240
OVERLAP_SHARE = 0.2
FEWEST_TOKENS = 16
_BETWEEN_BLOCKS = 2  # the line breaks with which ``Document.text`` joins blocks


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
        message = Text(
            en=f"is {max_tokens}, must be at least {FEWEST_TOKENS}: shorter passages hold no sentence",
            zh=f"为 {max_tokens}，至少应为 {FEWEST_TOKENS}：再短就放不下一个句子了",
        )
        problems.append(Problem("max_tokens", message))
    if not 0 <= overlap_tokens <= max_tokens // 2:
        message = Text(
            en=f"is {overlap_tokens}, must be from 0 to half of max_tokens ({max_tokens // 2}): "
            "a larger one makes many passages that say the same",
            zh=f"为 {overlap_tokens}，应在 0 到 max_tokens 的一半（{max_tokens // 2}）之间：再大就会产生许多内容雷同的段落",
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
