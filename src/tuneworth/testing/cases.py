"""Small tasks of every output kind, some with documents, and a sentence encoder without weights, for conformance tests.

The documents are made up, so that no model has read them: what an answer knows, it was shown.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Block, Document, Passage
from tuneworth.core.task import Collection, Example, Message, Query, Task
from tuneworth.data.documents.cutting import cut
from tuneworth.models.base import Encoder, TextRole
from tuneworth.models.encoders import encoder_for
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.library import Library


@dataclass(frozen=True, slots=True)
class Case:
    """A task with rows. ``queries`` are the questions of rows that are in neither train nor dev.

    Attributes:
        held_out: the rows of ``queries``, for a yardstick that is given their gold passages.
        documents: what the task's passages are cut from.
    """

    task: Task
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    queries: tuple[Query, ...]
    held_out: tuple[Example, ...] = ()
    documents: tuple[Document, ...] = ()


class HashEncoder:
    """Unit vectors of hashed character trigrams: similar spelling, similar vector."""

    id = "hash-64"
    dimension = 64

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for vector, text in zip(vectors, texts):
            for i in range(len(text)):
                vector[zlib.crc32(text[i : i + 3].lower().encode()) % self.dimension] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def describe(self) -> dict[str, Any]:
        return {"id": self.id, "dimension": self.dimension}


def case_of(task: Task, rows: Sequence[Example], documents: Sequence[Document] = ()) -> Case:
    """The rows in a fixed random order; every sixth is a query, every seventh of the others a dev row."""
    examples = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    rest = [example for i, example in enumerate(examples) if i % 6]
    return Case(
        task=task,
        train=tuple(example for i, example in enumerate(rest) if i % 7),
        dev=tuple(rest[::7]),
        queries=tuple(example.query for example in examples[::6]),
        held_out=tuple(examples[::6]),
        documents=tuple(documents),
    )


def _case(task: Task, rows: Sequence[tuple[str, str]], choices: tuple[str, ...] = ()) -> Case:
    encoder = None if task.kind == "number" else encoder_for(task.language)
    return case_of(
        task.model_copy(update={"sentence_encoder": encoder}),
        [
            Example(Query(f"{task.name}-{i}", (Message("user", text),), choices), output)
            for i, (text, output) in enumerate(rows)
        ],
    )


_ITEMS = ("kettle", "lamp", "desk", "radio", "carpet", "mirror", "bicycle", "toaster")
_INTENTS: dict[str, Callable[[str, int], str]] = {
    "refund": lambda item, n: f"Please send back my money for {n} times the {item}",
    "delivery": lambda item, n: f"When will the {item} arrive, it is {n} days late",
    "repair": lambda item, n: f"The {item} broke after {n} weeks, can you mend it",
}
_TOPICS: dict[str, Callable[[str, int], str]] = {
    "天气": lambda city, n: f"{city}{n}号会下雨吗，气温多少度",
    "交通": lambda city, n: f"去{city}的{n}次列车几点发车",
    "美食": lambda city, n: f"{city}最好吃的{n}家面馆在哪里",
}
_CITIES = ("北京", "上海", "广州", "成都", "西安", "杭州", "南京", "武汉")
_COUNTS = (2, 5, 9, 14)


def _label_case() -> Case:
    rows = [(_INTENTS[label](item, n), label) for n, item, label in product(_COUNTS, _ITEMS, _INTENTS)]
    return _case(Task(name="label-en", kind="label", labels=tuple(_INTENTS), metric="accuracy"), rows)


def _chinese_case() -> Case:
    rows = [(_TOPICS[label](city, n), label) for n, city, label in product(_COUNTS, _CITIES, _TOPICS)]
    task = Task(name="label-zh", kind="label", labels=tuple(_TOPICS), metric="accuracy", language="zh")
    return _case(task, rows)


def _choice_case() -> Case:
    numbers = range(3, 99)
    rows = [(f"Is {n} odd or even?\nA. odd\nB. even", "A" if n % 2 else "B") for n in numbers]
    return _case(Task(name="choice", kind="choice", metric="accuracy"), rows, choices=("A", "B"))


def _multilabel_case() -> Case:
    marks = {
        "late": "it came {n} days late",
        "broken": "the {item} is broken",
        "rude": "the driver of the {item} was rude",
    }
    rows = [
        (
            f"Order {n}: " + "; ".join(marks[mark].format(n=n, item=item) for mark in named),
            ", ".join(sorted(named)),
        )
        for n, item, named in product(_COUNTS, _ITEMS, (("late",), ("broken", "late"), ("rude", "broken"), ("rude",)))
    ]
    task = Task(name="multilabel", kind="multilabel", labels=tuple(sorted(marks)), metric="multilabel_f1")
    return _case(task, rows)


def _number_case() -> Case:
    words = {"awful": -2, "poor": -1, "fine": 1, "superb": 2}
    rows = [
        (f"The {item} was {first} and the {other} {second}", f"{3 + 0.5 * (words[first] + words[second])}")
        for item, other, (first, second) in product(_ITEMS[:3], _ITEMS[3:5], product(words, words))
    ]
    return _case(Task(name="number", kind="number", metric="numbers", spread=2.0), rows)


def _json_case() -> Case:
    schema = {
        "type": "object",
        "properties": {"item": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["item", "count"],
        "additionalProperties": False,
    }
    rows = [
        (f"I would like {n} of the {size} {item}s", json.dumps({"item": item, "count": n}))
        for n, item, size in product(_COUNTS, _ITEMS, ("small", "large", "green"))
    ]
    return _case(Task(name="json", kind="json", json_schema=schema, metric="json_exact"), rows)


def _text_case() -> Case:
    rows = [
        (f"item: {item}; days: {n}; place: {place}", f"The {item} came to the {place} after {n} days.")
        for n, item, place in product(_COUNTS, _ITEMS, ("shop", "house", "office"))
    ]
    task = Task(name="text", kind="text", instruction="Write one sentence with these facts.", metric="rouge_l")
    return _case(task, rows)


CASES: tuple[Case, ...] = (
    _label_case(),
    _chinese_case(),
    _choice_case(),
    _multilabel_case(),
    _number_case(),
    _json_case(),
    _text_case(),
)


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
