"""Answering from passages: what the strategies that read documents have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuneworth.core.documents import Passage
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.retrieval.hits import Mode
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Answer, Context
from tuneworth.strategies._parts.passages import PassagePrompt, may_decline, passage_prompt, read_citations, search_text
from tuneworth.strategies._parts.prompting import Asker, model_of, query_turns
from tuneworth.strategies._parts.workload import Workload, encoding_work, mean_tokens

DEPTHS = (1, 3, 5)
"""Numbers of passages that are tried."""
USUAL_K = 3


@dataclass(frozen=True)
class Finder:
    """Finds the ``k`` best passages.

    Attributes:
        passage_tokens: size of the passages.
        min_similarity: cosine that the nearest passage must reach, else none is found; ``None``: any will do.
    """

    library: Library
    k: int
    mode: Mode
    passage_tokens: int
    rerank: bool = False
    min_similarity: float | None = None

    def get_ready(self) -> None:
        """Make the index, and open the encoder and the reranker, as the first search would."""
        self.find([Query("", (Message("user", "?"),))])

    def find(self, queries: Sequence[Query], k: int | None = None) -> list[tuple[Passage, ...]]:
        """Passages for each query, best first.

        Args:
            k: more or fewer than usual.
        """
        if not queries:
            return []
        texts = [search_text(query) for query in queries]
        found = self.library.search(
            texts, k or self.k, mode=self.mode, passage_tokens=self.passage_tokens, rerank=self.rerank
        )
        near = self._near(texts)
        return [tuple(hit.passage for hit in hits) if is_near else () for hits, is_near in zip(found, near)]

    def _near(self, texts: Sequence[str]) -> list[bool]:
        if self.min_similarity is None or self.library.encoder is None:
            return [True] * len(texts)
        nearest = self.library.search(texts, 1, mode="vector", passage_tokens=self.passage_tokens)
        return [bool(hits) and hits[0].score >= self.min_similarity for hits in nearest]

    def settings(self) -> dict[str, Any]:
        """What ``on_library`` needs to make this finder again."""
        names = ("k", "mode", "passage_tokens", "rerank", "min_similarity")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def on_library(cls, settings: Mapping[str, Any], context: Context) -> Finder:
        return cls(library_of(context), **settings)


def library_of(context: Context) -> Library:
    """The passages of an arm that cannot be without them.

    Raises:
        ValueError: the caller gave none.
    """
    if context.library is None:
        raise ValueError("this strategy reads documents; Context.library is None")
    return context.library


def best_mode(encoder: str | None) -> Mode:
    """The best way of searching documents that ``encoder`` embedded (``Collection.encoder``)."""
    return "text" if encoder is None else "hybrid"


CITATION_TOKENS = 8
"""Room for a citation after the longest answer worth generating."""
HEAD_TOKENS = 6
"""Number, quotation marks and blank line of a passage in a prompt, about."""


@dataclass(frozen=True)
class Reader:
    """Answers queries from the passages it is given."""

    asker: Asker
    prompt: PassagePrompt

    def read(self, queries: Sequence[Query], found: Sequence[Sequence[Passage]]) -> list[Answer]:
        """One answer per query, in order.

        Where nothing was found and the task has a word for that, it is the answer, and the model is not asked.
        """
        answers: dict[int, Answer] = {}
        for i, (query, passages) in enumerate(zip(queries, found, strict=True)):
            if not passages and (declined := self._declined(query)) is not None:
                answers[i] = declined
        asked = [i for i in range(len(queries)) if i not in answers]
        shown = [self._shown(queries[i], found[i]) for i in asked]
        conversations = [self.prompt.messages(queries[i], passages) for i, passages in zip(asked, shown)]
        told = self.asker.ask([queries[i] for i in asked], conversations, n_head=1) if asked else []
        for i, answer, passages in zip(asked, told, shown):
            answers[i] = self._cited(answer, passages)
        return [answers[i] for i in range(len(queries))]

    def _declined(self, query: Query) -> Answer | None:
        documents = self.asker.task.documents
        if documents is None or not may_decline(self.asker.task, query):
            return None
        return Answer(documents.no_answer)

    def _shown(self, query: Query, passages: Sequence[Passage]) -> Sequence[Passage]:
        room = self.asker.model.capabilities.context_tokens - self.asker.max_new_tokens
        return passages[: self.prompt.n_fitting(query, passages, self.asker.model, room)]

    def _cited(self, answer: Answer, shown: Sequence[Passage]) -> Answer:
        ids = tuple(passage.id for passage in shown)
        if answer.text is None or not self.prompt.cites:
            return replace(answer, passages=ids)
        text, citations = read_citations(answer.text, ids)
        return replace(answer, text=text, passages=ids, citations=citations)

    def settings(self) -> dict[str, Any]:
        """What ``reader_on`` needs to make this reader again."""
        return {"system": self.prompt.system, "cites": self.prompt.cites, "constrained": self.asker.constrained}


def reader_on(settings: Mapping[str, Any], context: Context, adapter: str | None = None) -> Reader:
    """The reader that ``settings`` describe, on the context's model.

    Args:
        adapter: name of an adapter loaded on the model.
    """
    prompt = PassagePrompt(context.task, settings["system"], settings["cites"])
    return reader(prompt, settings["constrained"], context, adapter)


def reader(prompt: PassagePrompt, constrained: bool, context: Context, adapter: str | None = None) -> Reader:
    n_new = context.max_new_tokens + (CITATION_TOKENS if prompt.cites else 0)
    return Reader(Asker(model_of(context), context.task, n_new, constrained, adapter), prompt)


def reading_work(
    task: Task, model: Model, rows: Sequence[Example], instruction: str, passage_tokens: float, max_new_tokens: int
) -> Workload:
    """The work of reading passages, for ``Strategy.workload``; what is written is left to the caller.

    Args:
        rows: a sample of the training rows.
        instruction: the system text without the lines about passages.
        passage_tokens: tokens of all passages of a prompt; those that do not fit the context are not read.
    """
    system = passage_prompt(task, instruction, rows).system
    shared = mean_tokens(model, [(Message("system", system),)])
    question = mean_tokens(model, [query_turns(row.query, task) for row in rows])
    room = model.capabilities.context_tokens - max_new_tokens - shared - question
    return Workload(prompt_tokens=question + min(passage_tokens, max(0.0, room)), shared_tokens=shared)


def searched_chars(rows: Sequence[Example], mode: Mode, encoder: str | None) -> float:
    """What ``encoder`` reads of a query to search; 0 where only words are searched."""
    if mode == "text":
        return 0.0
    return encoding_work([search_text(row.query) for row in rows], encoder)


def why_no_documents(task: Task) -> Text | None:
    """Why a strategy that reads documents cannot run on this task, or ``None``."""
    if task.documents is not None:
        return None
    return Text(en="the task has no documents", zh="任务没有附带文档")
