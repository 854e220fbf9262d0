"""A deterministic fake language model, for tests that are not about language.

It answers by a function of the request, or by a simple rule that learns from what it is shown: copy
the answer of the most similar solved turn in the chat, else name the allowed answer that the
question mentions. So few-shot really beats zero-shot, in microseconds and without weights.

Tokens are words. Trouble is scripted by what a question says: ``{"boom": "error"}`` makes every
request fail whose last turn has the word ``boom`` in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tuneworth.core.labelsets import NO_LABEL
from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.core.text import Text
from tuneworth.errors import InputError, NotEnoughData, Problem
from tuneworth.models.base import (
    Capabilities,
    Completion,
    Constraint,
    Decision,
    FinishReason,
    Progress,
    Request,
    TrainConfig,
    TrainExample,
    TrainResult,
)

Trouble = Literal["error", "over_context", "refuse", "length"]
AnswerRule = Callable[[Request], str]

REFUSAL = "I'm sorry, but I can't help with that."
MS_PER_TOKEN = 0.5
ADAPTER_FILE = "scripted.json"


class ScriptedModel:
    """A ``Model`` with scripted answers.

    Attributes:
        requests: every request received, in order, for tests to look at.
        adapters: adapter name → (question → answer), as read from ``scripted.json``.
    """

    def __init__(
        self,
        answer: AnswerRule | None = None,
        *,
        id: str = "scripted",
        context_tokens: int = 4096,
        can_train: bool = False,
        constrains: bool = True,
        trouble: Mapping[str, Trouble] | None = None,
        decides: Callable[[Request], Sequence[float]] | None = None,
    ):
        """``decides`` gives each allowed label a weight; without it the model tells no probabilities."""
        self.id = id
        self.capabilities = Capabilities(
            local=True,
            can_train=can_train,
            constraints=frozenset({"labels", "json_schema", "regex"}) if constrains else frozenset(),
            context_tokens=context_tokens,
            label_probabilities=decides is not None,
        )
        self._decides = decides
        self.requests: list[Request] = []
        self.adapters: dict[str, dict[str, str]] = {}
        self._rule = answer or copy_nearest_turn
        self._trouble: dict[str, Trouble] = dict(trouble or {})

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        self.requests.extend(requests)
        return [self._complete(request, is_first=i == 0, limit=max_new_tokens) for i, request in enumerate(requests)]

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        return [
            self._decision(request, done) for request, done in zip(requests, self.generate(requests, max_new_tokens=99))
        ]

    def _decision(self, request: Request, done: Completion) -> Decision:
        if self._decides is None or request.constraint is None or request.constraint.labels is None:
            raise ValueError("it decides between labels, and only when told how")
        if done.finish_reason != "stop":
            return Decision(None, done)
        scores = np.log(np.asarray(self._decides(request), dtype=np.float64))
        usage = done.usage.model_copy(update={"completion_tokens": 0})
        label = request.constraint.labels[int(scores.argmax())]
        return Decision(scores - np.logaddexp.reduce(scores), replace(done, text=label, usage=usage))

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def load_adapter(self, name: str, folder: str) -> None:
        self.adapters[name] = json.loads((Path(folder) / ADAPTER_FILE).read_text(encoding="utf-8"))

    def train(
        self,
        train: Sequence[TrainExample],
        dev: Sequence[TrainExample],
        config: TrainConfig,
        folder: Path,
        *,
        progress: Progress | None = None,
        seconds_left: float | None = None,
    ) -> TrainResult:
        """Learn questions and answers by heart, a batch a step; the dev loss is the share of answers that are wrong.

        Without time one step is made.
        """
        rows = [row for row in train if self._n_words(row) <= config.max_length]
        if not rows:
            raise NotEnoughData(Problem(str(folder), Text(en="no row is short enough", zh="所有数据都太长")))
        key = hashlib.sha256(repr((config, train, dev)).encode()).hexdigest()
        kept, adapter = folder / "training.json", folder / "adapter" / ADAPTER_FILE
        saved = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        state = saved if saved.get("key") == key else {"key": key, "step": 0}
        if "result" in state:
            losses = tuple((step, loss) for step, loss in state["result"].pop("dev_losses"))
            return TrainResult(**state["result"], dev_losses=losses)
        adapter.parent.mkdir(parents=True, exist_ok=True)
        n_epoch = -(-len(rows) // config.batch_rows)
        n_steps, out_of_time = n_epoch * (config.epochs or 1), seconds_left is not None and seconds_left <= 0
        tell = progress or (lambda done, total, unit: None)
        tell(state["step"], n_steps, "steps")
        while state["step"] < (1 if out_of_time else n_steps):
            state["step"] += 1
            kept.write_text(json.dumps(state), encoding="utf-8")
            tell(state["step"], n_steps, "steps")
        step = state["step"]
        known = {row.messages[-1].content: row.completion for row in rows[: step * config.batch_rows]}
        adapter.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
        wrong = [known[_most_similar(row.messages[-1].content, list(known))] != row.completion for row in dev]
        result = TrainResult(
            folder=str(adapter.parent),
            steps=step,
            best_step=step,
            epochs=step / n_epoch,
            train_tokens=sum(map(self._n_words, rows)),
            seconds=0.0,
            dev_losses=((0, 1.0), (step, sum(wrong) / len(wrong))) if wrong else (),
            stopped="time" if out_of_time else "epochs",
            details={"rows_too_long": len(train) - len(rows)},
        )
        kept.write_text(json.dumps({"key": key, "result": asdict(result)}), encoding="utf-8")
        return result

    def row_seconds(self, train: Sequence[TrainExample], config: TrainConfig) -> float:
        """It learns in no time."""
        return 0.0

    def _n_words(self, row: TrainExample) -> int:
        return sum(self.count_tokens(turn.content) for turn in row.messages) + self.count_tokens(row.completion)

    def describe(self) -> dict[str, Any]:
        return {"source": "scripted", "id": self.id}

    def _complete(self, request: Request, *, is_first: bool, limit: int) -> Completion:
        shared = 0 if is_first else sum(self.count_tokens(m.content) for m in request.messages[: request.n_shared])
        n_prompt = sum(self.count_tokens(message.content) for message in request.messages)
        trouble = self._trouble_of(request)
        if trouble == "over_context" or n_prompt + 1 > self.capabilities.context_tokens:
            return _nothing(n_prompt, "over_context", f"{n_prompt} tokens do not fit the scripted context")
        if trouble == "error":
            return _nothing(n_prompt, "error", "scripted failure")
        words, reason = self._answer(request, trouble), "stop"
        if self.count_tokens(words) > limit or trouble == "length":
            words, reason = " ".join(words.split()[:limit]), "length"
        n_new = self.count_tokens(words)
        usage = Usage(prompt_tokens=n_prompt, cached_tokens=shared, completion_tokens=n_new)
        return Completion(words, usage, MS_PER_TOKEN * (n_prompt - shared + n_new), reason)

    def _trouble_of(self, request: Request) -> Trouble | None:
        question = request.messages[-1].content
        return next((kind for word, kind in self._trouble.items() if word in question), None)

    def _answer(self, request: Request, trouble: Trouble | None) -> str:
        if trouble == "refuse":
            return REFUSAL
        if request.adapter is None:
            return _constrained(self._rule(request), request.constraint)
        if request.adapter not in self.adapters:
            raise InputError(Problem(request.adapter, Text(en="this adapter is not loaded", zh="没有加载这个适配器")))
        known = self.adapters[request.adapter]
        return _constrained(known[_most_similar(request.messages[-1].content, list(known))], request.constraint)


def mentioned(request: Request) -> list[float]:
    """For ``decides``: labels that the question mentions are nine times as likely; the first by the alphabet a little more than the rest."""
    labels = (request.constraint.labels if request.constraint else None) or ()
    question = request.messages[-1].content.lower()
    return [(9.0 if label.lower() in question else 1.0) + (0.5 if label == min(labels) else 0.0) for label in labels]


def copy_nearest_turn(request: Request) -> str:
    """The answer of the most similar earlier question; without one, an allowed answer it mentions."""
    *earlier, question = request.messages
    solved = {asked.content: told.content for asked, told in pairwise(earlier) if _is_solved_pair(asked, told)}
    if solved:
        return solved[_most_similar(question.content, list(solved))]
    allowed = (request.constraint.labels if request.constraint else None) or ()
    return next((label for label in allowed if label.lower() in question.content.lower()), question.content)


def _is_solved_pair(asked: Message, told: Message) -> bool:
    return asked.role == "user" and told.role == "assistant"


def _most_similar(text: str, candidates: Sequence[str]) -> str:
    """By share of common words; the last of equals, as language models favour what is near."""
    words = set(text.lower().split())

    def overlap(candidate: str) -> float:
        others = set(candidate.lower().split())
        return len(words & others) / max(1, len(words | others))

    return max(reversed(candidates), key=overlap)


def _constrained(text: str, constraint: Constraint | None) -> str:
    """``text`` if it is allowed, else the simplest allowed thing near it."""
    if constraint is None:
        return text
    if constraint.labels is not None:
        return max(constraint.labels, key=lambda label: SequenceMatcher(None, label, text).ratio())
    if constraint.json_schema is not None:
        return text if _is_json_object(text) else json.dumps(_least_instance(constraint.json_schema))
    if constraint.regex is not None:
        tried = (found for words in (text, "0", NO_LABEL) if (found := re.search(constraint.regex, words)))
        if (first := next(tried, None)) is not None:
            return first.group()
    raise NotImplementedError(f"the scripted model cannot make {text!r} fit {constraint}")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False


def _least_instance(schema: dict[str, Any]) -> Any:
    """The smallest value that a simple schema (types, enums, required keys) allows."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        parts = schema.get("properties", {})
        return {name: _least_instance(parts.get(name, {"type": "string"})) for name in schema.get("required", ())}
    return {"array": [], "string": "", "integer": 0, "number": 0, "boolean": False, "null": None}[kind]


def _nothing(n_prompt: int, reason: FinishReason, error: str) -> Completion:
    return Completion("", Usage(prompt_tokens=n_prompt), 0.0, reason, error)
