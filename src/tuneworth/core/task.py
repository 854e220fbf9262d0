"""A task: what is asked of a model, the rows that show it, and the limits an answer must keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

OutputKind = Literal["label", "choice", "multilabel", "number", "json", "text"]
"""``label``: one of the task's labels. ``choice``: one of the row's options. ``multilabel``: any number of the task's labels.
``number``: a number whose distance from the right one counts. ``json``: an object or a list. ``text``: anything else."""
LABELLED: frozenset[OutputKind] = frozenset({"label", "multilabel"})
"""Kinds of answers that are made of the task's labels."""
ONE_OF: frozenset[OutputKind] = frozenset({"label", "choice"})
"""Kinds of answers that are one of a list."""
Language = Literal["en", "zh", "other"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Query:
    """What a solver may see of a row: never the answer.

    Attributes:
        id: stable id of the row within the task.
        messages: the conversation so far; the last turn is the user's.
        choices: the answers allowed for this row (kind ``choice``), else empty.
    """

    id: str
    messages: tuple[Message, ...]
    choices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All turns as one text, for embedding, hashing and near-duplicate search."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True)
class Example:
    """A row: a query with its answer.

    Attributes:
        output: the answer to learn from.
        references: every accepted answer, ``output`` first.
        source: where the row came from, ``file:line``.
        group: rows of one group are near-duplicates and stay on one side of the split.
        gold: ids of the documents, or of the passages, that hold the answer, as the row names them.
        doc_set: the part of the collection that the row asks about, when the row says so itself.
        changed: date of the knowledge that the row asks for, when the row says so itself.
    """

    query: Query
    output: str
    references: tuple[str, ...] = ()
    source: str = ""
    group: str = ""
    gold: tuple[str, ...] = ()
    doc_set: str | None = None
    changed: date | None = None

    def __post_init__(self) -> None:
        if not self.references:
            object.__setattr__(self, "references", (self.output,))

    @property
    def id(self) -> str:
        return self.query.id


class Limits(BaseModel):
    """Hard limits: an arm that breaks one is never recommended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    private: bool = Field(default=False, description="rows must not leave this machine")
    p95_ms: float | None = Field(
        default=None, gt=0, description="95th percentile of the time for one row, milliseconds"
    )
    max_usd_per_1k: float | None = Field(default=None, gt=0, description="most that 1,000 rows may cost, US dollars")
    min_quality: float | None = Field(
        default=None, ge=0, le=1, description="least value of the metric on the test rows"
    )


class Collection(BaseModel):
    """The documents that come with a task, as far as arms must know of them before they look anything up.

    Attributes:
        digest: SHA-256 over all documents as read, and over how they are cut, embedded and reranked.
        mean_tokens: of a passage with its title and headings, counted by the first candidate model.
        encoder, reranker: the models that search; ``None``: by words only, not reranked.
        encoder_elsewhere: texts leave this machine to be embedded, at a price that is not known.
        encoder_service: what the task file says of the encoder's service; kept, so that a run can be asked later.
        masked: personal data and secrets in them are masked before.
        no_answer: what an answer says when the documents do not hold it.
        unanswerable: some training rows are answered with ``no_answer``, so arms must be told of it.
        min_similarity: cosine that the nearest passage must reach; below, the answer is ``no_answer`` unasked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_documents: int
    n_passages: int
    digest: str
    passage_tokens: int
    mean_tokens: float
    encoder: str | None = None
    encoder_elsewhere: bool = False
    encoder_service: dict[str, dict[str, Any]] | None = None
    masked: bool = False
    reranker: str | None = None
    no_answer: str
    unanswerable: bool = False
    min_similarity: float | None = None


class Task(BaseModel):
    """Everything about a task but its rows, with nothing left to infer.

    ``margin`` is the smallest difference of the metric that matters to the user: a fraction of the
    metric's range, so 0.02 is two points. ``spread`` is that of the training outputs of kind ``number``
    (``quantity.spread``), the scale of their errors. ``sentence_encoder`` is the one for texts like these, by name; ``None``
    where there is none on this machine, and texts are compared by their n-grams.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    instruction: str = ""
    kind: OutputKind
    labels: tuple[str, ...] = ()
    spread: float | None = None
    json_schema: dict[str, Any] | None = None
    metric: str
    metric_settings: dict[str, Any] = {}
    margin: float = Field(default=0.02, gt=0, lt=1)
    language: Language = "en"
    sentence_encoder: str | None = None
    limits: Limits = Limits()
    documents: Collection | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Frozen rows: train fits, dev chooses, test is looked at once.

    Attributes:
        digest: SHA-256 over the ids and contents of the three sides, in order.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    digest: str = field(default="")
