"""The task file: what a user may say in ``task.yaml`` and by options, which have the same names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from tuneworth.advisor.facts import Facts
from tuneworth.core.costs import CostFigure
from tuneworth.core.task import Language, Limits
from tuneworth.core.text import Lang, Text
from tuneworth.core.yamlfile import parse_yaml
from tuneworth.costs.figures import read_figure
from tuneworth.costs.prices import STATED, Rates
from tuneworth.data.files import decode, read_bytes
from tuneworth.data.formats import PREFIX
from tuneworth.data.sections import (
    Documents,
    Fields,
    Output,
    Repeats,
    RowCaps,
    Section,
    Settings,
    SplitRules,
    Stated,
    StatedCosts,
    StatedPrice,
    StatedService,
    StatedTraffic,
    Updates,
    refused,
    told_in_full,
)
from tuneworth.data.taskerrors import document_problems, option_problems
from tuneworth.errors import InputError
from tuneworth.words.say import say

_TIME = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_MONEY = re.compile(r"\$\s?(?P<usd>\d+(?:\.\d+)?|\.\d+)")
_SEPARATORS = re.compile(r"\s*[,，]\s*")

DEFAULT_MODELS = ("smollm2-135m",)


class BadBudget(ValueError):
    """The text is no budget; ``rule`` says what it must be."""

    def __init__(self, rule: Text):
        self.rule = rule
        super().__init__(rule.en)


@dataclass(frozen=True, slots=True)
class BudgetText:
    """A budget as it was written. ``None``: no limit of that kind."""

    seconds: float | None = None
    usd: float | None = None


def parse_budget(text: str) -> BudgetText:
    """Read a budget.

    Raises:
        BadBudget: it is malformed, zero, negative, or names one kind twice.
    """
    found: dict[str, float] = {}
    for part in _SEPARATORS.split(text.strip()):
        kind, value = _budget_part(part)
        if kind in found:
            raise BadBudget(say("task.budget.twice"))
        if value <= 0:
            raise BadBudget(say("task.budget.nothing"))
        found[kind] = value
    return BudgetText(**found)


def _budget_part(part: str) -> tuple[str, float]:
    """``seconds`` or ``usd``, and how many. A minus in front is told as such: it is not a slip of the pen."""
    sign = -1.0 if part.startswith(("-", "−", "$-")) else 1.0
    plain = part.replace("-", "", 1).replace("−", "", 1) if sign < 0 else part
    if (money := _MONEY.fullmatch(plain)) is not None:
        return "usd", sign * float(money["usd"])
    time = _TIME.fullmatch(plain)
    if time is None or not plain:
        raise BadBudget(say("task.budget.malformed"))
    return "seconds", sign * sum(int(time[unit] or 0) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1)))


def _as_text(parts: dict[Any, Any]) -> str | None:
    """A section with ``time`` and ``usd`` as one would write it on the command line; ``None``: it has something else."""
    usd, time = parts.get("usd"), parts.get("time")
    if not parts or parts.keys() - {"usd", "time"} or isinstance(usd, bool) or not isinstance(usd, int | float | None):
        return None
    written = [] if time is None else [str(time)]
    return ",".join([*written, *([] if usd is None else [f"${usd:.12f}".rstrip("0").rstrip(".")])])


class TaskFile(Section):
    """Everything a user may say about a task. Only ``train`` must be given."""

    name: str = Field(default="", description="name of the task; that of the file or its folder when left out")
    description: str = Field(default="", description="for people; no model sees it")
    instruction: str = Field(default="", description="what a model is told to do with every input")
    train: str = Field(min_length=1, description="rows to learn from: a path relative to the task file, or hf://…")
    test: str | None = Field(default=None, description="rows to judge by; cut from `train` when left out")
    fields: Fields = Field(default=Fields(), description="names of the fields; found by name when left out")
    documents: Documents | None = Field(
        default=None, description="documents to look answers up in: a path, a list of paths, or this section"
    )
    updates: Updates = Field(default=Updates(), description="how fast things change")
    output: Output = Field(default=Output(), description="what answers look like; inferred when left out")
    metric: str | None = Field(
        default=None, description="id of a metric, or file.py:function; chosen by the kind when left out"
    )
    metric_settings: dict[str, Any] = Field(default={}, description="settings of the metric, if it has any")
    margin: float = Field(default=0.02, gt=0, lt=1, description="smallest difference of the metric that matters")
    precision: float = Field(
        default=0.95,
        gt=0,
        lt=1,
        description="share of right answers asked of an arm that answers only what it is sure of",
    )
    models: list[str] = Field(default=list(DEFAULT_MODELS), min_length=1, description="candidate models")
    strategies: list[str] | None = Field(default=None, min_length=1, description="strategies to try; all when left out")
    settings: Settings = Field(
        default=Settings(), description="values to try of a strategy's settings; its own choice when left out"
    )
    limits: Limits = Field(default=Limits(), description="hard limits")
    personal_data: Literal["ask", "mask", "send"] = Field(
        default="ask", description="what becomes of personal data and secrets in what would leave this machine"
    )
    situation: Facts = Field(default=Facts(), description="what you know about the situation; the advice uses it")
    machine_usd_per_hour: float | None = Field(
        default=None, ge=0, description="price of this machine, for costs; unknown when left out"
    )
    budget: str | None = Field(
        default=None, description="most that a run may take: a time (90s, 10m, 1h30m), money ($2), or both (20m,$2)"
    )
    max_calls: int | None = Field(
        default=None, ge=1, description="most calls to services; needed where what they charge is not known"
    )
    batch: bool = Field(
        default=False, description="ask models behind an API in batches: cheaper, and an answer may take a day"
    )
    services: dict[str, StatedService] = Field(
        default={}, description="services by name or address, beyond the built-in ones or differing from them"
    )
    prices: dict[str, StatedPrice] = Field(
        default={}, description="prices of models behind an API, by their names; from genai-prices when left out"
    )
    usd_per_label: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="price of one more labelled row; unknown when left out"
    )
    usd_per_error: Stated = Field(
        default=None,
        description="what a wrong answer costs you, US dollars, a number or a range; quality is then money",
    )
    traffic: StatedTraffic = Field(default=StatedTraffic(), description="how many calls there are, for what arms cost")
    costs: StatedCosts = Field(default=StatedCosts(), description="what else the costs of arms hang on")
    seed: int = Field(default=0, ge=0, lt=2**32, description="what all randomness is made from")
    exhaustive: bool = Field(
        default=False, description="measure every arm at every training size on all dev rows; stop none early"
    )
    repeats: Repeats = Field(
        default=Repeats(), description="how often models that may answer differently each time are asked the same"
    )
    rows: RowCaps = Field(default=RowCaps(), description="most rows of each side")
    split: SplitRules = Field(default=SplitRules(), description="how rows are dealt to train, dev and test")
    lang: Lang | None = Field(default=None, description="language of the report: en or zh")
    text_language: Language | None = Field(
        default=None, description="language of the rows: en, zh or other; inferred when left out"
    )

    @property
    def stated_rates(self) -> dict[str, Rates]:
        """Model → the price that the user states."""
        return {name: price.rates() for name, price in self.prices.items()}

    @property
    def stated_services(self) -> dict[str, dict[str, Any]]:
        """Service or address → what the user says of it."""
        return {name: service.model_dump(exclude_none=True) for name, service in self.services.items()}

    @property
    def budget_usd(self) -> float | None:
        """The budget in money, or ``None`` without one."""
        return self._parsed_budget.usd

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds, or ``None`` without one. Money counts as the time that it pays for."""
        parsed, price = self._parsed_budget, self.machine_usd_per_hour
        limits = [parsed.seconds] if parsed.seconds is not None else []
        if parsed.usd is not None and price:
            limits.append(parsed.usd / price * 3600)
        return min(limits, default=None)

    @property
    def _parsed_budget(self) -> BudgetText:
        return BudgetText() if self.budget is None else parse_budget(self.budget)

    @field_validator("budget", mode="before")
    @classmethod
    def _can_be_kept(cls, budget: object) -> object:
        """Also ``{time: 20m, usd: 2}``."""
        if budget is None:
            return None
        text = _as_text(budget) if isinstance(budget, dict) else budget
        if not isinstance(text, str):
            raise refused(say("task.budget.malformed"))
        try:
            parse_budget(text)
        except BadBudget as error:
            raise refused(error.rule) from None
        return text

    @property
    def error_cost(self) -> CostFigure | None:
        """What a wrong answer costs, or ``None``."""
        if self.usd_per_error is None:
            return None
        read = read_figure(self.usd_per_error, "usd_per_error", "usd/piece")
        return CostFigure(name=read.name, unit=read.unit, low=read.low, high=read.high, source=STATED)

    @field_validator("usd_per_error")
    @classmethod
    def _is_money(cls, stated: Stated) -> Stated:
        try:
            if stated is not None:
                read_figure(stated, "usd_per_error", "usd/piece")
        except InputError as error:
            raise told_in_full(error) from None
        return stated

    @field_validator("documents", mode="before")
    @classmethod
    def _path_alone(cls, documents: object) -> object:
        return {"source": documents} if isinstance(documents, str | list) else documents

    @field_validator("metric")
    @classmethod
    def _names_function(cls, metric: str | None) -> str | None:
        if metric is None:
            return None
        file, colon, function = metric.rpartition(":")
        wrong = (colon or ".py" in metric) and not (file.endswith(".py") and function.isidentifier())
        if wrong or not metric:
            raise refused(say("task.rule.metric"))
        return metric


def load_task_file(path: Path) -> TaskFile:
    """Read ``path``. Its own relative paths become absolute.

    Raises:
        InputError: with every unknown key and wrong value, by line.
    """
    text = decode(read_bytes(path, path.name), path.name).text
    document = parse_yaml(text, path.name)
    try:
        task_file = TaskFile.model_validate(document.mapping, strict=True)
    except ValidationError as error:
        raise InputError(document_problems(error, document, path.name, TaskFile)) from None
    return _resolved(task_file, path.resolve().parent)


def task_file_of(source: str | Path, **options: Any) -> TaskFile:
    """The task file at ``source``, or one for the data there, with options on top (``None``: not given)."""
    if Path(source).suffix.lower() in (".yaml", ".yml"):
        return with_options(load_task_file(Path(source)), **options)
    return task_file_for(source, **options)


def task_file_for(data_path: str | Path, **options: Any) -> TaskFile:
    """The task file of a user who gives only a data file (or ``hf://…``) and options.

    Raises:
        InputError: an option is wrong.
    """
    return _validated({**_given(options), "train": str(data_path)})


def with_options(task_file: TaskFile, **options: Any) -> TaskFile:
    """``task_file`` with options on top; an option that is ``None`` was not given.

    Sections (``limits``, ``output``, …) are given as mappings and merged key by key.

    Raises:
        InputError: an option is wrong.
    """
    merged = task_file.model_dump(by_alias=True)
    for name, value in _given(options).items():
        section = merged.get(name)
        merged[name] = {**section, **_given(value)} if isinstance(section, dict) and isinstance(value, dict) else value
    return _validated(merged)


def _validated(values: dict[str, Any]) -> TaskFile:
    """Options come from a shell: their paths are relative to where it stands."""
    try:
        task_file = TaskFile.model_validate(values, strict=True)
    except ValidationError as error:
        raise InputError(option_problems(error, TaskFile)) from None
    return _resolved(task_file, Path.cwd())


def _given(options: dict[str, Any]) -> dict[str, Any]:
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in plain.items() if value is not None
    }


def _resolved(task_file: TaskFile, folder: Path) -> TaskFile:
    """``task_file`` with the paths in it made absolute, from ``folder``."""
    changes: dict[str, Any] = {"train": _absolute(task_file.train, folder)}
    changes["models"] = [_model_name(name, folder) for name in task_file.models]
    if task_file.documents is not None:
        changes["documents"] = _resolved_documents(task_file.documents, folder)
    costs = {name: _absolute(path, folder) for name in ("log", "prices") if (path := getattr(task_file.costs, name))}
    changes["costs"] = task_file.costs.model_copy(update=costs)
    if task_file.test is not None:
        changes["test"] = _absolute(task_file.test, folder)
    if task_file.metric is not None and ":" in task_file.metric:
        file, _, function = task_file.metric.rpartition(":")
        changes["metric"] = f"{_absolute(file, folder)}:{function}"
    if isinstance(database := task_file.metric_settings.get("database"), str):
        changes["metric_settings"] = {**task_file.metric_settings, "database": _absolute(database, folder)}
    return task_file.model_copy(update=changes)


def _resolved_documents(documents: Documents, folder: Path) -> Documents:
    sources = [_absolute(source, folder) for source in documents.sources]
    models = {
        name: _model_name(value, folder)
        for name in ("encoder", "reranker")
        if (value := getattr(documents, name)) is not None
    }
    return documents.model_copy(update={"source": sources if len(sources) > 1 else sources[0], **models})


def _model_name(name: str, folder: Path) -> str:
    return _absolute(name, folder) if name.startswith((".", "~")) else name


def _absolute(source: str, folder: Path) -> str:
    return source if source.startswith(PREFIX) else os.path.normpath(folder / Path(source).expanduser())
