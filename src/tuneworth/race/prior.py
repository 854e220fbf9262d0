"""What is known before anything is measured: what the rows say, and the advice that follows from it.

The test rows of a run are not audited with the others: what a check finds decides in which order arms are
tried. A test file of the user's own is held against the training rows, for leaks and shift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tuneworth.advisor.advise import advise
from tuneworth.advisor.checks import check_facts
from tuneworth.advisor.facts import Facts, Pace
from tuneworth.advisor.situation import situation_of
from tuneworth.audit import Subject
from tuneworth.audit._run import audit
from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.task import Task
from tuneworth.core.text import Text
from tuneworth.data.load import Loaded
from tuneworth.data.split import Prepared
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import InputError, Problem
from tuneworth.models.base import Model
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher

_PACES: tuple[tuple[Pace, float], ...] = (
    ("daily", 2.6),
    ("weekly", 14.5),
    ("monthly", 105.0),
    ("yearly", 1000.0),
    ("never", math.inf),
)
"""Days between two changes, at most, to be called so: midway, as ratios, between 1, 7, 30 and 365."""


def audit_rows(
    loaded: Loaded,
    prepared: Prepared,
    models: Sequence[Model],
    encoder: SharedEncoder,
    store: Store,
    watcher: Watcher,
    seed: int,
    documents: tuple[str, ...] = (),
) -> AuditResult:
    """The audit of the run's rows; a run that goes on takes the one it made before.

    Args:
        documents: texts of the task's documents.
    """
    stored = store.fact("audit")
    if stored is not None:
        return AuditResult.model_validate_json(stored)
    watcher.start(Text(en="audit of the rows", zh="检查数据"))
    subject = replace(_subject(loaded, prepared, models, encoder, seed), documents=documents)
    result = audit(subject, watch=lambda title, done, total: watcher.progress(done, max(total, 1), "rows")).result
    store.add_fact("audit", result.model_dump_json())
    n = len(result.findings)
    watcher.finish(Text(en=f"{n} finding{'' if n == 1 else 's'}", zh=f"{n} 项发现"))
    return result


def told(task_file: TaskFile) -> Facts:
    """What the task's owner says about the situation, where it is asked for and elsewhere in the task file."""
    said: dict[str, object] = {}
    if task_file.documents is not None:
        said["needs_documents"] = True
    if (days := task_file.updates.knowledge_every_days) is not None:
        said["knowledge_changes"] = next(pace for pace, most in _PACES if days <= most)
    return task_file.situation.model_copy(update={**said, **task_file.situation.model_dump(exclude_none=True)})


def check_situation(task: Task, answered: Facts) -> None:
    """See that what the owner says about the situation can be true.

    Raises:
        InputError: facts contradict one another (every pair that does).
    """
    check_facts(situation_of(task, facts=[], answered=answered))


def advice_on(task: Task, audited: AuditResult, answered: Facts, watcher: Watcher) -> Advice:
    """What the rules of thumb expect of this task.

    Where the owner's answers contradict what the rows show, the rows are believed and it is said so: the run has
    spent time by now, and advice is no reason to end it.
    """
    try:
        return advise(situation_of(task, facts=audited.facts, answered=answered))
    except InputError as error:
        for problem in error.problems:
            watcher.say(_left_out(problem))
        return advise(situation_of(task, facts=audited.facts))


def _left_out(problem: Problem) -> Text:
    return Text(
        en=f"`situation` is left out of the advice, because the rows say otherwise: {problem.to('en')}",
        zh=f"数据与 `situation` 不符，给出建议时不采用它：{problem.to('zh')}",
    )


def _subject(loaded: Loaded, prepared: Prepared, models: Sequence[Model], encoder: SharedEncoder, seed: int) -> Subject:
    split = prepared.split
    withheld = {row.id for row in split.test}
    grouped = {row.id: row for row in (*split.train, *split.dev)}
    smallest = min(models, key=lambda model: model.capabilities.context_tokens, default=None)
    return Subject(
        task=prepared.task,
        train=tuple(grouped.get(row.id, row) for row in loaded.examples if row.id not in withheld),
        test=loaded.test_examples or (),
        raw=loaded.raw,
        embed=encoder.embed if prepared.task.language == "en" else None,
        count_tokens=None if smallest is None else smallest.count_tokens,
        context_tokens=None if smallest is None else smallest.capabilities.context_tokens,
        n_tested=len(split.test),
        seed=seed,
    )
