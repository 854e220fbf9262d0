"""A finished run answers new questions, by one of its arms that look things up.

The arm is opened as the run left it: its solver, its model, the index in the run's folder. The documents themselves
are not needed. An index that was refreshed after the run is used as it is now: that is how retrieval takes in new
knowledge. The scores of the run are about the documents it saw.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Literal, NamedTuple

import numpy as np

from tuneworth.audit._personal.mask import missing_libraries
from tuneworth.audit._personal.sent import MaskedEncoder, MaskedModel, Masker
from tuneworth.core.documents import Passage
from tuneworth.core.offline import staying_here
from tuneworth.core.registry import load_plugin
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.task import Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem, TuneworthError
from tuneworth.models import catalog
from tuneworth.models.base import Encoder, Model
from tuneworth.models.effort import with_effort
from tuneworth.models.encoders import MINILM
from tuneworth.race.arms import GROUP
from tuneworth.race.folder import RunFolder
from tuneworth.race.library import INDEX
from tuneworth.race.prepare import MAX_ANSWER_TOKENS
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.hits import Hit, Mode, Where
from tuneworth.retrieval.library import Library
from tuneworth.retrieval.rerank import open_reranker
from tuneworth.strategies import Answer, Context, Solver, Strategy
from tuneworth.words.names import joined, listed
from tuneworth.words.numbers import plain
from tuneworth.words.say import say

NoneBecause = Literal["not_found", "too_far", "no_room"]


class Chosen(NamedTuple):
    """An arm to answer with, and why it is not the recommended one."""

    arm: ArmResult
    note: Text | None = None


def choose_arm(result: RunResult, where: str, arm_id: str | None = None) -> Chosen:
    """The arm named, else the recommended one if it reads documents, else the best measured one that does.

    Args:
        where: the run, as the user calls it.

    Raises:
        InputError: the run has no documents, no arm that can answer from them, or not the one named.
    """
    if result.task.documents is None:
        raise InputError(Problem(where, say("serve.no_documents")))
    able = [arm for arm in result.arms if _why_not(arm) is None]
    if arm_id is not None:
        return Chosen(_named(result, arm_id, able))
    if not able:
        raise InputError(Problem(where, _none_able(result)))
    recommended = next((arm for arm in able if arm.arm_id == result.decision.recommended), None)
    if recommended is not None:
        return Chosen(recommended)
    best = _best(able, result.primary_metric)
    if result.decision.recommended is None:
        return Chosen(best, say("serve.instead.of_none", arm=best.arm_id))
    instead = say("serve.instead.of_recommended", recommended=result.decision.recommended, arm=best.arm_id)
    return Chosen(best, instead)


def _best(arms: list[ArmResult], metric: str) -> ArmResult:
    """The highest score on the test rows, else on the dev rows; the simpler of equals."""
    finalists = [arm for arm in arms if metric in arm.test]

    def rank(arm: ArmResult) -> tuple[float, int, str]:
        score = (arm.test if finalists else arm.dev).get(metric)
        return (-score.value if score is not None else 1.0, arm.effort, arm.arm_id)

    return min(finalists or arms, key=rank)


def _why_not(arm: ArmResult) -> Text | None:
    """Why ``arm`` cannot answer a new question from the documents, or ``None``."""
    if not arm.reads_documents:
        return say("serve.unable.reads_nothing")
    if arm.yardstick:
        return say("serve.unable.yardstick")
    if arm.state == "measured":
        return None
    state = say("serve.unable.skipped" if arm.state == "skipped" else "serve.unable.failed")
    return state if arm.why is None else say("serve.unable.because", what=state, why=arm.why)


def _named(result: RunResult, arm_id: str, able: list[ArmResult]) -> ArmResult:
    found = next((arm for arm in result.arms if arm.arm_id == arm_id), None)
    known = [arm.arm_id for arm in able]
    choices = say("serve.choose.none_able")
    if known:
        arms = joined([plain(name) for name in known], say("units.names.between"))
        choices = say("serve.choose.able", arms=arms)
    if found is None:
        near = difflib.get_close_matches(arm_id, known, n=1)
        meant = say("serve.choose.did_you_mean", near=near[0]) if near else choices
        why = joined([say("serve.choose.no_such_arm"), meant])
    elif (reason := _why_not(found)) is not None:
        why = joined([reason, choices])
    else:
        return found
    raise InputError(Problem(f"--arm {arm_id}", why))


def _none_able(result: RunResult) -> Text:
    reasons = [
        say("serve.none.reason", arm=arm.arm_id, why=why)
        for arm in result.arms
        if arm.reads_documents and (why := _why_not(arm)) is not None
    ]
    return say("serve.none.because", reasons=listed(reasons)) if reasons else say("serve.none.tried")


# -- the arm, opened ----------------------------------------------------------------------------------------


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
        with staying_here(self.task.limits.private):
            [answer] = self.solver.solve([Query("question", (Message("user", text),))])
        if answer.status == "over_limit":
            raise InputError(_too_long(self.arm, answer.error or answer.status))
        if answer.text is None:
            later = "serve.gave_none_now" if answer.may_pass else "serve.gave_none"
            why = say(later, detail=answer.error or answer.status)
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
    with staying_here(result.task.limits.private):
        saved = folder.path / (arm.solver_folder or "")
        if not arm.solver_folder or not saved.is_dir():
            raise InputError(Problem(str(saved), say("serve.not_kept", arm=arm.arm_id)))
        strategy: type[Strategy] = load_plugin(GROUP, arm.strategy)
        library = _library(result, folder, watcher, where)
        model, longest = _model(result, arm, watcher), result.max_new_tokens or MAX_ANSWER_TOKENS
        if model is not None and not result.max_new_tokens:  # of a version that did not say: passages must still fit
            longest = min(MAX_ANSWER_TOKENS, model.capabilities.context_tokens // 4)
        seed = result.provenance.seed
        context = Context(
            task=result.task,
            model=model,
            encoder=cache(
                partial(catalog.open_encoder, result.task.sentence_encoder or MINILM, progress=watcher.progress)
            ),
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


def _library(result: RunResult, folder: RunFolder, watcher: Watcher, where: Where | None) -> _Noting:
    task, documents = result.task, result.task.documents
    assert documents is not None, "choose_arm refuses a run without documents"
    named = documents.encoder
    if named is not None:  # a service's address is set outside the run: what was on this machine may be elsewhere now
        catalog.check_encoder(named, private=task.limits.private, services=documents.encoder_service)
    opened: Callable[[], Encoder] = partial(
        catalog.open_encoder, named or MINILM, progress=watcher.progress, services=documents.encoder_service
    )
    away = named is not None and catalog.is_elsewhere(named, documents.encoder_service)
    if documents.masked or (away and _is_to_be_masked(result, str(named))):
        opened = partial(_behind_mask, opened, own_id=documents.masked)
    return _Noting(
        folder=folder.path / INDEX,
        language=task.language,
        passage_tokens=documents.passage_tokens,
        encoder=cache(opened) if named is not None else None,
        reranker=partial(open_reranker, documents.reranker) if documents.reranker is not None else None,
        no_answer=documents.no_answer,
        where=where,
    )


def _behind_mask(opened: Callable[[], Encoder], *, own_id: bool) -> Encoder:
    """``own_id``: the passages were masked too, when they were embedded."""
    return MaskedEncoder(opened(), Masker({}), own_id=own_id)


def _is_to_be_masked(result: RunResult, name: str) -> bool:
    """Whether what is sent to ``name``, which is elsewhere, goes masked: always, but where the run's owner said that it may go as it is.

    A question may hold what no row did, and a service that was on this machine in the run may be elsewhere now.

    Raises:
        EnvironmentProblem: a library is missing without which nothing can be found.
    """
    if result.sent is not None and result.sent.personal in ("as_they_are", "not_looked_for"):
        return False
    if missing := missing_libraries():
        raise EnvironmentProblem(Problem(name, say("privacy.cannot_look", where=name, missing=", ".join(missing))))
    return True


def _model(result: RunResult, arm: ArmResult, watcher: Watcher) -> Model | None:
    """The model that was measured.

    Raises:
        InputError: its name now stands for other weights, for which no score of the run holds.
    """
    if arm.model is None:
        return None
    known = result.provenance.models.get(arm.model, {})
    private, services = result.task.limits.private, known.get("stated")
    model = catalog.open_model(arm.model, private=private, progress=watcher.progress, services=services)
    measured = known.get("weights_sha256")
    now = model.describe().get("weights_sha256")
    if measured is not None and now is not None and measured != now:
        raise InputError(Problem(arm.model, say("serve.other_weights")))
    masked = not model.capabilities.local and _is_to_be_masked(result, arm.model)
    return with_effort(MaskedModel(model, Masker({})) if masked else model, arm.config.get("reasoning"))


def _too_long(arm: ArmResult, detail: Text | str) -> Problem:
    return Problem("", say("serve.too_long", model=str(arm.model), detail=detail))
