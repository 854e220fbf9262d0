"""Where the numbers come from: the data, the task, the machine and the versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneworth.core.money import Money
from tuneworth.core.run import RunResult, Sent
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import Fact
from tuneworth.report.plain import excerpt, one_line
from tuneworth.words import numbers
from tuneworth.words.names import hosts_named, in_lang, joined, kind_name, listed, metric_name, word
from tuneworth.words.say import say, table


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
    data, task = result.data, result.task
    words = in_lang(table("report.data"), lang)
    kept = max(data.n_train + data.n_dev + data.n_test, 1)
    funnel = {
        "rows_read": data.n_read,
        "rows_rejected": data.n_rejected,
        "groups": data.n_groups,
        "leaks": data.n_leaks,
    }
    sides = {"train": data.n_train, "dev": data.n_dev, "test": data.n_test}
    limits, said = task.limits, list[Text]()
    if limits.private:
        said.append(say("report.limit.private"))
    if limits.p95_ms is not None:
        said.append(say("report.limit.p95_ms", n=numbers.milliseconds(limits.p95_ms)))
    if limits.max_usd_per_1k is not None:
        said.append(say("report.limit.max_usd_per_1k", n=numbers.usd_sign(limits.max_usd_per_1k)))
    if limits.min_quality is not None:
        said.append(say("report.limit.min_quality", n=numbers.percent(limits.min_quality)))
    asked = [
        Fact(words["task"], f"{one_line(task.name)} · {say(f'report.kinds.{task.kind}').to(lang)}"),
        Fact(words["metric"], metric_name(result.primary_metric).to(lang)),
        Fact(words["margin"], numbers.margin(task.margin).to(lang)),
        Fact(words["limits"], listed(said).to(lang) or words["no_limits"]),
        *([Fact(words["instruction"], excerpt(task.instruction, lang, 400))] if task.instruction else []),
    ]
    return DataView(
        funnel=tuple(Fact(words[key], numbers.count(n).to(lang)) for key, n in funnel.items()),
        sides=tuple((words[key], numbers.count(n).to(lang), round(100 * n / kept, 2)) for key, n in sides.items()),
        task=tuple(asked),
        inferred=tuple(excerpt(sentence.to(lang), lang) for sentence in data.inferred),
        warnings=(
            *([_sent(result.sent).to(lang)] if result.sent is not None else []),
            *([paid_sentence(result.money).to(lang)] if result.money is not None else []),
            *(excerpt(sentence.to(lang), lang) for sentence in data.warnings if sentence not in data.doubts),
        ),
    )


def build_record(result: RunResult, lang: Lang) -> tuple[FactGroup, ...]:
    """How the run was made, in groups: run, data, machine, models, libraries."""
    made, data = result.provenance, result.data
    words = in_lang(table("report.record"), lang)
    run = {
        "run_id": one_line(result.run_id),
        "created": one_line(made.created),
        "command": one_line(made.command),
        "random_seed": str(made.seed),
        "version": one_line(made.version),
        "git": one_line(made.git) if made.git else numbers.unknown().to(lang),
        "wall": numbers.duration(result.wall_seconds).to(lang),
        "memory": numbers.megabytes(result.peak_memory_mb).to(lang),
    }
    price = numbers.usd_sign(result.machine_usd_per_hour).to(lang)
    groups = [
        FactGroup(words["run"], tuple(Fact(words[key], value) for key, value in run.items())),
        FactGroup(
            words["files"], (*_facts(data.files, lang), Fact(words["split_digest"], one_line(data.split_digest)))
        ),
        FactGroup(words["machine"], (*_facts(made.machine, lang), Fact(words["machine_price"], price))),
        *(
            FactGroup(say("report.model", name=one_line(model)).to(lang), tuple(_facts(details, lang)))
            for model, details in made.models.items()
        ),
        *([_paid(result.money, result, lang)] if result.money is not None else []),
        FactGroup(words["libraries"], tuple(_facts(made.libraries, lang))),
    ]
    return tuple(group for group in groups if group.facts)


def _facts(values: Mapping[str, Any], lang: Lang, prefix: str = "") -> list[Fact]:
    """Nested mappings flattened to ``outer.inner``."""
    facts: list[Fact] = []
    for key, value in values.items():
        name = prefix + one_line(str(key))
        if isinstance(value, Mapping):
            facts += _facts(value, lang, f"{name}.")
        else:
            facts.append(Fact(word(table("report.facts"), name).to(lang), _value(value, lang)))
    return facts


def _value(value: Any, lang: Lang) -> str:
    if value is None:
        return numbers.unknown().to(lang)
    if isinstance(value, bool):
        return say(f"report.record.{'yes' if value else 'no'}").to(lang)
    if isinstance(value, float):
        return f"{value:,.4g}" if numbers.is_known(value) else numbers.unknown().to(lang)
    if isinstance(value, list | tuple):
        return say("units.names.between").to(lang).join(_value(item, lang) for item in value)
    return excerpt(str(value), lang, 300)


def _sent(sent: Sent) -> Text:
    """Where rows went, and what became of personal data in them."""
    both = say("privacy.and")
    counts = (("rows", sent.n_rows, sent.n_rows_personal), ("documents", sent.n_documents, sent.n_documents_personal))
    holding = [say(f"privacy.{what}", n=some, all=n) for what, n, some in counts if some]
    parts = {
        "all": joined([say(f"privacy.report.all_{what}", n=n) for what, n, _ in counts if n], both),
        "what": joined(holding, both),
        "kinds": listed([kind_name(kind) for kind in sent.kinds]),
    }
    personal = "nothing_to_mask" if sent.personal == "masked" and not holding else sent.personal
    return say(
        "privacy.report.sentence",
        where=hosts_named(sent.destinations),
        personal=say(f"privacy.report.{personal}", **parts),
    )


def paid_sentence(money: Money) -> Text:
    """What services were paid in all, and how much of the cap that is."""
    total, marks = money.total, list[Text]()
    if money.budget_usd is not None:
        share = numbers.percent(total.usd / money.budget_usd, 0)
        marks.append(say("paid.cap", usd=numbers.usd_sign(money.budget_usd), share=share))
    if money.max_calls is not None:
        marks.append(say("paid.max_calls", n=numbers.count(money.max_calls)))
    if money.reached:
        marks.append(say("paid.reached"))
    priced = any(price is not None for price in money.prices.values()) or total.usd > 0
    if total.n_unknown and priced:
        marks.append(say("paid.unknown", n=numbers.count(total.n_unknown)))
    n, more = numbers.count(total.n_calls), joined([say("units.marks.comma"), listed(marks)]) if marks else ""
    if not priced:
        return say("paid.unpriced", n=n, more=more)
    return say("paid.sentence", n=n, usd=numbers.usd_sign(total.usd), more=more)


def _paid(money: Money, result: RunResult, lang: Lang) -> FactGroup:
    """By arm, with the share of its prompts that came from a cache; then the prices, each with its source and day."""
    facts = list[Fact]()
    for arm in result.arms:
        if (paid := money.arms.get(arm.arm_id)) is None or not paid.n_calls:
            continue
        parts = [numbers.usd_sign(paid.usd), say("paid.calls", n=numbers.count(paid.n_calls))]
        if paid.cached_share is not None:
            parts.append(say("paid.cached", share=numbers.percent(paid.cached_share, 0)))
        facts.append(Fact(one_line(arm.arm_id), joined(parts, " · ").to(lang)))
    for model, price in money.prices.items():
        told = numbers.unknown()
        if price is not None:
            day = "" if price.checked_on is None else f", {price.checked_on.isoformat()}"
            rates = (numbers.usd_sign(price.input), numbers.usd_sign(price.output))
            told = say("paid.price", input=rates[0], output=rates[1], source=f"{price.source}{day}")
        facts.append(Fact(one_line(model), told.to(lang)))
    return FactGroup(say("paid.title").to(lang), tuple(facts))
