"""From a stored comparison to everything a reader sees, in one language; plain data, every number already text."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.compared import Compared, System
from tuneworth.core.text import Lang
from tuneworth.report.pages import ScoreText, score_text
from tuneworth.report.pages.evidence import DisagreementView, disagreement_views
from tuneworth.report.pages.verdict import ComparisonRow, comparison_row
from tuneworth.report.plain import clean, one_line
from tuneworth.words import numbers
from tuneworth.words.names import in_lang, joined, metric_name
from tuneworth.words.say import say, table

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system; what charts draw of an arm of a run stands here under the same names.

    Attributes:
        scores: of each metric, in their order; ``None`` where it has none.
        unpaired: places of rows that not all files have.
    """

    number: int
    label: str
    recommended: bool
    source: str
    n_rows: str
    scores: tuple[ScoreText | None, ...]
    tokens_in: str
    tokens_out: str
    alone: str
    usd_per_1k: str
    unpaired: str
    stage: str = "finalist"
    repeats: tuple[float, ...] = ()

    @property
    def shown(self) -> ScoreText | None:
        return self.scores[0]

    test = shown


@dataclass(frozen=True, slots=True)
class ComparedView:
    """A comparison as shown to a reader.

    Attributes:
        strip: rows, groups, tests and margin, one fact each.
        metric: name of the primary metric; ``metrics`` of all.
        has_cost: some file says what answering took.
    """

    lang: Lang
    title: str
    word: str
    headline: str
    strip: tuple[str, ...]
    metric: str
    metric_axis: str
    metrics: tuple[str, ...]
    arms: tuple[SystemRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    disagreements: tuple[DisagreementView, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    has_cost: bool
    words: dict[str, str]


def build_compared_view(result: Compared, lang: Lang) -> ComparedView:
    metric = metric_name(result.primary_metric)
    names = {system.name: one_line(system.name) for system in result.systems}
    strip = [
        say("compared.strip.rows", n=result.n_rows),
        *([say("compared.strip.groups", n=result.n_groups or 0, column=result.group)] if result.group else []),
        say("compared.strip.tests", n=len(result.comparisons)),
        say("compared.strip.margin", margin=numbers.margin(result.margin)),
    ]
    if result.scale is not None:
        low, high = map(numbers.general, result.scale)
        strip.append(say("compared.strip.scale", low=low, high=high))
    arms = tuple(_row(system, at, result, lang) for at, system in enumerate(_ordered(result), start=1))
    return ComparedView(
        lang=lang,
        title=say("compared.title").to(lang),
        word=say(f"compared.standings.{result.standing}").to(lang),
        headline=clean(result.headline.to(lang)),
        strip=tuple(text.to(lang) for text in strip),
        metric=metric.to(lang),
        metric_axis=say("report.metric_axis", metric=metric).to(lang),
        metrics=tuple(one_line(metric_name(name).to(lang)) for name in result.metrics),
        arms=arms,
        comparisons=tuple(comparison_row(pair, names, lang) for pair in result.comparisons),
        disagreements=disagreement_views(result.disagreements, names, lang),
        notes=tuple(clean(note.to(lang)) for note in result.notes),
        doubts=tuple(clean(doubt.to(lang)) for doubt in result.doubts),
        has_cost=any({arm.tokens_in, arm.tokens_out, arm.alone, arm.usd_per_1k} != {NOTHING} for arm in arms),
        words=in_lang(table("compared.labels"), lang),
    )


def _ordered(result: Compared) -> list[System]:
    """The first one first, the others by score."""
    metric = result.primary_metric

    def order(system: System) -> tuple[bool, float]:
        score = system.scores.get(metric)
        return system.name != result.first, 0.0 if score is None else -score.value

    return sorted(result.systems, key=order)


def _row(system: System, at: int, result: Compared, lang: Lang) -> SystemRow:
    cost = system.cost
    times = [numbers.milliseconds(time) for time in (cost.latency_p50_ms, cost.latency_p95_ms) if time is not None]

    def tokens(value: float | None) -> str:
        return NOTHING if value is None else numbers.count(value).to(lang)

    return SystemRow(
        number=at,
        label=one_line(system.name),
        recommended=system.name == result.first,
        source=joined([numbers.plain(one_line(system.file)), say(f"compared.tools.{system.tool}")], " · ").to(lang),
        n_rows=numbers.count(system.n_rows).to(lang),
        scores=tuple(
            score_text(system.scores[name], lang) if name in system.scores else None for name in result.metrics
        ),
        tokens_in=tokens(cost.prompt_tokens_per_row),
        tokens_out=tokens(cost.completion_tokens_per_row),
        alone=joined(times, " / ").to(lang) if times else NOTHING,
        usd_per_1k=NOTHING if cost.usd_per_1k_rows is None else numbers.usd_sign(cost.usd_per_1k_rows).to(lang),
        unpaired=", ".join(map(clean, system.unpaired)) + (", …" if system.n_unpaired > len(system.unpaired) else ""),
    )
