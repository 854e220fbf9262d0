"""From a stored run to everything a reader sees, in one language.

A view is plain data: every number is already text and every row is in its final order. The HTML and
terminal writers only lay it out, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages import Fact
from tuneworth.report.pages.arms import ArmRow, SkippedRow, build_arms, build_skipped
from tuneworth.report.pages.audit import AuditView, build_audit_view
from tuneworth.report.pages.cost import CostSection, build_cost
from tuneworth.report.pages.decisions import DecisionsSection, build_decisions
from tuneworth.report.pages.documents import DocumentsSection, build_documents
from tuneworth.report.pages.evidence import (
    ClassTable,
    DisagreementView,
    ExpectedView,
    SeedView,
    build_classes,
    build_disagreements,
    build_expected,
    build_seed,
)
from tuneworth.report.pages.forecast import ForecastSection, build_forecasts
from tuneworth.report.pages.race import RaceSection, build_race, power_sentence
from tuneworth.report.pages.record import DataView, FactGroup, build_data, build_record
from tuneworth.report.pages.verdict import (
    ComparisonRow,
    VerdictView,
    build_comparisons,
    build_guide,
    build_meanings,
    build_verdict,
)
from tuneworth.report.plain import one_line
from tuneworth.words import numbers
from tuneworth.words.names import in_lang, metric_name
from tuneworth.words.say import say, table


@dataclass(frozen=True, slots=True)
class View:
    """A run as shown to a reader.

    Attributes:
        strip: the run in a few facts, for the line under the title.
        metric: the primary metric's name.
        price_note: said when no machine price is known, else empty.
        expected: what was expected before the run; ``None`` when no advice was asked.
        audit: what the rows said; ``None`` when they were not audited.
        race: how the arms were narrowed down; ``None`` in a run that stored no race.
        forecasts: what more data would give; ``None`` without learning curves.
        decisions: how sure the arms are; ``None`` where none says so.
        documents: what was found out about the documents; ``None`` for a task without any.
        money: what arms cost at the user's volume; ``None`` in a run of an old version.
        power: what the rows could show from the start; empty when it was not worked out.
        words: headings and column names.
    """

    lang: Lang
    title: str
    strip: tuple[str, ...]
    metric: str
    metric_axis: str
    verdict: VerdictView
    arms: tuple[ArmRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    skipped: tuple[SkippedRow, ...]
    disagreements: tuple[DisagreementView, ...]
    classes: ClassTable
    expected: ExpectedView | None
    seed: tuple[SeedView, ...]
    data: DataView
    audit: AuditView | None
    race: RaceSection | None
    forecasts: ForecastSection | None
    decisions: DecisionsSection | None
    documents: DocumentsSection | None
    money: CostSection | None
    power: str
    record: tuple[FactGroup, ...]
    guide: tuple[Fact, ...]
    meanings: tuple[tuple[Fact, bool], ...]
    price_note: str
    words: dict[str, str]


def build_view(result: RunResult, lang: Lang) -> View:
    """Everything a report shows of ``result``, in ``lang``."""
    arms = build_arms(result, lang)
    comparisons = build_comparisons(result, lang)
    metric = metric_name(result.primary_metric)
    strip = (
        say(f"report.kinds.{result.task.kind}"),
        metric,
        say("report.strip.rows", n=result.data.n_test),
        say("report.strip.margin", margin=numbers.margin(result.task.margin)),
        say("report.strip.took", wall=numbers.duration(result.wall_seconds)),
    )
    return View(
        lang=lang,
        title=one_line(result.task.name),
        strip=tuple(text.to(lang) for text in strip),
        metric=metric.to(lang),
        metric_axis=say("report.metric_axis", metric=metric).to(lang),
        verdict=build_verdict(result, arms, comparisons, lang),
        arms=arms,
        comparisons=comparisons,
        skipped=build_skipped(result, lang),
        disagreements=build_disagreements(result, lang),
        classes=build_classes(result, lang),
        expected=build_expected(result, lang),
        seed=build_seed(result, lang),
        data=build_data(result, lang),
        audit=None if result.audit is None else build_audit_view(result.audit, lang),
        race=build_race(result, arms, lang),
        forecasts=build_forecasts(result, lang),
        decisions=build_decisions(result, arms, lang),
        documents=build_documents(result, arms, lang),
        money=build_cost(result, lang),
        power="" if result.power is None else power_sentence(result.power).to(lang),
        record=build_record(result, lang),
        guide=build_guide(result, lang),
        meanings=build_meanings(result, lang),
        price_note="" if numbers.is_known(result.machine_usd_per_hour) else say("report.price_unknown").to(lang),
        words=in_lang(table("report.labels"), lang),
    )
