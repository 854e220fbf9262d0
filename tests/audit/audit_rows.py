"""Subjects made for the tests of the audit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuneworth.audit import Subject
from tuneworth.core.task import Example, Message, OutputKind, Query, Task

Pair = tuple[str, str]
WORDS = [
    "account",
    "address",
    "amount",
    "balance",
    "bank",
    "branch",
    "button",
    "cable",
    "camera",
    "carpet",
    "charge",
    "cheque",
    "cinema",
    "clinic",
    "coffee",
    "colour",
    "copper",
    "corner",
    "cotton",
    "crystal",
    "customs",
    "dentist",
    "deposit",
    "desert",
    "dinner",
    "doctor",
    "drawer",
    "engine",
    "envelope",
    "farmer",
    "fever",
    "filter",
    "finger",
    "flight",
    "flower",
    "forest",
    "garage",
    "garden",
    "gasket",
    "hammer",
    "harbour",
    "helmet",
    "hotel",
    "invoice",
    "island",
    "jacket",
    "kettle",
    "kitchen",
    "ladder",
    "lantern",
    "laptop",
    "leather",
    "lemon",
    "letter",
    "magnet",
    "market",
    "meadow",
    "mirror",
    "mortgage",
    "needle",
    "nephew",
    "office",
    "orchard",
    "packet",
    "parcel",
    "pencil",
    "pepper",
    "petrol",
    "pillow",
    "planet",
    "pocket",
    "police",
    "pollen",
    "potato",
    "powder",
    "printer",
    "puzzle",
    "rabbit",
    "ribbon",
    "river",
    "rocket",
    "saddle",
    "salary",
    "school",
    "season",
    "shadow",
    "shelter",
    "signal",
    "silver",
    "sister",
    "spider",
    "spring",
    "station",
    "stomach",
    "street",
    "summer",
    "surgeon",
    "tablet",
    "tailor",
    "temple",
    "ticket",
    "timber",
    "tunnel",
    "turtle",
    "valley",
    "velvet",
    "violin",
    "visitor",
    "voucher",
    "wallet",
    "weather",
    "window",
    "winter",
    "worker",
]
HAN = "安宝北才长城春大地东风高光国海河红花华江金开科兰力林龙明南宁平青秋山石水松天文武西新星学雪阳银玉云中竹"


def example(text: str, output: str, at: int, file: str = "train.jsonl") -> Example:
    return Example(Query(f"{file}-{at}", (Message("user", text),)), output, source=f"{file}:{at}")


def subject(train: Sequence[Pair], test: Sequence[Pair] = (), kind: OutputKind = "label") -> Subject:
    rows = [example(*pair, at) for at, pair in enumerate(train, 1)]
    held = [example(*pair, at, "test.jsonl") for at, pair in enumerate(test, 1)]
    labels = tuple(sorted({row.output for row in rows})) if kind == "label" else ()
    task = Task(name="made", kind=kind, labels=labels, metric="accuracy")
    raw = {row.id: row.query.text for row in (*rows, *held)}
    return Subject(task, tuple(rows), tuple(held), raw=raw)


def sentences(n: int, seed: int = 0, size: int = 12) -> list[str]:
    """Sentences of random words; two of them are never near-duplicates."""
    rng = np.random.default_rng(seed)
    return [" ".join(WORDS[at] for at in rng.choice(len(WORDS), size, replace=False)) for _ in range(n)]


def han_sentences(n: int, seed: int = 0, size: int = 24) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(HAN[at] for at in rng.integers(len(HAN), size=size)) for _ in range(n)]
