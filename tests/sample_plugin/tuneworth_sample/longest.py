"""A strategy in one file: always the longest training answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig


class LongestConfig(StrategyConfig):
    """Nothing to choose."""


class LongestSolver(Solver):
    def __init__(self, output: str):
        self.output = output

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(self.output) for _ in queries]

    def save(self, folder: Path) -> None:
        (folder / "output.txt").write_text(self.output, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> LongestSolver:
        return cls((folder / "output.txt").read_text(encoding="utf-8"))


class Longest(Strategy):
    id = "longest"
    effort = 0
    yardstick = True
    needs_model = False
    title = Text(en="longest answer", zh="最长的答案")
    Config = LongestConfig
    solver = LongestSolver

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [LongestConfig()]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        return None if train else Text(en="there are no training rows", zh="没有训练数据")

    def describe(self) -> Text:
        return self.title

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> LongestSolver:
        return LongestSolver(max((example.output for example in train), key=len))


PLUGIN = Longest
