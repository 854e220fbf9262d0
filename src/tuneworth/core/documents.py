"""Documents that come with a task, and the passages they are cut into."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document that is never cut across by structure: a paragraph, a list, a table, a row.

    Attributes:
        headings: the headings it stands under, outermost first.
        page: 1 for the first page; ``None`` where there are none.
    """

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One document as read.

    Attributes:
        id: unique among the task's documents and stable: the row's own id, or the path below the folder.
        source: file, or ``file:line``, for a person to find it.
        changed: date of its content where the file says one.
        doc_set: the name of the part of the collection that it belongs to (``old``, ``new``), when rows say so.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    source: str = ""
    changed: date | None = None
    doc_set: str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        return "\n\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Passage:
    """What is retrieved: a part of one document.

    Attributes:
        id: ``<document id>#<number>``.
        digest: SHA-256 of title, headings and text: a passage that did not change is not embedded again.
    """

    id: str
    document_id: str
    title: str
    text: str
    digest: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    changed: date | None = None
    doc_set: str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])
