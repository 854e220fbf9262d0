"""Are there personal data or secrets in the rows?

Counted by kind, never shown whole. What is looked for has a form that speaks for itself: a checksum
(identity numbers, cards, accounts), a numbering plan (telephones), a vendor's prefix (keys), a label in
front ("password:", "姓名："). Not looked for: names of people and streets in running prose, which cannot be
told from characters and companies without a model; a row without a finding may still be about a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._personal import titles
from tuneworth.audit._personal.find import find, missing_libraries
from tuneworth.audit._personal.mask import excerpt
from tuneworth.audit._personal.spans import KINDS, SECRETS, Kind
from tuneworth.core.audit import MAX_ROWS_SHOWN, Finding, Measure, RowMention
from tuneworth.core.task import Example
from tuneworth.core.text import Text

_TICK_EVERY = 500
_AROUND = 80


class Personal:
    """Every row is looked at; the outputs of a task with fixed labels are not."""

    title = Text(en="Personal data and secrets", zh="个人信息与密钥")

    def skip(self, subject: Subject) -> Text | None:
        missing = ", ".join(missing_libraries())
        if not missing:
            return None
        return Text(
            en=f"needs {missing}: pip install 'tuneworth[local]'",
            zh=f"缺少 {missing}：pip install 'tuneworth[local]'",
        )

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        rows = (*subject.train, *subject.test)
        seen = _Seen(subject)
        for done, row in enumerate(rows):
            if done % _TICK_EVERY == 0:
                tick(done, len(rows))
            seen.look_at(row)
        tick(len(rows), len(rows))
        return Checked(
            findings=[seen.finding(kind, len(rows)) for kind in KINDS if seen.values[kind]],
            n_looked_at=len(subject.train),
            patches=seen.patches,
        )


class _Seen:
    """What has been found so far."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.values: Counter[Kind] = Counter()
        self.rows: Counter[Kind] = Counter()
        self.mentions: dict[Kind, list[RowMention]] = {kind: [] for kind in KINDS}
        self.patches: list[Patch] = []

    def look_at(self, row: Example) -> None:
        counts: Counter[Kind] = Counter()
        where: dict[Kind, tuple[str, int]] = {}
        for text in _texts(row, self._subject):
            for span in find(text):
                counts[span.kind] += 1
                where.setdefault(span.kind, (text, span.start))
        if not counts:
            return
        for kind, n in counts.items():
            self.values[kind] += n
            self.rows[kind] += 1
            if len(self.mentions[kind]) < MAX_ROWS_SHOWN:
                self.mentions[kind].append(self._mention(row, kind, n, *where[kind]))
        first = min(counts, key=KINDS.index)
        self.patches.append(_patch(row, list(counts), _around(*where[first])))

    def _mention(self, row: Example, kind: Kind, n: int, text: str, start: int) -> RowMention:
        return RowMention(
            row_id=row.id,
            source=row.source,
            side=self._subject.side_of[row.id],
            excerpt=_around(text, start),
            score=float(n),
        )

    def finding(self, kind: Kind, n_rows: int) -> Finding:
        n, in_rows, name = self.values[kind], self.rows[kind], titles.NAMES[kind]
        return Finding(
            id=f"personal.{kind}",
            severity=titles.severity(kind),
            title=Text(
                en=f"{in_rows:,} of {n_rows:,} rows hold {name.en}: {n:,} in all",
                zh=f"{n_rows:,} 条数据中有 {in_rows:,} 条含有{_spaced(name.zh)}，共 {n:,} 处",
            ),
            measures=[
                Measure(
                    name=Text(en="rows that hold any", zh="含有此类内容的数据"), value=in_rows / n_rows, unit="share"
                ),
            ],
            why=titles.why(kind),
            seed_rows=["K4"] if kind in SECRETS else ["Y5", "K4"],
            fix=titles.fix(kind),
            rows=sorted(self.mentions[kind], key=lambda mention: -(mention.score or 0)),
            n_rows=in_rows,
        )


def _texts(row: Example, subject: Subject) -> Iterator[str]:
    """What a model would read or write; labels and choices are the task's own words."""
    for message in row.query.messages:
        yield message.content
    if subject.task.kind in ("json", "text"):
        yield from row.references


def _around(text: str, start: int) -> str:
    """The excerpt of ``text`` that shows what was found at ``start``.

    Cut at white space before the find, so that no half of another number escapes the mask.
    """
    if start <= _AROUND:
        return excerpt(text)
    cut = max(text.rfind(" ", 0, start - _AROUND // 2), text.rfind("\n", 0, start - _AROUND // 2))
    if cut < start - 2 * _AROUND:
        cut = start
    return "…" + excerpt(text[cut:], 198)


def _patch(row: Example, kinds: Sequence[Kind], shown: str) -> Patch:
    ordered = sorted(kinds, key=KINDS.index)
    return Patch(
        check="personal",
        row_id=row.id,
        source=row.source,
        action="mask",
        why=Text(
            en="holds " + ", ".join(titles.NAMES[kind].en for kind in ordered),
            zh="含有" + _spaced("、".join(titles.NAMES[kind].zh for kind in ordered)),
        ),
        before=shown,
    )


def _spaced(chinese: str) -> str:
    """A space where a Latin word follows a Chinese one."""
    return f" {chinese}" if chinese[:1].isascii() else chinese


PLUGIN = Personal()
