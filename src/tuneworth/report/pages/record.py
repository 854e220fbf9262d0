"""Where the numbers come from: the data, the task, the machine and the versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.verdict import Fact
from tuneworth.report.plain import excerpt, one_line
from tuneworth.report.words import FACT_NAMES, KINDS, LIMITS, METRICS, label, named
from tuneworth.words import numbers


@dataclass(frozen=True, slots=True)
class FactGroup:
    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class DataView:
    """What became of the rows.

    Attributes:
        funnel: rows read, rejected, groups, leaks.
        sides: train, dev and test with their share of the kept rows in per cent (for a bar).
        leaks: true when rows of the user's test file were left out.
    """

    funnel: tuple[Fact, ...]
    sides: tuple[tuple[str, str, float], ...]
    task: tuple[Fact, ...]
    inferred: tuple[str, ...]
    warnings: tuple[str, ...]


def build_data(result: RunResult, lang: Lang) -> DataView:
    data = result.data
    kept = max(data.n_train + data.n_dev + data.n_test, 1)
    funnel = (
        ("rows_read", data.n_read),
        ("rows_rejected", data.n_rejected),
        ("groups", data.n_groups),
        ("leaks", data.n_leaks),
    )
    sides = (("train", data.n_train), ("dev", data.n_dev), ("test", data.n_test))
    return DataView(
        funnel=tuple(Fact(label(key, lang), numbers.count(n).to(lang)) for key, n in funnel),
        sides=tuple((label(key, lang), numbers.count(n).to(lang), round(100 * n / kept, 2)) for key, n in sides),
        task=_task(result, lang),
        inferred=tuple(excerpt(sentence.to(lang), lang) for sentence in data.inferred),
        warnings=tuple(excerpt(sentence.to(lang), lang) for sentence in data.warnings),
    )


def build_record(result: RunResult, lang: Lang) -> tuple[FactGroup, ...]:
    """How the run was made, in groups: run, data, machine, models, libraries."""
    made = result.provenance
    groups = [
        FactGroup(label("run", lang), _run(result, lang)),
        FactGroup(
            label("files", lang),
            (*_facts(result.data.files, lang), Fact(label("split_digest", lang), one_line(result.data.split_digest))),
        ),
        FactGroup(label("machine", lang), (*_facts(made.machine, lang), _price(result, lang))),
        *(
            FactGroup(f"{label('model', lang)} {one_line(model)}", _facts(details, lang))
            for model, details in made.models.items()
        ),
        FactGroup(label("libraries", lang), _facts(made.libraries, lang)),
    ]
    return tuple(group for group in groups if group.facts)


def _task(result: RunResult, lang: Lang) -> tuple[Fact, ...]:
    task = result.task
    facts = [
        Fact(label("task", lang), f"{one_line(task.name)} · {named(KINDS, task.kind, lang)}"),
        Fact(label("metric", lang), named(METRICS, result.primary_metric, lang)),
        Fact(label("margin", lang), numbers.margin(task.margin).to(lang)),
        Fact(label("limits", lang), _limits(result, lang)),
    ]
    if task.instruction:
        facts.append(Fact(label("instruction", lang), excerpt(task.instruction, lang, 400)))
    return tuple(facts)


def _limits(result: RunResult, lang: Lang) -> str:
    limits = result.task.limits
    shown = {
        "private": "" if limits.private else None,
        "p95_ms": None if limits.p95_ms is None else numbers.milliseconds(limits.p95_ms).to(lang),
        "max_usd_per_1k": None if limits.max_usd_per_1k is None else numbers.usd_sign(limits.max_usd_per_1k).to(lang),
        "min_quality": None if limits.min_quality is None else numbers.percent(limits.min_quality).to(lang),
    }
    said = [LIMITS[key].to(lang).replace("{n}", value) for key, value in shown.items() if value is not None]
    return ("；" if lang == "zh" else "; ").join(said) or label("no_limits", lang)


def _run(result: RunResult, lang: Lang) -> tuple[Fact, ...]:
    made = result.provenance
    return (
        Fact(label("run_id", lang), one_line(result.run_id)),
        Fact(label("created", lang), one_line(made.created)),
        Fact(label("command", lang), one_line(made.command)),
        Fact(label("random_seed", lang), str(made.seed)),
        Fact(label("version", lang), one_line(made.version)),
        Fact(label("git", lang), one_line(made.git) if made.git else numbers.unknown().to(lang)),
        Fact(label("wall", lang), numbers.duration(result.wall_seconds).to(lang)),
        Fact(label("memory", lang), numbers.megabytes(result.peak_memory_mb).to(lang)),
    )


def _price(result: RunResult, lang: Lang) -> Fact:
    return Fact(label("machine_price", lang), numbers.usd_sign(result.machine_usd_per_hour).to(lang))


def _facts(values: Mapping[str, Any], lang: Lang, prefix: str = "") -> tuple[Fact, ...]:
    """Nested mappings flattened to ``outer.inner``."""
    facts: list[Fact] = []
    for key, value in values.items():
        name = prefix + one_line(str(key))
        if isinstance(value, Mapping):
            facts.extend(_facts(value, lang, f"{name}."))
        else:
            facts.append(Fact(named(FACT_NAMES, name, lang), _value(value, lang)))
    return tuple(facts)


def _value(value: Any, lang: Lang) -> str:
    if value is None:
        return numbers.unknown().to(lang)
    if isinstance(value, bool):
        words = ("是", "否") if lang == "zh" else ("yes", "no")
        return words[0] if value else words[1]
    if isinstance(value, float):
        return f"{value:,.4g}" if numbers.is_known(value) else numbers.unknown().to(lang)
    if isinstance(value, list | tuple):
        return ("、" if lang == "zh" else ", ").join(_value(item, lang) for item in value)
    return excerpt(str(value), lang, 300)
