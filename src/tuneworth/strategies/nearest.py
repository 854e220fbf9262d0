"""Yardstick: the answer of the most similar training row.

It shows how far looking up a like row goes, and how alike the rows are. It may be used as it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.features import NearestRows, is_embedded, text_features, why_no_sklearn
from tuneworth.strategies._parts.workload import Workload, encoded_chars, sample


class NearestConfig(StrategyConfig):
    """Nothing to choose: the language decides the features."""


class NearestSolver(Solver):
    """Copies one of ``outputs``, which are parallel to the rows of ``index``."""

    def __init__(self, index: NearestRows, outputs: Sequence[str]):
        self.index = index
        self.outputs = list(outputs)

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        started = time.perf_counter()
        best = self.index.top([query.text for query in queries], k=1)
        each_ms = 1000 * (time.perf_counter() - started) / max(1, len(queries))
        return [Answer(self.outputs[row], latency_ms=each_ms) for (row,) in best]

    def save(self, folder: Path) -> None:
        self.index.save(folder)
        (folder / "outputs.json").write_text(json.dumps(self.outputs, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> NearestSolver:
        outputs = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
        return cls(NearestRows.load(folder, context.encoder), outputs)


class Nearest(Strategy):
    id = "nearest"
    effort = 0
    yardstick = True
    fallback = True
    needs_model = False
    title = Text(en="answer of the nearest row", zh="照抄最相似的一条")
    Config = NearestConfig
    solver = NearestSolver

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [NearestConfig()]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if not train:
            return Text(en="there are no training rows", zh="没有训练数据")
        return why_no_sklearn() if not is_embedded(task) else None

    def describe(self) -> Text:
        return self.title

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        rows = [row.query for row in sample(train)]
        return Workload(encoded_chars=encoded_chars(rows, task) if is_embedded(task) else 0.0)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> NearestSolver:
        texts = [example.query.text for example in train]
        features = text_features(context.task, texts, context.encoder)
        return NearestSolver(NearestRows.fit(features, texts), [example.output for example in train])


PLUGIN = Nearest
