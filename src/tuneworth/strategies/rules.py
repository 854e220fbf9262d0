"""Yardstick: a few simple rules applied to the input: lower case, first sentence, what stands in quotes.

Rules are added one at a time, the one that helps most on the training rows first, as long as it surely helps there (two
standard errors). Where none does, there is nothing to measure beyond ``copy``. What this reaches needs no model, and may be
used as it is.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from tuneworth.core.registry import plugin_modules
from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.models.base import Model
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig

MOST_RULES = 3
MOST_ROWS = 100
"""Training rows that rules are tried on; a rule that is worth anything shows on far fewer."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|「([^」]+)」|`([^`]+)`")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def _first(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """What the first match holds; the text itself where nothing matches."""

    def rule(text: str) -> str:
        match = pattern.search(text)
        return text if match is None else next((group for group in match.groups() if group), match.group())

    return rule


RULES: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "sentence_case": lambda text: text[:1].upper() + text[1:].lower(),
    "title_case": str.title,
    "width": lambda text: unicodedata.normalize("NFKC", text),
    "spaces": lambda text: " ".join(text.split()),
    "no_spaces": lambda text: "".join(text.split()),
    "no_punctuation": lambda text: " ".join(re.sub(r"[^\w\s]|_", " ", text).split()),
    "no_markup": lambda text: " ".join(re.sub(r"<[^>]{1,200}>", " ", text).split()),
    "first_line": lambda text: next((line.strip() for line in text.splitlines() if line.strip()), text),
    "last_line": lambda text: next((line.strip() for line in reversed(text.splitlines()) if line.strip()), text),
    "after_colon": lambda text: re.split(r"[:：]", text, maxsplit=1)[-1].strip() or text,
    "first_sentence": lambda text: _SENTENCE.split(text.strip())[0],
    "last_sentence": lambda text: (
        [part for part in _SENTENCE.split(text.strip()) if part][-1] if text.strip() else text
    ),
    "quoted": _first(_QUOTED),
    "number": _first(_NUMBER),
}


class RulesConfig(StrategyConfig):
    """Nothing to choose: the training rows decide."""


class RulesSolver(Solver):
    """Applies ``names`` of `RULES`, one after the other, to the last turn."""

    def __init__(self, names: Sequence[str]):
        self.names = list(names)

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(applied(self.names, query.messages[-1].content)) for query in queries]

    def save(self, folder: Path) -> None:
        (folder / "solver.json").write_text(json.dumps({"rules": self.names}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, context: Context) -> RulesSolver:
        return cls(json.loads((folder / "solver.json").read_text(encoding="utf-8")).get("rules", []))


def applied(names: Sequence[str], text: str) -> str:
    for name in names:
        text = RULES[name](text)
    return text


def best_rules(metric: Metric, pairs: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Names of the rules, in the order in which they apply, that surely bring texts nearer to their references.

    Args:
        pairs: a text and its accepted answers, one a row.
    """

    def scores(names: Sequence[str]) -> np.ndarray:
        return np.array([metric.score(applied(names, text), list(references)) for text, references in pairs])

    chosen: list[str] = []
    reached = scores(chosen)
    while len(pairs) > 1 and len(chosen) < MOST_RULES:
        tried = {name: scores([*chosen, name]) - reached for name in RULES if name not in chosen}
        best = max(tried, key=lambda name: tried[name].mean())
        gain = tried[best]
        if gain.mean() <= 2 * gain.std(ddof=1) / np.sqrt(len(gain)):
            break
        chosen, reached = [*chosen, best], reached + gain
    return chosen


class Rules(Strategy):
    id = "rules"
    effort = 0
    yardstick = True
    fallback = True
    kinds = frozenset({"text"})
    needs_model = False
    title = Text(en="simple rules on the input", zh="对输入套用简单规则")
    Config = RulesConfig
    solver = RulesSolver

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [RulesConfig()]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if task.kind != "text":
            return Text(en="answers are not free text", zh="答案不是自由文本")
        if not _learned(task, train):
            return Text(en="no simple rule does better than copying the input", zh="没有哪条简单规则胜过原样返回输入")
        return None

    def describe(self) -> Text:
        return self.title

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> RulesSolver:
        names = list(_learned(context.task, train))
        context.details["rules"] = names
        return RulesSolver(names)


def _learned(task: Task, train: Sequence[Example]) -> tuple[str, ...]:
    """From rows spread evenly over the training rows."""
    some = train[:: max(1, -(-len(train) // MOST_ROWS))]
    pairs = tuple((row.query.messages[-1].content, row.references) for row in some)
    return _best_rules(task.metric, json.dumps(dict(task.metric_settings), sort_keys=True), pairs)


@cache
def _best_rules(spec: str, settings: str, pairs: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    """By the task's metric; by words in common for the user's own, whose file a strategy does not know, and for one by vectors."""
    known = (
        load_metric(spec, "", settings=json.loads(settings)) if spec in plugin_modules("tuneworth.metrics") else None
    )
    return tuple(best_rules(load_metric("token_f1", "") if known is None or known.needs_encoder else known, pairs))


PLUGIN = Rules
