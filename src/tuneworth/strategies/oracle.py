"""The reader of ``rag`` given the right passage alone: what answers would be worth if retrieval never failed.

A yardstick. What it loses, the reader loses; what ``rag`` loses beyond it, the search does. It knows the gold passages
of a row by the row's id, which nothing that may win is allowed to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from pydantic import Field

from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Answer, AskingConfig, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.passages import passage_prompt
from tuneworth.strategies._parts.prompting import constrainable, full_instruction, model_of
from tuneworth.strategies._parts.reading import (
    HEAD_TOKENS,
    Reader,
    library_of,
    reader,
    reader_on,
    reading_work,
    why_no_documents,
)
from tuneworth.strategies._parts.workload import Workload, expected_completion, sample

NO_GOLD = "no gold passage is known for the row, so there is nothing to give the reader"
MOST_EXPECTED = 2
"""Gold passages per row that are counted on: a row may name a long document, of which few passages hold its answer."""


class OracleConfig(AskingConfig):
    constrained: bool = Field(default=True, description="hold answers to the labels, choices or JSON schema")


class OracleSolver(Solver):
    """Reads the gold passages of each row; a row of which none is known is refused, never scored as wrong."""

    def __init__(self, library: Library, reader: Reader):
        self.library = library
        self.reader = reader

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        gold = [self.library.gold_of(query.id) for query in queries]
        known = [i for i, passages in enumerate(gold) if passages]
        told = self.reader.read([queries[i] for i in known], [gold[i] for i in known])
        answers = dict(zip(known, told, strict=True))
        return [answers.get(i) or Answer(None, status="refused", error=NO_GOLD) for i in range(len(queries))]

    def save(self, folder: Path) -> None:
        content = self.reader.settings()
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> OracleSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        return cls(library_of(context), reader_on(saved, context))


class Oracle(Strategy):
    id = "oracle"
    effort = 3
    yardstick = True
    reads_documents = True
    title = Text(en="gold passage given", zh="直接给出标准段落")
    Config = OracleConfig
    solver = OracleSolver
    config: OracleConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [] if model is None else [OracleConfig(constrained=constrainable(task, model))]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if (why := why_no_documents(task)) is not None:
            return why
        if model is None:
            return Text(en="needs a language model", zh="需要一个语言模型")
        if not any(row.gold for row in train):
            return Text(
                en="no training row names the passage that holds its answer", zh="训练数据都没有标明答案所在的段落"
            )
        return None

    def describe(self) -> Text:
        held = Text(en="gold passage given, constrained", zh="直接给出标准段落（约束输出）")
        return self.config.named(held if self.config.constrained else self.title)

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        if model is None or task.documents is None:
            return Workload()
        rows = sample(train)
        n_gold = mean(min(len(row.gold), MOST_EXPECTED) for row in rows) if rows else 0.0
        shown = n_gold * (task.documents.mean_tokens + HEAD_TOKENS)
        work = reading_work(task, model, rows, full_instruction(task, model).text, shown, max_new_tokens)
        return replace(
            work,
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=False, max_new_tokens=max_new_tokens
            ),
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> OracleSolver:
        library = library_of(context)
        prompt = passage_prompt(context.task, full_instruction(context.task, model_of(context)).text, train)
        return OracleSolver(library, reader(prompt, self.config.constrained, context))


PLUGIN = Oracle
