"""Every pair of finalists, compared on the test rows that both scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import numpy as np

from tuneworth.core.run import Comparison
from tuneworth.stats.family import Judged, judge
from tuneworth.stats.intervals import RowStatistic
from tuneworth.stats.paired import PairedResult, compare, compare_corpus
from tuneworth.stats.trainings import compare_corpus_trainings, compare_trainings

RowScores = Mapping[str, float]
"""Row id → score in [0, 1]; rows without a score are absent, never zero."""
CorpusValue = Callable[[str, Sequence[str]], float]
"""``corpus(arm_id, row_ids)``: the metric of an arm on these rows; an id may occur many times."""
FurtherValue = Callable[[str, int, Sequence[str]], float]
"""The same of further training number 1, 2, … of the arm."""


@dataclass(frozen=True)
class _Training:
    """One training of an arm on the test rows; ``corpus`` is its metric, where that is not the mean of ``rows``."""

    rows: RowScores
    corpus: Callable[[Sequence[str]], float] | None = None


def compare_finalists(
    finalists: Sequence[str],
    rows: Mapping[str, RowScores | Sequence[RowScores]],
    *,
    metric: str,
    binary: bool,
    margin: float,
    rng: np.random.Generator,
    corpus: CorpusValue | None = None,
    corpus_further: FurtherValue | None = None,
    groups: Mapping[str, str] | None = None,
    against: Sequence[str] = (),
) -> list[Comparison]:
    """All pairs of finalists; together they are the family that Holm adjusts for.

    Args:
        rows: arm id → its scores, or those of each of its trainings. Of an arm with several trainings the mean over them is
            compared, and the interval holds how much they differ.
        binary: every score of one answer is 0 or 1; where a row was answered several times, its score may be a mean.
        corpus: for a metric that is not the mean of its row scores; of the first training.
        against: yardsticks: each finalist against each of these instead, every pair by itself.
        corpus_further: of the further trainings, which without it cannot be used for such a metric and are left out.
        groups: row id → its group; rows of one group are not independent. Without, each row is on its own.

    NOT guaranteed: that rows both arms scored are like all rows. An arm that fails on hard rows looks
    better than it is, which is why `decide` rules out arms that fail on many.
    """
    both = dict.fromkeys([*finalists, *against])
    trainings = {arm_id: _trainings(arm_id, rows.get(arm_id, {}), corpus, corpus_further) for arm_id in both}
    pairs = [(a, b) for a, b in product(finalists, against) if a != b] if against else list(combinations(finalists, 2))
    results = [_measure(trainings[a], trainings[b], groups or {}, binary=binary, rng=rng) for a, b in pairs]
    families = [[result] for result in results] if against else [results]
    judged_all = [judged for family in families for judged in judge(family, margin=margin)]
    return [_comparison(a, b, metric, judged, margin) for (a, b), judged in zip(pairs, judged_all)]


def compare_systems(
    scores: Mapping[str, Mapping[str, RowScores]],
    *,
    margin: float,
    rng: np.random.Generator,
    groups: Mapping[str, str],
    corpus: Mapping[str, CorpusValue],
) -> list[Comparison]:
    """All pairs of systems on every metric; together they are one family.

    Args:
        scores: metric → system → its scores.
        groups: as for `compare_finalists`.
        corpus: those metrics that are not the mean of their row scores.
    """
    tests = [(metric, a, b) for metric, of in scores.items() for a, b in combinations(of, 2)]
    results: list[PairedResult] = []
    for metric, a, b in tests:
        first, second = (_trainings(name, scores[metric][name], corpus.get(metric), None) for name in (a, b))
        results.append(_measure(first, second, groups, binary=True, rng=rng))
    family = judge(results, margin=margin)
    return [_comparison(a, b, metric, judged, margin) for (metric, a, b), judged in zip(tests, family)]


def _comparison(a: str, b: str, metric: str, judged: Judged, margin: float) -> Comparison:
    result = judged.result
    return Comparison(
        a=a,
        b=b,
        metric=metric,
        method=result.method,
        difference=result.difference,
        interval=result.interval,
        p_value=result.p_value,
        p_adjusted=judged.p_adjusted,
        n_rows=result.n_rows,
        wins=result.wins,
        losses=result.losses,
        ties=result.ties,
        margin=margin,
        answer=judged.answer,
        rows_needed=judged.rows_needed,
        n_groups=result.n_groups,
        n_effective=result.n_effective,
    )


def _trainings(
    arm_id: str, rows: RowScores | Sequence[RowScores], corpus: CorpusValue | None, further: FurtherValue | None
) -> list[_Training]:
    each = [rows] if isinstance(rows, Mapping) else list(rows)
    if corpus is None:
        return [_Training(scores) for scores in each]
    again = [_Training(scores, partial(further, arm_id, at)) for at, scores in enumerate(each) if at and further]
    return [_Training(each[0], partial(corpus, arm_id)), *again]


def _measure(
    a: Sequence[_Training],
    b: Sequence[_Training],
    groups: Mapping[str, str],
    *,
    binary: bool,
    rng: np.random.Generator,
) -> PairedResult:
    """On the rows that every training of both arms scored."""
    shared = sorted(set[str].intersection(*(set(training.rows) for training in (*a, *b))))
    scores_a, scores_b = ([[training.rows[row] for row in shared] for training in arm] for arm in (a, b))
    values_a, values_b = ([_of_positions(t.corpus, shared) for t in arm if t.corpus is not None] for arm in (a, b))
    binary = binary and all(score in (0.0, 1.0) for scores in (*scores_a, *scores_b) for score in scores)
    once, of_row = len(a) == len(b) == 1, [groups.get(row, "") for row in shared]
    if values_a:
        if once:
            return compare_corpus(scores_a[0], scores_b[0], values_a[0], values_b[0], rng=rng, groups=of_row)
        return compare_corpus_trainings(scores_a, scores_b, values_a, values_b, rng=rng, groups=of_row)
    if once:
        return compare(scores_a[0], scores_b[0], binary=binary, rng=rng, groups=of_row)
    return compare_trainings(scores_a, scores_b, binary=binary, rng=rng, groups=of_row)


def _of_positions(corpus: Callable[[Sequence[str]], float], row_ids: Sequence[str]) -> RowStatistic:
    return lambda positions: corpus([row_ids[int(position)] for position in positions])
