"""The arms of a run as rows ready to be shown, in one order with one number each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tuneworth.core.armnames import arm_names
from tuneworth.core.run import ArmCost, ArmResult, Counts, RunResult, Score
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import trainings
from tuneworth.report.plain import clean, one_line
from tuneworth.report.score import ScoreText, shown
from tuneworth.report.words import METRICS, STATES, STATUSES, label, named
from tuneworth.words import numbers
from tuneworth.words.say import say

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm. Every field but the flags and ``ms_per_row`` is text in the reader's language.

    Attributes:
        number: place in the report's order; the same in every table and chart.
        dev, test: the primary metric, or ``None`` when the arm was not scored there.
        seen: dev rows behind ``dev`` where the race stopped short of all; empty otherwise.
        part: training rows behind the scores where these are not all; empty otherwise.
        trainings: scores of several trainings of the arm, in short; empty for one training.
        repeats: test scores of its further trainings, in per cent.
        unscored: rows without a score, by reason; empty when there are none.
        reads: said of an arm that looks things up in the documents; empty otherwise.
        bound: said of an arm that is given the right passages; empty otherwise.
        ms_per_row: for the time axis; ``None`` when not known.
        metrics: ``(metric, dev, test)`` for every metric of the run.
    """

    arm_id: str
    number: int
    label: str
    model: str
    stage: str
    stage_word: str
    recommended: bool
    runner_up: bool
    tuned: bool
    reads: str
    bound: str
    dev: ScoreText | None
    test: ScoreText | None
    seen: str
    part: str
    trainings: str
    repeats: tuple[float, ...]
    unscored: str
    fit_time: str
    fit_cost: str
    per_row: str
    alone: str
    tokens_in: str
    tokens_reused: str
    tokens_out: str
    usd_per_1k: str
    ms_per_row: float | None
    metrics: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    config: str

    @property
    def shown(self) -> ScoreText | None:
        """The score to show when there is room for one: on test rows if there is one."""
        return self.test or self.dev


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """An arm without scores, and why."""

    label: str
    model: str
    state_word: str
    why: str


def arm_labels(result: RunResult, lang: Lang) -> dict[str, str]:
    """Arm id → its name (`tuneworth.core.armnames`), fit for a table cell."""
    return {arm_id: one_line(name.to(lang)) or clean(arm_id) for arm_id, name in arm_names(result.arms).items()}


def build_arms(result: RunResult, lang: Lang) -> tuple[ArmRow, ...]:
    """Every measured arm: finalists by test score, then the others by dev score, yardsticks last."""
    names = arm_labels(result, lang)
    measured = [arm for arm in result.arms if arm.state == "measured"]
    measured.sort(key=lambda arm: (_place(arm), -_primary(arm, result.primary_metric), arm.arm_id))
    return tuple(_arm_row(arm, number, names, result, lang) for number, arm in enumerate(measured, 1))


def build_skipped(result: RunResult, lang: Lang) -> tuple[SkippedRow, ...]:
    """Every arm that was skipped or failed."""
    names = arm_labels(result, lang)
    return tuple(
        SkippedRow(
            label=names[arm.arm_id],
            model=one_line(arm.model) if arm.model else "",
            state_word=STATES[arm.state].to(lang),
            why=clean(arm.why.to(lang)) if arm.why else label("no_reason", lang),
        )
        for arm in result.arms
        if arm.state != "measured"
    )


def readable_json(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _stage(arm: ArmResult) -> str:
    if arm.yardstick:
        return "yardstick"
    return "finalist" if arm.finalist else "measured"


def _place(arm: ArmResult) -> int:
    return ("finalist", "measured", "yardstick").index(_stage(arm))


def _primary(arm: ArmResult, metric: str) -> float:
    score = arm.test.get(metric) or arm.dev.get(metric)
    return score.value if score is not None and numbers.is_known(score.value) else -1.0


def _arm_row(arm: ArmResult, number: int, names: dict[str, str], result: RunResult, lang: Lang) -> ArmRow:
    cost = arm.cost
    stage = _stage(arm)
    stopped = stage == "measured" and result.race is not None and any(s.arm_id == arm.arm_id for s in result.race.stops)
    return ArmRow(
        arm_id=arm.arm_id,
        number=number,
        label=names[arm.arm_id],
        model=one_line(arm.model) if arm.model else "",
        stage=stage,
        stage_word=STATES["stopped" if stopped else stage].to(lang),
        recommended=arm.arm_id == result.decision.recommended,
        runner_up=arm.arm_id == result.decision.runner_up,
        tuned=arm.tuned,
        reads=say("documents.reads").to(lang) if arm.reads_documents and not arm.yardstick else "",
        bound=say("documents.upper_bound").to(lang) if _is_bound(arm) else "",
        dev=_score(arm.dev, result.primary_metric, lang),
        test=_score(arm.test, result.primary_metric, lang),
        seen=_seen(arm, result, lang),
        part=_part(arm, result, lang),
        trainings=trainings.in_short(arm, result.primary_metric, lang),
        repeats=tuple(100 * score.value for score in arm.repeats if numbers.is_known(score.value)),
        unscored=_unscored(arm, lang),
        fit_time=numbers.duration(cost.fit_seconds).to(lang),
        fit_cost=numbers.usd_sign(cost.fit_usd).to(lang),
        per_row=numbers.milliseconds(cost.seconds_per_1k_rows).to(lang),  # seconds per 1,000 rows = ms per row
        alone=_alone(cost, lang),
        tokens_in=_tokens(cost.prompt_tokens_per_row, arm, lang),
        tokens_reused=_reused(arm, lang),
        tokens_out=_tokens(cost.completion_tokens_per_row, arm, lang),
        usd_per_1k=numbers.usd_sign(cost.usd_per_1k_rows).to(lang),
        ms_per_row=cost.seconds_per_1k_rows if numbers.is_known(cost.seconds_per_1k_rows) else None,
        metrics=tuple(_metric_row(metric, arm, lang) for metric in result.metrics),
        notes=_notes(arm, result.primary_metric, lang),
        config=readable_json({"arm_id": arm.arm_id, "config": arm.config, "fit_details": arm.fit_details}),
    )


def _is_bound(arm: ArmResult) -> bool:
    """A yardstick that reads documents is given the right ones: the best that finding could do."""
    return arm.yardstick and arm.reads_documents


def _tokens(value: float | None, arm: ArmResult, lang: Lang) -> str:
    """Tokens per row; an arm without a language model has none to count."""
    return NOTHING if arm.model is None and not value else numbers.count(value).to(lang)


def _reused(arm: ArmResult, lang: Lang) -> str:
    """How many prompt tokens per row came from a reused cache; empty when none did."""
    cached = arm.cost.cached_tokens_per_row
    if not numbers.is_known(cached) or cached < 0.5:
        return ""
    number, word = numbers.count(cached).to(lang), label("tokens_cached", lang)
    return f"{word} {number}" if lang == "zh" else f"{number} {word}"


def _alone(cost: ArmCost, lang: Lang) -> str:
    """Median and 95th percentile of the time for one row by itself."""
    p50, p95 = cost.latency_p50_ms, cost.latency_p95_ms
    if not numbers.is_known(p50) and not numbers.is_known(p95):
        return numbers.unknown().to(lang)
    return f"{numbers.milliseconds(p50).to(lang)} / {numbers.milliseconds(p95).to(lang)}"


def _score(scores: dict[str, Score], metric: str, lang: Lang) -> ScoreText | None:
    return shown(scores[metric], lang) if metric in scores else None


def _metric_row(metric: str, arm: ArmResult, lang: Lang) -> tuple[str, str, str]:
    dev, test = (_score(scores, metric, lang) for scores in (arm.dev, arm.test))
    return named(METRICS, metric, lang), dev.text if dev else NOTHING, test.text if test else NOTHING


def _notes(arm: ArmResult, metric: str, lang: Lang) -> tuple[str, ...]:
    leaves = [label("sends_rows", lang)] if arm.local is False else []
    trained = trainings.in_full(arm, metric, lang)
    bound = [say("documents.upper_bound_meaning").to(lang)] if _is_bound(arm) else []
    return (*bound, *leaves, *([trained] if trained else []), *(clean(note.to(lang)) for note in arm.notes))


def _seen(arm: ArmResult, result: RunResult, lang: Lang) -> str:
    score, race = arm.dev.get(result.primary_metric), result.race
    n_seen = score.n_rows + arm.dev_counts.failed + arm.dev_counts.refused + arm.dev_counts.over_limit if score else 0
    if score is None or race is None or n_seen >= race.n_dev:
        return ""
    return Text(en=f"{n_seen:,} of {race.n_dev:,} rows", zh=f"{n_seen:,}/{race.n_dev:,} 条").to(lang)


def _part(arm: ArmResult, result: RunResult, lang: Lang) -> str:
    n, n_train = arm.n_train, result.data.n_train
    if n is None or n >= n_train:
        return ""
    return Text(en=f"trained on {n:,} of {n_train:,} rows", zh=f"只用 {n:,}/{n_train:,} 条训练").to(lang)


def _unscored(arm: ArmResult, lang: Lang) -> str:
    """``test: 3 failed, 1 refused``; empty when every row was scored."""
    parts = [
        f"{label(stage, lang)}{'：' if lang == 'zh' else ': '}{text}"
        for stage, counts in (("dev", arm.dev_counts), ("test", arm.test_counts))
        if (text := _counts(counts, lang))
    ]
    return ("；" if lang == "zh" else "; ").join(parts)


def _counts(counts: Counts, lang: Lang) -> str:
    found = [(getattr(counts, status), word) for status, word in STATUSES.items()]
    return ("，" if lang == "zh" else ", ").join(f"{n:,} {word.to(lang)}" for n, word in found if n)
