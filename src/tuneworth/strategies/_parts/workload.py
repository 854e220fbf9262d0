"""How much work an arm makes per row, found by counting before anything runs.

Tokens are counted on a sample of rows with the model's own tokenizer; the model itself is not called. What an arm
will write is a guess: an arm that was shown answers, or trained on them, writes about as much as they have;
one that was not may write until it is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.base import Model
from tuneworth.models.encoders import E5

SAMPLE_ROWS = 24
TURN_TOKENS = 5
"""What a chat template adds around a turn, about, in the families we know."""
MAX_ENCODED_CHARS = 1000
"""The sentence encoder reads 256 tokens at most, of Chinese 512."""
WIDE, DEEP = 3.0, 2.0
"""A Chinese character is as many tokens as three of an alphabet, about; multilingual-e5 has twice MiniLM's layers."""
BRANCHES = 16
"""Labels that one token tells apart, about: tokens that only one label allows are not asked for."""


def once(n_rows: int) -> float:
    """One pass over the training rows, however many there are."""
    return 1.0


def nobody(n_rows: int) -> float:
    """No training row is asked about."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Workload:
    """Expected work of one arm, in means per row.

    Attributes:
        prompt_tokens: tokens that the model reads for one answer, beyond the shared ones.
        shared_tokens: tokens that all its prompts begin with; read once, then cached.
        completion_tokens: tokens that the model is asked for in one answer.
        encoded_chars: what the sentence encoder reads (``encoded_chars``), of every training row and of every query; 0 for an
            arm that does not use it.
        train_tokens: tokens of one training row in one pass; 0 for an arm that does not train the model.
        passes: training rows → passes over them, looks at dev rows included.
        asked_in_fit: training rows → how many of them fitting asks the model about, as if they were to be answered.
        fit_operations: floating-point operations per training row outside of any model.
    """

    prompt_tokens: float = 0.0
    shared_tokens: float = 0.0
    completion_tokens: float = 0.0
    encoded_chars: float = 0.0
    train_tokens: float = 0.0
    passes: Callable[[int], float] = once
    asked_in_fit: Callable[[int], float] = nobody
    fit_operations: float = 0.0


def sample(rows: Sequence[Example]) -> Sequence[Example]:
    """Rows evenly spread over ``rows``, so that a file sorted by length is not misjudged."""
    n = min(SAMPLE_ROWS, len(rows))
    return [rows[i * len(rows) // n] for i in range(n)]


def mean_tokens(model: Model, conversations: Sequence[Sequence[Message]]) -> float:
    """Tokens of a conversation with its template."""
    counted = [sum(model.count_tokens(turn.content) + TURN_TOKENS for turn in turns) for turns in conversations]
    return sum(counted) / len(counted) if counted else 0.0


def answer_tokens(model: Model, rows: Sequence[Example]) -> float:
    """Tokens of the rows' own answers, with the end of the turn."""
    counted = [model.count_tokens(row.output) + 1 for row in rows]
    return sum(counted) / len(counted) if counted else 0.0


def label_tokens(model: Model, options: Sequence[Sequence[str]]) -> float:
    """Tokens that the labels of a row take in a trie, about: what they begin with alike counts once."""
    counted = {labels: _trie_tokens(model, labels) for labels in {tuple(labels) for labels in options}}
    return sum(counted[tuple(labels)] for labels in options) / len(options) if options else 0.0


def _trie_tokens(model: Model, labels: Sequence[str]) -> float:
    n_chars = sum(map(len, labels))
    n_told_apart = len({label[:end] for label in labels for end in range(1, len(label) + 1)})
    return sum(map(model.count_tokens, labels)) * n_told_apart / max(1, n_chars)


def expected_completion(
    task: Task, model: Model, rows: Sequence[Example], *, constrained: bool, shown: bool, max_new_tokens: int
) -> float:
    """Tokens that one answer asks the model for.

    Args:
        constrained: answers are held to labels, choices or a schema.
        shown: the arm was shown answers or trained on them, so it knows where they end.
    """
    usual = min(answer_tokens(model, rows), float(max_new_tokens))
    if constrained and task.kind in ("label", "choice"):
        n_labels = max((len(row.query.choices) for row in rows), default=0) or len(task.labels)
        return min(usual, 1 + math.log(max(n_labels, 1), BRANCHES))
    return usual if shown else float(max_new_tokens)


def read_chars(queries: Sequence[Query]) -> float:
    """Characters of a query, of a long one its beginning."""
    counted = [min(len(query.text), MAX_ENCODED_CHARS) for query in queries]
    return sum(counted) / len(counted) if counted else 0.0


def encoded_chars(queries: Sequence[Query], task: Task) -> float:
    """What the task's sentence encoder reads of a query; see ``encoding_work``."""
    return encoding_work([query.text for query in queries], task.sentence_encoder)


def encoding_work(texts: Sequence[str], encoder: str | None) -> float:
    """Characters of English that would take MiniLM as long as one of ``texts`` takes ``encoder``, in the mean."""
    read = [text[:MAX_ENCODED_CHARS] for text in texts]
    counted = [len(text) + (WIDE - 1) * sum(character > "\u2e7f" for character in text) for text in read]
    return (DEEP if encoder == E5 else 1.0) * sum(counted) / len(counted) if counted else 0.0
