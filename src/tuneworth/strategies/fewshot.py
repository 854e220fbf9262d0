"""The instruction and ``k`` solved training rows, shown as turns of the chat.

Rows are chosen at random, balanced over the classes, or for each query the nearest ones. Fixed
demonstrations are shared by all requests; the nearest differ by query, so only the instruction is.
Where they do not all fit the model's context, as many as fit are shown.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
from pydantic import Field

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, AskingConfig, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.features import NearestRows, is_embedded, text_features, why_no_sklearn
from tuneworth.strategies._parts.prompting import (
    TOKENS_PER_TURN,
    Asker,
    constrainable,
    full_instruction,
    model_of,
    opening_turns,
    query_turns,
    unlisted_labels_note,
)
from tuneworth.strategies._parts.workload import Workload, encoded_chars, expected_completion, mean_tokens, sample

Selection = Literal["random", "balanced", "nearest"]
Turns = tuple[Message, ...]

SHOTS = (1, 4, 16)
"""With the prompt, which shows none, four sizes: as many as a curve over demonstrations takes."""
LEAST_ROWS = 4
"""Fewer different rows than this are a hint, not a sample."""
PROBE_ROWS = 100
SELECTION_TEXT: dict[Selection, Text] = {
    "random": Text(en="random", zh="随机"),
    "balanced": Text(en="balanced", zh="按类别均衡"),
    "nearest": Text(en="nearest", zh="最近邻"),
}


class FewShotConfig(AskingConfig):
    k: int = Field(default=16, ge=1, description="demonstrations per request")
    selection: Selection = Field(default="random", description="how the demonstrations are chosen")
    constrained: bool = Field(default=True, description="hold answers to the labels, choices or JSON schema")


class FewShotSolver(Solver):
    """Shows ``k`` of ``demonstrations``.

    Attributes:
        demonstrations: turns of each solved row.
        index: ranks the demonstrations for a query; ``None`` shows the first ``k`` to every query.
    """

    def __init__(self, asker: Asker, system: str, demonstrations: Sequence[Turns], k: int, index: NearestRows | None):
        self.asker = asker
        self.system = system
        self.demonstrations = list(demonstrations)
        self.k = k
        self.index = index
        self._n_tokens: dict[str, int] = {}

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        """Queries that are shown the same demonstrations are asked together, to share their cache."""
        groups: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        started = time.perf_counter()
        shown = self.choose(queries)
        choosing_ms = 1000 * (time.perf_counter() - started) / max(1, len(queries))
        for i, rows in enumerate(shown):
            groups[() if self.index else tuple(rows)].append(i)
        answers: dict[int, Answer] = {}
        for rows, members in groups.items():
            n_head = 1 + sum(len(self.demonstrations[row]) for row in rows)
            conversations = [self._conversation(queries[i], shown[i]) for i in members]
            answers.update(zip(members, self.asker.ask([queries[i] for i in members], conversations, n_head)))
        return [replace(answers[i], latency_ms=answers[i].latency_ms + choosing_ms) for i in range(len(queries))]

    def choose(self, queries: Sequence[Query]) -> list[list[int]]:
        """Numbers of the demonstrations that each query is shown, in the order shown.

        The most similar stands last, next to the question. What does not fit is dropped from the
        far end: the least similar, or the last of the fixed ones.
        """
        if self.index is None:
            ranked = [list(range(min(self.k, len(self.demonstrations))))] * len(queries)
            return [rows[: self._n_fitting(query, rows)] for query, rows in zip(queries, ranked)]
        best_first = self.index.top([query.text for query in queries], self.k).tolist()
        return [rows[: self._n_fitting(query, rows)][::-1] for query, rows in zip(queries, best_first)]

    def _n_fitting(self, query: Query, rows: Sequence[int]) -> int:
        model = self.asker.model
        room = model.capabilities.context_tokens - self.asker.max_new_tokens - TOKENS_PER_TURN
        room -= sum(self._count(turn) for turn in opening_turns(self.system, query))
        room -= sum(model.count_tokens(turn.content) + TOKENS_PER_TURN for turn in query_turns(query, self.asker.task))
        for n, row in enumerate(rows):
            room -= sum(self._count(turn) for turn in self.demonstrations[row])
            if room < 0:
                return n
        return len(rows)

    def _count(self, turn: Message) -> int:
        """Tokens of a turn that comes again and again (queries do not: they are not remembered)."""
        if turn.content not in self._n_tokens:
            self._n_tokens[turn.content] = self.asker.model.count_tokens(turn.content) + TOKENS_PER_TURN
        return self._n_tokens[turn.content]

    def _conversation(self, query: Query, rows: Sequence[int]) -> Turns:
        shown = tuple(turn for row in rows for turn in self.demonstrations[row])
        return opening_turns(self.system, query) + shown + query_turns(query, self.asker.task)

    def save(self, folder: Path) -> None:
        content = {
            "system": self.system,
            "constrained": self.asker.constrained,
            "k": self.k,
            "nearest": self.index is not None,
            "demonstrations": [[[turn.role, turn.content] for turn in turns] for turns in self.demonstrations],
        }
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        if self.index is not None:
            self.index.save(folder)

    @classmethod
    def load(cls, folder: Path, context: Context) -> FewShotSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        asker = Asker(model_of(context), context.task, context.max_new_tokens, saved["constrained"])
        demonstrations = [tuple(Message(role, content) for role, content in turns) for turns in saved["demonstrations"]]
        index = NearestRows.load(folder, context.encoder) if saved["nearest"] else None
        return cls(asker, saved["system"], demonstrations, saved["k"], index)


class FewShot(Strategy):
    id = "fewshot"
    effort = 2
    title = Text(en="few-shot", zh="少样本")
    Config = FewShotConfig
    solver = FewShotSolver
    config: FewShotConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        """Without an arm whose ``k`` exceeds the training rows."""
        if model is None:
            return []
        n_rows = len(_distinct(train))
        return [
            FewShotConfig(k=k, selection=selection, constrained=constrainable(task, model))
            for k in SHOTS
            for selection in _selections(task, train)
            if k <= n_rows and not (k == 1 and selection == "balanced")  # one row is not balanced over anything
        ]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if model is None:
            return Text(en="needs a language model", zh="需要一个语言模型")
        n_rows = len(_distinct(train))
        if n_rows >= LEAST_ROWS:
            return None
        return Text(
            en=f"{n_rows} different training rows; few-shot needs at least {LEAST_ROWS}",
            zh=f"不重复的训练数据只有 {n_rows} 条，少样本至少需要 {LEAST_ROWS} 条",
        )

    def describe(self) -> Text:
        selection, k = SELECTION_TEXT[self.config.selection], self.config.k
        return self.config.named(Text(en=f"few-shot, {k} {selection.en}", zh=f"少样本（{k} 条，{selection.zh}）"))

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        """Demonstrations that are the same for all rows are shared; the nearest differ and are read with every row."""
        if model is None:
            return Workload()
        rows = sample(train)
        instruction = mean_tokens(model, [(Message("system", full_instruction(task, model).text),)])
        question = mean_tokens(model, [query_turns(row.query, task) for row in rows])
        room = max(0.0, model.capabilities.context_tokens - max_new_tokens - instruction - question)
        shown = min(self.config.k * mean_tokens(model, [_turns(row, task) for row in rows]), room)
        nearest = self.config.selection == "nearest"
        embeds = nearest and is_embedded(task)
        return Workload(
            prompt_tokens=question + (shown if nearest else 0.0),
            shared_tokens=instruction + (0.0 if nearest else shown),
            completion_tokens=expected_completion(
                task, model, rows, constrained=self.config.constrained, shown=True, max_new_tokens=max_new_tokens
            ),
            encoded_chars=encoded_chars([row.query for row in rows], task) if embeds else 0.0,
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> FewShotSolver:
        model, task = model_of(context), context.task
        pool = _distinct(train)
        instruction = full_instruction(task, model)
        if not instruction.lists_labels:
            context.notes.append(unlisted_labels_note(task))
        index = None
        if self.config.selection == "nearest":
            texts = [example.query.text for example in pool]
            index = NearestRows.fit(text_features(task, texts, context.encoder), texts)
        else:
            chosen = _draw(pool, self.config.k, self.config.selection == "balanced", context.rng)
            pool = [pool[row] for row in chosen]
            context.details["demonstration_ids"] = [example.id for example in pool]
        asker = Asker(model, task, context.max_new_tokens, self.config.constrained)
        demonstrations = [_turns(example, task) for example in pool]
        solver = FewShotSolver(asker, instruction.text, demonstrations, self.config.k, index)
        self._report_room(solver, dev or train, context)
        return solver

    def _report_room(self, solver: FewShotSolver, rows: Sequence[Example], context: Context) -> None:
        """Note when a typical row is shown fewer than ``k`` demonstrations."""
        shown = [len(chosen) for chosen in solver.choose([row.query for row in rows[:PROBE_ROWS]])]
        context.details["demonstrations_shown"] = {"median": median(shown), "least": min(shown)}
        if min(shown) == min(self.config.k, len(solver.demonstrations)):
            return
        k, typical, room = self.config.k, int(median(shown)), model_of(context).capabilities.context_tokens
        context.notes.append(
            Text(
                en=f"Not all {k} demonstrations fit the context of {room} tokens: a typical row is shown {typical}, "
                f"the longest {min(shown)}.",
                zh=f"上下文只有 {room} 个词元，放不下全部 {k} 条示例：输入长度一般时能放 {typical} 条，输入最长时只能放 {min(shown)} 条。",
            )
        )


def _selections(task: Task, train: Sequence[Example]) -> list[Selection]:
    selections: list[Selection] = ["random"]
    if task.kind in ("label", "choice") and _has_classes(train):
        selections.append("balanced")
    if is_embedded(task) or why_no_sklearn() is None:
        selections.append("nearest")
    return selections


def _has_classes(train: Sequence[Example]) -> bool:
    """Answers recur (a choice's answers may be sentences that never do)."""
    return 2 <= len({example.output for example in train}) <= len(train) / 2


def _distinct(train: Sequence[Example]) -> list[Example]:
    """The first row of every text: a demonstration shown twice teaches nothing."""
    first: dict[str, Example] = {}
    for example in train:
        first.setdefault(example.query.text, example)
    return list(first.values())


def _turns(example: Example, task: Task) -> Turns:
    return (*query_turns(example.query, task), Message("assistant", example.output))


def _draw(pool: Sequence[Example], k: int, balanced: bool, rng: np.random.Generator) -> list[int]:
    """Row numbers of ``k`` demonstrations in random order.

    Balanced: classes in random order take turns until ``k`` are drawn, so with more classes than
    ``k`` a random part of the classes is shown, one row each.
    """
    order = rng.permutation(len(pool)).tolist()
    if not balanced:
        return order[:k]
    by_class: defaultdict[str, list[int]] = defaultdict(list)
    for row in order:
        by_class[pool[row].output].append(row)
    classes = [rows for _, rows in sorted(by_class.items())]
    rng.shuffle(classes)
    turns = [rows[turn] for turn in range(max(map(len, classes))) for rows in classes if turn < len(rows)]
    return rng.permutation(turns[:k]).tolist()


PLUGIN = FewShot
