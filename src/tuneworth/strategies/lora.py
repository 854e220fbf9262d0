"""Low-rank adapters trained on the rows, on a frozen base model.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models". After training the model knows the
labels and the form of the answer, so it is sent a brief instruction and the input: far fewer tokens
than a prompt that has to explain them. The same prompt is used in training and in answering.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import Field

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import (
    Layers,
    Model,
    Request,
    TrainConfig,
    TrainExample,
    TrainResult,
    epochs_for,
    is_trainable,
)
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig, Tried
from tuneworth.strategies._parts.prompting import (
    Asker,
    brief_instruction,
    constrainable,
    model_of,
    opening_turns,
    query_turns,
)
from tuneworth.strategies._parts.workload import Workload, answer_tokens, expected_completion, mean_tokens, sample

MIN_ROWS = 50
"""With fewer rows an adapter learns them by heart (seed row N4 takes 50 as its example of too few)."""
BATCH_ROWS = 8
"""Rows of one training step: the tokens that all prompts begin with are computed once for them."""
EXPECTED_SHARE = 0.9
"""Of the planned passes, because dev loss may stop falling before they are done: 0.79 to 1 in five trainings on 16 to 256
rows of banking77."""
LOOKS_SHARE = 0.1
"""What looking at dev loss costs, of the training."""
TRIED_ROWS, TRIED_ANSWERS = 64, 8
"""Rows that a training is tried with: its steps are made on a few of them, and the others say how long rows are."""
STOPPED: dict[str, Text] = {
    "epochs": Text(en="all epochs were done", zh="跑满了全部 epoch"),
    "early": Text(en="the dev loss stopped falling", zh="开发集损失不再下降"),
    "time": Text(en="the time budget ran out", zh="时间预算用完"),
}


class AdapterConfig(StrategyConfig):
    """How an adapter is trained, and how its answers are held."""

    rank: int = Field(default=16, ge=1, description="rank of the adapter matrices")
    learning_rate: float | None = Field(default=None, gt=0, description="peak rate; by rule from the model's width")
    epochs: int | None = Field(default=None, ge=1, description="most passes over the rows; by their number")
    layers: Layers = Field(default="all", description="layers that learn: all, or the upper third of them")
    constrained: bool = Field(default=True, description="hold answers to the labels, choices or JSON schema")

    def described(self) -> list[Text]:
        """What tells this arm from others of its strategy, a few words each."""
        words: list[Text] = []
        if self.rank != type(self).model_fields["rank"].default:
            words.append(Text(en=f"rank {self.rank}", zh=f"秩 {self.rank}"))
        if self.learning_rate is not None:
            words.append(Text(en=f"rate {self.learning_rate:g}", zh=f"学习率 {self.learning_rate:g}"))
        if self.epochs is not None:
            words.append(Text(en=f"{self.epochs} epochs", zh=f"{self.epochs} 个 epoch"))
        if self.layers == "upper_third":
            words.append(Text(en="upper third of the layers", zh="只训练上三分之一的层"))
        if self.constrained:
            words.append(Text(en="constrained", zh="约束输出"))
        return words

    def passes(self, n_rows: int) -> float:
        """Expected passes over ``n_rows`` training rows, with the looks at dev counted as rows trained."""
        return (1 + LOOKS_SHARE) * EXPECTED_SHARE * (self.epochs or epochs_for(n_rows))


class LoraConfig(AdapterConfig):
    """Nothing but an adapter."""


class LoraSolver(Solver):
    """Answers with the adapter in ``folder``, which the model has loaded as the asker's adapter."""

    def __init__(self, asker: Asker, system: str, folder: Path):
        self.asker = asker
        self.system = system
        self.folder = folder

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        conversations = [chat(self.system, query, self.asker.task) for query in queries]
        return self.asker.ask(queries, conversations, n_head=1)

    def save(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder / "adapter", dirs_exist_ok=True)
        content = {"system": self.system, "constrained": self.asker.constrained}
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> LoraSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        return cls.on_adapter(folder / "adapter", saved["system"], saved["constrained"], context)

    @classmethod
    def on_adapter(cls, folder: Path, system: str, constrained: bool, context: Context) -> LoraSolver:
        """A solver with the adapter in ``folder`` loaded."""
        name = load_adapter(folder, context)
        asker = Asker(model_of(context), context.task, context.max_new_tokens, constrained, adapter=name)
        return cls(asker, system, folder)


class Lora(Strategy):
    id = "lora"
    effort = 5
    tuned = True
    grows = True
    title = Text(en="LoRA", zh="LoRA 微调")
    Config = LoraConfig
    solver = LoraSolver
    config: LoraConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        """One arm: constrained output where the model can, without a second training for the free form."""
        return [] if model is None else [LoraConfig(constrained=constrainable(task, model))]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if model is None:
            return Text(en="needs a language model", zh="需要一个语言模型")
        if not is_trainable(model):
            return Text(en=f"{model.id} cannot be trained here", zh=f"{model.id} 无法在本机训练")
        if len(train) < MIN_ROWS:
            return Text(
                en=f"{len(train)} training rows; with fewer than {MIN_ROWS} an adapter only learns them by heart",
                zh=f"训练数据只有 {len(train)} 条，少于 {MIN_ROWS} 条时适配器只会死记硬背",
            )
        return None

    def lighter(self) -> LoraConfig | None:
        upper = self.config.model_copy(update={"layers": "upper_third"})
        return None if upper == self.config else upper

    def describe(self) -> Text:
        words = self.config.described()
        if not self.config.constrained:
            words.append(Text(en="free", zh="自由输出"))
        return Text(
            en=", ".join(["LoRA", *(word.en for word in words)]),
            zh=f"LoRA 微调（{'，'.join(word.zh for word in words)}）",
        )

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        if model is None:
            return Workload()
        rows = sample(train)
        shared = mean_tokens(model, [(Message("system", brief_instruction(task)),)])
        prompt = mean_tokens(model, [query_turns(row.query, task) for row in rows])
        return Workload(
            prompt_tokens=prompt,
            shared_tokens=shared,
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=True, max_new_tokens=max_new_tokens
            ),
            train_tokens=prompt + shared / BATCH_ROWS + answer_tokens(model, rows),
            passes=self.config.passes,
        )

    def try_out(self, train: Sequence[Example], context: Context) -> Tried:
        return try_lessons(
            _lessons(brief_instruction(context.task), some_rows(train), context.task), self.config, context
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> LoraSolver:
        system = brief_instruction(context.task)
        adapter = train_adapter(
            _lessons(system, train, context.task), _lessons(system, dev, context.task), self.config, context
        )
        return LoraSolver.on_adapter(adapter, system, self.config.constrained, context)


def train_adapter(
    lessons: Sequence[TrainExample], dev_lessons: Sequence[TrainExample], config: AdapterConfig, context: Context
) -> Path:
    """Train in the arm's folder; a training found there is taken up, or taken over if it is finished.

    Returns:
        The folder of the adapter. How the training went is in the context's notes and details.
    """
    folder, model = context.folder / "training", model_of(context)
    if not is_trainable(model):
        raise ValueError(f"{model.id} cannot be trained; ``why_skipped`` says so")
    result = model.train(
        lessons,
        dev_lessons,
        train_config(config, context),
        folder,
        progress=context.progress,
        seconds_left=context.seconds_left,
    )
    report_training(result, context)
    # Only the name counts: a run's folder may have been moved since the training was finished.
    return folder / Path(result.folder).name


def some_rows(train: Sequence[Example]) -> Sequence[Example]:
    """Rows to try a training on, evenly spread."""
    n = min(TRIED_ROWS, len(train))
    return [train[at * len(train) // n] for at in range(n)]


def try_lessons(lessons: Sequence[TrainExample], config: AdapterConfig, context: Context) -> Tried:
    """Two steps of training, and answers of the model as it is: as many tokens as the rows' own have, on average."""
    model = model_of(context)
    if not is_trainable(model):
        raise ValueError(f"{model.id} cannot be trained; ``why_skipped`` says so")
    row_seconds = model.row_seconds(lessons, train_config(config, context))
    asked = [Request(lesson.messages, n_shared=1) for lesson in lessons[:TRIED_ANSWERS]]
    usual = sum(model.count_tokens(lesson.completion) + 1 for lesson in lessons) / len(lessons)
    started = time.perf_counter()
    model.generate(asked, max_new_tokens=max(1, min(round(usual), context.max_new_tokens)))
    return Tried(row_seconds, (time.perf_counter() - started) / len(asked))


def train_config(config: AdapterConfig, context: Context) -> TrainConfig:
    return TrainConfig(
        layers=config.layers,
        rank=config.rank,
        learning_rate=config.learning_rate,
        epochs=config.epochs,
        seed=context.seed,
    )


def load_adapter(folder: Path, context: Context) -> str:
    """Load the adapter in ``folder`` on the context's model; the name it gets is unique to the folder."""
    name = "lora-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    model_of(context).load_adapter(name, str(folder))
    return name


def chat(system: str, query: Query, task: Task) -> tuple[Message, ...]:
    """The prompt, the same in training and in answering."""
    return opening_turns(system, query) + query_turns(query, task)


def report_training(result: TrainResult, context: Context) -> None:
    """Notes and details of a training; ``fit_seconds`` includes what an interrupted run had spent."""
    context.notes.append(training_note(result))
    if n_left_out := result.details.get("rows_too_long", 0):
        context.notes.append(
            Text(
                en=f"{n_left_out} training rows were left out: they are longer than the model can be trained on.",
                zh=f"有 {n_left_out} 条训练数据超出了训练允许的长度，没有用上。",
            )
        )
    context.details.update(asdict(result) | {"fit_tokens": result.train_tokens, "fit_seconds": result.seconds})
    context.details.pop("folder")


def training_note(result: TrainResult) -> Text:
    why = STOPPED[result.stopped]
    note = Text(
        en=f"Trained for {result.epochs:.1f} epochs ({result.steps} steps) until {why.en}.",
        zh=f"训练了 {result.epochs:.1f} 个 epoch（{result.steps} 步），{why.zh}，训练结束。",
    )
    if not result.dev_losses:
        return note
    return Text(
        en=f"{note.en} The weights of step {result.best_step} are used, where the dev loss was lowest.",
        zh=f"{note.zh}采用第 {result.best_step} 步的权重，此时开发集损失最低。",
    )


def _lessons(system: str, rows: Sequence[Example], task: Task) -> list[TrainExample]:
    return [TrainExample(chat(system, row.query, task), row.output) for row in rows]


PLUGIN = Lora
