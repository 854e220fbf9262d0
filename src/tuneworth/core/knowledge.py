"""What a run finds out about a task's documents: part of ``result.json``.

Why an answer is wrong (not found, or not understood), what happens when knowledge changes, whether answers
rest on what they cite, and whether a document can give orders.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneworth.core.outcome import Stage
from tuneworth.core.record import Interval, Record, Score
from tuneworth.core.text import Text

Age = Literal["old", "new"]
Judge = Literal["gold", "answer"]
"""How it is known that the right passage was found: the row names it, or a passage holds the row's answer. The latter only
where training rows show that answers are quoted from the documents."""
Absorbs = Literal["index", "retrain", "nothing"]
"""What an arm must do to know of new documents: index them, be trained again, or nothing helps."""
Cause = Literal["right", "not_found", "not_read"]


class Share(Record):
    """A part of a whole in [0, 1] with its interval."""

    value: float
    interval: Interval


class Recall(Record):
    """How good one way of searching is, on the rows of one side.

    Attributes:
        mode: ``text``, ``vector`` or ``hybrid``.
        at: k → share of what the rows name as gold (``gold``; a passage, or a document, for which any of its passages
            that holds an answer will do), or of rows whose answer stands in them (``answer``), among the first k.
        mrr, ndcg: mean reciprocal rank and nDCG at 10; only by gold passages.
    """

    stage: Stage
    mode: str
    passage_tokens: int
    reranked: bool = False
    judge: Judge
    at: dict[int, Score]
    mrr: Score | None = None
    ndcg: Score | None = None


class LossSplit(Record):
    """Where an arm's loss comes from: loss = 1 − score = ``reading`` + ``retrieval``.

    With s the mean score where the right passage was shown, and s' where it was not, on a share m of the rows:
    ``reading`` = 1 − s (lost although it was there), ``retrieval`` = m · (s − s') (what finding it would give).
    ``retrieval`` is below 0 for an arm that does better without it. Where nothing was found all is ``retrieval``, and the
    intervals say that it may be either.

    Attributes:
        n_found: rows that were shown the right passage, of ``n_rows`` for which that is known.
        score_found, score_missed: s and s'; ``None`` where there are no such rows.
        oracle: the score of the same reader when it is given the right passage alone, on the dev rows, where measured.
        found: the interval of the share of rows that were shown the right passage; rows of one group are not independent.
    """

    arm_id: str
    stage: Stage
    judge: Judge
    n_rows: int
    n_found: int
    score_found: Score | None
    score_missed: Score | None
    reading: Share
    retrieval: Share
    oracle: Score | None = None
    found: Interval | None = None


class AgeScore(Record):
    """An arm on rows that ask for old, or for new, knowledge: new is what no training row could show.

    Attributes:
        stages: the sides that the rows come from; dev rows count where the test side has none of this age.
    """

    arm_id: str
    age: Age
    stages: list[Stage]
    score: Score


class UpdateCost(Record):
    """What one update of the documents costs an arm. ``None`` means not known, never zero.

    Attributes:
        seconds: of machine time, for one update.
        usd: at the machine's price.
        runs_per_year: how often, when the task says how fast knowledge changes.
    """

    arm_id: str
    absorbs: Absorbs
    seconds: float | None
    usd: float | None = None
    runs_per_year: float | None = None


class NoAnswer(Record):
    """Saying "not in the documents" as a class of its own; precision is ``None`` when nobody said it.

    Attributes:
        n_said, n_right: rows on which it was said, and on which it was right to say it.
        n_unanswerable: rows where it is the right answer.
    """

    n_said: int
    n_right: int
    n_unanswerable: int
    precision: Share | None
    recall: Share | None


class Grounding(Record):
    """Whether an arm's answers rest on passages.

    Attributes:
        n_answers: answers that say something (not ``no_answer``).
        n_checked: answers whose support was looked at, evenly spread over all: of these are ``supported`` and its kinds.
        cited: share of them that point to a passage.
        real: share of all citations that point to a passage that was shown; ``None`` without citations.
        supported: share of answers that a cited passage (or, without citation, any passage shown) supports, by
            words or by meaning.
        by_words: the share that words support; ``by_meaning``: what meaning alone adds to it, ``None`` where it was not looked at
            (no sentence encoder, or too few different answers).
    """

    arm_id: str
    stage: Stage
    n_answers: int
    n_checked: int | None = None
    cited: Share
    real: Share | None
    supported: Share
    by_words: Share
    by_meaning: Share | None = None
    no_answer: NoAnswer | None = None


class Injection(Record):
    """Orders planted in the first passage shown, on dev rows: how often the answer changed, and obeyed.

    Attributes:
        control: how often a remark that orders nothing, planted in the same place, changed the answer; only what
            ``changed`` has beyond it is owed to the orders. ``None`` where it was not tried.
    """

    arm_id: str
    n_rows: int
    changed: Share
    obeyed: Share
    control: Share | None = None


class ShownPassage(Record):
    id: str
    title: str
    text: str
    right: bool | None
    cited: bool = False


class ReadingExample(Record):
    """A test row with what was looked up for it. ``cause`` is why it went wrong, if it did."""

    arm_id: str
    row_id: str
    question: str
    reference: str
    answer: str | None
    score: float | None
    cause: Cause | None
    passages: list[ShownPassage]


class IndexFacts(Record):
    """What making the index took.

    Attributes:
        version: the state of the index that was scored; another one now means that documents have changed since.
        seconds: to embed and index everything, without reading and cutting the documents; ``None`` where an index that was
            there already was taken up.
        update_passages, update_seconds: passages that were added to an index that held the others, and how long that
            took; ``None`` where all documents are of one age.
    """

    n_documents: int
    n_passages: int
    passage_tokens: int
    encoder: str | None
    seconds: float | None
    version: str | None = None
    update_passages: int | None = None
    update_seconds: float | None = None


class DocumentsResult(Record):
    """Everything a run has to say about documents.

    Attributes:
        recalls, losses: empty where it is not known of any row which passage is right.
        problems: files that could not be read, or only in part.
        ages_by: how old and new were told apart; ``None`` where they could not be.
        knowledge_every_days: how often the documents change, when the task says so.
    """

    index: IndexFacts
    problems: list[Text] = Field(default_factory=list[Text])
    recalls: list[Recall] = Field(default_factory=list[Recall])
    losses: list[LossSplit] = Field(default_factory=list[LossSplit])
    ages_by: Text | None = None
    ages: list[AgeScore] = Field(default_factory=list[AgeScore])
    updates: list[UpdateCost] = Field(default_factory=list[UpdateCost])
    knowledge_every_days: float | None = None
    grounding: list[Grounding] = Field(default_factory=list[Grounding])
    injection: list[Injection] = Field(default_factory=list[Injection])
    examples: list[ReadingExample] = Field(default_factory=list[ReadingExample])
