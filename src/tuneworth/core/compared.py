"""What a comparison of results that others measured stores: the contents of ``comparison.json``, version 1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneworth.core.record import Record, Score
from tuneworth.core.run import ArmCost, Comparison, RowView
from tuneworth.core.text import Text

Tool = Literal["rows", "lm_eval", "inspect", "promptfoo", "deepeval"]
"""Who wrote a file; ``rows`` are plain rows."""
PairedBy = Literal["id", "text", "order"]
"""What told which rows of two files are one: their ids, what was asked, or, where rows have neither, their order."""
Standing = Literal["best", "level", "open"]
"""One system is better than all others; the first are equivalent; or it is open which is first."""


class System(Record):
    """One system as its file tells it.

    Attributes:
        model: as the tool calls it; ``None`` where it does not say.
        n_rows, n_answers: rows, and answers to them: more where rows were answered several times.
        n_unscored: rows without a score of the primary metric. They are left out, never counted as wrong.
        n_unpaired: rows that not all other systems have; ``unpaired`` is where the first of them stand.
        scores: metric → score over all of its scored rows, paired or not: the mean that the tool itself shows.
        cost: tokens, time and money as far as the file has them.
    """

    name: str
    file: str
    tool: Tool
    model: str | None = None
    n_rows: int
    n_answers: int
    n_unscored: int = 0
    n_unpaired: int = 0
    unpaired: list[str] = Field(default_factory=list[str])
    scores: dict[str, Score] = Field(default_factory=dict[str, Score])
    cost: ArmCost = ArmCost()


class Compared(Record):
    """Systems compared by results that others measured.

    Attributes:
        files: file → SHA-256.
        n_rows: rows that all systems have.
        group, n_groups: the field that says which rows belong together, and its values; ``None`` when each row is on its own.
        scale: worst and best value of the scores, where they were not in [0, 1]; all numbers here are fractions of it.
        comparisons: every pair of systems on every metric, one family that Holm adjusts for; those of the primary metric first.
        notes: what a reader should know; ``doubts``: what to settle before the result is believed.
        disagreements: paired rows on which the primary metric differs most, where the files say what was answered.
    """

    schema_version: int = 1
    version: str
    files: dict[str, str]
    systems: list[System]
    metrics: list[str]
    primary_metric: str
    margin: float
    scale: tuple[float, float] | None = None
    paired_by: PairedBy
    n_rows: int
    group: str | None = None
    n_groups: int | None = None
    comparisons: list[Comparison]
    standing: Standing
    first: str
    headline: Text
    notes: list[Text] = Field(default_factory=list[Text])
    doubts: list[Text] = Field(default_factory=list[Text])
    disagreements: list[RowView] = Field(default_factory=list[RowView])
