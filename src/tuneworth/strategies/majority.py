"""Yardstick: always the most frequent training answer, or the median of the training numbers.

Nobody would ship it. An arm that does not beat it has learned nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import Field

from tuneworth.core.quantity import number_text
from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig


class MajorityConfig(StrategyConfig):
    answer: Literal["most frequent", "median"] = Field(
        default="most frequent", description="which answer is given always"
    )


class MajoritySolver(Solver):
    """Gives ``output``; where a row does not offer it as a choice, the row's first choice."""

    def __init__(self, output: str):
        self.output = output

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [
            Answer(query.choices[0] if query.choices and self.output not in query.choices else self.output)
            for query in queries
        ]

    def save(self, folder: Path) -> None:
        (folder / "solver.json").write_text(json.dumps({"output": self.output}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> MajoritySolver:
        return cls(json.loads((folder / "solver.json").read_text(encoding="utf-8"))["output"])


class Majority(Strategy):
    id = "majority"
    effort = 0
    yardstick = True
    needs_model = False
    title = Text(en="most frequent answer", zh="最常见的答案")
    Config = MajorityConfig
    solver = MajoritySolver
    config: MajorityConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [MajorityConfig(answer="median" if task.kind == "number" else "most frequent")]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        return None if train else Text(en="there are no training rows", zh="没有训练数据")

    def describe(self) -> Text:
        return self.title if self.config.answer == "most frequent" else Text(en="the median", zh="中位数")

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> MajoritySolver:
        output = usual_answer(context.task, train)
        context.details["train_share"] = sum(example.output == output for example in train) / len(train)
        return MajoritySolver(output)


def usual_answer(task: Task, train: Sequence[Example]) -> str:
    """The one answer to give if it has to be the same for every row: of numbers the median, which has the smallest mean
    error; else the most frequent one, of equally frequent ones the first."""
    if task.kind == "number":
        return number_text(median(float(example.output) for example in train))
    return Counter(example.output for example in train).most_common(1)[0][0]


PLUGIN = Majority
