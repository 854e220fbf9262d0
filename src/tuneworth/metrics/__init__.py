"""What a metric is: an answer and its references in, a number in [0, 1] out.

A metric scores one row at a time; the value for a set of rows is the mean of their scores unless
the metric says it is a ``corpus`` metric. ``prepare`` does the slow work once, so that a bootstrap
of thousands of resamples stays cheap.
"""

from __future__ import annotations

import importlib
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import Example, OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say, table

ValueOfRows = Callable[[NDArray[np.intp]], float]
"""The metric's value on the rows with these indices; an index may occur many times."""
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts → unit vectors, shape ``(n, width)``."""


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """Base of every metric.

    Attributes:
        id: the module's name, or ``file.py:function`` for the user's own.
        kinds: the output kinds it is for.
        binary: a row is right (1) or wrong (0) and the value is the share of right rows, so that
            tests for paired proportions apply.
        corpus: the value is not the mean of the row scores (macro-F1); compare arms by resampling
            ``prepare``, never by their row scores.
        needs_encoder: it is given the sentence encoder of the run, which reads English only.
        settable: fields of this metric that ``metric_settings`` of a task file may give, with their types.
    """

    settable: ClassVar[Mapping[str, type]] = {}

    id: str
    title: Text
    kinds: frozenset[OutputKind]
    binary: bool = False
    corpus: bool = False
    needs_encoder: bool = False

    @property
    def fingerprint(self) -> str:
        """Changes when stored scores of this metric are no longer comparable."""
        given = {name: getattr(self, name) for name in sorted(self.settable)}
        usual = {each.name: each.default for each in fields(self)}
        changed = {name: value for name, value in given.items() if value != usual[name]}
        return f"{self.id}@{changed}" if changed else self.id

    @abstractmethod
    def compare(self, answer: str, reference: str) -> float:
        """How good ``answer`` is against one reference, in [0, 1]."""

    def score(self, answer: str, references: Sequence[str]) -> float:
        """The best of ``compare`` over all references of the row."""
        return max(self.compare(answer, reference) for reference in references)

    def prepare(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> ValueOfRows:
        """Score every row once; the result gives the value of any resample of them.

        Args:
            answers: one per row.
            references: the accepted answers of each row, as long as ``answers``.
        """
        scores = np.array([self.score(a, r) for a, r in zip(answers, references, strict=True)], dtype=np.float64)
        return lambda rows: float(scores[rows].mean())

    def value(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
        """The metric over all rows.

        Raises:
            ValueError: there are no rows; a mean of nothing is not zero.
        """
        if not answers:
            raise ValueError(f"{self.id}: no rows to score")
        return self.prepare(answers, references)(np.arange(len(answers)))

    def with_encoder(self, encode: Encode) -> Self:
        """This metric with the run's sentence encoder, which is opened when it is first asked. Only ``semantic`` cares."""
        return self

    def with_settings(self, given: Mapping[str, Any]) -> Self:
        """This metric as the task file sets it.

        Raises:
            InputError: with every name that is no setting of it, and every value of the wrong type.
        """
        problems = [
            Problem(f"metric_settings.{name}", rule)
            for name, value in given.items()
            if (rule := self._why_not(name, value)) is not None
        ]
        if problems:
            raise InputError(problems)
        return replace(self, **given).checked() if given else self

    def _why_not(self, name: str, value: object) -> Text | None:
        wanted = self.settable.get(name)
        if wanted is None:
            known = ", ".join(self.settable) or "–"
            return say("answers.settings.unknown", metric=self.id, known=known)
        fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
        if fits and (wanted is bool or not isinstance(value, bool)):
            return None
        return say(
            "answers.settings.type", shown=reprlib.repr(value), wanted=table("answers.settings.types")[wanted.__name__]
        )

    def checked(self) -> Self:
        """This metric, after its settings were given.

        Raises:
            InputError: a setting has the right type and cannot be used.
        """
        return self

    def for_row(self, row: Example) -> Self:
        """This metric for one row, where scoring takes more of it than its references."""
        return self

    def mean_error(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> float | None:
        """The mean error in the unit of the outputs, for a person to read beside the value; ``None`` where there is no unit."""
        return None

    def with_labels(self, labels: Sequence[str]) -> Self:
        """This metric for a task with these labels. Only label metrics care."""
        return self

    def with_spread(self, spread: float | None) -> Self:
        """This metric for a task whose training outputs are numbers of this spread. Only metrics of numbers care."""
        return self


class MetricError(InputError):
    """The user's own metric failed on an answer."""

    def at(self, row: str) -> MetricError:
        """The same error, naming the row it happened at."""
        return MetricError(
            [
                Problem(p.where, Text(en=f"at row {row}: {p.message.en}", zh=f"在数据行 {row} 上，{p.message.zh}"))
                for p in self.problems
            ],
            self.next_step,
        )


def score_row(metric: Metric, answer: str, example: Example) -> float:
    """``metric.score`` for one row of data; an error names the row."""
    try:
        return metric.for_row(example).score(answer, example.references)
    except MetricError as error:
        raise error.at(example.source or example.id) from error.__cause__


def require(module: str, metric_id: str) -> ModuleType:
    """Import a library that only the local extra brings.

    Raises:
        EnvironmentProblem: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(
            Problem(
                metric_id,
                Text(en=f"this metric needs the library {error.name}", zh=f"该指标依赖的库 {error.name} 尚未安装"),
            ),
            Text(en='Install it: pip install "tuneworth[local]"', zh='请安装：pip install "tuneworth[local]"'),
        ) from error
