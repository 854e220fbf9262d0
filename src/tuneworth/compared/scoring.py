"""Which metrics of several systems are compared, and the score of every row, as a fraction of the metric's range."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tuneworth.compared.pairing import Paired
from tuneworth.core.text import Text
from tuneworth.data.logs.answered import Answered, Log
from tuneworth.decide.compare import CorpusValue
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.stats.answers import mean_scores
from tuneworth.words import numbers
from tuneworth.words.say import say

Scale = tuple[float, float]
"""Worst and best value."""
_MOST_LABELS = 100


@dataclass(frozen=True, slots=True)
class Scored:
    """Attributes:
    rows: metric → system → row → mean score of its answers, in [0, 1]; rows without a score are absent.
    corpus: metrics that are not the mean of their row scores; of a row's first answer.
    """

    rows: dict[str, dict[str, dict[str, float]]]
    corpus: dict[str, CorpusValue] = field(default_factory=dict[str, CorpusValue])
    notes: list[Text] = field(default_factory=list[Text])


def score_rows(logs: Mapping[str, Log], paired: Paired, wanted: Sequence[str], scale: Scale | None) -> Scored:
    """
    Args:
        wanted: names of metrics; none: all that every system has, but for those that say the same once more or are no shares.

    Raises:
        InputError: a system lacks a metric, or has scores of another range, each said with its file.
    """
    own = _measured_here(logs, wanted)
    there = {
        name: list(dict.fromkeys(metric for row in log.rows for metric in row.scores)) for name, log in logs.items()
    }
    wanted = _whole(wanted, {one for of in there.values() for one in of})
    names = wanted or [one for one in next(iter(there.values())) if all(one in of for of in there.values())]
    problems = [
        Problem(logs[name].file, say("compared.metrics.missing", metric=metric, there=", ".join(of) or "–"))
        for metric in names
        for name, of in there.items()
        if metric not in of
    ]
    if not names:
        listed = [
            Problem(logs[name].file, say("compared.metrics.has", there=", ".join(of) or "–"))
            for name, of in there.items()
        ]
        raise InputError(listed, say("compared.metrics.none_shared"))
    scored, odd, same = Scored({}), list[Problem](), list[str]()
    for metric in [] if problems else names:
        rows = {name: _means(paired.rows[name], metric, scale) for name in logs}
        beyond = _beyond(rows, metric, logs, scale)
        if not beyond and (wanted or rows not in scored.rows.values()):
            scored.rows[metric] = rows
        elif not beyond:
            same.append(f"`{metric}`")
        odd += beyond
    problems += odd if wanted or not scored.rows else []
    if problems:
        raise InputError(problems, say("compared.metrics.scale") if odd else None)
    scored.notes.extend(problem.message for problem in odd)
    scored.notes.extend([say("compared.metrics.same", metrics=", ".join(same))] if same else [])
    scored.corpus.update({metric.id: _corpus(metric, paired) for metric in own if metric.corpus})
    left = sorted({one for of in there.values() for one in of} - set(names)) if not wanted else []
    if left:
        scored.notes.append(say("compared.metrics.not_in_all", names=", ".join(left)))
    return scored


def _whole(wanted: Sequence[str], known: Collection[str]) -> list[str]:
    """Names in which a comma stands, as those of lm-evaluation-harness, put together again."""
    names = list[str]()
    for name in dict.fromkeys(wanted):
        if names and f"{names[-1]},{name}" in known:
            names[-1] += f",{name}"
        else:
            names.append(name)
    return names


def _measured_here(logs: Mapping[str, Log], wanted: Sequence[str]) -> list[Metric]:
    """Metrics of ours, where rows have an answer and the right one beside it and nobody scored them; their scores are filled in."""
    rows = [row for log in logs.values() for row in log.rows]
    known = {name for row in rows for name in row.scores}
    can = all(log.tool == "rows" and any(_both(row) for row in log.rows) for log in logs.values())
    if not can or (known and not set(wanted) - known):
        return []
    labels = sorted({reference for row in rows for reference in row.references})
    usual = "accuracy" if len(labels) <= min(_MOST_LABELS, len(rows) / 2) else "exact_match"
    metrics = [load_metric(name, ".", labels) for name in wanted or [usual] if name not in known]
    for metric in metrics:
        for row in filter(_both, rows):
            row.scores[metric.id] = metric.score(row.answer or "", row.references)
    return metrics


def _both(row: Answered) -> bool:
    return row.answer is not None and bool(row.references)


def _means(rows: Mapping[str, list[Answered]], metric: str, scale: Scale | None) -> dict[str, float]:
    low, high = scale or (0.0, 1.0)
    found: dict[str, float] = {}
    for row, answers in rows.items():
        if len(answers) == 1:
            score = answers[0].scores.get(metric)
        else:
            each = [answer.scores for answer in answers if metric in answer.scores]
            score = mean_scores({metric: each[0][metric]}, each[1:])[metric] if each else None
        if score is not None:
            found[row] = score if scale is None else (score - low) / (high - low)
    return found


def _beyond(
    rows: Mapping[str, Mapping[str, float]], metric: str, logs: Mapping[str, Log], scale: Scale | None
) -> list[Problem]:
    """Every system whose scores reach beyond the range, with what they reach; where some do, those that do not as well."""
    low, high = scale or (0.0, 1.0)
    ends = {name: (min(of.values(), default=0.0), max(of.values(), default=0.0)) for name, of in rows.items()}
    if all(least >= 0 and most <= 1 for least, most in ends.values()):
        return []
    rule = {"metric": metric, "low": numbers.general(low), "high": numbers.general(high)}
    found: list[Problem] = []
    for name, of in ends.items():
        least, most = (numbers.general(low + end * (high - low)) for end in of)
        found.append(Problem(logs[name].file, say("compared.metrics.range", least=least, most=most, **rule)))
    return found


def _corpus(metric: Metric, paired: Paired) -> CorpusValue:
    prepared = {}
    for name, rows in paired.rows.items():
        firsts = {row: usable[0] for row, answers in rows.items() if (usable := [one for one in answers if _both(one)])}
        value = metric.prepare(
            [one.answer or "" for one in firsts.values()], [one.references for one in firsts.values()]
        )
        prepared[name] = value, {row: at for at, row in enumerate(firsts)}

    def of(system: str, row_ids: Sequence[str]) -> float:
        value, places = prepared[system]
        return value(np.array([places[row] for row in row_ids], dtype=np.intp))

    return of
