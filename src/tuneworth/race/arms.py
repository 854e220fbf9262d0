"""Arms: strategy × model × config, in the order in which they run, and the sizes that they are tried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING

from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price
from tuneworth.data.sections import Settings
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric, MetricError, score_row
from tuneworth.models import catalog
from tuneworth.models.base import Model, is_batched, is_metered
from tuneworth.models.effort import ROOM_TO_THINK, with_effort
from tuneworth.race.keys import arm_key, digest
from tuneworth.race.watch import Watcher
from tuneworth.strategies import Strategy, StrategyConfig
from tuneworth.strategies.majority import usual_answer
from tuneworth.words.names import model_names
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.data.taskfile import TaskFile

GROUP = "tuneworth.strategies"
AS_PICKED = Settings()
"""Every strategy's own choice."""


@dataclass(frozen=True)
class Arm:
    """One thing to measure.

    Attributes:
        arm_id: readable and unique in the run: ``fewshot/smollm2-135m/k=16,selection=nearest``.
        key: digest of all that the arm's answers depend on but the row.
        n_train: training rows that it is fitted on, the first of the run's order; ``None`` for all.
        repeat: 0, or the number of a further training of the same arm with another seed.
        turn: 0, or how many times its rows were asked before, where answers may differ.
        called: what its model is called among those of the run; empty where there is only one.
    """

    arm_id: str
    key: str
    strategy: type[Strategy]
    config: StrategyConfig
    model: Model | None
    n_train: int | None = None
    repeat: int = 0
    turn: int = 0
    called: str = ""

    @property
    def model_id(self) -> str | None:
        return self.model.id if self.model is not None else None

    @property
    def title(self) -> Text:
        """The arm in a few words, for whoever watches."""
        title = self.make().describe()
        return say("run.lane_of_model", title=title, model=self.called) if self.called else title

    @property
    def local(self) -> bool:
        return self.model is None or self.model.capabilities.local

    @property
    def is_metered(self) -> bool:
        """Its model is paid for by call."""
        return self.model is not None and is_metered(self.model)

    @property
    def is_batched(self) -> bool:
        """Its model is asked in batches, where there is more than a handful to ask."""
        return is_batched(self.model) and not self.strategy.decides

    @property
    def price(self) -> Price | None:
        """Of its model, where that is paid for by call and the price is known."""
        return self.model.price if self.model is not None and is_metered(self.model) else None

    @property
    def room_to_think(self) -> int:
        """Tokens that its model may think for one answer, where the arm says how much it is to think."""
        return ROOM_TO_THINK.get(getattr(self.config, "reasoning", None) or "none", 0)

    @property
    def folder_name(self) -> str:
        """Its folder below ``arms`` in that of the run."""
        return f"{self.strategy.id}-{self.key[:12]}"

    @property
    def lot(self) -> int:
        """Seed of what the arm draws. It follows from what the arm is, not from the model, its number format or the code, so that draws
        stay when these change, and models are shown the same examples."""
        config = self.config.model_dump(
            mode="json", exclude={"reasoning"}
        )  # which changes the answers, not what is shown
        return int(digest([self.strategy.id, config, self.n_train, self.repeat])[:8], 16)

    @property
    def asked(self) -> Model | None:
        """The model as the arm asks it."""
        return None if self.model is None else with_effort(self.model, getattr(self.config, "reasoning", None))

    def make(self) -> Strategy:
        return self.strategy(self.config)

    def fitted_on(self, n_train: int | None, repeat: int = 0) -> Arm:
        """The same arm fitted on fewer rows, or once more with another seed; its outcomes have keys of their own."""
        if n_train is None and repeat == 0:
            return self
        return replace(self, key=digest([self.key, n_train, repeat]), n_train=n_train, repeat=repeat)

    def fitted_longer(self) -> Arm:
        """The same arm fitted once more, because its last training was cut short and there is more time now."""
        return replace(self, key=digest([self.key, "longer"]))


@dataclass(frozen=True)
class Skipped:
    """An arm that will not run, and why."""

    arm_id: str
    strategy: type[Strategy]
    model: Model | None
    why: Text

    @property
    def model_id(self) -> str | None:
        return self.model.id if self.model is not None else None

    @property
    def local(self) -> bool:
        return self.model is None or self.model.capabilities.local


@dataclass(frozen=True)
class Plan:
    """Arms in the order in which they run and what is left out."""

    arms: tuple[Arm, ...]
    skipped: tuple[Skipped, ...]


def strategy_classes(names: Sequence[str] | None, prior: Sequence[str] = ()) -> list[type[Strategy]]:
    """The strategies named, or all: yardsticks, those without a language model (cheap), then the others.

    Args:
        prior: strategies from the most to the least promising; those it does not name follow by effort.

    Raises:
        InputError: unknown names, all at once.
    """
    known = plugin_modules(GROUP)
    problems = [
        Problem(f"--strategies {name}", say("run.no_such_strategy", known=", ".join(known)))
        for name in names or ()
        if name not in known
    ]
    if problems:
        raise InputError(problems)
    classes: list[type[Strategy]] = [load_plugin(GROUP, name) for name in dict.fromkeys(names or known)]
    place = {name: at for at, name in enumerate(prior)}
    return sorted(
        classes,
        key=lambda strategy: (
            not strategy.yardstick,
            strategy.needs_model,
            place.get(strategy.id, len(place)),
            strategy.effort,
            strategy.id,
        ),
    )


def plan_arms(
    task: Task,
    train: Sequence[Example],
    models: Sequence[Model],
    names: Sequence[str] | None,
    basis: str,
    prior: Sequence[str] = (),
    settings: Settings = AS_PICKED,
    encoder_sha256: str = "",
) -> Plan:
    """All arms worth measuring.

    Args:
        settings: values to try in place of those that the strategies pick.
        basis: digest of the split and the seed; part of every arm's key.
        prior: strategies in the order that the advice ranks them; it decides who runs first, never who wins.
        encoder_sha256: of the weights of the task's sentence encoder, where they are at hand.
    """
    own = f"{task.sentence_encoder} {encoder_sha256}"
    arms: list[Arm] = []
    skipped: list[Skipped] = []
    short = model_names([model.id for model in models]) if len(models) > 1 else {}
    for strategy in strategy_classes(names, prior):
        if strategy.reads_documents and task.documents is None and names is None:
            continue  # nobody asked for retrieval, and there is nothing to retrieve
        if names is None and strategy.kinds is not None and task.kind not in strategy.kinds:
            continue
        for model in models if strategy.needs_model else [None]:
            why = strategy.why_skipped(task, model, train)
            if why is not None:
                skipped.append(Skipped(_arm_id(strategy, model, {}), strategy, model, why))
                continue
            for config in _tried(strategy.arms(task, model, train), settings.of(strategy.id), model):
                embeds = strategy(config).workload(task, model, train, 1).encoded_chars > 0
                key = arm_key(task, strategy, config, model, basis, own if embeds else None)
                called = short.get(model.id, "") if model is not None else ""
                arm_id = _arm_id(strategy, model, _unusual(config))
                arms.append(Arm(arm_id, key, strategy, config, model, called=called))
    # The free form only shows what the constraint is worth (X1); it waits for the arms that may win.
    arms.sort(key=lambda arm: (arm.strategy.tuned, _is_free(arm, task)))
    return Plan(tuple(arms), tuple(skipped))


def _tried(
    configs: Sequence[StrategyConfig], wanted: Mapping[str, Sequence[object]], model: Model | None
) -> list[StrategyConfig]:
    """``configs`` with every combination of the wanted values in place of their own, each once; without those that ``model``
    cannot be set to."""
    if model is not None and not model.capabilities.reasoning:
        wanted = {name: values for name, values in wanted.items() if name != "reasoning"}
    combinations = [dict(zip(wanted, values)) for values in product(*wanted.values())]
    return list(dict.fromkeys(config.model_copy(update=values) for config in configs for values in combinations))


def _is_free(arm: Arm, task: Task) -> bool:
    return task.kind != "text" and getattr(arm.config, "constrained", True) is False


def stays_here(arm: Arm, task: Task) -> bool:
    """Whether rows stay on this machine and no service is paid: neither for answers nor for embedding questions."""
    documents, mode = task.documents, getattr(arm.config, "mode", None)
    searches = arm.strategy.reads_documents and not arm.strategy.yardstick and mode != "text"
    return arm.local and not (searches and documents is not None and documents.encoder_elsewhere)


def kind_of(arm: Arm) -> str:
    """Arms of one kind take their time in the same way, in proportion to what they read: one strategy on one model, with
    its answers held to a form or not."""
    held = getattr(arm.config, "constrained", True)
    return "/".join([arm.strategy.id, arm.model_id or "", "" if held else "free"])


def is_first_of_its_model(arm: Arm, asked: Iterable[Arm]) -> bool:
    """Whether ``arm`` is the untuned arm of its model that was ``asked`` first: what others are compared with."""
    untuned = (other for other in asked if not other.strategy.tuned and not other.strategy.yardstick)
    first = next((other for other in untuned if other.model_id == arm.model_id), None)
    return first is None or first.arm_id == arm.arm_id


def open_models(task_file: TaskFile, watcher: Watcher) -> list[Model]:
    """The candidate models, opened; none when no strategy asks for one. What embeds documents is looked at, not opened."""
    private = task_file.limits.private
    services = task_file.stated_services
    catalog.check_names(task_file.models, private=private, services=services)
    if task_file.documents is not None and task_file.documents.encoder is not None:
        catalog.check_encoder(task_file.documents.encoder, private=private, services=services)
    if not any(strategy.needs_model for strategy in strategy_classes(task_file.strategies)):
        return []
    opened: list[Model] = []
    for name in dict.fromkeys(task_file.models):
        fetch = Fetch(name, watcher)
        prices = task_file.stated_rates
        batch = task_file.batch and catalog.name_kind(name, services) == "api"
        model = catalog.open_model(name, private=private, progress=fetch, stated=prices, services=services, batch=batch)
        opened.append(model)
        fetch.finish()
    return opened


@dataclass
class Fetch:
    """Tells of a download as of a piece of work, if there is one."""

    name: str
    watcher: Watcher
    begun: bool = False

    def __call__(self, done: int, total: int, unit: str) -> None:
        if not self.begun:
            self.begun = True
            self.watcher.start(say("run.getting_model", name=self.name))
        self.watcher.progress(done, total, unit)

    def finish(self) -> None:
        if self.begun:
            self.watcher.finish()


def _arm_id(strategy: type[Strategy], model: Model | None, settings: Mapping[str, object]) -> str:
    parts = [strategy.id]
    if model is not None:
        parts.append(model.id)
    if settings:
        parts.append(",".join(f"{name}={value}" for name, value in settings.items()))
    return "/".join(parts)


def _unusual(config: StrategyConfig) -> dict[str, object]:
    defaults = type(config)().model_dump(mode="json")
    return {name: value for name, value in config.model_dump(mode="json").items() if value != defaults[name]}


HALVINGS = 5
"""Sizes are n/32, n/16, …, n: a curve takes four, and after n/4 it can be told where it leads."""
MOST_CHANCE = 0.99
"""A metric that guessing satisfies (valid JSON) leaves nothing to learn, but a curve needs room."""
CHANCE_ROWS = 300
"""Guesses that are scored: a function of the user's own may be slow."""
SMALLEST = 16
"""Fewer training rows than this say nothing of the curve to come."""


def training_sizes(arm: Arm, n_train: int) -> tuple[int | None, ...]:
    """Training sizes in ascending order; ``None`` stands for all rows."""
    if not arm.strategy.grows:
        return (None,)
    halved = [n_train >> times for times in range(HALVINGS, 0, -1)]
    return (*(size for size in halved if size >= SMALLEST), None)


def chance_of(task: Task, train: Sequence[Example], metric: Metric) -> float:
    """What guessing would score on ``metric``: where a learning curve starts.

    Of a row's own options any is as likely; else the guess is the one answer that is right most often.
    """
    rows = train[:CHANCE_ROWS]
    if task.kind == "choice":
        return fmean(fmean(score_row(metric, choice, row) for choice in row.query.choices) for row in rows)
    guess = usual_answer(task, train)
    try:
        return min(metric.value([guess] * len(rows), [row.references for row in rows]), MOST_CHANCE)
    except MetricError as error:
        raise error.at(rows[0].source or rows[0].id) from error
