"""How a text answer is laid out, coarsely: what a template or a parser would rely on.

The layout of an answer is three things: one line or several, its markup, and how it ends. The share of answers
with the commonest layout says how regular the format is. A skeleton is stronger: an opening, or heads of lines
("Subject:", "摘要："), that nearly all answers share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tuneworth.audit import Checked, Patch, Subject
from tuneworth.audit._findings import mentions
from tuneworth.audit._personal.mask import excerpt
from tuneworth.audit.outputs.slips import JsonForm, NearMiss, json_form, near_misses
from tuneworth.core.audit import AuditFact, Finding, Measure
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.neardup import Boilerplate
from tuneworth.data.values import parse_structure
from tuneworth.stats.intervals import wilson
from tuneworth.words.names import joined
from tuneworth.words.say import say, table

SKELETON_SHARE = 0.9
_MIN_OPENING = 3
_HEAD = re.compile(r"^[ \t>*#\-]*([^\W\d_][\w /&()-]{0,30}?)[*_]*\s*[:：]", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•·]|\d{1,3}[.)、]|[（(]\d{1,3}[)）]|[一二三四五六七八九十]+、)\s*\S", re.MULTILINE)
_TAG = re.compile(r"^\s*<[A-Za-z!?][^>]*>")
_TABLE = re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)

CLEAR = 0.9
_SHOWN_LABELS = 3


class Layout(NamedTuple):
    """What is seen of an answer's form."""

    several_lines: bool
    markup: str
    end: str

    def describe(self) -> Text:
        lines = (
            say("audit.outputs.layout.several_lines") if self.several_lines else say("audit.outputs.layout.one_line")
        )
        markup, end = table("audit.outputs.markup")[self.markup], table("audit.outputs.ends")[self.end]
        return say("audit.outputs.layout.all", lines=lines, markup=markup, end=end)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Fixed parts that nearly all answers share: the opening, the ending, and heads of lines in their order."""

    opening: str
    ending: str
    heads: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.opening or self.ending or self.heads)


def layout_of(output: str) -> Layout:
    """The layout of one answer."""
    text = output.strip()
    return Layout("\n" in text, _markup(text), _end(text))


def skeleton_of(outputs: Sequence[str]) -> Skeleton:
    """What at least 90 % of the answers share. Answers that are all the same share everything, which says nothing."""
    if len(set(outputs)) < 2:
        return Skeleton("", "", ())
    shared = Boilerplate.of(outputs)
    heads = Counter(head for output in outputs for head in dict.fromkeys(_HEAD.findall(output)))
    usual = tuple(head for head, n in heads.items() if n >= SKELETON_SHARE * len(outputs))
    opening = shared.prefix.strip()
    ending = shared.suffix.strip()
    return Skeleton(
        opening if len(opening) >= _MIN_OPENING else "", ending if len(ending) >= _MIN_OPENING else "", usual
    )


def _markup(text: str) -> str:
    if parse_structure(text) is not None:
        return "json"
    if text.startswith("```"):
        return "code"
    if _TAG.match(text):
        return "tags"
    n_lines = text.count("\n") + 1
    for name, pattern in (("table", _TABLE), ("headings", _HEADING), ("heads", _HEAD), ("list", _BULLET)):
        found = len(pattern.findall(text))
        if found >= max(2, n_lines / 4) or (found and name == "headings"):
            return name
    return "plain"


def _end(text: str) -> str:
    last = text.rstrip("\"'”’»」』)）*_ ")[-1:]
    if last in tuple(".!?。！？…"):
        return "mark"
    return "none" if last.isalnum() else "other"


def label_answers(subject: Subject) -> Checked:
    """Labels that are one label written in two ways."""
    counts = Counter(row.output for row in subject.train)
    # A choice is one of its row's own options, whatever other rows call theirs.
    misses = near_misses(counts) if subject.task.kind == "label" else []
    sure = {miss.label for miss in misses if miss.difference == "writing"}
    n_sure, total = sum(counts[label] for label in sure), len(subject.train)
    why = say("audit.outputs.fact.labels", labels=len(counts) - len(sure), n_sure=n_sure, total=total)
    facts = _facts(total - n_sure, total, why, clear=n_sure <= (1 - CLEAR) * total)
    by_label = {miss.label: miss for miss in misses}
    rows = [(row, by_label[row.output]) for row in (*subject.train, *subject.test) if row.output in by_label]
    findings = [_label_finding(subject, misses, rows, counts)] if misses else []
    return Checked(findings, total, facts, [_label_patch(row, miss) for row, miss in rows])


def json_answers(subject: Subject) -> Checked:
    """JSON answers that break the schema of nearly all."""
    form = json_form([parse_structure(row.output) for row in subject.train], [row.query.text for row in subject.train])
    n, total = len(form.violations), len(subject.train)
    why = say("audit.outputs.fact.json", n=total - n, total=total)
    findings = [_json_finding(subject, form)] if n else []
    return Checked(findings, total, _facts(total - n, total, why, clear=total - n >= CLEAR * total))


def text_answers(subject: Subject) -> Checked:
    """How many text answers have the commonest layout, and whether they share a skeleton."""
    layouts = [layout_of(row.output) for row in subject.train]
    usual, n = Counter(layouts).most_common(1)[0]
    skeleton = skeleton_of([row.output for row in subject.train])
    total, shape = len(layouts), usual.describe()
    facts = _facts(
        n,
        total,
        say("audit.outputs.fact.layout", shape=shape),
        clear=True if skeleton or usual.markup not in ("plain", "list") else None,
    )
    finding = _layout_finding(subject, layouts, usual, skeleton)
    return Checked([] if finding is None else [finding], total, facts)


def _facts(n_regular: int, total: int, why: Text, *, clear: bool | None) -> list[AuditFact]:
    share = wilson(n_regular, total)
    facts = [AuditFact(name="format_regularity", value=n_regular / total, why=why, interval=share)]
    return facts if clear is None else [*facts, AuditFact(name="clear_structure", value=clear, why=why)]


def _regular(n_regular: int, total: int) -> Measure:
    interval: Interval = wilson(n_regular, total)
    return Measure(name=say("audit.outputs.regular"), value=n_regular / total, unit="share", interval=interval)


def _label_finding(
    subject: Subject, misses: Sequence[NearMiss], rows: Sequence[tuple[Example, NearMiss]], counts: Counter[str]
) -> Finding:
    pairs = [(excerpt(miss.label, 40), excerpt(miss.usual, 40)) for miss in misses[:_SHOWN_LABELS]]
    shown = [Text(en=f"{label!r} for {usual!r}", zh=f"“{label}”与“{usual}”") for label, usual in pairs]
    sure = any(miss.difference == "writing" for miss in misses)
    n_rows = sum(counts[miss.label] for miss in misses)
    return Finding(
        id="outputs.labels",
        severity="serious" if sure and n_rows >= (1 - CLEAR) * len(subject.train) else "warning",
        title=say("audit.outputs.labels.title", n=len(misses), pairs=joined(shown, say("units.names.between"))),
        measures=[_regular(len(subject.train) - n_rows, len(subject.train))],
        why=say("audit.outputs.labels.why"),
        seed_rows=["K4", "Q2"],
        fix=say("audit.outputs.labels.fix"),
        rows=mentions(subject, ((row, _label_why(miss)) for row, miss in rows)),
        n_rows=n_rows,
    )


def _label_why(miss: NearMiss) -> Text:
    what = table("audit.outputs.difference")[miss.difference]
    usual = excerpt(miss.usual, 60)
    return Text(en=f"differs from {usual!r} in {what.en}", zh=f"与“{usual}”只差{what.zh}")


def _label_patch(row: Example, miss: NearMiss) -> Patch:
    return Patch(
        check="outputs",
        row_id=row.id,
        source=row.source,
        action="replace",
        why=_label_why(miss),
        before=row.output,
        after=miss.usual,
        certain=miss.difference == "writing",
    )


def _json_finding(subject: Subject, form: JsonForm) -> Finding:
    n, total = len(form.violations), len(subject.train)
    fields = len(form.schema.get("properties", {}))
    return Finding(
        id="outputs.format",
        severity="serious" if n >= (1 - CLEAR) * total else "warning" if n >= 0.01 * total else "note",
        title=say("audit.outputs.json.title", n=n, total=total, fields=fields),
        measures=[_regular(total - n, total)],
        why=say("audit.outputs.json.why"),
        seed_rows=["X1", "T1", "K4"],
        fix=say("audit.outputs.json.fix"),
        rows=mentions(subject, ((subject.train[at], why) for at, why in form.violations.items())),
        n_rows=n,
    )


def _layout_finding(subject: Subject, layouts: Sequence[Layout], usual: Layout, skeleton: Skeleton) -> Finding | None:
    """A finding where there is a format to break: a skeleton, or a layout that nearly all answers have."""
    odd = [at for at, layout in enumerate(layouts) if layout != usual]
    total = len(layouts)
    if not odd or (len(odd) > (1 - CLEAR) * total and not skeleton):
        return None
    shape = usual.describe()
    return Finding(
        id="outputs.format",
        severity="note" if len(odd) <= 0.05 * total else "warning",
        title=say("audit.outputs.format.title", n=len(odd), total=total, shape=shape),
        measures=[_regular(total - len(odd), total)],
        why=say("audit.outputs.format.why"),
        seed_rows=["Q2", "N3", "T1"],
        fix=say("audit.outputs.format.fix"),
        rows=mentions(subject, ((subject.train[at], layouts[at].describe()) for at in odd)),
        n_rows=len(odd),
    )
