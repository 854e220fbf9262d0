"""A small collection on disk and made-up outcomes, where the truth is known by construction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import IndexFacts
from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmCost, ArmResult
from tuneworth.core.task import Collection, Example, Message, Query, Split, Task
from tuneworth.core.text import Text
from tuneworth.findings.documents.seen import Seen
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.retrieval.library import Library
from tuneworth.testing.cases import HashEncoder

ITEMS = ("kettle", "anchor", "violin", "compass", "lantern", "saddle", "barometer", "loom", "sextant", "anvil")
PLACES = ("Orrin", "Tavel", "Muskau", "Ligny", "Brema", "Sorano", "Hoorn", "Kasli", "Veere", "Aldra")
N_OLD = 6
NO_ANSWER = "not in the documents"
METRIC = load_metric("exact_match", Path())
INDEX = IndexFacts(
    n_documents=10,
    n_passages=10,
    passage_tokens=100,
    encoder="hash-64",
    seconds=3.0,
    update_passages=4,
    update_seconds=0.9,
)


def passages(*, sets: bool = True, dated: bool = False) -> list[Passage]:
    """One passage for each item; the last four are new."""
    made: list[Passage] = []
    for at, (item, place) in enumerate(zip(ITEMS, PLACES)):
        text = f"The old {item} stands in the town hall of {place}. It weighs {300 + at} kilos. Nobody plays with it."
        made.append(
            Passage(
                id=f"d{at}#0",
                document_id=f"d{at}",
                title=item,
                text=text,
                digest=hashlib.sha256(text.encode()).hexdigest(),
                doc_set=("old" if at < N_OLD else "new") if sets else None,
                changed=date(2024 if at < N_OLD else 2025, 1 + at, 1) if dated else None,
            )
        )
    return made


def halved() -> tuple[list[Passage], list[Passage]]:
    """A document of two passages, and the same cut to half the size: four."""
    sentences = [
        "The kettle of Orrin is old.",
        "Nobody knows how heavy it is.",
        "Its lid has a handle.",
        "The handle is green glass.",
    ]

    def part(number: int, text: str) -> Passage:
        return Passage(f"d0#{number}", "d0", "kettle", text, hashlib.sha256(text.encode()).hexdigest())

    pairs = [" ".join(sentences[:2]), " ".join(sentences[2:])]
    return list(map(part, range(2), pairs)), list(map(part, range(4), sentences))


def library(
    folder: Path, made: Sequence[Passage] | None = None, *, train: Sequence[Example] | None = None, **settings: Any
) -> Library:
    """A library that knows ``train``; left out, training rows whose answers are quoted."""
    made = passages() if made is None else made
    settings = {"encoder": HashEncoder, "cut": lambda size: list(made), **settings}
    books = Library(folder / "index", "en", 100, no_answer=NO_ANSWER, **settings)
    books.know("text", rows("known", [0, 1, 2]) if train is None else train)
    return books


def row(name: str, at: int, *, gold: bool = True, **fields: Any) -> Example:
    """A question about item ``at``."""
    query = Query(name, (Message("user", f"How heavy is the {ITEMS[at]} of {PLACES[at]}, {name}?"),))
    return Example(query, f"{300 + at} kilos", gold=(f"d{at}",) if gold else (), **fields)


def unanswerable(name: str) -> Example:
    return Example(Query(name, (Message("user", f"Who painted the bridge of {name}?"),)), NO_ANSWER)


def rows(name: str, places: Sequence[int], **fields: Any) -> tuple[Example, ...]:
    return tuple(row(f"{name}{number}", at, **fields) for number, at in enumerate(places))


def arm(arm_id: str = "rag", **fields: Any) -> ArmResult:
    base: dict[str, Any] = {
        "strategy": arm_id.split("/")[0],
        "model": "scripted",
        "config": {},
        "title": Text(en=arm_id, zh=arm_id),
        "effort": 2,
        "reads_documents": True,
        "finalist": True,
        "state": "measured",
        "cost": ArmCost(fit_seconds=120.0, seconds_per_1k_rows=1.0),
    }
    return ArmResult.model_validate({"arm_id": arm_id, **base, **fields})


def outcome(
    example: Example,
    answer: str | None,
    shown: Sequence[int] = (),
    cited: Sequence[str] = (),
    *,
    stage: Stage = "test",
    score: float | None = None,
) -> Outcome:
    """An answer scored by exact match, unless ``score`` says otherwise; ``None`` failed."""
    if answer is None:
        return Outcome(arm_id="rag", row_id=example.id, stage=stage, status="failed", error="broke")
    value = METRIC.score(answer, example.references) if score is None else score
    return Outcome(
        arm_id="rag",
        row_id=example.id,
        stage=stage,
        status="scored",
        answer=answer,
        scores={METRIC.id: value},
        passages=tuple(f"d{at}#0" for at in shown),
        citations=tuple(cited),
    )


def by_row(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {each.row_id: each for each in outcomes}


def mean(value: float, n_rows: int = 10) -> Score:
    return Score(value=value, interval=Interval(low=0.0, high=1.0), n_rows=n_rows)


def task(**fields: Any) -> Task:
    documents = Collection(
        n_documents=10, n_passages=10, digest="d", passage_tokens=100, mean_tokens=20.0, no_answer=NO_ANSWER
    )
    return Task.model_validate({"name": "town", "kind": "text", "metric": METRIC.id, "documents": documents, **fields})


def seen(books: Library, *, train=(), dev=(), test=(), arms=(), on_dev=None, on_test=None, **fields: Any) -> Seen:
    """A run. ``on_dev`` and ``on_test``: arm id → outcomes."""
    return Seen(
        split=Split(tuple(train), tuple(dev), tuple(test)),
        library=books,
        results={each.arm_id: each for each in arms},
        dev={name: by_row(each) for name, each in (on_dev or {}).items()},
        test={name: by_row(each) for name, each in (on_test or {}).items()},
        **{"task": task(), "index": INDEX, "metric": METRIC, **fields},
    )
