"""The arms of a run as rows ready to be shown, in one order with one number each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import ScoreText, score_text
from tuneworth.report.plain import clean, one_line
from tuneworth.words import numbers
from tuneworth.words.names import arm_names, joined, listed, metric_name
from tuneworth.words.say import say

NOTHING = "–"
STAGES = ("finalist", "measured", "yardstick")
LEAST_FOR_P95 = 20


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm. Every field but the flags and ``ms_per_row`` is text in the reader's language.

    Attributes:
        number: place in the report's order; the same in every table and chart.
        dev, test: the primary metric, or ``None`` when the arm was not scored there.
        seen: dev rows behind ``dev`` where the race stopped short of all; empty otherwise.
        part: training rows behind the scores where these are not all; empty otherwise.
        error: the mean error in the unit of the outputs; empty where they have none.
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
    error: str
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
    """Arm id → its name (`tuneworth.words.names`), fit for a table cell."""
    return {arm_id: one_line(name.to(lang)) or clean(arm_id) for arm_id, name in arm_names(result.arms).items()}


def build_arms(result: RunResult, lang: Lang) -> tuple[ArmRow, ...]:
    """Every measured arm: finalists by test score, then the others by dev score, yardsticks last."""
    names, metric = arm_labels(result, lang), result.primary_metric

    def order(arm: ArmResult) -> tuple[int, float, str]:
        score = arm.test.get(metric) or arm.dev.get(metric)
        return STAGES.index(_stage(arm)), -score.value if score and numbers.is_known(score.value) else 1.0, arm.arm_id

    measured = sorted((arm for arm in result.arms if arm.state == "measured"), key=order)
    return tuple(_arm_row(arm, number, names[arm.arm_id], result, lang) for number, arm in enumerate(measured, 1))


def build_skipped(result: RunResult, lang: Lang) -> tuple[SkippedRow, ...]:
    """Every arm that was skipped or failed."""
    names = arm_labels(result, lang)
    return tuple(
        SkippedRow(
            label=names[arm.arm_id],
            model=one_line(arm.model or ""),
            state_word=say(f"arms.states.{arm.state}").to(lang),
            why=clean((arm.why or say("arms.no_reason")).to(lang)),
        )
        for arm in result.arms
        if arm.state != "measured"
    )


def _stage(arm: ArmResult) -> str:
    return "yardstick" if arm.yardstick else "finalist" if arm.finalist else "measured"


def _arm_row(arm: ArmResult, number: int, label: str, result: RunResult, lang: Lang) -> ArmRow:
    cost, metric, stage, race = arm.cost, result.primary_metric, _stage(arm), result.race
    n, n_train = arm.n_train, result.data.n_train
    stopped = stage == "measured" and race is not None and any(stop.arm_id == arm.arm_id for stop in race.stops)
    trained = _test_scores(arm, metric)
    # A yardstick that reads documents is given the right ones: the best that finding could do.
    bound = arm.yardstick and arm.reads_documents
    error = _error(arm)
    notes = [
        *([error] if error else []),
        *([say("documents.upper_bound_meaning")] if bound else []),
        *([say("arms.sends_rows")] if arm.local is False else []),
        *([_every_training(trained)] if trained else []),
        *_asked_again(arm),
        *arm.notes,
    ]
    return ArmRow(
        arm_id=arm.arm_id,
        number=number,
        label=label,
        model=one_line(arm.model or ""),
        stage=stage,
        stage_word=say(f"arms.states.{'stopped' if stopped else stage}").to(lang),
        recommended=arm.arm_id == result.decision.recommended,
        runner_up=arm.arm_id == result.decision.runner_up,
        tuned=arm.tuned,
        reads=say("documents.reads").to(lang) if arm.reads_documents and not arm.yardstick else "",
        bound=say("documents.upper_bound").to(lang) if bound else "",
        dev=score_text(arm.dev[metric], lang) if metric in arm.dev else None,
        test=score_text(arm.test[metric], lang) if metric in arm.test else None,
        seen=_seen(arm, result).to(lang),
        part=say("arms.trained_on", n=n, n_train=n_train).to(lang) if n is not None and n < n_train else "",
        error=error.to(lang) if error else "",
        trainings=_span(trained).to(lang) if trained else "",
        repeats=tuple(100 * score.value for score in arm.repeats if numbers.is_known(score.value)),
        unscored=_unscored(arm).to(lang),
        fit_time=numbers.duration(cost.fit_seconds).to(lang),
        fit_cost=numbers.usd_sign(cost.fit_usd).to(lang),
        per_row=numbers.milliseconds(cost.seconds_per_1k_rows).to(lang),  # seconds per 1,000 rows = ms per row
        alone=_alone(arm).to(lang),
        tokens_in=_tokens(cost.prompt_tokens_per_row, arm).to(lang),
        tokens_reused=_reused(arm).to(lang),
        tokens_out=_tokens(cost.completion_tokens_per_row, arm).to(lang),
        usd_per_1k=numbers.usd_sign(cost.usd_per_1k_rows).to(lang),
        ms_per_row=cost.seconds_per_1k_rows if numbers.is_known(cost.seconds_per_1k_rows) else None,
        metrics=tuple(
            (metric_name(name).to(lang), _score(arm.dev.get(name)).to(lang), _score(arm.test.get(name)).to(lang))
            for name in result.metrics
        ),
        notes=tuple(clean(note.to(lang)) for note in notes),
        config=clean(
            json.dumps(
                {"arm_id": arm.arm_id, "config": arm.config, "fit_details": arm.fit_details},
                ensure_ascii=False,
                indent=2,
                default=str,
            )
        ),
    )


def _error(arm: ArmResult) -> Text | None:
    """On the test rows, else on the dev rows."""
    for side, scores in (("test", arm.test), ("dev", arm.dev)):
        if (
            off := next((score.mean_error for score in scores.values() if score.mean_error is not None), None)
        ) is not None:
            return say(f"answers.mean_error.{side}", error=numbers.general(off))
    return None


def _score(score: Score | None) -> Text:
    return numbers.plain(NOTHING) if score is None else numbers.score(score)


def _tokens(value: float | None, arm: ArmResult) -> Text:
    """Tokens per row; an arm without a language model has none to count."""
    return numbers.plain(NOTHING) if arm.model is None and not value else numbers.count(value)


def _reused(arm: ArmResult) -> Text:
    """How many prompt tokens per row came from a reused cache; empty when none did."""
    cached = arm.cost.cached_tokens_per_row
    some = numbers.is_known(cached) and cached >= 0.5
    return say("arms.reused", n=numbers.count(cached)) if some else numbers.plain("")


def _alone(arm: ArmResult) -> Text:
    """Median and 95th percentile of the time for one row by itself; of fewer rows than a percentile needs, the median."""
    few = 0 < arm.cost.latency_rows < LEAST_FOR_P95  # older results do not say how many
    ends = [arm.cost.latency_p50_ms] if few else [arm.cost.latency_p50_ms, arm.cost.latency_p95_ms]
    if not any(map(numbers.is_known, ends)):
        return numbers.unknown()
    said, high = joined([numbers.milliseconds(one) for one in ends], " / "), arm.cost.latency_p95_high_ms
    if not numbers.is_known(high):
        return said
    return joined([said, say("useless.p95.at_most", high=numbers.milliseconds(high), n=arm.cost.latency_rows)])


def _seen(arm: ArmResult, result: RunResult) -> Text:
    score, race = arm.dev.get(result.primary_metric), result.race
    n = score.n_rows + arm.dev_counts.failed + arm.dev_counts.refused + arm.dev_counts.over_limit if score else 0
    if score is None or race is None or n >= race.n_dev:
        return numbers.plain("")
    return say("arms.seen", n=n, n_dev=race.n_dev)


def _unscored(arm: ArmResult) -> Text:
    """``test: 3 failed, 1 refused``; empty when every row was scored."""
    sides: list[Text] = []
    for side, counts in (("dev", arm.dev_counts), ("test", arm.test_counts)):
        counted = {status: getattr(counts, status) for status in ("failed", "refused", "over_limit")}
        if found := [say(f"arms.statuses.{status}", n=n) for status, n in counted.items() if n]:
            sides.append(say(f"arms.side.{side}", counts=joined(found, say("units.marks.comma"))))
    return listed(sides)


def _test_scores(arm: ArmResult, metric: str) -> list[float]:
    """Test scores of every training, the one handed over first; empty where there was only one."""
    first = arm.test.get(metric)
    known = [score.value for score in (first, *arm.repeats) if score is not None and numbers.is_known(score.value)]
    return known if first is not None and len(known) > 1 else []


def _span(scores: list[float]) -> Text:
    """``3 trainings: 84.9–86.3``."""
    between = numbers.bounds(Interval(low=min(scores), high=max(scores)))
    return say("arms.trainings.in_short", n=len(scores), between=between)


def _every_training(scores: list[float]) -> Text:
    """Every score and how far they are apart."""
    return say(
        "arms.trainings.in_full",
        n=len(scores),
        scores=joined(list(map(numbers.percent, scores)), say("units.names.between")),
        apart=numbers.points(max(scores) - min(scores)),
    )


def _asked_again(arm: ArmResult) -> list[Text]:
    """What changed from answer to answer, test rows first."""
    return [
        say(
            "arms.again",
            n=again.changed.n_rows,
            side=say(f"arms.again_sides.{side}"),
            times=again.n_answers,
            share=numbers.percent(again.changed.value),
            scores=joined(list(map(numbers.percent, again.scores)), say("units.names.between")),
        )
        for side in ("test", "dev")
        if (again := arm.again.get(side)) is not None
    ]
