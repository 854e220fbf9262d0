"""How a budget is written: a time, an amount of money, or both: ``20m``, ``$2``, ``20m,$2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuneworth.core.text import Text

_TIME = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_MONEY = re.compile(r"\$\s?(?P<usd>\d+(?:\.\d+)?|\.\d+)")
_SEPARATORS = re.compile(r"\s*[,，]\s*")

MALFORMED = Text(
    en="must be a time with its unit, such as 90s, 10m or 1h30m, an amount of money, such as $2, or both: 20m,$2",
    zh="应为带单位的时间（如 90s、10m、1h30m）、金额（如 $2），或两者都写：20m,$2",
)
NOTHING = Text(en="must be over 0", zh="应大于 0")
TWICE = Text(
    en="names two times or two amounts; give one of each at most", zh="同一种预算写了两次；时间和金额各最多写一个"
)
NO_PRICE = Text(
    en="needs the price of this machine to count money: give machine_usd_per_hour, or a time",
    zh="按金额计算需要知道这台机器的价格：请给出 machine_usd_per_hour，或改用时间",
)


class BadBudget(ValueError):
    """The text is no budget; ``rule`` says what it must be."""

    def __init__(self, rule: Text):
        self.rule = rule
        super().__init__(rule.en)


@dataclass(frozen=True, slots=True)
class BudgetText:
    """A budget as it was written. ``None``: no limit of that kind."""

    seconds: float | None = None
    usd: float | None = None


def parse_budget(text: str) -> BudgetText:
    """Read a budget.

    Raises:
        BadBudget: it is malformed, zero, negative, or names one kind twice.
    """
    found: dict[str, float] = {}
    for part in _SEPARATORS.split(text.strip()):
        kind, value = _part(part)
        if kind in found:
            raise BadBudget(TWICE)
        if value <= 0:
            raise BadBudget(NOTHING)
        found[kind] = value
    return BudgetText(**found)


def _part(part: str) -> tuple[str, float]:
    """``seconds`` or ``usd``, and how many. A minus in front is told as such: it is not a slip of the pen."""
    sign = -1.0 if part.startswith(("-", "−", "$-")) else 1.0
    plain = part.replace("-", "", 1).replace("−", "", 1) if sign < 0 else part
    if (money := _MONEY.fullmatch(plain)) is not None:
        return "usd", sign * float(money["usd"])
    time = _TIME.fullmatch(plain)
    if time is None or not plain:
        raise BadBudget(MALFORMED)
    return "seconds", sign * sum(int(time[unit] or 0) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1)))
