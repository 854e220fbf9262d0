"""Rows cut from one template: the same but for numbers, names and short spans.

A thousand rows of five templates teach about as much as five rows with good slots. Families are found in three
steps, each among the rows that are left: rows that agree once all numbers and names are masked; rows with a common
frame (see ``_likeness.frames``), the largest family first; rows that agree once several slots are masked (see
``_likeness.slots``). Each row belongs to one family at most, a family has at least
five different texts; rows that differ from one in nothing but case and punctuation are counted with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mention
from tuneworth.audit._likeness.forms import ENOUGH_LETTERS, Names, asked, bare, letters, n_of, tokens
from tuneworth.audit._likeness.frames import Lines, shared_frames
from tuneworth.audit._likeness.slots import skeletons
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, RowMention, Severity
from tuneworth.core.text import Text

MIN_FAMILY = 5
MOST_TOKENS = 5_000_000
"""A token begins four frames, which take 32 bytes each; 100,000 Chinese rows of 200 characters have 20 million."""
_SIZED = 1_000
_KEPT, _KEPT_SEVERAL = 0.75, 0.5  # of a row, beside its slot or its slots
_SERIOUS, _WARNING = 0.5, 0.1
_SHOWN_IN_FAMILY = 3


@dataclass(frozen=True, slots=True)
class Family:
    """Rows of one template, by their places.

    Attributes:
        slot: what differs in each row, where it is one span; else empty.
    """

    rows: tuple[int, ...]
    slot: tuple[str, ...] = ()


class Templates:
    title = Text(en="Rows cut from one template", zh="套用同一模板的数据")

    def skip(self, subject: Subject) -> Text | None:
        if len(subject.train) >= MIN_FAMILY:
            return None
        return Text(en=f"needs at least {MIN_FAMILY} rows", zh=f"至少需要 {MIN_FAMILY} 条数据")

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        subject = _sampled(subject)
        families = find_families(asked(subject.train), subject.rng("templates"), tick)
        n_rows = sum(len(family.rows) for family in families)
        if not families:
            return Checked([], len(subject.train))
        share = n_rows / len(subject.train)
        facts = [_repetitive(share)] if share >= _SERIOUS else []
        return Checked([_finding(subject, families, n_rows)], len(subject.train), facts=facts)


def _sampled(subject: Subject) -> Subject:
    """``subject`` with as many of its rows, drawn at random, as fit ``MOST_TOKENS``."""
    rng, rows = subject.rng("templates.sample"), subject.train
    some = rng.choice(len(rows), min(len(rows), _SIZED), replace=False).tolist()
    n_tokens = float(np.mean([len(tokens(text)) for text in asked([rows[at] for at in some])]))
    most = int(MOST_TOKENS / max(n_tokens, 1.0))
    if len(rows) <= most:
        return subject
    drawn = np.sort(rng.choice(len(rows), most, replace=False)).tolist()
    return replace(subject, train=tuple(rows[at] for at in drawn))


def find_families(texts: Sequence[str], rng: np.random.Generator, tick: Tick = no_tick) -> list[Family]:
    """Families of texts, largest first."""
    same: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        same.setdefault(bare(text), []).append(at)
    places = [rows[0] for rows in same.values()]
    tick(0, 3)
    masked = _masked_families(texts, places)
    taken = {at for family in masked for at in family.rows}
    tick(1, 3)
    places = [at for at in places if at not in taken]
    lines = Lines.of(texts[at] for at in places)
    framed = _framed_families(lines, places)
    taken = {at for family in framed for at in family.rows}
    tick(2, 3)
    rest = [at for at, place in enumerate(places) if place not in taken]
    slotted = _slotted_families(lines.take(rest), [places[at] for at in rest], rng)
    families = [
        _with_repeats(family, {rows[0]: rows for rows in same.values()}) for family in (*masked, *framed, *slotted)
    ]
    return sorted(families, key=lambda family: (-len(family.rows), family.rows))


def _slotted_families(lines: Lines, places: Sequence[int], rng: np.random.Generator) -> list[Family]:
    """Rows that agree once all that passes for a slot is masked."""
    found = skeletons(lines, rng)
    enough = (found.letters >= ENOUGH_LETTERS) & (found.share >= _KEPT_SEVERAL)
    by_key: dict[int, list[int]] = {}
    for at in np.flatnonzero(enough).tolist():
        by_key.setdefault(int(found.key[at]), []).append(places[at])
    return [Family(tuple(rows)) for rows in by_key.values() if len(rows) >= MIN_FAMILY]


def _with_repeats(family: Family, same: Mapping[int, Sequence[int]]) -> Family:
    """The family with all rows whose text is that of one of its rows."""
    slots = family.slot or ("",) * len(family.rows)
    found = sorted((at, slot) for row, slot in zip(family.rows, slots) for at in same[row])
    return Family(tuple(at for at, _ in found), tuple(slot for _, slot in found) if family.slot else ())


def _masked_families(texts: Sequence[str], places: Sequence[int]) -> list[Family]:
    names = Names(texts)
    by_form: dict[str, list[int]] = {}
    for at in places:
        by_form.setdefault(names.masked(texts[at]), []).append(at)
    return [
        Family(tuple(rows))
        for form, rows in by_form.items()
        if len(rows) >= MIN_FAMILY and letters(form) >= ENOUGH_LETTERS
    ]


def _framed_families(rows: Lines, places: Sequence[int]) -> list[Family]:
    """Largest frames first; a row stays with the first family it is in."""
    shared = shared_frames(rows, _KEPT)
    begins = np.flatnonzero(np.append(True, shared.key[1:] != shared.key[:-1])) if len(shared.key) else shared.row
    counts = np.diff(np.append(begins, len(shared.key)))
    free = np.ones(len(rows), np.bool_)
    families: list[Family] = []
    for at in np.argsort(-counts, kind="stable").tolist():
        if counts[at] < MIN_FAMILY:
            break
        part = slice(begins[at], begins[at] + counts[at])
        members, index = np.unique(shared.row[part], return_index=True)  # a frame can fit twice in one row
        open_ = free[members]
        if int(open_.sum()) < MIN_FAMILY:
            continue
        members, index = members[open_], index[open_]
        free[members] = False
        spans = zip(members.tolist(), shared.start[part][index].tolist(), shared.stop[part][index].tolist())
        slots = _trimmed([rows.row(row)[start:stop] for row, start, stop in spans])
        families.append(Family(tuple(places[row] for row in members.tolist()), slots))
    return families


def _trimmed(slots: list[list[str]]) -> tuple[str, ...]:
    """Slots as texts, without the words that all of them begin or end with."""
    head, tail = (_n_common(slots), _n_common([slot[::-1] for slot in slots]))
    tail = min(tail, min(map(len, slots)) - head)
    return tuple(" ".join(slot[head : len(slot) - tail]) for slot in slots)


def _n_common(slots: Sequence[Sequence[str]]) -> int:
    """How many words all of ``slots`` begin with."""
    return next((at for at, words in enumerate(zip(*slots)) if len(set(words)) > 1), min(map(len, slots)))


def _finding(subject: Subject, families: Sequence[Family], n_rows: int) -> Finding:
    total = len(subject.train)
    share, largest = n_rows / total, len(families[0].rows)
    severity: Severity = "serious" if share >= _SERIOUS else "warning" if share >= _WARNING else "note"
    return Finding(
        id="templates",
        severity=severity,
        title=Text(
            en=f"{n_rows:,} of {total:,} rows ({share:.1%}) are cut from {n_of(len(families), 'template')}",
            zh=f"{total:,} 条数据中有 {n_rows:,} 条（{share:.1%}）套用了 {len(families):,} 个模板",
        ),
        measures=[
            measure("share of the rows", "占比", share),
            measure("rows of the largest template", "最大模板的行数", largest, "rows"),
        ],
        why=Text(
            en="Rows of one template say little more than one of them. A model learns the template fast, and a test with "
            "the same templates does not show whether it can do anything else.",
            zh="同一模板的数据，信息量与一条相差无几。模型很快就能学会模板；若测试数据也套用同样的模板，就看不出它还会不会别的。",
        ),
        seed_rows=["Q1", "Y4", "N4"],
        fix=Text(
            en="If real requests are like this, a template and a prompt may do. If not, add rows in other words.",
            zh="若真实请求就是如此，用模板加提示词可能就够了；否则应补充表述不同的数据。",
        ),
        rows=_mentions(subject, families),
        n_rows=n_rows,
    )


def _mentions(subject: Subject, families: Sequence[Family]) -> list[RowMention]:
    """A few rows of each of the largest families."""
    shown: list[RowMention] = []
    for family in families[: MAX_ROWS_SHOWN // _SHOWN_IN_FAMILY]:
        first = subject.train[family.rows[0]]
        for place, at in enumerate(family.rows[:_SHOWN_IN_FAMILY]):
            slot = excerpt(family.slot[place], 40) if family.slot else ""
            row = subject.train[at]
            other = first.source if place else ""
            shown.append(mention(subject, row, detail=_detail(len(family.rows), slot), other=other))
    return shown


def _detail(size: int, slot: str) -> Text:
    if slot:
        return Text(en=f'one of {size:,}, here with "{slot}"', zh=f"共 {size:,} 条之一，此处为“{slot}”")
    return Text(en=f"one of {size:,} that differ in their slots only", zh=f"共 {size:,} 条之一，只有填入的内容不同")


def _repetitive(share: float) -> AuditFact:
    why = Text(en=f"{share:.0%} of the rows are cut from templates", zh=f"{share:.0%} 的数据套用了模板")
    return AuditFact(name="repetitive", value=True, why=why)


PLUGIN = Templates()
