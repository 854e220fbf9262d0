"""Which rows of several systems are one row.

Ids pair rows where every system has one for each of its rows and an id never stands for two texts. Where the text of a shared id differs

- on a few rows, those are not paired: the files are of different versions of the data;
- on most, and the texts stand under other ids, the ids are row numbers of files in another order, and texts pair;
- on most, and no text is in both, the files ask in other words, as two prompts do: ids pair, unless the right answers differ.

Else what was asked pairs rows, compared without regard to white space. Rows that have neither are taken in their order, if there are
as many in every file, and that is said as a doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

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
_SAME_ANSWERS = 0.95
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Paired:
    """Attributes:
    rows: system → its rows; a row that two systems have is called the same in both.
    shared: rows that all systems have, in the order of the first.
    n_other_text: shared ids under which systems have different texts; they are paired only if ``in_other_words``.
    same_answers: the right answers bear that out; ``None``: files do not say.
    """

    by: PairedBy
    rows: dict[str, Rows]
    shared: list[str]
    n_other_text: int = 0
    in_other_words: bool = False
    same_answers: bool | None = None


def pair(logs: Mapping[str, Log]) -> Paired:
    """
    Raises:
        InputError: no row of one system is surely a row of all others.
    """
    texts = {name: [" ".join(row.text.split()) for row in log.rows] for name, log in logs.items()}
    by_id = _by_id(logs, texts)
    if by_id is not None and not by_id.n_other_text and all(len(of) == len(by_id.shared) for of in by_id.rows.values()):
        return by_id  # every row of every system
    by_text = _by_text(logs, texts)
    if by_id is not None and by_id.in_other_words and by_text is not None and by_text.shared:
        by_id = None  # ids whose texts stand elsewhere say where a row stands
    found = [one for one in (by_id, by_text) if one is not None and one.shared]
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
    reworded = len(ids) - len(other) < _AGREE * len(ids)
    same = _same_answers(logs, ids) if reworded else None
    if same is False:
        return None
    apart = set[str]() if reworded else other
    names = {
        name: [f"{row.id}\0{name}" if row.id in apart else row.id for row in log.rows] for name, log in logs.items()
    }
    return replace(_paired("id", logs, names), n_other_text=len(other), in_other_words=reworded, same_answers=same)


def _same_answers(logs: Mapping[str, Log], ids: Collection[str]) -> bool | None:
    """Whether nearly all rows of one id have the same right answer in every file; ``None`` where files do not say, or all rows have one."""
    answers: dict[str, list[tuple[str, ...]]] = {one: [] for one in ids}
    for log in logs.values():
        for row in log.rows:
            if row.id in answers and row.references:
                answers[row.id].append(row.references)
    said = [of for of in answers.values() if len(of) >= len(logs)]
    if len(said) < len(ids) or len({of[0] for of in said}) < 2:
        return None
    return sum(len(set(of)) == 1 for of in said) >= _SAME_ANSWERS * len(said)


def _by_text(logs: Mapping[str, Log], texts: Texts) -> Paired | None:
    return _paired("text", logs, texts) if all(map(all, texts.values())) else None


def _paired(by: PairedBy, logs: Mapping[str, Log], names: Texts) -> Paired:
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
    return Paired(by, dict(rows), [row for row in first if all(row in other for other in others)])


def _shown(name: str, log: Log) -> Text:
    """The first row, for a message."""
    row = log.rows[0]
    shown = {"id": quote(row.id or "–", _SHOWN), "text": quote(" ".join(row.text.split()) or "–", _SHOWN)}
    return say("compared.pairing.first", name=name, n=len(log.rows), place=row.place, **shown)
