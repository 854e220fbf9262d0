"""Where one way becomes cheaper than another. No numpy: the advisor asks it too, with numbers that are assumed.

    calls = what it costs more, whatever the volume / what a call costs less

Both in the same stretch of time: dollars a day give calls a day, dollars a month calls a month.
"""

from __future__ import annotations

import math

HOURS_PER_DAY = 24
HOURS_PER_MONTH = 730.0
"""8,760 hours of a year / 12."""
DAYS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_DAY
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600


def break_even_calls(more_usd: float, less_usd_per_call: float) -> float:
    """Calls from which what is dearer by ``more_usd`` and cheaper by ``less_usd_per_call`` costs less in all.

    Returns:
        0: from the first call on; infinity: at no volume.
    """
    if more_usd < 0:
        return 0.0
    return more_usd / less_usd_per_call if less_usd_per_call > 0 else math.inf


def cache_pays_from(write: float, read: float) -> float:
    """Share of calls that must find their prompt's beginning in a cache for the cache to cost less than none.

        hit · read + (1 − hit) · write = 1   ⇒   hit = (write − 1) / (write − read)

    Args:
        write, read: prices of a token written to the cache and read from it, as multiples of the price of a plain one.

    Returns:
        0: it always pays; infinity: it never does.
    """
    if write <= 1:
        return 0.0 if read <= 1 else math.inf
    return (write - 1) / (write - read) if read < 1 else math.inf
