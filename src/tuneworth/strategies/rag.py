"""Retrieval-augmented generation: the question is looked up in the documents, and the model answers from what was found.

Lewis et al. 2020, "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks" (2005.11401), with a fixed
retriever and an untuned reader. How many passages, of which size, found how: each is an arm. More passages hold the
right one more often, and distract a small model more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from tuneworth.core.task import Collection, Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.retrieval.hits import Mode
from tuneworth.strategies import Answer, AskingConfig, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.passages import passage_prompt
from tuneworth.strategies._parts.prompting import constrainable, full_instruction, model_of, unlisted_labels_note
from tuneworth.strategies._parts.reading import (
    DEPTHS,
    HEAD_TOKENS,
    USUAL_K,
    Finder,
    Reader,
    best_mode,
    library_of,
    reader,
    reader_on,
    reading_work,
    searched_chars,
    why_no_documents,
)
from tuneworth.strategies._parts.workload import Workload, expected_completion, sample

LEAST_PASSAGE_TOKENS = 32
"""Smaller passages are hardly more than a sentence."""
MODE_TEXT: dict[Mode, Text] = {
    "hybrid": Text(en="hybrid search", zh="混合检索"),
    "text": Text(en="text search", zh="全文检索"),
    "vector": Text(en="vector search", zh="向量检索"),
}


class RagConfig(AskingConfig):
    k: int = Field(default=USUAL_K, ge=1, description="passages per question")
    mode: Mode = Field(default="hybrid", description="how passages are searched: hybrid, text or vector")
    passage_tokens: int | None = Field(
        default=None, ge=16, description="size of the passages; the task's when left out"
    )
    rerank: bool = Field(default=False, description="let the task's reranker decide the order")
    constrained: bool = Field(default=True, description="hold answers to the labels, choices or JSON schema")


class RagSolver(Solver):
    """Finds passages for each query and reads them."""

    def __init__(self, finder: Finder, reader: Reader):
        self.finder = finder
        self.reader = reader

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        """Each answer's latency has its share of the search in it."""
        started = time.perf_counter()
        found = self.finder.find(queries)
        finding_ms = 1000 * (time.perf_counter() - started) / max(1, len(queries))
        answers = self.reader.read(queries, found)
        return [replace(answer, latency_ms=answer.latency_ms + finding_ms) for answer in answers]

    def save(self, folder: Path) -> None:
        content = {"finder": self.finder.settings(), "reader": self.reader.settings()}
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> RagSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        return cls(Finder.on_library(saved["finder"], context), reader_on(saved["reader"], context))


class Rag(Strategy):
    id = "rag"
    effort = 3
    reads_documents = True
    title = Text(en="RAG", zh="RAG（检索增强）")
    Config = RagConfig
    solver = RagSolver
    config: RagConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        """Numbers of passages first; then, at the usual number, what else can be turned; the free form last."""
        if model is None or task.documents is None:
            return []
        depths = [k for k in DEPTHS if k <= task.documents.n_passages] or [1]
        held = constrainable(task, model)
        usual = RagConfig(
            k=USUAL_K if USUAL_K in depths else depths[-1], mode=best_mode(task.documents.encoder), constrained=held
        )
        arms = [usual.model_copy(update={"k": k}) for k in depths]
        arms += [usual.model_copy(update=change) for change in _variants(task.documents)]
        return [*arms, usual.model_copy(update={"constrained": False})] if held else [*arms]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if (why := why_no_documents(task)) is not None:
            return why
        return Text(en="needs a language model", zh="需要一个语言模型") if model is None else None

    def describe(self) -> Text:
        k, size, mode = self.config.k, self.config.passage_tokens, MODE_TEXT[self.config.mode]
        en = [f"RAG, {k} passage{'s' if k > 1 else ''}", mode.en]
        zh = [f"{k} 个段落", mode.zh]
        if size is not None:
            en[0] += f" of {size} tokens"
            zh[0] = f"{k} 个 {size} 词元的段落"
        if self.config.rerank:
            en.append("reranked")
            zh.append("重排序")
        if self.config.constrained:
            en.append("constrained")
            zh.append("约束输出")
        return self.config.named(Text(en=", ".join(en), zh=f"RAG（{'，'.join(zh)}）"))

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        if model is None or task.documents is None:
            return Workload()
        rows = sample(train)
        size = min(task.documents.mean_tokens, float(self.config.passage_tokens or task.documents.mean_tokens))
        instruction = full_instruction(task, model).text
        work = reading_work(task, model, rows, instruction, self.config.k * (size + HEAD_TOKENS), max_new_tokens)
        return replace(
            work,
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=False, max_new_tokens=max_new_tokens
            ),
            encoded_chars=searched_chars(rows, self.config.mode, task.documents.encoder),
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> RagSolver:
        """Nothing is learned; index, encoder and reranker are got ready now, so that no query pays for it."""
        library = library_of(context)
        model, task, config = model_of(context), context.task, self.config
        instruction = full_instruction(task, model)
        if not instruction.lists_labels:
            context.notes.append(unlisted_labels_note(task))
        finder = Finder(
            library,
            config.k,
            config.mode,
            config.passage_tokens or library.passage_tokens,
            config.rerank,
            task.documents.min_similarity if task.documents is not None else None,
        )
        finder.get_ready()
        prompt = passage_prompt(task, instruction.text, train)
        return RagSolver(finder, reader(prompt, config.constrained, context))


def _variants(documents: Collection) -> list[dict[str, object]]:
    """What is tried besides the number of passages, one change at a time."""
    changes: list[dict[str, object]] = []
    half = documents.passage_tokens // 2
    if best_mode(documents.encoder) != "text":
        changes.append({"mode": "text"})
    if half >= LEAST_PASSAGE_TOKENS and documents.mean_tokens > half:  # else few passages would be cut at all
        changes.append({"passage_tokens": half})
    if documents.reranker is not None:
        changes.append({"rerank": True})
    return changes


PLUGIN = Rag
