"""Which rows of several systems are one row.

Ids pair rows where every system has one for each of its rows, an id never stands for two texts, and most texts of a shared id agree: row
numbers of files in another order do not. Else what was asked pairs them, compared without regard to white space; whichever pairs more
rows. Rows that have neither are taken in their order, if there are as many in every file, and that is said as a doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.compared import PairedBy
from tuneworth.core.text import Text
from tuneworth.data.logs.answered import Answered, Log
from tuneworth.data.rows import quote
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

Rows = Mapping[str, list[Answered]]
"""Row → the answers of one system to it."""
Texts = Mapping[str, Sequence[str]]
"""System → the text of each row, without regard to white space."""
_AGREE = 0.5
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Paired:
    """Attributes:
    rows: system → its rows; a row that two systems have is called the same in both.
    shared: rows that all systems have, in the order of the first.
    n_other_text: ids of shared rows under which another system has another text: they are not paired.
    """

    by: PairedBy
    rows: dict[str, Rows]
    shared: list[str]
    n_other_text: int = 0


def pair(logs: Mapping[str, Log]) -> Paired:
    """
    Raises:
        InputError: no row of one system is surely a row of all others.
    """
    texts = {name: [" ".join(row.text.split()) for row in log.rows] for name, log in logs.items()}
    found = [one for one in (_by_id(logs, texts), _by_text(logs, texts)) if one is not None and one.shared]
    if found:
        return max(found, key=lambda one: len(one.shared))  # of equals the ids
    sizes = {len(log.rows) for log in logs.values()}
    if len(sizes) == 1 and not any(row.id or row.text for log in logs.values() for row in log.rows):
        return _paired("order", logs, {name: list(map(str, range(len(log.rows)))) for name, log in logs.items()})
    raise InputError(
        [Problem(log.file, _shown(name, log)) for name, log in logs.items()], say("compared.pairing.nothing")
    )


def _by_id(logs: Mapping[str, Log], texts: Texts) -> Paired | None:
    """``None`` where ids do not name rows."""
    known: list[dict[str, str]] = []
    for name, log in logs.items():
        own: dict[str, str] = {}
        for row, text in zip(log.rows, texts[name]):
            if not row.id or own.setdefault(row.id, text) != text:
                return None
        known.append(own)
    ids = set[str].intersection(*map(set, known))
    other = {one for one in ids if len({own[one] for own in known} - {""}) > 1}
    if len(ids) - len(other) < _AGREE * len(ids):
        return None
    names = {
        name: [f"{row.id}\0{name}" if row.id in other else row.id for row in log.rows] for name, log in logs.items()
    }
    return _paired("id", logs, names, len(other))


def _by_text(logs: Mapping[str, Log], texts: Texts) -> Paired | None:
    return _paired("text", logs, texts) if all(map(all, texts.values())) else None


def _paired(by: PairedBy, logs: Mapping[str, Log], names: Texts, n_other_text: int = 0) -> Paired:
    """
    Args:
        names: what each row is called.
    """
    rows: dict[str, dict[str, list[Answered]]] = {}
    for name, log in logs.items():
        own = rows.setdefault(name, {})
        for row, called in zip(log.rows, names[name]):
            own.setdefault(called, []).append(row)
    first, *others = rows.values()
    return Paired(by, dict(rows), [row for row in first if all(row in other for other in others)], n_other_text)


def _shown(name: str, log: Log) -> Text:
    """The first row, for a message."""
    row = log.rows[0]
    shown = {"id": quote(row.id or "–", _SHOWN), "text": quote(" ".join(row.text.split()) or "–", _SHOWN)}
    return say("compared.pairing.first", name=name, n=len(log.rows), place=row.place, **shown)
