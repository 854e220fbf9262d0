"""A finished run answers new questions, by one of its arms that look things up.

The arm is opened as the run left it: its solver, its model, the index in the run's folder. The documents themselves
are not needed. An index that was refreshed after the run is used as it is now: that is how retrieval takes in new
knowledge. The scores of the run are about the documents it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
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
            detail = answer.error or answer.status
            raise InputError(_too_long(self.arm, Text(en=detail, zh=detail)))
        if answer.text is None:
            raise EnvironmentProblem(_no_answer(self.arm, answer))
        return Answered(text, answer, tuple(found[name] for name in answer.passages), self._none_because(text, answer))

    @property
    def outdated(self) -> Text | None:
        """Why the scores of the run may not hold for these answers: documents were changed since."""
        if self.scored is None or self.library.index().version == self.scored:
            return None
        return Text(
            en="the index was refreshed after this run: answers come from the documents as they are now, the scores of the run "
            "are about those it saw",
            zh="运行之后索引更新过：回答依据的是现在的文档，而这次运行的得分针对的是当时的文档",
        )

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
            detail = Text(en=f"{n_tokens:,} tokens of {most:,}", zh=f"{n_tokens:,} 个词元，上限 {most:,}")
            raise InputError(_too_long(self.arm, detail))


def checked(question: str) -> str:
    """``question`` without outer spaces and undecodable bytes.

    Raises:
        InputError: nothing is left.
    """
    text = question.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()
    if text:
        return text
    raise InputError(
        Problem("", Text(en="the question is empty; write it in quotation marks", zh="问题为空；请用引号括起问题"))
    )


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
    saved = _saved(folder, arm)
    strategy: type[Strategy] = load_plugin(GROUP, arm.strategy)
    library = _library(result.task, folder, watcher, where)
    model = _model(result, arm, watcher)
    seed = result.provenance.seed
    context = Context(
        task=result.task,
        model=model,
        encoder=cache(partial(catalog.open_encoder, progress=watcher.progress)),
        rng=np.random.default_rng(seed),
        seed=seed,
        folder=saved.parent,
        max_new_tokens=result.max_new_tokens or _longest_answer(model),
        library=library,
        progress=watcher.progress,
    )
    scored = result.documents.index.version if result.documents is not None else None
    return Answerer(arm, result.task, model, _solver(strategy, saved, context), library, scored)


def _saved(folder: RunFolder, arm: ArmResult) -> Path:
    """The folder of the arm's solver."""
    saved = folder.path / arm.solver_folder if arm.solver_folder else None
    if saved is not None and saved.is_dir():
        return saved
    where = str(saved or folder.path)
    message = Text(
        en=f"what was fitted for {arm.arm_id} is not kept here; make the run again with --fresh",
        zh=f"这里没有保存 {arm.arm_id} 的产物；请加上 --fresh 重新运行",
    )
    raise InputError(Problem(where, message))


def _solver(strategy: type[Strategy], saved: Path, context: Context) -> Solver:
    try:
        return strategy.solver.load(saved, context)
    except TuneworthError:
        raise
    except Exception as error:  # a plug-in may raise anything over files that a crash or a hand has broken
        what = f"{type(error).__name__}: {error}"
        message = Text(
            en=f"cannot be read ({what}); make the run again with --fresh",
            zh=f"无法读取（{what}）；请加上 --fresh 重新运行",
        )
        raise InputError(Problem(str(saved), message)) from error


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
        message = Text(
            en="has other weights than when the run measured it; put those back, or run again",
            zh="权重与运行时测量的不同；请换回原来的权重，或重新运行",
        )
        raise InputError(Problem(arm.model, message))
    return model


def _longest_answer(model: Model | None) -> int:
    """For a result that does not say it: as long as a run ever lets one be, and passages still fit."""
    return min(MAX_ANSWER_TOKENS, model.capabilities.context_tokens // 4) if model is not None else MAX_ANSWER_TOKENS


def _too_long(arm: ArmResult, detail: Text) -> Problem:
    return Problem(
        "",
        Text(
            en=f"the question is longer than {arm.model} can read ({detail.en}); make it shorter",
            zh=f"问题超出 {arm.model} 的上下文长度（{detail.zh}）；请缩短问题",
        ),
    )


def _no_answer(arm: ArmResult, answer: Answer) -> Problem:
    detail = answer.error or answer.status
    return Problem(
        arm.arm_id,
        Text(
            en=f"gave no answer ({detail}); try another arm with --arm",
            zh=f"没有给出回答（{detail}）；可以用 --arm 换一个方案",
        ),
    )
