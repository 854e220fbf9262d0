"""The usual bill of an arm: from what a run measured of it and what is stated of prices and changes.

    once      labels that it learned from; the machine's time and what services charged to make it; hours of work, where they are stated
    month     machines for the peak, of an arm that runs on machines of one's own
    call      tokens, or what services charged
    update    made again each time the wanted behaviour changes; indexed again each time the documents do
    end       made again on the day that its service ends its model, and checked in as many hours as are stated

An arm whose bill is another is written with ``bill.Bill`` directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.outcome import Outcome
from tuneworth.costs.bill import CHARGED, Bill, Fleet, Item, Measured, When, use_of
from tuneworth.costs.figures import Figure, figure
from tuneworth.costs.prices import Price
from tuneworth.costs.spend import Spend


@dataclass(frozen=True, slots=True)
class Made:
    """What making an arm took, as measured.

    Attributes:
        fit: seconds of the machine, and dollars that services charged: teachers, optimising, training.
        n_labels: rows with answers that it learned from.
        index_seconds: to index the documents, of an arm that looks things up.
    """

    fit: Spend = Spend()
    n_labels: int = 0
    index_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What is stated. A figure of ``None`` is left out of bills; an unknown one (the defaults) is missed in them.

    Attributes:
        machine, label: prices of an hour of the machine and of a label.
        wage: of an hour of work; hours are stated with each bill.
        retrained, reindexed: how often a month the behaviour and the documents change.
    """

    machine: Figure = Figure("machine", "usd/hour")
    label: Figure = Figure("label", "usd/label")
    wage: Figure = Figure("wage", "usd/hour")
    retrained: Figure | None = None
    reindexed: Figure | None = None


def bill_of(
    arm: str,
    rows: Sequence[Outcome],
    groups: Mapping[str, str],
    made: Made,
    terms: Terms,
    *,
    price: Price | None = None,
    model: str = "",
    on_own_machine: bool,
    throughput: Figure | None = None,
    hours: Figure | None = None,
    batch: bool = False,
    hit: Figure | None = None,
    ends_in_months: float | None = None,
    answer_cache: bool = False,
) -> Bill:
    """The bill.

    Args:
        rows: outcomes that count, with their tokens and times; without any, what a call costs is missing.
        groups: row id → its group.
        price, model, batch, hit: of the tokens, as for ``bill.token_use``.
        on_own_machine: machines answer, whether or not a call comes. The time that an arm of a service spends waiting costs nothing.
        throughput: calls a second of one machine within the latency limit; ``None``: one call after the other, as long as rows took.
        hours: of work to set it up.
        ends_in_months: when its base model ends.
    """
    sample, items = use_of(rows, groups, price, model=model, batch=batch, hit=hit)
    if not rows and not on_own_machine:
        items = [CHARGED]  # missing: nothing was measured
    if made.n_labels:
        items.append(Item("once", "labels", figure(f"labels.{arm}", "label", made.n_labels), terms.label))
    items += _making("once", arm, made, terms)
    if hours is not None:
        items.append(Item("once", "work", hours, terms.wage))
    if terms.retrained is not None:
        items += _making("update", arm, made, terms, terms.retrained)
    if terms.reindexed is not None and made.index_seconds:
        items.append(_index("update", arm, made, terms, terms.reindexed))
    if ends_in_months is not None:
        items += _making("end", arm, made, terms)
        items += [Item("end", "work", hours, terms.wage)] if hours is not None else []
    speed = throughput or Measured("seconds", "second")
    fleet = Fleet(terms.machine, speed) if on_own_machine else None
    return Bill(arm, tuple(items), fleet, sample, ends_in_months, answer_cache)


def _making(when: When, arm: str, made: Made, terms: Terms, *times: Figure) -> list[Item]:
    """The machine's time and the charges of one fit, and the first index; an update does not index again."""
    what = "retrain" if when == "update" else "training"
    items: list[Item] = []
    if made.fit.seconds:
        items.append(Item(when, what, figure(f"fit.seconds.{arm}", "second", made.fit.seconds), terms.machine, times))
    if made.fit.usd is None or made.fit.usd > 0:
        items.append(Item(when, "charged", figure(f"fit.usd.{arm}", "usd", made.fit.usd), times=times))
    if when == "once" and made.index_seconds:
        items.append(_index(when, arm, made, terms))
    return items


def _index(when: When, arm: str, made: Made, terms: Terms, *times: Figure) -> Item:
    return Item(when, "index", figure(f"index.seconds.{arm}", "second", made.index_seconds), terms.machine, times)
