"""A finished run answers new questions, by one of its arms that look things up.

The arm is opened as the run left it: its solver, its model, the index in the run's folder. The documents themselves
are not needed. An index that was refreshed after the run is used as it is now: that is how retrieval takes in new
knowledge. The scores of the run are about the documents it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Literal, NamedTuple

import numpy as np

from tuneworth.core.documents import Passage
from tuneworth.core.registry import load_plugin
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.task import Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem, TuneworthError
from tuneworth.models import catalog
from tuneworth.models.base import Model
from tuneworth.models.local.sources import MINILM
from tuneworth.race.arms import GROUP
from tuneworth.race.folder import RunFolder
from tuneworth.race.library import INDEX
from tuneworth.race.prepare import MAX_ANSWER_TOKENS
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.hits import Hit, Mode, Where
from tuneworth.retrieval.library import Library
from tuneworth.retrieval.rerank import open_reranker
from tuneworth.strategies import Answer, Context, Solver, Strategy
from tuneworth.words.say import say

NoneBecause = Literal["not_found", "too_far", "no_room"]


class Answered(NamedTuple):
    """An answer with the passages that were shown for it, in the order shown.

    Attributes:
        none_because: why no passage was shown, when none was: nothing was found, the nearest was too far (below the task's
            ``min_similarity``), or the model's context has no room for any beside the question.
    """

    question: str
    answer: Answer
    passages: tuple[Passage, ...]
    none_because: NoneBecause | None = None


@dataclass
class _Noting(Library):
    """A finished run's library that remembers the passages found in it: answers name them by id."""

    found: dict[str, Passage] = field(default_factory=dict[str, Passage])

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        mode: Mode | None = None,
        passage_tokens: int | None = None,
        rerank: bool = False,
    ) -> list[list[Hit]]:
        hits = super().search(queries, k, mode=mode, passage_tokens=passage_tokens, rerank=rerank)
        self.found.update((hit.passage.id, hit.passage) for ranking in hits for hit in ranking)
        return hits


@dataclass(frozen=True)
class Answerer:
    """An opened arm.

    Attributes:
        scored: state of the index that the run's scores are about; ``None`` where that is not known.
    """

    arm: ArmResult
    task: Task
    model: Model | None
    solver: Solver
    library: _Noting
    scored: str | None = None

    def ask(self, question: str) -> Answered:
        """The arm's answer to one question, which knows nothing of earlier ones.

        Raises:
            InputError: the question is empty, or does not fit the model's context.
            EnvironmentProblem: the model gave no answer.
        """
        text = checked(question)
        self._check_length(text)
        found = self.library.found
        found.clear()
        [answer] = self.solver.solve([Query("question", (Message("user", text),))])
        if answer.status == "over_limit":
            raise InputError(_too_long(self.arm, answer.error or answer.status))
        if answer.text is None:
            why = say("serve.gave_none", detail=answer.error or answer.status)
            raise EnvironmentProblem(Problem(self.arm.arm_id, why))
        return Answered(text, answer, tuple(found[name] for name in answer.passages), self._none_because(text, answer))

    @property
    def outdated(self) -> Text | None:
        """Why the scores of the run may not hold for these answers: documents were changed since."""
        if self.scored is None or self.library.index().version == self.scored:
            return None
        return say("serve.outdated")

    def _none_because(self, question: str, answer: Answer) -> NoneBecause | None:
        if answer.passages:
            return None
        if not self.library.found:
            return "not_found"
        least = self.task.documents.min_similarity if self.task.documents is not None else None
        nearest = self.library.nearest_cosine(question, self.arm.config.get("passage_tokens")) if least else None
        return "too_far" if least and nearest is not None and nearest < least else "no_room"

    def _check_length(self, question: str) -> None:
        """Refuse what no prompt has room for before it is searched for."""
        if self.model is None:
            return
        n_tokens, most = self.model.count_tokens(question), self.model.capabilities.context_tokens
        if n_tokens >= most:
            raise InputError(_too_long(self.arm, say("serve.n_tokens", n=n_tokens, most=most)))


def checked(question: str) -> str:
    """``question`` without outer spaces and undecodable bytes.

    Raises:
        InputError: nothing is left.
    """
    text = question.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()
    if text:
        return text
    raise InputError(Problem("", say("serve.empty")))


def open_arm(
    result: RunResult, folder: RunFolder, arm: ArmResult, watcher: Watcher, where: Where | None = None
) -> Answerer:
    """``arm`` of the run in ``folder``, ready to answer.

    Args:
        where: passages that it may read; ``None``: every one, as in the run.

    Raises:
        InputError: the arm's solver, or the model that was measured, is not there any more.
        EnvironmentProblem: the model or the index cannot be opened.
    """
    saved = folder.path / (arm.solver_folder or "")
    if not arm.solver_folder or not saved.is_dir():
        raise InputError(Problem(str(saved), say("serve.not_kept", arm=arm.arm_id)))
    strategy: type[Strategy] = load_plugin(GROUP, arm.strategy)
    library = _library(result.task, folder, watcher, where)
    model, longest = _model(result, arm, watcher), result.max_new_tokens or MAX_ANSWER_TOKENS
    if model is not None and not result.max_new_tokens:  # of a version that did not say: passages must still fit
        longest = min(MAX_ANSWER_TOKENS, model.capabilities.context_tokens // 4)
    seed = result.provenance.seed
    context = Context(
        task=result.task,
        model=model,
        encoder=cache(partial(catalog.open_encoder, progress=watcher.progress)),
        rng=np.random.default_rng(seed),
        seed=seed,
        folder=saved.parent,
        max_new_tokens=longest,
        library=library,
        progress=watcher.progress,
    )
    try:
        solver = strategy.solver.load(saved, context)
    except TuneworthError:
        raise
    except Exception as error:  # a plug-in may raise anything over files that a crash or a hand has broken
        what = f"{type(error).__name__}: {error}"
        raise InputError(Problem(str(saved), say("serve.unreadable", what=what))) from error
    scored = result.documents.index.version if result.documents is not None else None
    return Answerer(arm, result.task, model, solver, library, scored)


def _library(task: Task, folder: RunFolder, watcher: Watcher, where: Where | None) -> _Noting:
    documents = task.documents
    assert documents is not None, "choose_arm refuses a run without documents"
    named = documents.encoder
    opened = partial(catalog.open_encoder, named or MINILM.name, progress=watcher.progress)
    return _Noting(
        folder=folder.path / INDEX,
        language=task.language,
        passage_tokens=documents.passage_tokens,
        encoder=cache(opened) if named is not None else None,
        reranker=partial(open_reranker, documents.reranker) if documents.reranker is not None else None,
        no_answer=documents.no_answer,
        where=where,
    )


def _model(result: RunResult, arm: ArmResult, watcher: Watcher) -> Model | None:
    """The model that was measured.

    Raises:
        InputError: its name now stands for other weights, for which no score of the run holds.
    """
    if arm.model is None:
        return None
    model = catalog.open_model(arm.model, private=result.task.limits.private, progress=watcher.progress)
    measured = result.provenance.models.get(arm.model, {}).get("weights_sha256")
    now = model.describe().get("weights_sha256")
    if measured is not None and now is not None and measured != now:
        raise InputError(Problem(arm.model, say("serve.other_weights")))
    return model


def _too_long(arm: ArmResult, detail: Text | str) -> Problem:
    return Problem("", say("serve.too_long", model=str(arm.model), detail=detail))
