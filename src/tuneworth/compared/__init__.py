"""What results that others measured say: systems paired by row, every pair of them compared, one family over all metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuneworth.compared.pairing import Paired, pair
from tuneworth.compared.scoring import Scale, Scored, score_rows
from tuneworth.core.compared import Compared, System
from tuneworth.core.record import Score
from tuneworth.core.run import ArmCost, Counts, RowView
from tuneworth.core.text import Text
from tuneworth.costs.prices import price_of
from tuneworth.data.belonging import OFF, is_group_name, named_groups, values_of
from tuneworth.data.logs.answered import Answered, Log
from tuneworth.data.values import cell
from tuneworth.decide.compare import compare_systems
from tuneworth.decide.limits import MAX_FAILED_SHARE, leaves_rows_unanswered
from tuneworth.decide.standing import Placed, place
from tuneworth.errors import InputError, Problem
from tuneworth.stats.clusters import MIN_GROUPS
from tuneworth.stats.intervals import bootstrap_interval
from tuneworth.stats.scores import rng_of, score_of
from tuneworth.words import numbers
from tuneworth.words.names import joined
from tuneworth.words.say import say

MAX_LISTED = 20
"""Unpaired rows of a system that are listed."""
MAX_DISAGREEMENTS = 24
_GROUPS = ("group", "group_id", "cluster", "cluster_id")


def compared(
    found: Sequence[Log],
    *,
    version: str,
    metrics: Sequence[str] = (),
    group: str | None = None,
    margin: float = 0.02,
    scale: Scale | None = None,
    seed: int = 0,
) -> Compared:
    """Compare systems.

    Args:
        found: two systems or more.
        group: field that says which rows belong together; ``None``: one that is called like that, if there is one; ``"none"``: no rows do.

    Raises:
        InputError: rows do not pair, a metric or a field is missing, or scores are not in one range.

    NOT guaranteed: that rows which were scored are like those that were not, or that two files were made with the same settings.
    """
    logs = dict(zip(_names(found), found))
    paired = pair(logs)
    scored = score_rows(logs, paired, metrics, scale)
    primary = next(iter(scored.rows))
    column, groups, notes = _groups(logs, paired, group)
    pairs = compare_systems(scored.rows, margin=margin, rng=rng_of(seed, "pairs"), groups=groups, corpus=scored.corpus)
    systems = [_system(name, log, paired, scored, groups, seed) for name, log in logs.items()]
    placed = place(list(logs), [one for one in pairs if one.metric == primary])
    return Compared(
        version=version,
        files={log.file: log.sha256 for log in found},
        systems=systems,
        metrics=list(scored.rows),
        primary_metric=primary,
        margin=margin,
        scale=scale,
        paired_by=paired.by,
        n_rows=len(paired.shared),
        group=column,
        n_groups=None if column is None else len(set(filter(None, groups.values()))),
        comparisons=pairs,
        standing=placed.standing,
        first=placed.first,
        headline=_headline(placed, margin),
        notes=[*_of_pairing(paired, systems), *notes, *scored.notes, *(note for log in found for note in log.notes)],
        doubts=[*_doubts(paired, systems, primary), *(doubt for log in found for doubt in log.doubts)],
        disagreements=_disagreements(paired, scored.rows[primary]),
    )


def scale_of(given: str | Scale | None) -> tuple[Scale | None, list[Problem]]:
    """``1:5`` as numbers, and what is wrong with it."""
    if given is None:
        return None, []
    try:
        low, high = map(float, given.replace("：", ":").split(":") if isinstance(given, str) else given)
    except ValueError:
        low = high = 0.0
    if low != high and np.isfinite([low, high]).all():
        return (low, high), []
    return None, [Problem("--scale", say("compared.options.scale", value=repr(given)))]


def _names(found: Sequence[Log]) -> list[str]:
    """What each log calls itself; where two would be called the same, with what it is about, or the part of its path that tells
    them apart; and that alone where all would."""
    names = [log.name for log in found]
    for name in [name for name, n in Counter(names).items() if n > 1]:
        at = [n for n, one in enumerate(names) if one == name]
        told = _told_apart([found[n] for n in at])
        for n, more in zip(at, told):
            names[n] = more if len(at) == len(found) else f"{name} · {more}"
    return names


def _told_apart(logs: Sequence[Log]) -> list[str]:
    paths = [Path(log.file).with_suffix("").parts for log in logs]
    apart = [[part for part in path if not all(part in other for other in paths)] for path in paths]
    ways = [[log.about for log in logs], ["".join(parts[:1]) for parts in apart], ["/".join(parts) for parts in apart]]
    numbered = [f"{log.name} ({n})" for n, log in enumerate(logs, start=1)]
    return next((way for way in ways if all(way) and len(set(way)) == len(way)), numbered)


def _groups(
    logs: Mapping[str, Log], paired: Paired, asked: str | None
) -> tuple[str | None, dict[str, str], list[Text]]:
    """The field, row → its value, and what to say of it."""
    fields = {row: answers[0].fields for rows in reversed(paired.rows.values()) for row, answers in rows.items()}
    columns = dict.fromkeys(name for of in fields.values() for name in of)
    if asked == OFF:
        return None, {}, []
    if asked is not None:
        values = {row: "" if (value := cell(of, asked)) is None else str(value).strip() for row, of in fields.items()}
        if not any(values.values()):
            problem = Problem(f"--group {asked}", say("compared.group.missing", there=", ".join(columns) or "–"))
            raise InputError(problem)
        return asked, values, []
    called = [name for name in columns if name.lower() in _GROUPS or is_group_name(name)]
    found = {name: values_of(list(fields.values()), name) for name in called}
    counts = {name: len(set(values) - {""}) for name, values in found.items()}
    stated = [name for name in found if name.lower() in _GROUPS and 1 < counts[name] < len(fields)]
    for name in (*stated, *named_groups(found)):
        said = {"column": name, "n": counts[name]}
        if counts[name] < MIN_GROUPS:
            return None, {}, [say("compared.group.few", least=MIN_GROUPS, **said)]
        return name, dict(zip(fields, found[name])), [say("compared.group.found", **said)]
    return None, {}, []


def _score(name: str, metric: str, scored: Scored, groups: Mapping[str, str], seed: int) -> Score | None:
    """Of a system over all of its scored rows."""
    of, corpus, rng = scored.rows[metric][name], scored.corpus.get(metric), rng_of(seed, metric, name)
    ids = list(of)
    belonging = [groups.get(row, "") for row in ids] if groups else None
    score = score_of(list(of.values()), rng, belonging)
    if score is None or corpus is None:
        return score

    def value(places: Iterable[Any]) -> float:
        return corpus(name, [ids[int(place)] for place in places])

    interval = bootstrap_interval(value, len(ids), rng, groups=belonging)
    return score.model_copy(update={"value": corpus(name, ids), "interval": interval})


def _system(name: str, log: Log, paired: Paired, scored: Scored, groups: Mapping[str, str], seed: int) -> System:
    rows, shared = paired.rows[name], set(paired.shared)
    lone = [answers[0].place for row, answers in rows.items() if row not in shared]
    scores = {metric: _score(name, metric, scored, groups, seed) for metric in scored.rows}
    primary = next(iter(scored.rows.values()))
    return System(
        name=name,
        file=log.file,
        tool=log.tool,
        model=log.model,
        n_rows=len(rows),
        n_answers=len(log.rows),
        n_unscored=len(rows) - len(primary[name]),
        n_unpaired=len(lone),
        unpaired=lone[:MAX_LISTED],
        scores={metric: score for metric, score in scores.items() if score is not None},
        cost=_cost(log),
    )


def _cost(log: Log) -> ArmCost:
    """Means over the answers for which the file has them; money is what the file says, else the price of the model's tokens."""
    used = [row.usage for row in log.rows if row.usage is not None]
    seconds = [row.seconds for row in log.rows if row.seconds is not None]
    paid = [row.usd for row in log.rows if row.usd is not None]
    price = price_of(log.model) if log.model and used and len(paid) < len(log.rows) else None
    if len(paid) < len(log.rows):
        paid = [price.usd(usage) for usage in used] if price is not None else []
    p50, p95 = (1000 * np.percentile(seconds, [50, 95])).tolist() if seconds else (None, None)

    def mean(of: str) -> float | None:
        return sum(getattr(usage, of) for usage in used) / len(used) if used else None

    return ArmCost(
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        latency_rows=len(seconds),
        prompt_tokens_per_row=mean("prompt_tokens"),
        cached_tokens_per_row=mean("cached_tokens"),
        completion_tokens_per_row=mean("completion_tokens"),
        usd_per_1k_rows=1000 * sum(paid) / len(paid) if paid else None,
    )


def _headline(placed: Placed, margin: float) -> Text:
    nearest = placed.against[0]
    low, high = nearest.pair.interval.low, nearest.pair.interval.high
    turned = (
        nearest.pair.interval.model_copy(update={"low": -high, "high": -low})
        if nearest.turned
        else nearest.pair.interval
    )
    parts = {
        "first": placed.first,
        "n": len(placed.against),
        "other": nearest.other,
        "difference": numbers.signed_points(abs(nearest.pair.difference)),
        "interval": numbers.signed_interval(turned),
        "margin": numbers.margin(margin),
    }
    if placed.standing == "best":
        return say(f"compared.headline.best.{'one' if len(placed.against) == 1 else 'many'}", **parts)
    level = _listed([one.other for one in placed.of("equivalent")])
    behind = placed.of("better")
    if placed.standing == "level":
        key = "behind" if behind else "all"
        return say(
            f"compared.headline.level.{key}", level=level, behind=_listed([one.other for one in behind]), **parts
        )
    undecided = placed.of("cant_tell", "worse")
    needed = [one.pair.rows_needed for one in undecided]
    known = [n for n in needed if n is not None]
    rows = numbers.about(max(known)) if known and len(known) == len(needed) else None
    key = "rows" if rows is not None else "unknown"
    return say(
        f"compared.headline.open.{key}", undecided=_listed([one.other for one in undecided]), rows=rows or "", **parts
    )


def _listed(names: Sequence[str]) -> Text:
    return joined([numbers.plain(name) for name in names], say("units.names.between"))


def _of_pairing(paired: Paired, systems: Sequence[System]) -> list[Text]:
    notes = [say(f"compared.pairing.by.{paired.by}", n=len(paired.shared))]
    if paired.same_answers:
        notes.append(say("compared.pairing.in_other_words", n=paired.n_other_text))
    for system in systems:
        if system.n_unpaired:
            shown = ", ".join(system.unpaired[:5]) + (", …" if system.n_unpaired > 5 else "")
            said = {"name": system.name, "n": system.n_unpaired, "of": system.n_rows, "places": shown}
            notes.append(say("compared.pairing.unpaired", **said))
        if system.n_answers > system.n_rows:
            said = {"name": system.name, "n": system.n_rows, "answers": system.n_answers}
            notes.append(say("compared.pairing.repeats", **said))
        if system.n_unscored:
            notes.append(say("compared.pairing.unscored", name=system.name, n=system.n_unscored, of=system.n_rows))
    return notes


def _doubts(paired: Paired, systems: Sequence[System], metric: str) -> list[Text]:
    doubts = [say("compared.doubts.order")] if paired.by == "order" else []
    if paired.n_other_text and not paired.same_answers:
        key = "in_other_words" if paired.in_other_words else "other_text"
        doubts.append(say(f"compared.doubts.{key}", n=paired.n_other_text, of=len(paired.shared)))
    for system in systems:
        if leaves_rows_unanswered(Counts(scored=system.n_rows - system.n_unscored, failed=system.n_unscored)):
            share = numbers.percent(system.n_unscored / system.n_rows)
            most = numbers.percent(MAX_FAILED_SHARE, 0)
            doubts.append(say("compared.doubts.unscored", name=system.name, share=share, metric=metric, most=most))
    return doubts


def _disagreements(paired: Paired, scores: Mapping[str, Mapping[str, float]]) -> list[RowView]:
    """Shared rows on which systems differ, the widest gaps first; none where no answers are known."""

    def answer(system: str, row: str) -> str | None:
        return next((one.answer for one in paired.rows[system][row] if one.answer), None)

    gaps: list[tuple[float, str]] = []
    for row in paired.shared:
        known = [of[row] for of in scores.values() if row in of]
        if len(known) > 1 and max(known) > min(known):
            gaps.append((max(known) - min(known), row))
    views: list[RowView] = []
    for _, row in sorted(gaps, key=lambda gap: -gap[0]):
        answers = {system: answer(system, row) for system in scores}
        if any(answers.values()):
            views.append(_row_view(row, paired, answers, {system: of.get(row) for system, of in scores.items()}))
        if len(views) == MAX_DISAGREEMENTS:
            break
    return views


def _row_view(row: str, paired: Paired, answers: dict[str, str | None], scores: dict[str, float | None]) -> RowView:
    shown: Answered = next(iter(paired.rows.values()))[row][0]
    return RowView(
        row_id=shown.id,
        source=shown.place,
        text=shown.text,
        reference=", ".join(shown.references) or "–",
        answers=answers,
        scores=scores,
    )
