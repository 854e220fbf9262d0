"""Findings on the form of the answers: labels, JSON, or the layout of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneworth.audit import Checked, Patch, Subject
from tuneworth.audit._mentions import mentions
from tuneworth.audit._personal.mask import excerpt
from tuneworth.audit.outputs.jsonform import JsonForm, json_form
from tuneworth.audit.outputs.labels import NearMiss, near_misses
from tuneworth.audit.outputs.layout import Layout, Skeleton, layout_of, skeleton_of
from tuneworth.core.audit import AuditFact, Finding, Measure
from tuneworth.core.run import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.values import parse_structure
from tuneworth.stats.intervals import wilson

CLEAR = 0.9
_SHOWN_LABELS = 3

_REGULAR = Text(en="share of outputs in the usual format", zh="符合通常格式的输出比例")
_DIFFERENCE = {
    "writing": Text(en="case, spacing or width", zh="大小写、空格或全半角"),
    "plural": Text(en="singular and plural", zh="单复数或类别后缀"),
    "typo": Text(en="one letter", zh="一个字母"),
}


def label_answers(subject: Subject) -> Checked:
    """Labels that are one label written in two ways."""
    counts = Counter(row.output for row in subject.train)
    # A choice is one of its row's own options, whatever other rows call theirs.
    misses = near_misses(counts) if subject.task.kind == "label" else []
    sure = {miss.label for miss in misses if miss.difference == "writing"}
    n_sure, total = sum(counts[label] for label in sure), len(subject.train)
    why = Text(
        en=f"{len(counts) - len(sure):,} labels; {n_sure:,} of {total:,} outputs write one of them in another way",
        zh=f"共 {len(counts) - len(sure):,} 种标签；{total:,} 条输出中有 {n_sure:,} 条写法不一致",
    )
    facts = _facts(total - n_sure, total, why, clear=n_sure <= (1 - CLEAR) * total)
    by_label = {miss.label: miss for miss in misses}
    rows = [(row, by_label[row.output]) for row in (*subject.train, *subject.test) if row.output in by_label]
    findings = [_label_finding(subject, misses, rows, counts)] if misses else []
    return Checked(findings, total, facts, [_label_patch(row, miss) for row, miss in rows])


def json_answers(subject: Subject) -> Checked:
    """JSON answers that break the schema of nearly all."""
    form = json_form([parse_structure(row.output) for row in subject.train], [row.query.text for row in subject.train])
    n, total = len(form.violations), len(subject.train)
    why = Text(
        en=f"{total - n:,} of {total:,} outputs fit the JSON schema inferred from the usual ones",
        zh=f"{total:,} 条输出中有 {total - n:,} 条符合由多数输出推断的 JSON Schema",
    )
    findings = [_json_finding(subject, form)] if n else []
    return Checked(findings, total, _facts(total - n, total, why, clear=total - n >= CLEAR * total))


def text_answers(subject: Subject) -> Checked:
    """How many text answers have the commonest layout, and whether they share a skeleton."""
    layouts = [layout_of(row.output) for row in subject.train]
    usual, n = Counter(layouts).most_common(1)[0]
    skeleton = skeleton_of([row.output for row in subject.train])
    total, shape = len(layouts), usual.describe()
    why = Text(en=f"the commonest layout: {shape.en}", zh=f"最常见的版式：{shape.zh}")
    # Text without a skeleton may have a structure that counting does not see: that is left to be asked.
    facts = _facts(n, total, why, clear=True if skeleton or usual.markup not in ("plain", "list") else None)
    finding = _layout_finding(subject, layouts, usual, skeleton)
    return Checked([] if finding is None else [finding], total, facts)


def _facts(n_regular: int, total: int, why: Text, *, clear: bool | None) -> list[AuditFact]:
    share = wilson(n_regular, total)
    facts = [AuditFact(name="format_regularity", value=n_regular / total, why=why, interval=share)]
    return facts if clear is None else [*facts, AuditFact(name="clear_structure", value=clear, why=why)]


def _regular(n_regular: int, total: int) -> Measure:
    interval: Interval = wilson(n_regular, total)
    return Measure(name=_REGULAR, value=n_regular / total, unit="share", interval=interval)


def _label_finding(
    subject: Subject, misses: Sequence[NearMiss], rows: Sequence[tuple[Example, NearMiss]], counts: Counter[str]
) -> Finding:
    pairs = [(excerpt(miss.label, 40), excerpt(miss.usual, 40)) for miss in misses[:_SHOWN_LABELS]]
    en = ", ".join(f"{label!r} for {usual!r}" for label, usual in pairs)
    zh = "、".join(f"“{label}”与“{usual}”" for label, usual in pairs)
    sure = any(miss.difference == "writing" for miss in misses)
    n_rows = sum(counts[miss.label] for miss in misses)
    return Finding(
        id="outputs.labels",
        severity="serious" if sure and n_rows >= (1 - CLEAR) * len(subject.train) else "warning",
        title=Text(
            en=f"{len(misses):,} labels look like another label written differently: {en}",
            zh=f"{len(misses):,} 种标签疑似同一标签的不同写法：{zh}",
        ),
        measures=[_regular(len(subject.train) - n_rows, len(subject.train))],
        why=Text(
            en="Two spellings of one class are two classes to every arm: rows are split between them and right answers "
            "count as wrong.",
            zh="同一类别的两种写法，在任何方案眼里都是两个类别：样本被拆散，答对了也会判错。",
        ),
        seed_rows=["K4", "Q2"],
        fix=Text(
            en="`--fix` unites those that differ in case, spacing or width only; the others are listed for you to decide.",
            zh="`--fix` 只合并大小写、空格、全半角不同的写法；其余列出供你判断。",
        ),
        rows=mentions(subject, ((row, _label_why(miss)) for row, miss in rows)),
        n_rows=n_rows,
    )


def _label_why(miss: NearMiss) -> Text:
    what = _DIFFERENCE[miss.difference]
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
        title=Text(
            en=f"{n:,} of {total:,} outputs break the schema that the others keep ({fields} fields)",
            zh=f"{total:,} 条输出中有 {n:,} 条不符合其余输出的 Schema（{fields} 个字段）",
        ),
        measures=[_regular(total - n, total)],
        why=Text(
            en="Constrained decoding writes only what the schema allows. Whatever a few rows do differently makes the schema "
            "wider for all, or makes those rows unanswerable.",
            zh="约束解码只会写出 Schema 允许的内容。少数行的例外，要么让 Schema 对所有行都放宽，要么让这些行永远答不对。",
        ),
        seed_rows=["X1", "T1", "K4"],
        fix=Text(
            en="Correct these rows, or give the wider schema in `output.schema` if they are right.",
            zh="修正这些行；如果它们是对的，就在 `output.schema` 中写明更宽的 Schema。",
        ),
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
        title=Text(
            en=f"{len(odd):,} of {total:,} outputs are laid out differently; the usual is {shape.en}",
            zh=f"{total:,} 条输出中有 {len(odd):,} 条版式不同；通常是{shape.zh}",
        ),
        measures=[_regular(total - len(odd), total)],
        why=Text(
            en="Whoever reads the answers by program relies on their form, and few exceptions are enough to teach a model both.",
            zh="用程序解析答案时要靠固定的版式；只要有少量例外，模型就会两种都学。",
        ),
        seed_rows=["Q2", "N3", "T1"],
        fix=Text(en="Decide on one form and bring these rows into it.", zh="确定一种版式，把这些行改成一致。"),
        rows=mentions(subject, ((subject.train[at], layouts[at].describe()) for at in odd)),
        n_rows=len(odd),
    )
