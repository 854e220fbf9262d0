"""What a model behind an API has told of itself while it was asked, for the record of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.models.api.services import Means
from tuneworth.words.say import say

SURELY_IGNORED = 3
"""Answers that are no JSON though a schema was sent: then the service does not know schemas, whatever it says."""


@dataclass
class Record:
    """Counted by one process.

    Attributes:
        answered_by: the name that the service gave to what answered → answers.
        means: how many answers each means has held to the form.
        refused: fields and means that the service does not take.
    """

    calls: int = 0
    answers: int = 0
    tries: Counter[str] = field(default_factory=Counter[str])
    answered_by: Counter[str] = field(default_factory=Counter[str])
    means: Counter[Means] = field(default_factory=Counter[Means])
    repairs: int = 0
    not_allowed: int = 0
    refused: dict[str, str] = field(default_factory=dict[str, str])
    without_usage: int = 0
    above_bound: int = 0
    usage: Usage = Usage()

    def add_usage(self, usage: Usage | None) -> None:
        if usage is None:
            self.without_usage += 1
        else:
            self.usage = plus(self.usage, usage)

    @property
    def hit_rate(self) -> float | None:
        """Share of the prompts' tokens that came from the service's cache."""
        read = self.usage.prompt_tokens
        return self.usage.cached_tokens / read if read else None

    def facts(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "answers": self.answers,
            "failed_tries": dict(self.tries),
            "answered_by": dict(self.answered_by),
            "means": dict(self.means),
            "repairs": self.repairs,
            "not_allowed": self.not_allowed,
            "refused": dict(self.refused),
            "usage": self.usage.model_dump(),
            "without_usage": self.without_usage,
            "cache_hit_rate": self.hit_rate,
        }

    def warnings(self) -> list[Text]:
        found: list[Text] = []
        if len(self.answered_by) > 1:
            names = ", ".join(f"{name} ({n})" for name, n in self.answered_by.most_common())
            found.append(say("models.service.renamed", names=names))
        if self.without_usage:
            found.append(say("models.service.no_usage", n=self.without_usage))
        if self.not_allowed:
            found.append(say("models.service.not_allowed", n=self.not_allowed))
        if self.above_bound:
            found.append(say("models.service.above_bound", n=self.above_bound))
        return found


def plus(one: Usage, other: Usage) -> Usage:
    return Usage(**{name: value + getattr(other, name) for name, value in one.model_dump().items()})


def held_by(means: Sequence[Means]) -> Text:
    """By which means answers are held to their form."""
    named = [say(f"models.service.means.{each}") for each in means]
    listed = Text(en=", ".join(each.en for each in named), zh="、".join(each.to("zh") for each in named))
    return say("models.service.held", means=listed)
