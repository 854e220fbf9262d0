"""The texts of documents, for the checks that look at words only."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.documents import Document
from tuneworth.data.documents.load import load_documents


def read_documents(source: str | Sequence[str]) -> tuple[str, ...]:
    """The text of every document in ``source`` (see ``load_documents``), headings where they stand.

    Raises:
        InputError: nothing is there, or nothing in it is a document that can be read.
        EnvironmentProblem: a file cannot be read, or a library is missing.
    """
    return texts_of(load_documents(source).documents)


def texts_of(documents: Sequence[Document]) -> tuple[str, ...]:
    """The text of every document, headings where they stand."""
    return tuple(_with_headings(document) for document in documents)


def _with_headings(document: Document) -> str:
    pieces: list[str] = []
    before: tuple[str, ...] = ()
    for block in document.blocks:
        shared = next((at for at, pair in enumerate(zip(before, block.headings)) if pair[0] != pair[1]), None)
        shared = min(len(before), len(block.headings)) if shared is None else shared
        pieces += [*block.headings[shared:], block.text]
        before = block.headings
    return "\n\n".join(pieces)
