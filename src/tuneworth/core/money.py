"""Amounts of money, for people to read."""

from __future__ import annotations

import math

from tuneworth.core.text import Text

_LEAST = 0.00001


def usd(value: float) -> Text:
    """Whole dollars from 100 on, else cents and at least two significant digits: ``$1,820``, ``$0.10``, ``$0.000058``.

    Args:
        value: not negative; a real zero is ``$0``, anything else below a thousandth of a cent is said to be less.
    """
    if 0 < value < _LEAST:
        return Text(en=f"<\u00a0${_LEAST:.5f}", zh=f"不到 {_LEAST:.5f} 美元")
    number = _number(value)
    return Text(en=f"${number}", zh=f"{number} 美元")


def about_usd(value: float) -> Text:
    """An estimate, to two significant digits: ``$1,800``, ``$12``, ``$0.35``."""
    estimate = float(f"{value:.2g}")
    return usd(estimate) if value < 10 else Text(en=f"${estimate:,.0f}", zh=f"{estimate:,.0f} 美元")


def _number(value: float) -> str:
    if value == 0 or value >= 99.995:
        return f"{value:,.0f}"
    return f"{value:.{max(2, 1 - math.floor(math.log10(value)))}f}"
