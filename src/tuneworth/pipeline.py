"""The main job, on one screen:

load → split → audit → advise → plan → race (dev rows) → final (test rows, once) → price → decide → report
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.data.load import load
from tuneworth.data.rows import write_rejected
from tuneworth.data.split import Prepared, make_split
from tuneworth.data.taskfile import TaskFile
from tuneworth.models import catalog
from tuneworth.race import prepare
from tuneworth.race.arms import plan_arms
from tuneworth.race.assemble import Evidence, assemble
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.folder import RunFolder, settings_digest
from tuneworth.race.prior import advice_on, audit_rows, check_situation
from tuneworth.race.runner import Runner
from tuneworth.race.stages import Stages
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.report.html import write_html

DEFAULT_BUDGET_SECONDS = 15 * 60.0


@dataclass(frozen=True)
class Start:
    """What is about to be done, for a user to agree to."""

    prepared: Prepared
    n_arms: int
    folder: RunFolder
    budget_seconds: float


def run(
    task_file: TaskFile,
    folder: RunFolder,
    watcher: Watcher,
    *,
    command: str = "",
    lang: Lang = "en",
    agree: Callable[[Start], bool] = lambda start: True,
) -> RunResult | None:
    """Measure every arm on the task's rows and decide.

    A folder that holds a finished run gives its result back; one that holds an unfinished run goes on
    where it stopped.

    Args:
        agree: asked once, when everything is inferred and nothing is spent yet.

    Returns:
        The result, also written to ``result.json`` and ``report.html``; ``None`` if not agreed.

    Raises:
        TuneworthError: the input cannot give an answer, or the environment does not allow the run.
    """
    settings = settings_digest(task_file)
    finished = folder.finished(settings)
    if finished is not None:
        return finished
    started = time.monotonic()
    loaded = load(task_file)
    metrics = prepare.metrics(loaded, watcher)
    models = prepare.models(task_file, watcher)
    prepared = make_split(loaded, seed=task_file.seed, fits=prepare.fits(models), **prepare.sizes(task_file))
    split, task = prepared.split, prepared.task
    check_situation(task, task_file.situation)
    basis = hashlib.sha256(
        f"{split.digest} {task_file.seed} {[metric.fingerprint for metric in metrics]}".encode()
    ).hexdigest()
    budget_seconds = task_file.budget_seconds or DEFAULT_BUDGET_SECONDS
    n_arms = len(plan_arms(task, split.train, models, task_file.strategies, basis).arms)
    if not agree(Start(prepared, n_arms, folder, budget_seconds)):
        return None
    folder.create()
    if prepared.rejected:
        write_rejected(folder.rejected, prepared.rejected)
    with Store(folder.store) as store:
        folder.freeze(store, split, settings)
        budget = Budget(budget_seconds, store.seconds_spent())
        open_encoder = partial(catalog.open_encoder, progress=watcher.progress)
        encoder = SharedEncoder(open_encoder, [row.query.text for row in split.train])
        audited = audit_rows(loaded, prepared, models, encoder, store, watcher, task_file.seed)
        advice = advice_on(task, audited, task_file.situation, watcher)
        ranking = [ranked.approach for ranked in advice.ranking]
        plan = plan_arms(task, split.train, models, task_file.strategies, basis, ranking)
        runner = Runner(
            task=task,
            train=split.train,
            dev=split.dev,
            metrics=metrics,
            store=store,
            folder=folder.path,
            seed=task_file.seed,
            encoder=encoder,
            max_new_tokens=prepare.max_new_tokens(models, split.train),
            watcher=watcher,
        )
        stages = Stages(runner, budget, len(split.test), task_file.machine_usd_per_hour)
        raced = stages.race(plan)
        outcomes = stages.final(split.test)
        evidence = Evidence(prepared, audited, advice, metrics, raced, outcomes, models, encoder)
        seconds = budget.spent_before + time.monotonic() - started
        result = assemble(evidence, task_file, folder.path.name, command, seconds)
    write_report(result, folder, lang)
    write_atomic(folder.result, result.model_dump_json(indent=1))
    return result


def write_report(result: RunResult, folder: RunFolder, lang: Lang) -> Path:
    """(Re)write ``report.html`` from a result."""
    write_html(result, folder.report, lang=lang)
    return folder.report
