"""The cost table C1 … C6 for a situation: numbers where the facts give them, words where they do not.

    rows missing              = rows needed − good rows
    money for rows            = rows missing · price of a row
    API, a month              = 30 · calls a day · price of 1,000 calls / 1,000
    own machine, a month      = 30 · 24 h · price of an hour, always on, whatever the volume

The rows needed are the article's rule of thumb. That one machine carries the load is not known before it is
measured. A price that is not known stays unknown; it is never zero.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

from tuneworth.advisor.conditions import Values, break_even_calls_per_day, stays_home
from tuneworth.advisor.ranking import ruled_out
from tuneworth.advisor.words import show
from tuneworth.core.advice import Choice, CostCell
from tuneworth.core.text import Text
from tuneworth.costs.breakeven import HOURS_PER_DAY
from tuneworth.words import numbers
from tuneworth.words.say import say

DAYS_PER_MONTH = 30
ROWS_NEEDED: dict[Choice, int] = {"prompt": 50, "small_model": 1_000, "provider": 10_000}
"""C1: tens of rows (upper end), thousands and tens of thousands (lower ends)."""
UPDATES_PER_YEAR = {"never": 0, "yearly": 1, "monthly": 12, "weekly": 52, "daily": 365}


class _Cell(NamedTuple):
    text: Text
    number: float | None = None
    unit: Text | None = None


def cost_table(values: Values) -> list[CostCell]:
    """All eighteen cells, row by row."""
    no_provider = ruled_out(values).get("provider_ft") if stays_home(values) else None
    cells: list[CostCell] = []
    for row, cell_of in _ROWS.items():
        choice: Choice
        for choice in get_args(Choice):
            barred = _Cell(say(f"advisor.ruled_out.{no_provider}")) if no_provider and choice == "provider" else None
            cells.append(CostCell(row=row, choice=choice, **(barred or cell_of(choice, values))._asdict()))
    return cells


def _rows(choice: Choice, values: Values) -> _Cell:
    """C1: how many rows are missing, and what they would cost."""
    rows_needed = ROWS_NEEDED[choice]
    needed = say("advisor.cost.rows.tens" if choice == "prompt" else "advisor.cost.rows.about", n=rows_needed)
    have = values.get("quality_rows")
    if have is None:
        have = values.get("total_rows")
    if have is None:
        return _Cell(say("advisor.cost.rows.unknown", needed=needed))
    missing, price, unit = max(0, rows_needed - have), values.get("label_price_usd"), say("advisor.cost.rows.unit")
    if not missing:
        return _Cell(say("advisor.cost.rows.enough", needed=needed, n=have), 0.0, unit)
    if price is None:
        return _Cell(say("advisor.cost.rows.unpriced", needed=needed, n=missing), float(missing), unit)
    total, each = numbers.amount(missing * price), numbers.amount(price)
    text = say("advisor.cost.rows.priced", needed=needed, n=missing, total=total, each=each)
    return _Cell(text, missing * price, say("advisor.cost.usd"))


def _skill(choice: Choice, values: Values) -> _Cell:
    """C2, held against the skills there are."""
    wanted, skills = say(f"advisor.cost.skill.{choice}"), values.get("skills")
    if choice == "prompt" or skills is None:
        return _Cell(wanted)
    return _Cell(say("advisor.cost.skill.at_hand", wanted=wanted, there=show("skills", skills)))


def _training(choice: Choice, values: Values) -> _Cell:
    """C3: nothing, the hours of a machine, or a price that only the provider knows."""
    if choice == "prompt":
        return _Cell(say("advisor.cost.training.nothing"), 0.0, say("advisor.cost.usd"))
    if choice == "provider":
        return _Cell(say("advisor.cost.training.provider"))
    price = values.get("machine_usd_per_hour")
    if price is None:
        return _Cell(say("advisor.cost.machine_unpriced"))
    text = say("advisor.cost.training.an_hour", price=numbers.amount(price))
    return _Cell(text, price, say("advisor.cost.training.unit"))


def _calls(choice: Choice, values: Values) -> _Cell:
    """C4, a month. What must run on one's own machines costs the machine, trained or not."""
    if choice == "provider":
        return _Cell(say("advisor.cost.calls.provider"))
    if choice == "small_model" or stays_home(values):
        hour, break_even = values.get("machine_usd_per_hour"), break_even_calls_per_day(values)
        if hour is None:
            return _Cell(say("advisor.cost.machine_unpriced"))
        month = DAYS_PER_MONTH * HOURS_PER_DAY * hour
        text = say("advisor.cost.calls.machine", month=numbers.amount(month))
        if break_even is not None:
            pays_from = numbers.general(break_even)
            text = say("advisor.cost.calls.machine_pays", month=numbers.amount(month), calls=pays_from)
        return _Cell(text, month, say("advisor.cost.usd_a_month"))
    calls, price = values.get("calls_per_day"), values.get("api_usd_per_1k_calls")
    if price is None:
        return _Cell(say("advisor.cost.calls.api_unpriced"))
    if calls is None:
        text = say("advisor.cost.calls.api_each", price=numbers.amount(price))
        return _Cell(text, price, say("advisor.cost.calls.unit_each"))
    month = DAYS_PER_MONTH * calls * price / 1_000
    text = say("advisor.cost.calls.api", month=numbers.amount(month), calls=numbers.general(calls))
    return _Cell(text, month, say("advisor.cost.usd_a_month"))


def _control(choice: Choice, values: Values) -> _Cell:
    """C5. The article leaves the cell of the small model blank."""
    return _Cell(say(f"advisor.cost.control.{choice}"))


def _updates(choice: Choice, values: Values) -> _Cell:
    """C6, with how often behaviour has to change."""
    each, pace = say(f"advisor.cost.updates.{choice}"), values.get("behaviour_changes")
    if pace is None:
        return _Cell(each)
    times = UPDATES_PER_YEAR[pace]
    return _Cell(say("advisor.cost.updates.a_year", each=each, n=times), float(times), say("advisor.cost.updates.unit"))


_ROWS = {"C1": _rows, "C2": _skill, "C3": _training, "C4": _calls, "C5": _control, "C6": _updates}
COST_ROWS = tuple(_ROWS)
