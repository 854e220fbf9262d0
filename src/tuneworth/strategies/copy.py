"""Yardstick: the input itself as the answer.

A rewriting, cleaning or translating task may score high on text metrics while nothing is done at all. An arm that is not above
it does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Context, Strategy, StrategyConfig
from tuneworth.strategies.rules import RulesSolver


class CopyConfig(StrategyConfig):
    """Nothing to choose."""


class Copy(Strategy):
    id = "copy"
    effort = 0
    yardstick = True
    kinds = frozenset({"text"})
    needs_model = False
    title = Text(en="the input unchanged", zh="原样返回输入")
    Config = CopyConfig
    solver = RulesSolver

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [CopyConfig()]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        return None if task.kind == "text" else Text(en="answers are not free text", zh="答案不是自由文本")

    def describe(self) -> Text:
        return self.title

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> RulesSolver:
        return RulesSolver([])


PLUGIN = Copy
