"""Tasks with documents, and their library on disk, for the conformance of strategies that read.

The documents are made up, so that no model has read them: what an answer knows, it was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from tuneworth.core.documents import Block, Document, Passage
from tuneworth.core.task import Collection, Example, Message, Query, Task
from tuneworth.data.documents import cut
from tuneworth.models.base import Encoder
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.library import Library
from tuneworth.testing.cases import Case, HashEncoder, case_of

PASSAGE_TOKENS = 48
NO_ANSWER = "not in the documents"

_NAMES = ("Borvik", "Tessaly", "Quandle", "Mirrow", "Oskarine", "Pelluna", "Draymoor", "Vintafel")
_ITEMS = ("kettle", "lamp", "radio", "carpet")
_FACTS: tuple[tuple[str, str, Callable[[int], str], str], ...] = (
    ("Warranty", "How long is the warranty of the {}?", lambda n: f"{13 + n} months", "The {} has a warranty of {}."),
    ("Weight", "How heavy is the {}?", lambda n: f"{400 + 7 * n} grams", "Without its box the {} weighs {}."),
    ("Repair", "Where is the {} repaired?", lambda n: f"workshop {200 + n}", "Broken parts of the {} go to {}."),
)
_PERIODS = ("七天", "十五天", "三十天")
_GOODS = ("台灯", "水壶", "书架", "音箱")
_BRANDS = ("柏岚", "沐川", "启禾", "澄宇", "砚北", "临溪", "知夏", "远岫")
_ASKING = ("{}收到以后多久之内可以退货？", "请问{}的退货期限是多久？", "想退{}，最晚什么时候？")


def n_words(text: str) -> int:
    """A stand-in for a model's tokens: words, and Chinese characters."""
    return sum(1 + sum(character > "\u2e7f" for character in word) for word in text.split())


def cut_documents(documents: Sequence[Document], passage_tokens: int = PASSAGE_TOKENS) -> list[Passage]:
    return [
        passage for document in documents for passage in cut(document, count_tokens=n_words, max_tokens=passage_tokens)
    ]


def collection_of(documents: Sequence[Document], encoder: str | None, no_answer: str = NO_ANSWER) -> Collection:
    """What a task says of ``documents``."""
    passages = cut_documents(documents)
    return Collection(
        n_documents=len(documents),
        n_passages=len(passages),
        digest="made up",
        passage_tokens=PASSAGE_TOKENS,
        mean_tokens=float(np.mean([n_words(searched_text(passage)) for passage in passages])),
        encoder=encoder,
        no_answer=no_answer,
    )


def library_of(case: Case, folder: Path, encoder: Encoder, *, finished: bool = False) -> Library:
    """The library of a case, its indexes in ``folder``.

    Args:
        encoder: searches, where the case's documents are embedded.
        finished: as a finished run leaves it: indexes that are only read, no documents, no rows.
    """
    documents, task = case.documents, case.task
    assert task.documents is not None, f"{task.name} has no documents"
    library = Library(
        folder=folder,
        language=task.language,
        passage_tokens=task.documents.passage_tokens,
        encoder=None if task.documents.encoder is None else lambda: encoder,
        cut=None if finished else lambda size: cut_documents(documents, size),
        no_answer=task.documents.no_answer,
    )
    if not finished:
        library.know(task.kind, case.train, [*case.dev, *case.held_out])
    return library


def _row(task: str, number: int, question: str, answer: str, document: str) -> Example:
    query = Query(f"{task}-{number}", (Message("user", question),))
    return Example(query, answer, gold=(document,))


def _manuals_case() -> Case:
    """Free answers, found by words and by vectors; each document has a passage per fact."""
    name = "documents-en"
    things = [f"{made} {item}" for made, item in product(_NAMES, _ITEMS)]
    documents = [
        Document(
            id=thing.replace(" ", "-").lower(),
            title=thing,
            blocks=tuple(Block(sentence.format(thing, value(n)), (head,)) for head, _, value, sentence in _FACTS),
        )
        for n, thing in enumerate(things)
    ]
    asked = [
        (question.format(thing), value(n), documents[n].id)
        for n, thing in enumerate(things)
        for _, question, value, _ in _FACTS
    ]
    task = Task(
        name=name,
        kind="text",
        instruction="Answer with a short phrase.",
        metric="token_f1",
        documents=collection_of(documents, HashEncoder.id),
    )
    return case_of(task, [_row(name, i, *row) for i, row in enumerate(asked)], documents)


def _returns_case() -> Case:
    """Chinese labels, found by words only; each document is one sentence."""
    name = "documents-zh"
    things = [f"{brand}{good}" for brand, good in product(_BRANDS, _GOODS)]
    documents = [
        Document(f"doc-{n}", thing, (Block(f"{thing}签收后{_PERIODS[n % 3]}内可以退货，运费由卖家承担。"),))
        for n, thing in enumerate(things)
    ]
    asked = [
        (question.format(thing), _PERIODS[n % 3], f"doc-{n}") for n, thing in enumerate(things) for question in _ASKING
    ]
    task = Task(
        name=name,
        kind="label",
        labels=_PERIODS,
        metric="accuracy",
        language="zh",
        documents=collection_of(documents, None, "文档中没有"),
    )
    return case_of(task, [_row(name, i, *row) for i, row in enumerate(asked)], documents)


DOCUMENT_CASES: tuple[Case, ...] = (_manuals_case(), _returns_case())
