"""What an audit check gets and gives.

A check is one file in this package with a ``PLUGIN``; its file name is its id. Outsiders use the entry-point
group ``tuneworth.audit``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.audit import AuditFact, AuditResult, Finding, Side
from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts → vectors of shape ``(texts, dimensions)``, rows of length 1."""
Tick = Callable[[int, int], None]
"""Called with (done, total) while a check works."""


def no_tick(done: int, total: int) -> None:
    """For callers that do not show progress."""


@dataclass(frozen=True)
class Subject:
    """What is audited.

    Attributes:
        train: all good rows of the training file, in its order.
        test: rows of the user's own test file, empty without one.
        raw: example id → the row as it stood in its file.
        inputs, unused: columns that the question is read from, and those that nothing reads.
        embed: a sentence encoder, or ``None`` where none is at hand or the language is not its own.
        count_tokens: tokens of a text for the first candidate model; ``None`` when no model is at hand.
        context_tokens: the smallest context of the candidate models.
        documents: texts of the documents that come with the task.
        n_tested: rows that arms will be tested on, where the split is made already; ``tested_worth``: independent rows that
            they are worth, where some belong together.
        seed: what all randomness of a check is made from.
    """

    task: Task
    train: tuple[Example, ...]
    test: tuple[Example, ...] = ()
    raw: dict[str, str] = field(default_factory=dict[str, str])
    inputs: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    embed: Embed | None = None
    count_tokens: Callable[[str], int] | None = None
    context_tokens: int | None = None
    documents: tuple[str, ...] = ()
    n_tested: int | None = None
    tested_worth: float | None = None
    seed: int = 0

    @cached_property
    def side_of(self) -> dict[str, Side]:
        """Example id → the file it is from."""
        sides: dict[str, Side] = {row.id: "train" for row in self.train}
        sides.update({row.id: "test" for row in self.test})
        return sides

    def columns_of(self, row: Example) -> dict[str, Any]:
        """The columns of ``row``; none where it did not stand in its file as an object."""
        try:
            value = json.loads(self.raw.get(row.id, ""))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def rng(self, check: str) -> np.random.Generator:
        """A generator of its own for every check, so that one check never changes another."""
        return np.random.default_rng([self.seed, *check.encode()])


@dataclass(frozen=True, slots=True)
class Patch:
    """A change to a row that ``--fix`` would make; a person can review it.

    Attributes:
        action: ``drop`` the row; ``merge`` its answer into row ``into`` as a reference; ``relabel`` to
            ``after``; ``mask`` its texts as in ``after``; ``replace`` the output by ``after``.
        into: id of the row that stays in its place.
        certain: done by ``--fix``; otherwise only suggested in the patch list. Whatever a check says, a row is dropped
            only where the row that stays is the same in every column.
    """

    check: str
    row_id: str
    source: str
    action: Literal["drop", "merge", "relabel", "mask", "replace"]
    why: Text
    before: str = ""
    after: str = ""
    into: str = ""
    certain: bool = True


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        n_looked_at: rows it looked at, fewer than there are when it sampled.
    """

    findings: list[Finding]
    n_looked_at: int
    facts: list[AuditFact] = field(default_factory=list[AuditFact])
    patches: list[Patch] = field(default_factory=list[Patch])


class Check(Protocol):
    """One question asked of the rows."""

    title: Text

    def skip(self, subject: Subject) -> Text | None:
        """Why the check does not apply to ``subject``; ``None`` when it does."""
        ...

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        """Look at the rows. Heavy imports happen here."""
        ...


class _Room(ModuleType):
    """The package is also the function of the public API that has its name, so that ``tuneworth.audit(rows)`` always works."""

    def __call__(self, source: str | Path, **options: Any) -> AuditResult:
        return import_module("tuneworth.api").audit(source, **options)


sys.modules[__name__].__class__ = _Room
