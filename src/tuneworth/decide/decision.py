"""The decision: a pure function of what was measured, the limits and the margin.

The only place where its findings are turned into words: all else in `tuneworth.decide` yields codes and raw numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from tuneworth.core.costs import CostFigure, CostRange, CostResult
from tuneworth.core.knowledge import DocumentsResult, Share
from tuneworth.core.race import Forecast, Race
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult, Comparison, Decision, SeedFinding
from tuneworth.core.task import Task
from tuneworth.core.text import Text
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.headline import headline
from tuneworth.decide.reason import Apart, Dollars, Reason, ReasonPart
from tuneworth.decide.reasons import reasons
from tuneworth.decide.ruling import rule
from tuneworth.decide.seed_rows import seed_findings
from tuneworth.decide.would_change import would_change
from tuneworth.words import numbers
from tuneworth.words.names import arm_names, few, figure_name, listed, metric_name, quoted
from tuneworth.words.say import say


def decide(
    task: Task,
    arms: Sequence[ArmResult],
    comparisons: Sequence[Comparison],
    *,
    primary_metric: str,
    n_train: int,
    forecasts: Sequence[Forecast] = (),
    race: Race | None = None,
    usd_per_label: float | None = None,
    day: date | None = None,
    documents: DocumentsResult | None = None,
    against_yardsticks: Sequence[Comparison] = (),
    costs: CostResult | None = None,
    usd_per_error: CostFigure | None = None,
) -> Decision:
    """Whether to fine-tune, what to use, why, and what would change it.

    The rules are the table in `tuneworth.decide.ruling`; limits are in `tuneworth.decide.limits`.

    Args:
        arms: every arm of the run, in any order.
        comparisons: every pair of finalists on ``primary_metric``, either way round.
        n_train: training rows at hand.
        forecasts: learning curves. Without them the verdict is never ``not_yet``.
        race: how the dev rows were spent. Without it every arm counts as measured in full.
        usd_per_label: price of one more labelled row, if known.
        day: of the run: a model that ends soon after it is warned of. Without it nothing is said of that.
        documents: what was found out about the task's documents: why answers are lost, what lasts when knowledge changes
            (`tuneworth.decide.losses`, `tuneworth.decide.knowledge`). Without it nothing is said of them.
        against_yardsticks: finalists against yardsticks on the test rows (`tuneworth.decide.worth`). Without it, whatever does
            best may be recommended.
        costs: what arms cost at the user's volume (`tuneworth.decide.pays`). Without it, or without a volume, money decides nothing.
        usd_per_error: what a wrong answer costs, in dollars; then quality is money and ``task.margin`` does not choose the arm.

    Raises:
        ValueError: a pair of finalists was not compared.
    """
    evidence = Evidence.of(
        task,
        arms,
        comparisons,
        primary_metric,
        n_train=n_train,
        forecasts=forecasts,
        race=race,
        usd_per_label=usd_per_label,
        day=day,
        documents=documents,
        against_yardsticks=against_yardsticks,
        costs=costs,
        usd_per_error=usd_per_error,
    )
    ruling = rule(evidence)
    first, why = headline(evidence, ruling), reasons(evidence, ruling)
    names = {arm_id: quoted(name) for arm_id, name in arm_names(arms).items()}
    return Decision(
        verdict=ruling.verdict,
        recommended=ruling.recommended.arm_id if ruling.recommended is not None else None,
        runner_up=ruling.runner_up.arm_id if ruling.runner_up is not None else None,
        rows=ruling.rows,
        decided_by=(ruling.pair.a, ruling.pair.b) if ruling.pair is not None else None,
        headline=told(first, names),
        reasons=[told(reason, names) for reason in why],
        would_change=[told(reason, names) for reason in would_change(evidence, ruling)],
        seed_rows=[
            SeedFinding(row=found.row, finding=found.finding, why=told(found.why, names))
            for found in seed_findings(evidence, ruling)
        ],
        codes=[reason.code for reason in (first, *why)],
    )


# -- the edge ----------------------------------------------------------------------------------------------


FORMATS: Mapping[str, Callable[[float], Text]] = {
    **dict.fromkeys(("margin", "gain", "loss", "least", "most", "room", "ahead", "wide", "narrow"), numbers.points),
    **dict.fromkeys(("difference", "lowest", "highest"), numbers.signed_points),
    **dict.fromkeys(("score", "scores", "limit_score", "tuned_score", "untuned_score", "floor"), numbers.percent),
    **dict.fromkeys(("share", "low_share", "high_share", "scored_share", "threshold", "high_score"), numbers.percent),
    **dict.fromkeys(("tolerated", "level"), lambda value: numbers.percent(value, 0)),
    **dict.fromkeys(("rows", "more", "total", "low", "high", "reach"), numbers.about),
    **dict.fromkeys(("time", "indexing", "training"), numbers.duration),
    **dict.fromkeys(("tuned_ms", "untuned_ms"), numbers.milliseconds),
    **dict.fromkeys(("limit_ms", "measured_ms", "high_ms"), numbers.in_milliseconds),
    **dict.fromkeys(("usd", "limit_usd", "measured_usd", "each_usd"), numbers.usd),
    **dict.fromkeys(("tuned_usd", "untuned_usd", "once_usd"), numbers.about_usd),
    **dict.fromkeys(("cost_usd", "low_usd", "high_usd", "error_usd"), numbers.about_usd),
    "errors_usd": lambda value: numbers.about_usd(abs(value)),
    **dict.fromkeys(("from_usd", "to_usd"), numbers.signed_usd),
    **dict.fromkeys(("volume", "low_volume", "high_volume"), numbers.about),
    **dict.fromkeys(("calls", "most_calls"), numbers.count),
    # Never as good as certain: the curves are only those that we know.
    "chance": lambda value: numbers.percent(min(max(value, 0.01), 0.99), 0),
    "p": numbers.p_value,
    "epochs": lambda value: numbers.plain(f"{value:.1f}"),
    "times": lambda value: numbers.plain(f"{value:.0f}"),
    "days": lambda value: numbers.plain(f"{value:g}"),
    "runs": lambda value: numbers.count(value) if value >= 10 else numbers.plain(f"{value:.1f}"),
}
"""Name of a part → how its number is shown. A count, whose name is not here, is shown as a whole number."""
IN_A_ROW: Mapping[str, Callable[[Sequence[Text]], Text]] = {"arms": few, "scores": lambda each: few(each, len(each))}
"""Name of a part → how several of them stand in a row; else as clauses."""


def told(reason: Reason, names: Mapping[str, Text]) -> Text:
    """The sentence of a reason in every language.

    Args:
        names: arm id → how sentences call the arm.
    """

    def shown(name: str, part: ReasonPart) -> Text:
        match part:
            case None:
                return numbers.plain("")
            case Text():
                return part
            case str():
                return figure_name(part, names) if name in ("input", "lacking") else metric_name(part)
            case Reason():
                return told(part, names)
            case ArmResult():
                return names[part.arm_id]
            case Score():
                return numbers.score(part)
            case Interval():
                return numbers.signed_interval(part)
            case Share():
                return _share(part)
            case Apart():
                return numbers.told_apart(part.value, part.other)[0]
            case Dollars():
                return numbers.usd_interval(part.usd, part.low, part.high)
            case CostRange():
                return numbers.usd_range(part)
            case int() | float():
                return numbers.count(part) if name not in FORMATS and isinstance(part, int) else FORMATS[name](part)
            case _:
                return IN_A_ROW.get(name, listed)([shown(name, one) for one in part])

    return say(reason.code, **{name: shown(name, part) for name, part in reason.parts.items()})


def _share(share: Share) -> Text:
    """A part of a loss: ``12.4 points (9.8 to 15.1)``. It may be below zero."""
    ends = {"size": share.value, "low": share.interval.low, "high": share.interval.high}
    return say("reasons.share", **{name: numbers.signed(value).en.removeprefix("+") for name, value in ends.items()})
