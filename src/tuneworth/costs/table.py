"""The dated table of prices that genai-prices does not have (``prices.yaml``), and files of the same form that users state.

    figures:
      machine.gpu-a100-80gb: {low: 1.39, high: 3.43, unit: usd/hour, where: …, source: …, read_on: 2026-11-09, valid_until: …}
      wage: {value: $60/h, unit: usd/hour}
    ends:
      openai/gpt-4.1-2025-04-14: {day: 2027-01-14, tuning_until: 2027-01-06, source: …, read_on: 2026-10-27}

Names begin with what is priced: ``machine``, ``training``, ``hosting``, ``adapter``, ``storage``; any other name may be stated. A figure whose
last day is over is not known any more. One that was read more than 120 days ago still holds, and `PriceTable.stale` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

from tuneworth.core.yamlfile import Document, Location, parse_yaml
from tuneworth.costs.breakeven import DAYS_PER_MONTH
from tuneworth.costs.figures import Figure, Unit, read_figure
from tuneworth.errors import InputError
from tuneworth.words.say import say

STALE_DAYS = 120
CNY = "cny_per_usd"
_UNITS: tuple[Unit, ...] = get_args(Unit)
_KEYS = {"figures": {"value", "low", "high", "unit", "where", "source", "read_on", "valid_until"}, "ends": {"day", "tuning_until", "source", "read_on"}}  # fmt: skip
_DATES = {"read_on", "valid_until", "day", "tuning_until"}


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """The day a model ends, and the last day on which it can be trained, where that is announced."""

    model: str
    day: date
    tuning_until: date | None = None
    source: str = ""
    read_on: date | None = None


@dataclass(frozen=True)
class PriceTable:
    """Figures and ends of life by name, as of a day.

    Attributes:
        today: what is over is measured from it.
    """

    today: date
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    ends: Mapping[str, EndOfLife] = field(default_factory=dict[str, EndOfLife])

    def of(self, name: str, unit: Unit) -> Figure:
        """The figure of this name; an unknown one where there is none, where its last day is over, or its unit is another."""
        found = self.figures.get(name)
        over = found is not None and found.valid_until is not None and found.valid_until < self.today
        return Figure(name, unit) if found is None or over or found.unit != unit else found

    @property
    def cny_per_usd(self) -> float | None:
        """Yuan for a dollar."""
        return self.of(CNY, "cny/usd").middle

    def yuan(self, usd: float) -> float | None:
        """What ``usd`` dollars are in yuan; ``None`` where no rate is known."""
        return None if self.cny_per_usd is None else usd * self.cny_per_usd

    def stale(self, *figures: Figure) -> list[Figure]:
        """Those of ``figures`` that were read more than 120 days ago."""
        return [each for each in figures if (days := each.age_days(self.today)) is not None and days > STALE_DAYS]

    def end_of(self, model: str) -> EndOfLife | None:
        """When ``service/model`` ends; a tuned one (``openai/ft:BASE:…``) ends with its base."""
        service, _, name = model.partition("/")
        base = name.split(":")[1] if name.startswith("ft:") and name.count(":") > 1 else name
        return self.ends.get(f"{service}/{base}")

    def months_until(self, day: date) -> float:
        """Months of 30.4 days until ``day``; 0 when it is over."""
        return max(0, (day - self.today).days) / DAYS_PER_MONTH

    def stated(self, other: PriceTable) -> PriceTable:
        """With what ``other`` states in place of what is here."""
        return replace(self, figures={**self.figures, **other.figures}, ends={**self.ends, **other.ends})


def own_table(today: date | None = None) -> PriceTable:
    """The table of the package."""
    return replace(_own(), today=today or date.today())


@cache
def _own() -> PriceTable:
    path = Path(__file__).with_name("prices.yaml")
    return _read(parse_yaml(path.read_text(encoding="utf-8"), path.name, ours=True), date.min, None)


def read_table(text: str, name: str, today: date | None = None) -> PriceTable:
    """The table that a user wrote: plain YAML, nothing in it is run.

    Amounts may be in yuan: at the rate that the file states, else at that of the package.

    Raises:
        InputError: with everything that is wrong in it, by line.
    """
    return _read(parse_yaml(text, name), today or date.today(), own_table(today).cny_per_usd)


def _read(document: Document, today: date, cny_per_usd: float | None) -> PriceTable:
    sections: dict[str, Any] = document.mapping
    for key in sections.keys() - _KEYS.keys():
        document.wrong((key,), say("costs.rule.key", keys=", ".join(sorted(_KEYS))))
    entries = {(part, name): entry for part in _KEYS for name, entry in _mapping(document, (part,)).items()}
    right = {at: entry for at, entry in entries.items() if _well_formed(document, at, entry)}
    if ("figures", CNY) in right:
        rate = _figure(document, CNY, right["figures", CNY], None)
        cny_per_usd = rate.middle if rate is not None else cny_per_usd
    figures = {
        name: _figure(document, name, entry, cny_per_usd) for (part, name), entry in right.items() if part == "figures"
    }
    ends = {name: EndOfLife(name, **entry) for (part, name), entry in right.items() if part == "ends"}
    document.finish()
    return PriceTable(today, {name: each for name, each in figures.items() if each is not None}, ends)


def _mapping(document: Document, at: Location) -> Mapping[str, Any]:
    found: Any = document.mapping.get(str(at[0])) or {}
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    document.wrong(at, say("costs.rule.mapping"))
    return {}


def _well_formed(document: Document, at: tuple[str, str], entry: Any) -> bool:
    """Keys that there are, dates that are dates, an address or a word as source."""
    before = len(document.problems)
    if not isinstance(entry, dict):
        document.wrong(at, say("costs.rule.mapping"))
        return False
    part = cast("dict[str, Any]", entry)
    for key in part.keys() - _KEYS[at[0]]:
        document.wrong((*at, key), say("costs.rule.key", keys=", ".join(sorted(_KEYS[at[0]]))))
    for key in part.keys() & _DATES:
        if type(part[key]) is not date:
            document.wrong((*at, key), say("costs.rule.date", value=str(part[key])))
    for key in part.keys() & {"source", "where"}:
        if not isinstance(part[key], str):
            document.wrong((*at, key), say("costs.rule.text"))
    if at[0] == "ends" and "day" not in part:
        document.wrong(at, say("costs.rule.lacks", name="day"))
    if at[0] == "figures" and part.get("unit") not in _UNITS:
        document.wrong((*at, "unit"), say("costs.rule.units", units=", ".join(_UNITS)))
    if at[0] == "figures" and not ("value" in part) ^ ("low" in part and "high" in part):
        document.wrong(at, say("costs.rule.value"))
    return len(document.problems) == before


def _figure(document: Document, name: str, entry: Mapping[str, Any], cny_per_usd: float | None) -> Figure | None:
    written = entry["value"] if "value" in entry else [entry["low"], entry["high"]]
    try:
        read = read_figure(written, name, entry["unit"], cny_per_usd=cny_per_usd)
    except InputError as error:
        document.wrong(("figures", name, "value" if "value" in entry else "low"), error.problems[0].message)
        return None
    return replace(read, **{key: entry[key] for key in ("where", "source", "read_on", "valid_until") if key in entry})
