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
from tuneworth.audit._findings import measure
from tuneworth.audit._personal.mask import excerpt, find, missing_libraries
from tuneworth.audit._personal.spans import KINDS, SECRETS, Kind
from tuneworth.core.audit import MAX_ROWS_SHOWN, Finding, RowMention, Severity
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.words.names import kind_name

_TICK_EVERY = 500
_AROUND = 80
_WEIGHTY: tuple[Kind, ...] = ("cn_id", "us_ssn", "uk_nino", "other_id", "bank_card", "iban")
_MILD: tuple[Kind, ...] = ("ip", "cn_uscc")
_WHY_SECRET = Text(
    en="A tuned model can repeat what it was trained on, and anyone with the weights or the file has the secret.",
    zh="模型微调后可能原样复述训练内容；拿到权重或数据文件的人，也就拿到了这些凭据。",
)
_WHY_PERSON = Text(
    en="Rows about real people limit where the data may go: to a provider's API or not, into weights that are hard "
    "to correct or not. A tuned model can repeat such values word for word.",
    zh="涉及真实个人的数据决定了它能去哪里：能否发给外部 API，能否写进难以更正的权重。微调后的模型可能逐字复述这些内容。",
)
_FIX_SECRET = Text(
    en="Revoke them first: a secret in a data file counts as leaked. Then mask the rows with `--fix`.",
    zh="先作废这些凭据：进了数据文件就应视为已泄露。再用 `--fix` 对数据脱敏。",
)
_FIX_PERSON = Text(
    en="Mask them with `--fix`, which puts `[PHONE]` and the like in their place, and mask requests in the same way "
    "later; or keep the data on your own machines with `limits: {private: true}`.",
    zh="用 `--fix` 脱敏（替换成 `[PHONE]` 之类的占位符），上线后对请求也做同样处理；"
    "或在任务中设置 `limits: {private: true}`，让数据只留在自己的机器上。",
)


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
        n, in_rows, name = self.values[kind], self.rows[kind], kind_name(kind)
        return Finding(
            id=f"personal.{kind}",
            severity=_severity(kind),
            title=Text(
                en=f"{in_rows:,} of {n_rows:,} rows hold {name.en}: {n:,} in all",
                zh=f"{n_rows:,} 条数据中有 {in_rows:,} 条含有{_spaced(name.zh)}，共 {n:,} 处",
            ),
            measures=[
                measure("rows that hold any", "含有此类内容的数据", in_rows / n_rows),
            ],
            why=_WHY_SECRET if kind in SECRETS else _WHY_PERSON,
            seed_rows=["K4"] if kind in SECRETS else ["Y5", "K4"],
            fix=_FIX_SECRET if kind in SECRETS else _FIX_PERSON,
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
            en="holds " + ", ".join(kind_name(kind).en for kind in ordered),
            zh="含有" + _spaced("、".join(kind_name(kind).zh for kind in ordered)),
        ),
        before=shown,
    )


def _spaced(chinese: str) -> str:
    """A space where a Latin word follows a Chinese one."""
    return f" {chinese}" if chinese[:1].isascii() else chinese


def _severity(kind: Kind) -> Severity:
    """Secrets and identity papers are serious; what may be a company's is a note."""
    if kind in SECRETS or kind in _WEIGHTY:
        return "serious"
    return "note" if kind in _MILD else "warning"


PLUGIN = Personal()
