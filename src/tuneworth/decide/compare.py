"""Every pair of finalists, compared on the test rows that both scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.run import Comparison
from tuneworth.stats.family import Judged, judge
from tuneworth.stats.intervals import RowStatistic
from tuneworth.stats.paired import PairedResult, compare, compare_corpus

CorpusValue = Callable[[str, Sequence[str]], float]
"""``corpus(arm_id, row_ids)``: the metric of an arm on these rows; an id may occur many times."""


def compare_finalists(
    finalists: Sequence[str],
    rows: Mapping[str, Mapping[str, float]],
    *,
    metric: str,
    binary: bool,
    margin: float,
    rng: np.random.Generator,
    corpus: CorpusValue | None = None,
) -> list[Comparison]:
    """All pairs of finalists; together they are the family that Holm adjusts for.

    Args:
        rows: arm id → row id → score in [0, 1]; rows without a score are absent, never zero.
        binary: every score is 0 or 1.
        corpus: for a metric that is not the mean of its row scores.

    NOT guaranteed: that rows both arms scored are like all rows. An arm that fails on hard rows looks
    better than it is, which is why `decide` rules out arms that fail on many.
    """
    pairs = list(combinations(finalists, 2))
    results = [_measure(a, b, rows, binary, rng, corpus) for a, b in pairs]
    return [_comparison(a, b, metric, margin, judged) for (a, b), judged in zip(pairs, judge(results, margin=margin))]


def _measure(
    a: str,
    b: str,
    rows: Mapping[str, Mapping[str, float]],
    binary: bool,
    rng: np.random.Generator,
    corpus: CorpusValue | None,
) -> PairedResult:
    first, second = rows.get(a, {}), rows.get(b, {})
    shared: list[str] = sorted(first.keys() & second.keys())
    scores_a, scores_b = [first[row] for row in shared], [second[row] for row in shared]
    if corpus is None:
        return compare(scores_a, scores_b, binary=binary, rng=rng)
    value_a, value_b = _of_positions(corpus, a, shared), _of_positions(corpus, b, shared)
    return compare_corpus(scores_a, scores_b, value_a, value_b, rng=rng)


def _of_positions(corpus: CorpusValue, arm_id: str, row_ids: Sequence[str]) -> RowStatistic:
    def value(positions: NDArray[np.intp]) -> float:
        return corpus(arm_id, [row_ids[int(position)] for position in positions])

    return value


def _comparison(a: str, b: str, metric: str, margin: float, judged: Judged) -> Comparison:
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
    )
