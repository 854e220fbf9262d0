"""From how many calls a day one machine of one's own costs less than an API.

    break-even, calls a day = 24 h · price of an hour / price of one call

The machine is always on and carries the load; whether it does is not known before it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOURS_PER_DAY = 24
PRICED_BY = ("calls_per_day", "api_usd_per_1k_calls", "machine_usd_per_hour")
"""Facts that a comparison of prices needs."""


def break_even_calls_per_day(values: Mapping[str, Any]) -> float | None:
    """Calls a day from which the machine is cheaper; ``None`` without both prices, or where an API is no option."""
    api, machine = values.get("api_usd_per_1k_calls"), values.get("machine_usd_per_hour")
    if not api or machine is None or stays_home(values):
        return None
    return HOURS_PER_DAY * machine / (api / 1_000)


def own_machine_is_cheaper(values: Mapping[str, Any]) -> bool | None:
    """Whether it is at the volume there is; ``None`` when that cannot be said."""
    break_even, calls = break_even_calls_per_day(values), values.get("calls_per_day")
    return None if break_even is None or calls is None else calls > break_even


def stays_home(values: Mapping[str, Any]) -> bool:
    """Rows or model must stay on one's own machines, so there is no API to compare with."""
    return values.get("private") is True or values.get("local_deployment") is True
