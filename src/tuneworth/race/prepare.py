"""Getting ready: all that is known before anything is measured, and the advice that follows from it."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Facts, Pace, situation_of
from tuneworth.advisor.meaning import check_facts
from tuneworth.audit._run import audit, subject_of
from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.offline import keeps_private
from tuneworth.core.race import Power
from tuneworth.core.task import Example, Split, Task
from tuneworth.core.text import Text
from tuneworth.costs.prices import price_of
from tuneworth.data.load import Loaded, load
from tuneworth.data.sections import Settings
from tuneworth.data.split import Prepared, make_split
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.catalog import check, check_language, default_metrics, load_metric
from tuneworth.models import catalog
from tuneworth.models.api.services import endpoint_of
from tuneworth.models.base import Meter, Model, is_batched, is_metered
from tuneworth.models.effort import USUAL_SHARE
from tuneworth.models.metering import Waiting
from tuneworth.race.arms import Fetch, Plan, kind_of, open_models, plan_arms, stays_here, training_sizes
from tuneworth.race.encoding import SharedEncoder, choose_encoder
from tuneworth.race.estimate import Estimator, Job, speeds_of
from tuneworth.race.ledger import Ledger
from tuneworth.race.library import Shelf, open_shelf
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.stats.clusters import Clusters
from tuneworth.stats.power import most_pairs, power_of
from tuneworth.words.say import say

MAX_ANSWER_TOKENS = 512
_SAMPLE = 400
_COMPARED = 600
"""Characters of an input that are looked at to see how alike the rows of a group are."""


@dataclass(frozen=True)
class Ready:
    """All that a run works on: resolved, split, opened, and nothing of it paid for.

    Attributes:
        shelf: the task's documents; ``None`` for a task without.
        encoder_sha256: of the weights of the task's sentence encoder, once it is at hand.
    """

    task_file: TaskFile
    loaded: Loaded
    prepared: Prepared
    metrics: Sequence[Metric]
    models: Sequence[Model]
    shelf: Shelf | None = None
    encoder_sha256: str = ""

    @property
    def split(self) -> Split:
        return self.prepared.split

    @property
    def task(self) -> Task:
        return self.prepared.task

    @property
    def n_rows(self) -> tuple[int, int, int]:
        """Of train, dev and test."""
        return len(self.split.train), len(self.split.dev), len(self.split.test)

    def attach(self, meter: Meter) -> None:
        """Have every call that is paid for go through ``meter`` from now on."""
        for model in self.models:
            if is_metered(model):
                model.attach(meter)
        if self.shelf is not None:
            self.shelf.meter = meter

    def plan(self, prior: Sequence[str] = ()) -> Plan:
        """The arms, in an order that ``prior`` (strategies, the most promising first) may change."""
        prints = [metric.fingerprint for metric in self.metrics]
        basis = hashlib.sha256(f"{self.split.digest} {self.task_file.seed} {prints}".encode()).hexdigest()
        wanted = self.task_file
        return plan_arms(
            self.task,
            self.split.train,
            self.models,
            wanted.strategies,
            basis,
            prior,
            wanted.settings,
            self.encoder_sha256,
        )

    def estimator(self, plan: Plan) -> Estimator:
        """What the arms of ``plan`` are expected to cost. Asks each model a few made-up questions, if never asked before."""
        train = self.split.train
        longest = max_new_tokens(self.models, train)
        jobs = [
            Job(
                arm.arm_id,
                arm.model_id,
                arm.make().workload(self.task, arm.model, train, longest),
                training_sizes(arm, len(train)),
                stays_here(arm, self.task) and arm.price is None,
                kind_of(arm),
                arm.price,
                arm.strategy.asks_alike,
                round(USUAL_SHARE * arm.room_to_think),
                arm.is_batched,
            )
            for arm in plan.arms
        ]
        speeds = {model.id: speeds_of(model) for model in self.models}
        return Estimator(jobs, speeds, n_train=len(train), n_dev=len(self.split.dev))

    def power(self) -> Power:
        """What the rows can show."""
        _, n_dev, n_test = self.n_rows
        return power_of(
            n_dev,
            n_test,
            self.task.margin,
            n_pairs=most_pairs(documents=self.task.documents is not None),
            worth=(worth_of(self.split.dev), worth_of(self.split.test)),
        )


def worth_of(rows: Sequence[Example]) -> float | None:
    """Independent rows that ``rows`` are worth, before any arm was asked; ``None`` when each is on its own.

    What arms make of two rows of a group is taken to be as alike as their inputs: of near-copies nearly the same, of two
    letters of one customer hardly more than of two customers. The run measures it.
    """
    clusters, texts = Clusters.of([row.group for row in rows]), [row.query.text[:_COMPARED] for row in rows]
    if clusters is None:
        return None
    grams = [{text[at : at + 4] for at in range(max(1, len(text) - 3))} for text in texts]
    pairs = [(grams[a], grams[b]) for members in clusters.rows for a, b in zip(members.tolist(), members.tolist()[1:])]
    alike = fmean(len(a & b) / len(a | b) for a, b in pairs)
    return len(rows) / (1 + alike * (len(rows) / clusters.alike - 1))


@keeps_private
def ready(task_file: TaskFile, watcher: Watcher) -> Ready:
    """Load, infer, open and split.

    Raises:
        TuneworthError: the input cannot give an answer, or the environment does not allow the run.
    """
    loaded = load(task_file)
    measures = metrics(loaded, watcher)
    services = task_file.stated_services
    catalog.check_names(task_file.models, private=task_file.limits.private, services=services)
    check_money(task_file)
    check_batches(task_file)
    opened = open_models(task_file, watcher)
    caps = task_file.rows
    prepared = make_split(
        loaded, seed=task_file.seed, fits=_fits(opened), max_train=caps.train, max_dev=caps.dev, max_test=caps.test
    )
    check_situation(prepared.task, told(task_file))
    tried = task_file.strategies or Settings.model_fields
    idle = [name for name in Settings.model_fields if task_file.settings.of(name) and name not in tried]
    warnings, shelf = [say("run.idle_settings", strategy=name) for name in idle], None
    questions = [row.query.text for row in loaded.examples]
    encoder = choose_encoder(prepared.task.language, questions)
    if encoder is None:
        warnings.append(say("run.no_encoder", why=say("run.no_engine")))
    prepared = replace(prepared, task=prepared.task.model_copy(update={"sentence_encoder": encoder}))
    encoder = task_file.documents.encoder if task_file.documents is not None else None
    idle = [name for name in task_file.prices if name not in (*task_file.models, encoder)]
    warnings += [say("run.idle_price", model=name) for name in idle]
    if task_file.documents is not None:
        shelf = open_shelf(
            task_file.documents, prepared.task.language, opened, questions, task_file.stated_rates, services
        )
        split = prepared.split
        described = shelf.collection(split.train)
        own = {"documents": described, "sentence_encoder": shelf.own_encoder}
        prepared = replace(prepared, task=prepared.task.model_copy(update=own))
        warnings += shelf.warnings([*split.train, *split.dev, *split.test])
    data = prepared.summary
    prepared = replace(prepared, summary=data.model_copy(update={"warnings": [*data.warnings, *warnings]}))
    measures = [metric.with_spread(prepared.task.spread) for metric in measures]
    return Ready(task_file, loaded, prepared, measures, opened, shelf)


def with_encoder(ready: Ready, watcher: Watcher) -> Ready:
    """``ready`` with its sentence encoder fetched; where that cannot be, texts are compared by n-grams, and the run says why."""
    if ready.task.sentence_encoder is None:
        return ready
    fetch = Fetch(ready.task.sentence_encoder, watcher)
    try:
        return replace(ready, encoder_sha256=catalog.encoder_sha256(ready.task.sentence_encoder, progress=fetch))
    except EnvironmentProblem as silent:
        why = say("run.no_encoder", why=Text(en=silent.to("en"), zh=silent.to("zh")))
    finally:
        fetch.finish()
    watcher.say(why)
    shelf, changed = ready.shelf, dict[str, object](sentence_encoder=None)
    if shelf is not None:
        shelf = replace(shelf, own_encoder=None)
        changed["documents"] = shelf.collection(ready.split.train)
    prepared, data = ready.prepared, ready.prepared.summary
    summary = data.model_copy(update={"warnings": [*data.warnings, why]})
    prepared = replace(prepared, task=ready.task.model_copy(update=changed), summary=summary)
    return replace(ready, prepared=prepared, shelf=shelf)


def check_money(task_file: TaskFile) -> None:
    """See that what services may charge can be limited, before any is reached.

    Raises:
        InputError: the price of a model elsewhere is not known, and calls are not limited; or a budget in money that nothing
            has a price for.
    """
    documents, stated = task_file.documents, task_file.stated_rates
    names = [*task_file.models, *([documents.encoder] if documents is not None and documents.encoder else [])]
    away = [name for name in dict.fromkeys(names) if catalog.is_elsewhere(name, task_file.stated_services)]
    unknown = [name for name in away if price_of(name, stated=stated) is None]
    problems = [Problem(name, say("run.no_price")) for name in unknown if task_file.max_calls is None]
    if task_file.budget_usd is not None and task_file.machine_usd_per_hour is None and not away and not stated:
        problems.append(Problem("--budget", say("task.budget.no_price")))
    if problems:
        raise InputError(problems)


def check_batches(task_file: TaskFile) -> None:
    """See that batches, where they are wanted, can be had of every model behind an API.

    Raises:
        InputError: there is no such model, or services of some have no batches, or none that are known.
    """
    if not task_file.batch:
        return
    services = task_file.stated_services
    away = [name for name in dict.fromkeys(task_file.models) if catalog.name_kind(name, services) == "api"]
    without = [name for name in away if not endpoint_of(name, services).service.batches]
    problems = [Problem(name, say("models.batch.none")) for name in without]
    if not away:
        problems = [Problem("--batch", say("models.batch.no_model"))]
    if problems:
        raise InputError(problems)


def collect_batches(ready: Ready, ledger: Ledger, watcher: Watcher) -> None:
    """Wait for the batches that an earlier start of the run has left, so that their answers are there when they are asked for."""
    shown = ""

    def show(waiting: Waiting) -> None:
        nonlocal shown
        if waiting.id != shown:
            shown = waiting.id
            watcher.say(say("models.batch.waits", id=waiting.id, n=waiting.total, host=waiting.host))
        watcher.progress(waiting.done, waiting.total, "calls")

    ledger.on_wait = show
    for model in ready.models:
        if is_batched(model):
            for lost in cast(Any, model).collect():
                watcher.say(lost)
    ledger.read()


def metrics(loaded: Loaded, watcher: Watcher) -> list[Metric]:
    """The task's metric first, then those that are reported beside it for this kind of output.

    Raises:
        InputError: the metric is not for this kind, or the user's own function does not work on a row.
    """
    task, here = loaded.task, Path.cwd()
    allowed = task.labels or tuple(dict.fromkeys(c for row in loaded.examples for c in row.query.choices))
    primary = load_metric(task.metric, here, allowed, task.metric_settings)
    check_language(primary, task.language)
    encoder = SharedEncoder(lambda: catalog.open_encoder(progress=watcher.progress), ())
    primary = primary.with_encoder(lambda texts: encoder().encode(texts))
    for warning in check(primary, task.kind, loaded.examples):
        watcher.say(warning)
    others = [load_metric(name, here, allowed) for name in default_metrics(task.kind)]
    return [primary, *(metric for metric in others if metric.id != primary.id)]


def _smallest(models: Sequence[Model]) -> Model | None:
    """The model with the smallest context."""
    return min(models, key=lambda model: model.capabilities.context_tokens, default=None)


def _fits(models: Sequence[Model]) -> Callable[[str], bool] | None:
    """Whether a row's text fits the smallest context, leaving a quarter of it for the rest of the prompt."""
    smallest = _smallest(models)
    if smallest is None:
        return None
    count, limit = smallest.count_tokens, smallest.capabilities.context_tokens * 3 // 4

    def fit(text: str) -> bool:
        n_bytes = len(text.encode())
        # A token is at least one byte, and no known vocabulary packs more than 64 bytes of text into
        # one: only what lies between needs counting.
        return n_bytes <= limit or (n_bytes <= 64 * limit and count(text) <= limit)

    return fit


def max_new_tokens(models: Sequence[Model], train: Sequence[Example]) -> int:
    """Longest answer worth generating: above the 99th percentile of the training outputs."""
    if not models:
        return MAX_ANSWER_TOKENS
    step = max(1, len(train) // _SAMPLE)
    outputs = [row.output for row in train[::step]]
    longest = max(np.percentile([model.count_tokens(text) for text in outputs], 99) for model in models)
    return int(min(MAX_ANSWER_TOKENS, longest * 1.3 + 8))


# -- what the rows say -------------------------------------------------------------------------------------


def audit_rows(ready: Ready, encoder: SharedEncoder, store: Store, watcher: Watcher) -> AuditResult:
    """The audit of the run's rows; a run that goes on takes the one it made before.

    The test rows of a run are not audited with the others: what a check finds decides in which order arms are
    tried. A test file of the user's own is held against the training rows, for leaks and shift.
    """
    stored = store.fact("audit")
    if stored is not None:
        return AuditResult.model_validate_json(stored)
    watcher.start(say("run.audit"))
    split, smallest = ready.split, _smallest(ready.models)
    subject = subject_of(
        ready.loaded,
        embed=encoder.embed if ready.task.sentence_encoder is not None else None,
        count_tokens=None if smallest is None else smallest.count_tokens,
        context_tokens=None if smallest is None else smallest.capabilities.context_tokens,
        documents=ready.shelf.texts if ready.shelf is not None else (),
        seed=ready.task_file.seed,
    )
    withheld = {row.id for row in split.test}
    grouped = {row.id: row for row in (*split.train, *split.dev)}
    train = tuple(grouped.get(row.id, row) for row in ready.loaded.examples if row.id not in withheld)
    subject = replace(
        subject, task=ready.task, train=train, n_tested=len(split.test), tested_worth=worth_of(split.test)
    )
    result = audit(subject, watch=lambda title, done, total: watcher.progress(done, max(total, 1), "rows")).result
    store.add_fact("audit", result.model_dump_json())
    n = len(result.findings)
    watcher.finish(say("run.found.one") if n == 1 else say("run.found.many", n=n))
    return result


_PACES: tuple[tuple[Pace, float], ...] = (
    ("daily", 2.6),
    ("weekly", 14.5),
    ("monthly", 105.0),
    ("yearly", 1000.0),
    ("never", math.inf),
)
"""Days between two changes, at most, to be called so: midway, as ratios, between 1, 7, 30 and 365."""


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
            said = Text(en=problem.to("en"), zh=problem.to("zh"))
            watcher.say(say("run.situation_left_out", problem=said))
        return advise(situation_of(task, facts=audited.facts))


def in_race_order(rows: Sequence[Example], side: str, seed: int) -> tuple[Example, ...]:
    """``rows`` of one ``side`` of the split, shuffled; the same for the same seed.

    The rows of a side lie in the order of their file, which may be sorted by anything. Dev rows of one group follow one
    another, so that the race counts it as soon as it can; training rows do not, because a part of them is to vary.
    """
    order = np.random.default_rng([seed, zlib.crc32(side.encode())]).permutation(len(rows))
    shuffled = [rows[at] for at in order]
    if side == "train":
        return tuple(shuffled)
    first: dict[str, int] = {}
    return tuple(sorted(shuffled, key=lambda row: first.setdefault(row.group or row.id, len(first))))
