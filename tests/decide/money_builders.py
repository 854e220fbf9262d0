"""Costs in miniature: pairs of arms of which it is known how much less one costs."""

from datetime import date
from statistics import NormalDist

from tuneworth.core.costs import ArmCosts, CostEnds, CostFigure, CostPair, CostRange, CostResult

Z = NormalDist().inv_cdf(0.975)


def ranged(value, half):
    """``half``: of the 95 % interval; ``None``: too few groups."""
    if half is None:
        return CostRange(value=value)
    inner = half * NormalDist().inv_cdf(0.9) / Z
    ends = [CostEnds(low=value - each, high=value + each) for each in (inner, half)]
    return CostRange(value=value, inner=ends[0], outer=ends[1])


def cost_pair(a, b, saves, half=None, *, turns=None, break_even=(20_000, 10_000, 40_000)):
    """``a`` costs ``saves`` dollars a month less than ``b``; ``None``: no volume was stated."""
    volume, low, high = break_even
    sure = saves is not None and half is not None
    return CostPair(
        a=a,
        b=b,
        cheaper_by=None if saves is None else ranged(saves, half),
        p_cheaper=NormalDist().cdf(Z * saves / half) if sure else None,
        turns=turns or a,
        break_even=CostRange(value=volume, inner=CostEnds(low=low, high=high) if volume is not None else None),
        most=1e7,
        never=0.0,
        turns_again=0.0,
    )


def costs(*pairs, calls=50_000.0, low_calls=None, high_calls=None, growth=0.0, lines=()):
    """``lines``: arm id → the lines of its bill."""
    months = {arm: 1_000.0 for pair in pairs for arm in (pair.a, pair.b)}
    volume = {"low": low_calls or calls, "high": high_calls or calls}
    return CostResult(
        priced_on=date(2026, 12, 1),
        calls_per_month=calls,
        months=12,
        figures=[
            CostFigure(name="traffic.calls_per_month", unit="call/month", **volume),
            CostFigure(name="traffic.growth_per_month", unit="ratio", low=growth, high=growth),
        ],
        volumes=[],
        arms=[
            ArmCosts(arm_id=arm, monthly=ranged(usd, 50.0), lines=list(dict(lines).get(arm, ())))
            for arm, usd in months.items()
        ],
        pairs=list(pairs),
    )


def error(low, high=None):
    """A price of a wrong answer."""
    return None if low is None else CostFigure(name="error", unit="usd/piece", low=low, high=high or low)
