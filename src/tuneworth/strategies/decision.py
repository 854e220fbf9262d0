"""The model says how likely each label is, and writes nothing.

The prompt is that of the strategy ``prompt``; what comes back is a probability for each label, or for each of the row's options.
Three arms: as it comes; with the model's bias towards labels taken off, from inputs alone; with a few weights fitted on training
rows. How, and what each assumes, is told in ``_parts/label_weights.py``. Dev and test rows have no part in either.

For models that say so (``Capabilities.label_probabilities``): local ones, and services with an endpoint for decisions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from tuneworth.core.task import ONE_OF, Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Deciding, Decision, Model, Request, is_deciding
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.label_weights import LabelWeights, fit_weights, padded, without_bias
from tuneworth.strategies._parts.prompting import (
    answer_from,
    constraint_for,
    full_instruction,
    n_common,
    opening_turns,
    query_turns,
    unlisted_labels_note,
)
from tuneworth.strategies._parts.workload import Workload, label_tokens, mean_tokens, sample

Calibration = Literal["none", "batch", "fitted"]

ROWS: dict[Calibration, int] = {"none": 0, "batch": 128, "fitted": 400}
"""Training rows that the model is asked about, at most: means of probabilities, and a few weights, need no more."""
BATCH_ROWS = 32
LEAST_ROWS = 8
"""From fewer training rows nothing is taken off and nothing is fitted."""
TITLES: dict[Calibration, Text] = {
    "none": Text(en="decision, as it comes", zh="标签决策（原样）"),
    "batch": Text(en="decision, bias corrected", zh="标签决策（校正偏好）"),
    "fitted": Text(en="decision, weights fitted", zh="标签决策（拟合权重）"),
}


class DecisionConfig(StrategyConfig):
    calibration: Calibration = Field(
        default="none",
        description="none: as it comes; batch: bias towards labels corrected; fitted: weights from training rows",
    )


class Decider:
    """Asks a model for decisions, always in the same way."""

    def __init__(self, model: Deciding, task: Task, system: str):
        self.model = model
        self.task = task
        self.system = system

    def decide(self, queries: Sequence[Query]) -> list[Decision]:
        conversations = [opening_turns(self.system, query) + query_turns(query, self.task) for query in queries]
        n_shared = n_common(conversations, 1)
        return self.model.decide(
            [
                Request(conversation, constraint_for(self.task, query), n_shared=n_shared)
                for query, conversation in zip(queries, conversations, strict=True)
            ]
        )

    def options(self, query: Query) -> tuple[str, ...]:
        """In the order of the probabilities."""
        constraint = constraint_for(self.task, query)
        return (constraint.labels or ()) if constraint is not None else ()


class DecisionSolver(Solver):
    def __init__(self, decider: Decider, weights: LabelWeights):
        self.decider = decider
        self.weights = weights

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        decisions = self.decider.decide(queries)
        return [self._answer(query, decision) for query, decision in zip(queries, decisions, strict=True)]

    def _answer(self, query: Query, decision: Decision) -> Answer:
        said = answer_from(decision.completion)
        if decision.log_probabilities is None:
            if said.status != "scored":
                return said
            return replace(
                said, text=None, status="refused", error=decision.completion.error or "no decision was given"
            )
        options = self.decider.options(query)
        chances = np.exp(self.weights.log_probabilities(decision.log_probabilities))
        probabilities = dict.fromkeys(options, 0.0)
        for option, chance in zip(options, chances.tolist(), strict=True):
            probabilities[option] += chance
        return replace(said, text=max(options, key=lambda option: probabilities[option]), probabilities=probabilities)

    def save(self, folder: Path) -> None:
        content = {"system": self.decider.system, "weights": asdict(self.weights)}
        (folder / "solver.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> DecisionSolver:
        saved = json.loads((folder / "solver.json").read_text(encoding="utf-8"))
        weights = LabelWeights(saved["weights"]["slope"], tuple(saved["weights"]["offsets"]))
        return cls(Decider(deciding(context), context.task, saved["system"]), weights)


class DecisionStrategy(Strategy):
    id = "decision"
    effort = 1
    kinds = ONE_OF
    asks_alike = True
    decides = True
    title = Text(en="decision", zh="标签决策")
    Config = DecisionConfig
    solver = DecisionSolver
    config: DecisionConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        if model is None:
            return []
        tried: tuple[Calibration, ...] = ("none", "batch", "fitted") if len(train) >= LEAST_ROWS else ("none",)
        return [DecisionConfig(calibration=calibration) for calibration in tried]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if task.kind not in ONE_OF:
            return Text(
                en="decides between labels or options; this task's answers are not of that kind",
                zh="只能在标签或选项之间做选择，本任务的答案不是这种形式",
            )
        if model is None:
            return Text(en="needs a language model", zh="需要一个语言模型")
        if not is_deciding(model):
            return Text(en="the model does not say how likely its answers are", zh="该模型不提供各答案的概率")
        if task.kind == "label" and len(task.labels) < 2:
            return Text(en="the task has fewer than two labels", zh="任务的标签不足两个")
        return None

    def describe(self) -> Text:
        return TITLES[self.config.calibration]

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        """The labels are read behind every row; what they begin with alike once."""
        if model is None:
            return Workload()
        rows = sample(train)
        options = [row.query.choices or task.labels for row in rows]
        read = mean_tokens(model, [query_turns(row.query, task) for row in rows])
        most = ROWS[self.config.calibration]
        return Workload(
            prompt_tokens=read + label_tokens(model, options),
            shared_tokens=mean_tokens(model, [(Message("system", full_instruction(task, model).text),)]),
            asked_in_fit=lambda n_train: min(n_train, most),
        )

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> DecisionSolver:
        task = context.task
        instruction = full_instruction(task, deciding(context))
        if not instruction.lists_labels:
            context.notes.append(unlisted_labels_note(task))
        decider = Decider(deciding(context), task, instruction.text)
        return DecisionSolver(decider, self._weights(decider, train, context))

    def _weights(self, decider: Decider, train: Sequence[Example], context: Context) -> LabelWeights:
        most = ROWS[self.config.calibration]
        # Drawn alike for every arm, the fewer among the more, so that they share the answers.
        order = np.random.default_rng(context.seed).permutation(len(train))
        rows = [train[int(at)] for at in order[:most]]
        known, scores = self._asked(decider, rows, context)
        if self.config.calibration == "fitted":
            kept = [at for at, row in enumerate(known) if row.output in decider.options(row.query)]
            known, scores = [known[at] for at in kept], [scores[at] for at in kept]
        if len(known) < LEAST_ROWS:
            if most:
                context.notes.append(_TOO_FEW)
            return LabelWeights()
        if self.config.calibration == "batch":
            weights = without_bias(padded(scores))
            context.details["label_weights"] = {"n_rows": len(known), **asdict(weights)}
            return weights
        right = [decider.options(row.query).index(row.output) for row in known]
        fitted = fit_weights(padded(scores), right, [row.group for row in known], context.rng)
        context.details["label_weights"] = {
            "n_rows": len(known),
            "slope": fitted.slope,
            "strength_of_prior": fitted.strength,
            "penalty": "no biases" if np.isinf(fitted.penalty) else fitted.penalty,
            "loss_by_penalty": {f"{penalty:g}": loss for penalty, loss in fitted.losses.items()},
            "offsets": fitted.weights.offsets,
        }
        return fitted.weights

    def _asked(
        self, decider: Decider, rows: Sequence[Example], context: Context
    ) -> tuple[list[Example], list[np.ndarray]]:
        """Rows that got a decision, and their log-probabilities; outputs are not looked at. What it took is noted."""
        known: list[Example] = []
        scores: list[np.ndarray] = []
        tokens, usd = 0, 0.0
        for start in range(0, len(rows), BATCH_ROWS):
            batch = rows[start : start + BATCH_ROWS]
            for row, decision in zip(batch, decider.decide([row.query for row in batch]), strict=True):
                usage = decision.completion.usage
                tokens += usage.prompt_tokens + usage.completion_tokens
                usd += decision.completion.usd if decision.completion.usd is not None else np.nan
                if decision.log_probabilities is not None:
                    known.append(row)
                    scores.append(decision.log_probabilities)
            context.progress(min(start + BATCH_ROWS, len(rows)), len(rows), "rows")
        context.details["fit_tokens"] = tokens
        context.details["fit_usd"] = None if np.isnan(usd) else usd
        return known, scores


_TOO_FEW = Text(
    en=f"Fewer than {LEAST_ROWS} training rows got a decision, so nothing was corrected.",
    zh=f"得到决策的训练数据不足 {LEAST_ROWS} 条，因此没有做任何校正。",
)


def deciding(context: Context) -> Deciding:
    """The model of an arm that decides.

    Raises:
        ValueError: there is none, or it does not say how likely labels are.
    """
    if context.model is None or not is_deciding(context.model):
        raise ValueError("this strategy needs a model that decides (Capabilities.label_probabilities)")
    return context.model


PLUGIN = DecisionStrategy
