"""Are the answers whole, and do they keep one form?

Here the faults of the answers become findings, patches and the facts ``output_kind``, ``format_regularity`` and
``clear_structure``. All rows are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mentions, no_rows
from tuneworth.audit.outputs.form import json_answers, label_answers, text_answers
from tuneworth.audit.outputs.signs import common_limit, cut_off, is_refusal, name_of, odd_ones
from tuneworth.core.audit import AuditFact, Finding, Severity
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.neardup import plain
from tuneworth.words.names import joined, listed
from tuneworth.words.say import say, table

_PARTS = 4
_MANY, _FEW = 0.05, 0.01
_ECHO_MIN_CHARS = 30
_EMPTY_WORDS = "n/a na none null nil nan undefined todo tbd - -- ? … ... . x 无 暂无 待定 待补充 空 略 不详"
_NOTHING = frozenset(_EMPTY_WORDS.split())


class Outputs:
    title = Text(en="Outputs", zh="输出")

    def skip(self, subject: Subject) -> Text | None:
        return no_rows(subject)

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        read = {"json": json_answers, "text": text_answers}.get(
            subject.task.kind, label_answers
        )  # numbers and label sets are written in one way by now
        form = read(subject)
        tick(1, _PARTS)
        found = [*form.findings]
        patches = [*form.patches]
        facts = [
            AuditFact(name="output_kind", value=subject.task.kind, why=say("audit.outputs.fact.kind")),
            *form.facts,
        ]
        if subject.task.kind == "text":
            for done, part in enumerate((truncated, refused, repeated), start=2):
                found += part(subject)
                tick(done, _PARTS)
        found += placeholders(subject) + other_languages(subject)
        return Checked(found, len(subject.train), facts, patches)


def truncated(subject: Subject) -> list[Finding]:
    """Answers that look cut off."""
    rows, outputs = subject.train, [row.output for row in subject.train]
    signs, limit = cut_off(outputs), common_limit(outputs) if outputs else None
    names = table("audit.outputs.signs")
    shown = [(rows[at], listed([names[sign] for sign in found])) for at, found in signs.items()]
    if limit:
        title = say("audit.outputs.truncated.title_limit", n=len(signs), limit=limit)
        severity: Severity | None = "serious" if len(signs) >= _FEW * len(rows) else None
        return _fault(subject, "truncated", shown, ["K4", "P2"], title=title, severity=severity)
    return _fault(subject, "truncated", shown, ["K4", "P2"])


def refused(subject: Subject) -> list[Finding]:
    """Answers in which a model declines."""
    found = [(row, None) for row in subject.train if is_refusal(row.output)]
    return _fault(subject, "refusals", found, ["K4", "P1"])


def repeated(subject: Subject) -> list[Finding]:
    """Answers that repeat their input, whole or as their beginning."""
    found = [(row, how) for row in subject.train if (how := _copies(row)) is not None]
    return _fault(subject, "copies", found, ["K4"])


def placeholders(subject: Subject) -> list[Finding]:
    """Answers that say nothing ("N/A", "无"), where answers are not labels."""
    if subject.task.kind not in ("json", "text"):
        return []
    found = [
        (row, None)
        for row in subject.train
        if row.output.strip().casefold().rstrip(".。") in _NOTHING or not _says(row)
    ]
    severity: Severity = "warning" if len(found) >= _MANY * len(subject.train) else "note"
    return _fault(subject, "empty", found, ["K4"], severity=severity)


def other_languages(subject: Subject) -> list[Finding]:
    """Text answers in another language than nearly all. Values of JSON are names as often as not."""
    if subject.task.kind != "text":
        return []
    usual, odd = odd_ones([row.output for row in subject.train])
    which = [
        say("audit.outputs.language.one", language=name_of(script), n=n)
        for script, n in Counter(odd.values()).most_common(3)
    ]
    title = say(
        "audit.outputs.language.title",
        n=len(odd),
        main=name_of(usual),
        which=joined(which, say("units.names.between")),
    )
    shown = [(subject.train[at], name_of(script)) for at, script in odd.items()]
    return _fault(subject, "language", shown, ["K4", "P1"], title=title)


def _fault(
    subject: Subject,
    name: str,
    rows: Sequence[tuple[Example, Text | None]],
    seed_rows: list[str],
    *,
    title: Text | None = None,
    severity: Severity | None = None,
) -> list[Finding]:
    """The finding about ``rows``, each with what is wrong with it; none where there are no such rows."""
    n, total = len(rows), len(subject.train)
    if not n:
        return []
    usual: Severity = "serious" if n >= _MANY * total else "warning" if n >= _FEW * total else "note"
    return [
        Finding(
            id=f"outputs.{name}",
            severity=severity or usual,
            title=title or say(f"audit.outputs.{name}.title", n=n),
            measures=[measure("share of the rows", "占全部数据的比例", n / total)],
            why=say(f"audit.outputs.{name}.why"),
            seed_rows=seed_rows,
            fix=say(f"audit.outputs.{name}.fix"),
            rows=mentions(subject, rows),
            n_rows=n,
        )
    ]


def _says(row: Example) -> bool:
    """Whether the answer has a letter, a digit, or a sign that means something by itself (an emoji)."""
    return any(char.isalnum() or ord(char) >= 0x2190 for char in row.output)


def _copies(row: Example) -> Text | None:
    question = row.query.messages[-1].content
    if row.output == question:
        return say("audit.outputs.copy.exact")
    if abs(len(row.output) - len(question)) <= 0.1 * len(question) and plain(row.output) == plain(question):
        return say("audit.outputs.copy.nearly")
    if len(question) >= _ECHO_MIN_CHARS and row.output.startswith(question):
        return say("audit.outputs.copy.begins")
    return None


PLUGIN = Outputs()
