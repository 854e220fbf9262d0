"""The two endpoints for decisions, as routes of `tuneworth.testing.chat_server.ChatServer`.

    with ChatServer(routes=DecisionRoutes(weights).routes()) as server: ...

They imitate shapes, as documented for OpenAI's Decisions and for System One; nothing of what a service's model knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Weights = Callable[[str, Sequence[str]], Sequence[float]]
"""Input and options → a weight for each; of a yes-or-no question the options are ``no`` and ``yes``."""
Spoil = Callable[[dict[str, Any]], tuple[int, Any] | None]
"""Body of a request → what is sent back in place of a decision; ``None``: the decision."""


@dataclass
class DecisionRoutes:
    """Answers typed questions.

    Attributes:
        spoil: which requests get something else back.
        received: the bodies of all requests, by path.
    """

    weights: Weights
    spoil: Spoil = lambda body: None
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def routes(self) -> dict[str, Callable[[dict[str, Any]], tuple[int, Any]]]:
        return {"/v1/decisions": self._decisions, "/v1/systemone": self._system_one}

    def _decisions(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.received.append(("/v1/decisions", body))
        answers: list[dict[str, Any]] = []
        for asked in body["questions"]:
            shared = {"type": asked["type"], "name": asked.get("name")}
            if asked["type"] == "predicate":
                answers.append({**shared, "probability": self._of(body["input"], ("no", "yes"))["yes"]})
                continue
            chances = self._of(body["input"], [choice["value"] for choice in asked["choices"]])
            listed = [{"value": value, "probability": chance} for value, chance in chances.items()]
            best = max(chances, key=lambda value: chances[value])
            answers.append({**shared, "choice": best, "confidence": chances[best], "probabilities": listed})
        n_read = len(json.dumps(body).split())
        usage = {
            "input_tokens": n_read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": n_read + 7,
        }
        return self.spoil(body) or (200, {"answers": answers, "model": body["model"], "usage": usage})

    def _system_one(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.received.append(("/v1/systemone", body))
        answers: dict[str, dict[str, Any]] = {}
        for name, asked in body["questions"].items():
            if asked["type"] == "noul":
                answers[name] = {"type": "noul", "noul": self._of(body["state"], ("no", "yes"))["yes"]}
                continue
            chances = self._of(body["state"], list(asked["criteria"]))
            best = max(chances, key=lambda value: chances[value])
            answers[name] = {"type": "choice", "choice": best, "confidence": chances[best], "probabilities": chances}
        usage = {"input_tokens": len(json.dumps(body).split()), "output_tokens": 7}
        return self.spoil(body) or (200, {"answers": answers, "model": body["model"], "usage": usage})

    def _of(self, given: Any, options: Sequence[str]) -> Mapping[str, float]:
        text = given if isinstance(given, str) else " ".join(str(turn["content"]) for turn in given)
        weights = self.weights(text, options)
        return {option: weight / sum(weights) for option, weight in zip(options, weights, strict=True)}
