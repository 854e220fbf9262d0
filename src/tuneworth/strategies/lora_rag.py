"""A low-rank adapter trained to read what the search finds: fine-tuning and retrieval together.

After Zhang et al. 2024, RAFT (2403.10131); see ``raft.py``. The adapter learns to read and to cite, not to know: new
documents are found by the same search and need no new training. Answers see the passages of the search alone; gold
passages are used in training only.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from tuneworth.core.files import write_atomic
from tuneworth.core.task import Example, Message, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model, Request, TrainConfig
from tuneworth.retrieval.hits import Mode
from tuneworth.strategies import Context, Strategy, StrategyConfig, Tried
from tuneworth.strategies._parts.passages import PassagePrompt, passage_prompt
from tuneworth.strategies._parts.prompting import brief_instruction, constrainable, model_of
from tuneworth.strategies._parts.raft import SPARE, LessonMaker, Studied, enough_passages, recalls, study
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
from tuneworth.strategies._parts.workload import Workload, answer_tokens, expected_completion, mean_tokens, sample
from tuneworth.strategies.lora import (
    BATCH_ROWS,
    AdapterConfig,
    Lora,
    load_adapter,
    some_rows,
    train_adapter,
    try_lessons,
)
from tuneworth.strategies.rag import MODE_TEXT, RagSolver

TRAINED_TOKEN = 3.0
"""What training on a token costs, in tokens read: forward, and about twice as much backward."""
TIMED_PROMPTS = 4


class LoraRagConfig(AdapterConfig):
    k: int | None = Field(
        default=None,
        ge=1,
        description="passages per question; by their recall on the training rows, and the time to train",
    )
    mode: Mode = Field(default="hybrid", description="how passages are searched: hybrid, text or vector")
    p_gold: float = Field(default=0.8, ge=0, le=1, description="share of the training rows shown their gold passage")


class LoraRagSolver(RagSolver):
    """A ``RagSolver`` whose reader answers with the adapter in ``folder``."""

    def __init__(self, finder: Finder, reader: Reader, folder: Path):
        super().__init__(finder, reader)
        self.folder = folder

    def save(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder / "adapter", dirs_exist_ok=True)
        super().save(folder)

    @classmethod
    def load(cls, folder: Path, context: Context) -> LoraRagSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        adapter = folder / "adapter"
        tuned = reader_on(saved["reader"], context, load_adapter(adapter, context))
        return cls(Finder.on_library(saved["finder"], context), tuned, adapter)


class LoraRag(Strategy):
    id = "lora_rag"
    effort = 6
    tuned = True
    grows = True
    reads_documents = True
    title = Text(en="LoRA + RAG", zh="LoRA 微调 + RAG")
    Config = LoraRagConfig
    solver = LoraRagSolver
    config: LoraRagConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        """One arm: passages make a training long, and their number is chosen by recall instead of by training twice."""
        if model is None or task.documents is None:
            return []
        return [LoraRagConfig(mode=best_mode(task.documents.encoder), constrained=constrainable(task, model))]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        return why_no_documents(task) or Lora.why_skipped(task, model, train)

    def describe(self) -> Text:
        en, zh = [MODE_TEXT[self.config.mode].en], [MODE_TEXT[self.config.mode].zh]
        if self.config.k is not None:
            en.insert(0, f"{self.config.k} passage{'s' if self.config.k > 1 else ''}")
            zh.insert(0, f"{self.config.k} 个段落")
        for words in self.config.described():
            en.append(words.en)
            zh.append(words.zh)
        return Text(en=", ".join(["LoRA + RAG", *en]), zh=f"LoRA 微调 + RAG（{'，'.join(zh)}）")

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        """Passages are read in every training row of every pass: nearly all that this arm costs.

        How many there will be is known after a search only, so one is counted: a race corrects what it expects of an arm
        as it runs, but never starts one that it takes to be out of reach.
        """
        if model is None or task.documents is None:
            return Workload()
        rows = sample(train)
        passage = task.documents.mean_tokens + HEAD_TOKENS
        shown = (self.config.k or DEPTHS[0]) * passage
        work = reading_work(task, model, rows, brief_instruction(task), shown, max_new_tokens)
        return replace(
            work,
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=True, max_new_tokens=max_new_tokens
            ),
            encoded_chars=searched_chars(rows, self.config.mode, task.documents.encoder),
            train_tokens=max(0.0, work.prompt_tokens - passage * self.config.p_gold * _read_before(train))
            + work.shared_tokens / BATCH_ROWS
            + answer_tokens(model, rows),
            passes=self.config.passes,
        )

    def settled(self, details: Mapping[str, Any]) -> LoraRagConfig:
        return self.config.model_copy(update={"k": details.get("k", self.config.k)})

    def try_out(self, train: Sequence[Example], context: Context) -> Tried:
        """With as few passages as there may be: how many is chosen by the time."""
        task, model, library, k = context.task, model_of(context), library_of(context), self.config.k or DEPTHS[0]
        rows, prompt = some_rows(train), passage_prompt(task, brief_instruction(task), train)
        finder = Finder(library, k, self.config.mode, library.passage_tokens)
        studied = study(library, rows, finder.find([row.query for row in rows], k + SPARE))
        longest = min(TrainConfig().max_length, model.capabilities.context_tokens)
        maker = LessonMaker(prompt, model, k, self.config.p_gold, longest)
        return try_lessons(maker.training(studied, context.rng), self.config, context)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> LoraRagSolver:
        """Look up what the rows would be shown, choose how many passages, and train on them."""
        started, task = time.perf_counter(), context.task
        model, library = model_of(context), library_of(context)
        prompt = passage_prompt(task, brief_instruction(task), train)
        # However far the passages are: a row that will be turned away has something to teach too.
        finder = Finder(library, self.config.k or USUAL_K, self.config.mode, library.passage_tokens)
        deepest = (self.config.k or max(DEPTHS)) + SPARE
        studied, dev_studied = (
            study(library, rows, finder.find([row.query for row in rows], deepest)) for rows in (train, dev)
        )
        recall_at = recalls(studied)
        left = _later(context, time.perf_counter() - started)
        k = self.config.k or _n_passages(studied, recall_at, prompt, left)
        longest = min(TrainConfig().max_length, model.capabilities.context_tokens)
        maker = LessonMaker(prompt, model, k, self.config.p_gold, longest)
        lessons = maker.training(studied, context.rng)
        looking = time.perf_counter() - started
        adapter = train_adapter(lessons, maker.as_found(dev_studied), self.config, _later(context, looking))
        context.details["fit_seconds"] += looking
        context.details |= {
            "k": k,
            "train_recall_at": recall_at,
            "n_gold_inserted": maker.n_inserted,
            "n_gold_removed": maker.n_removed,
        }
        context.notes.append(lessons_note(k, maker.n_inserted, maker.n_removed))
        near = task.documents.min_similarity if task.documents is not None else None
        tuned = reader(prompt, self.config.constrained, context, load_adapter(adapter, context))
        return LoraRagSolver(replace(finder, k=k, min_similarity=near), tuned, adapter)


def _read_before(train: Sequence[Example]) -> float:
    """Share of the rows whose passage another row of the batch has read for them: rows about the same are trained together.

    As far as rows name their documents; half a batch at most is about one of them.
    """
    groups = Counter(row.gold for row in train if row.gold)
    firsts = sum(math.ceil(n / (BATCH_ROWS // 2)) for n in groups.values())
    return (groups.total() - firsts) / len(train) if train else 0.0


def _later(context: Context, seconds: float) -> Context:
    """``context`` when so much of its time is gone; its notes and details are the same."""
    left = context.seconds_left
    return context if left is None else replace(context, seconds_left=max(0.0, left - seconds))


def _n_passages(
    studied: Sequence[Studied], recall_at: dict[int, float], prompt: PassagePrompt, context: Context
) -> int:
    """As many passages as the recall asks for, but no more than the time allows to see every row with once.

    What was chosen is kept in the arm's folder: a training that goes on after a kill has less time, and the same lessons.
    """
    enough, kept = enough_passages(recall_at), context.folder / "passages.json"
    if context.seconds_left is None or enough == DEPTHS[0]:
        return enough
    if kept.exists():
        return int(json.loads(kept.read_text(encoding="utf-8")))
    model, rows = model_of(context), sample([each.row for each in studied])
    found = {each.row.id: each.ranking for each in studied}
    prompts = {k: [prompt.messages(row.query, found[row.id][:k]) for row in rows] for k in DEPTHS if k <= enough}
    seconds_per_token = reading_seconds(model, prompts[DEPTHS[0]][:TIMED_PROMPTS])
    epoch = {k: len(studied) * mean_tokens(model, shown) * TRAINED_TOKEN for k, shown in prompts.items()}
    affordable = (k for k, tokens in epoch.items() if tokens * seconds_per_token <= context.seconds_left)
    chosen = max(affordable, default=DEPTHS[0])
    write_atomic(kept, json.dumps(chosen))
    return chosen


def reading_seconds(model: Model, prompts: Sequence[Sequence[Message]]) -> float:
    """Seconds in which the model reads one token of ``prompts``."""
    requests = [Request(messages=tuple(prompt)) for prompt in prompts]
    model.generate(requests[:1], max_new_tokens=1)  # warms up
    started = time.perf_counter()
    model.generate(requests, max_new_tokens=1)
    return (time.perf_counter() - started) / (mean_tokens(model, prompts) * len(prompts))


def lessons_note(k: int, n_inserted: int, n_removed: int) -> Text:
    """What the training rows were shown."""
    en = [f"Every training row was shown {k} passage{'s' if k > 1 else ''} found by the search."]
    zh = [f"每条训练数据都附上检索到的 {k} 个段落。"]
    if n_inserted:
        en.append(f"The search had missed the gold passage of {n_inserted} rows; it was put among the others.")
        zh.append(f"有 {n_inserted} 条没有检索到标准段落，训练时补了进去。")
    if n_removed:
        en.append(
            f"From {n_removed} rows the gold passage was left out on purpose, so that the model does not trust whatever it is shown."
        )
        zh.append(f"有 {n_removed} 条特意去掉了标准段落，以免模型见到什么都当真。")
    return Text(en=" ".join(en), zh="".join(zh))


PLUGIN = LoraRag
