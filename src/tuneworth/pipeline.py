"""The main job, on one screen:

load → split → audit → advise → plan → index → race (dev rows) → final (test rows, once) → price → decide → report
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.offline import keeps_private
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.costs.of_run import priced_again
from tuneworth.costs.spend import Spend
from tuneworth.data.setaside import write_rejected
from tuneworth.data.split import Prepared
from tuneworth.data.taskfile import TaskFile
from tuneworth.decide.again import decide_again
from tuneworth.findings import Measured, assemble, stated_by
from tuneworth.findings.documents import open_session
from tuneworth.findings.money import money_of
from tuneworth.models import catalog
from tuneworth.models.encoders import MINILM
from tuneworth.race import prepare
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.folder import RunFolder, costs_digest, settings_digest
from tuneworth.race.ledger import Ledger
from tuneworth.race.preview import budget_warnings, outlay_lines
from tuneworth.race.privacy import Leaving, Treatment, leaving, protected, sent_by_all_starts, treatment_of
from tuneworth.race.runner import Runner
from tuneworth.race.stages import Stages
from tuneworth.race.store import Store
from tuneworth.race.stored import groups_of, took_of
from tuneworth.race.watch import Watcher
from tuneworth.report.html import write_html
from tuneworth.report.pages.race import power_sentence
from tuneworth.words.say import say

DEFAULT_BUDGET_SECONDS = 15 * 60.0
OPENING_SHARE = 0.1
"""Reading rows and opening models counts as spent, up to this part of the budget: a download is not held against a run."""


@dataclass(frozen=True)
class Start:
    """What is about to be done, for a user to agree to.

    Attributes:
        remarks: what the rows can show, and whether the budget is enough.
    """

    prepared: Prepared
    n_arms: int
    folder: RunFolder
    budget_seconds: float
    remarks: Sequence[Text] = ()


@keeps_private
def run(
    task_file: TaskFile,
    folder: RunFolder,
    watcher: Watcher,
    *,
    command: str = "",
    lang: Lang = "en",
    agree: Callable[[Start], bool] = lambda start: True,
    ask_about_personal_data: Callable[[Leaving], Treatment | None] | None = None,
) -> RunResult | None:
    """Measure every arm on the task's rows and decide.

    A folder that holds a finished run gives its result back, priced and decided again where the task file states other traffic
    or costs by now; one that holds an unfinished run, or one finished under a
    smaller budget, goes on where that stopped.

    Args:
        agree: asked once, when everything is inferred and nothing is spent yet.
        ask_about_personal_data: asked before that when personal data or secrets would leave this machine, and the task file
            does not say what is to become of them; ``None``: nobody can be asked, and the run stops with an error.

    Returns:
        The result, also written to ``result.json`` and ``report.html``; ``None`` if not agreed.

    Raises:
        TuneworthError: the input cannot give an answer, or the environment does not allow the run.
    """
    settings = settings_digest(task_file)
    budget_seconds = task_file.budget_seconds or DEFAULT_BUDGET_SECONDS
    finished = folder.finished(settings, budget_seconds, task_file.budget_usd, task_file.max_calls)
    if finished is not None:
        same = folder.priced_as() == costs_digest(task_file)
        return finished if same else _priced_again(finished, folder, task_file, lang, watcher)
    stated_by(task_file)  # what is wrong with the files it names is told before anything is measured
    started = time.monotonic()
    ready = prepare.ready(task_file, watcher)
    found = leaving(ready.models, ready.shelf, ready.task, ready.split, watcher)
    treatment = treatment_of(found, task_file.personal_data, ask_about_personal_data, task_file.name or task_file.train)
    if treatment == "stop":
        return None
    ready = protected(ready, found, treatment)
    plan = ready.plan()
    estimator = ready.estimator(plan)
    remarks = [
        *([say("run.goes_on")] if folder.result.exists() else []),
        power_sentence(ready.power()),
        *budget_warnings(ready, plan, estimator, budget_seconds),
        *outlay_lines(ready, plan, estimator, budget_seconds),
    ]
    opening = min(time.monotonic() - started, OPENING_SHARE * budget_seconds)
    if not agree(Start(ready.prepared, len(plan.arms), folder, budget_seconds, remarks)):
        return None
    folder.create()
    if ready.prepared.rejected:
        write_rejected(folder.rejected, ready.prepared.rejected)
    with Store(folder.store) as store:
        folder.freeze(store, ready.split, settings, costs_digest(task_file))
        sent = sent_by_all_starts(found, treatment, store)
        ledger = Ledger(store, max_calls=task_file.max_calls)
        budget = Budget(
            budget_seconds,
            Spend(opening),
            usd=task_file.budget_usd,
            usd_per_hour=task_file.machine_usd_per_hour,
            charged_usd=ledger.charged_usd,
            waited=lambda: ledger.waited_seconds,
        )
        ledger.usd_allowed = lambda: budget.usd_allowed
        ready.attach(ledger)
        prepare.collect_batches(ready, ledger, watcher)
        measured = _measure(ready, folder, store, budget, ledger, watcher)
        seconds = budget.spent_before.seconds - opening + time.monotonic() - started
        result = assemble(measured, folder.path.name, command, budget_seconds=budget.seconds, wall_seconds=seconds)
        result = result.model_copy(update={"sent": sent})
    _write(result, folder, lang)
    return result


def _priced_again(result: RunResult, folder: RunFolder, task_file: TaskFile, lang: Lang, watcher: Watcher) -> RunResult:
    """With the traffic and the costs that the task file states now."""
    stated = stated_by(task_file)
    result = priced_again(result, took_of(result.arms, folder), groups_of(folder), stated)
    result = decide_again(result.model_copy(update={"usd_per_error": task_file.error_cost}))
    _write(result, folder, lang)
    folder.set_priced_as(costs_digest(task_file))
    watcher.say(say("run.priced_again"))
    return result


def _write(result: RunResult, folder: RunFolder, lang: Lang) -> None:
    write_report(result, folder, lang)
    write_atomic(folder.result, result.model_dump_json(indent=1))


def _measure(
    ready: prepare.Ready, folder: RunFolder, store: Store, budget: Budget, ledger: Ledger, watcher: Watcher
) -> Measured:
    """audit → advise → plan → race → final"""
    ready = prepare.with_encoder(ready, watcher)
    task_file, split = ready.task_file, ready.split
    open_encoder = partial(catalog.open_encoder, ready.task.sentence_encoder or MINILM, progress=watcher.progress)
    encoder = SharedEncoder(open_encoder, [row.query.text for row in split.train])
    audited = prepare.audit_rows(ready, encoder, store, watcher)
    advice = prepare.advice_on(ready.task, audited, prepare.told(task_file), watcher)
    with ledger.answering("index"):
        documents = open_session(ready, folder.path, encoder, store, watcher)
    runner = Runner(
        task=ready.task,
        train=prepare.in_race_order(split.train, "train", task_file.seed),
        dev=prepare.in_race_order(split.dev, "dev", task_file.seed),
        metrics=ready.metrics,
        store=store,
        folder=folder.path,
        seed=task_file.seed,
        encoder=encoder,
        budget_seconds=budget.seconds,
        ledger=ledger,
        max_new_tokens=prepare.max_new_tokens(ready.models, split.train),
        watcher=watcher,
        library=documents.library if documents is not None else None,
    )
    plan = ready.plan([ranked.approach for ranked in advice.ranking])
    stages = Stages(
        runner=runner,
        budget=budget,
        n_test=len(split.test),
        machine_usd_per_hour=task_file.machine_usd_per_hour,
        estimator=ready.estimator(plan),
        exhaustive=task_file.exhaustive,
        repeats=task_file.repeats,
    )
    raced = stages.race(plan)
    tested = stages.final(prepare.in_race_order(split.test, "test", task_file.seed))
    found = documents.findings(raced, tested, budget) if documents is not None else None
    money = money_of(ready.models, list(raced.results.values()), budget, ledger)
    return Measured(ready, audited, advice, raced, tested, encoder, found, money)


def write_report(result: RunResult, folder: RunFolder, lang: Lang) -> Path:
    """(Re)write ``report.html`` from a result."""
    write_html(result, folder.report, lang=lang)
    return folder.report
