"""Merging rankings by reciprocal rank. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SMOOTHING = 60
"""``k`` of Cormack et al. 2009; they found the result insensitive to it."""


@dataclass(frozen=True, slots=True)
class Fused:
    """An id, its fused score, and its rank (from 1) in each ranking; ``None`` where it is missing."""

    id: str
    score: float
    ranks: tuple[int | None, ...]


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]], *, smoothing: int = SMOOTHING) -> list[Fused]:
    """All ids of all rankings, best first; equal scores in the order of their ids.

    An id scores the sum of 1 / (smoothing + rank) over the rankings that hold it. The scores of the rankings
    themselves are not looked at, so word and vector scores need no common scale.

    Args:
        rankings: ids, best first, each at most once.

    Source: Cormack, Clarke, Büttcher 2009, Reciprocal Rank Fusion outperforms Condorcet and individual Rank
    Learning Methods, SIGIR.
    """
    places = [{name: rank for rank, name in enumerate(ranking, 1)} for ranking in rankings]
    fused: list[Fused] = []
    for name in {name for place in places for name in place}:
        ranks = tuple(place.get(name) for place in places)
        fused.append(Fused(name, sum(1 / (smoothing + rank) for rank in ranks if rank), ranks))
    return sorted(fused, key=lambda item: (-item.score, item.id))
