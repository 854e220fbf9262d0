"""Small tasks of every output kind, and a sentence encoder without weights, for conformance tests."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Document
from tuneworth.core.task import Example, Message, Query, Task


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

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
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
    return case_of(
        task,
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


CASES: tuple[Case, ...] = (_label_case(), _chinese_case(), _choice_case(), _json_case(), _text_case())
