"""Getting ready: what the arms need, found once before anything is spent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuneworth.core.race import Power
from tuneworth.core.task import Example, Split, Task
from tuneworth.core.text import Text
from tuneworth.data.load import Loaded, load
from tuneworth.data.sections import Settings
from tuneworth.data.split import Prepared, make_split
from tuneworth.data.taskfile import TaskFile
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.catalog import check, default_metrics, load_metric
from tuneworth.models import catalog
from tuneworth.models.base import Model
from tuneworth.race.arms import Plan, plan_arms, strategy_classes
from tuneworth.race.estimate import Estimator, Job
from tuneworth.race.library import Shelf, open_shelf, with_documents
from tuneworth.race.power import power_of
from tuneworth.race.prior import check_situation, told
from tuneworth.race.sizes import sizes as training_sizes
from tuneworth.race.speeds import speeds_of
from tuneworth.race.watch import Watcher

MAX_ANSWER_TOKENS = 512
_SAMPLE = 400


@dataclass(frozen=True)
class Ready:
    """All that a run works on: resolved, split, opened, and nothing of it paid for.

    Attributes:
        shelf: the task's documents; ``None`` for a task without.
    """

    task_file: TaskFile
    loaded: Loaded
    prepared: Prepared
    metrics: Sequence[Metric]
    models: Sequence[Model]
    shelf: Shelf | None = None

    @property
    def split(self) -> Split:
        return self.prepared.split

    @property
    def task(self) -> Task:
        return self.prepared.task

    def plan(self, prior: Sequence[str] = ()) -> Plan:
        """The arms, in an order that ``prior`` (strategies, the most promising first) may change."""
        prints = [metric.fingerprint for metric in self.metrics]
        basis = hashlib.sha256(f"{self.split.digest} {self.task_file.seed} {prints}".encode()).hexdigest()
        wanted = self.task_file
        return plan_arms(self.task, self.split.train, self.models, wanted.strategies, basis, prior, wanted.settings)

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
            )
            for arm in plan.arms
        ]
        speeds = {model.id: speeds_of(model) for model in self.models}
        return Estimator(jobs, speeds, n_train=len(train), n_dev=len(self.split.dev))

    def power(self) -> Power:
        """What the rows can show."""
        binary = self.metrics[0].binary
        return power_of(len(self.split.dev), len(self.split.test), self.task.margin, binary=binary)


def ready(task_file: TaskFile, watcher: Watcher) -> Ready:
    """Load, infer, open and split.

    Raises:
        TuneworthError: the input cannot give an answer, or the environment does not allow the run.
    """
    loaded = load(task_file)
    measures = metrics(loaded, watcher)
    opened = models(task_file, watcher)
    prepared = make_split(loaded, seed=task_file.seed, fits=fits(opened), **sizes(task_file))
    check_situation(prepared.task, told(task_file))
    prepared = _warned(prepared, idle_settings(task_file))
    if task_file.documents is None:
        return Ready(task_file, loaded, prepared, measures, opened)
    shelf = open_shelf(task_file.documents, prepared.task.language, opened)
    return Ready(task_file, loaded, _with_shelf(prepared, shelf), measures, opened, shelf)


def _with_shelf(prepared: Prepared, shelf: Shelf) -> Prepared:
    split = prepared.split
    task = with_documents(prepared.task, shelf, split.train)
    return _warned(replace(prepared, task=task), shelf.warnings([*split.train, *split.dev, *split.test]))


def _warned(prepared: Prepared, warnings: list[Text]) -> Prepared:
    data = prepared.summary
    return replace(prepared, summary=data.model_copy(update={"warnings": [*data.warnings, *warnings]}))


def idle_settings(task_file: TaskFile) -> list[Text]:
    """A warning for each strategy whose settings are given but which is not to be tried."""
    tried = task_file.strategies or Settings.model_fields
    return [
        Text(
            en=f"The `settings` of {name} are not used, because `strategies` leaves {name} out: name it there too, or drop the settings",
            zh=f"`settings` 中 {name} 的参数不起作用，因为 `strategies` 里没有 {name}：请加上它，或删去这些参数",
        )
        for name in Settings.model_fields
        if task_file.settings.of(name) and name not in tried
    ]


def metrics(loaded: Loaded, watcher: Watcher) -> list[Metric]:
    """The task's metric first, then those that are reported beside it for this kind of output.

    Raises:
        InputError: the metric is not for this kind, or the user's own function does not work on a row.
    """
    task, here = loaded.task, Path.cwd()
    allowed = task.labels or tuple(dict.fromkeys(c for row in loaded.examples for c in row.query.choices))
    primary = load_metric(task.metric, here, allowed)
    for warning in check(primary, task.kind, loaded.examples):
        watcher.say(warning)
    others = [load_metric(name, here, allowed) for name in default_metrics(task.kind)]
    return [primary, *(metric for metric in others if metric.id != primary.id)]


def models(task_file: TaskFile, watcher: Watcher) -> list[Model]:
    """The candidate models, opened; none when no strategy asks for one. What embeds documents is looked at, not opened."""
    private = task_file.limits.private
    catalog.check_names(task_file.models, private=private)
    if task_file.documents is not None and task_file.documents.encoder is not None:
        catalog.check_encoder(task_file.documents.encoder, private=private)
    if not any(strategy.needs_model for strategy in strategy_classes(task_file.strategies)):
        return []
    return [_open(name, private, watcher) for name in dict.fromkeys(task_file.models)]


def _open(name: str, private: bool, watcher: Watcher) -> Model:
    fetching = False

    def progress(done: int, total: int, unit: str) -> None:
        nonlocal fetching
        if not fetching:
            watcher.start(Text(en=f"getting {name}", zh=f"获取 {name}"))
            fetching = True
        watcher.progress(done, total, unit)

    model = catalog.open_model(name, private=private, progress=progress)
    if fetching:
        watcher.finish()
    return model


def fits(models: Sequence[Model]) -> Callable[[str], bool] | None:
    """Whether a row's text fits the smallest context, leaving a quarter of it for the rest of the prompt."""
    if not models:
        return None
    smallest = min(models, key=lambda model: model.capabilities.context_tokens)
    limit = smallest.capabilities.context_tokens * 3 // 4

    def fit(text: str) -> bool:
        n_bytes = len(text.encode())
        # A token is at least one byte, and no known vocabulary packs more than 64 bytes of text into
        # one: only what lies between needs counting.
        return n_bytes <= limit or (n_bytes <= 64 * limit and smallest.count_tokens(text) <= limit)

    return fit


def sizes(task_file: TaskFile) -> dict[str, int | None]:
    """The caps on the sides of the split that the task file gives."""
    rows = task_file.rows
    return {"max_train": rows.train, "max_dev": rows.dev, "max_test": rows.test}


def max_new_tokens(models: Sequence[Model], train: Sequence[Example]) -> int:
    """Longest answer worth generating: above the 99th percentile of the training outputs."""
    if not models:
        return MAX_ANSWER_TOKENS
    step = max(1, len(train) // _SAMPLE)
    outputs = [row.output for row in train[::step]]
    longest = max(np.percentile([model.count_tokens(text) for text in outputs], 99) for model in models)
    return int(min(MAX_ANSWER_TOKENS, longest * 1.3 + 8))
