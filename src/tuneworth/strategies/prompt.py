"""The instruction alone, with no examples.

The constrained arm can only answer with a label, a choice or JSON of the right form; the free arm is
measured beside it, because that is what prompting without such help gives.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, AskingConfig, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.prompting import (
    Asker,
    constrainable,
    full_instruction,
    model_of,
    opening_turns,
    query_turns,
    unlisted_labels_note,
)
from tuneworth.strategies._parts.workload import Workload, expected_completion, mean_tokens, sample


class PromptConfig(AskingConfig):
    constrained: bool = Field(default=True, description="hold answers to the labels, choices or JSON schema")


class PromptSolver(Solver):
    def __init__(self, asker: Asker, system: str):
        self.asker = asker
        self.system = system

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        task = self.asker.task
        conversations = [opening_turns(self.system, query) + query_turns(query, task) for query in queries]
        return self.asker.ask(queries, conversations, n_head=1)

    def save(self, folder: Path) -> None:
        content = {"system": self.system, "constrained": self.asker.constrained}
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> PromptSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        asker = Asker(model_of(context), context.task, context.max_new_tokens, saved["constrained"])
        return cls(asker, saved["system"])


class Prompt(Strategy):
    id = "prompt"
    effort = 0
    title = Text(en="prompt", zh="提示词")
    Config = PromptConfig
    solver = PromptSolver
    config: PromptConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        if model is None:
            return []
        free = PromptConfig(constrained=False)
        return [PromptConfig(constrained=True), free] if constrainable(task, model) else [free]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        return Text(en="needs a language model", zh="需要一个语言模型") if model is None else None

    def describe(self) -> Text:
        held = Text(en="prompt, constrained", zh="提示词（约束输出）")
        return self.config.named(held if self.config.constrained else Text(en="prompt, free", zh="提示词（自由输出）"))

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        if model is None:
            return Workload()
        rows = sample(train)
        return Workload(
            prompt_tokens=mean_tokens(model, [query_turns(row.query, task) for row in rows]),
            shared_tokens=mean_tokens(model, [(Message("system", full_instruction(task, model).text),)]),
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=False, max_new_tokens=max_new_tokens
            ),
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> PromptSolver:
        model = model_of(context)
        instruction = full_instruction(context.task, model)
        if not instruction.lists_labels:
            context.notes.append(unlisted_labels_note(context.task))
        asker = Asker(model, context.task, context.max_new_tokens, self.config.constrained)
        return PromptSolver(asker, instruction.text)


PLUGIN = Prompt
