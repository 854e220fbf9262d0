"""Are there rows enough: for every class, for the margin, and for the model's context?

Counted, but for two things. What a test of so many rows can show rests on how often two arms differ, which is not
known before a run; the value that plans and reports take (`tuneworth.stats.power`) stands in and is named. Tokens are counted on a sample, and exactly on every row
that could be over the context: a text has at most as many tokens as bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mentions, no_rows
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import Finding, Severity
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.split import n_test_rows
from tuneworth.stats.power import SHARE_DIFFERENT, most_pairs, power_of

FEW_ROWS = 10
"""A class with fewer rows has one or two in a test of a quarter of the rows."""
_TOKEN_SAMPLE = 2_000
_MOST_LONG = 5_000
_SHOWN_CLASSES = 5


class Size:
    title = Text(en="Size against need", zh="数据量与需求")

    def skip(self, subject: Subject) -> Text | None:
        return no_rows(subject)

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        found = [_power(subject)]
        if subject.task.kind == "label":
            found += _classes(subject)
        tick(1, 2)
        if subject.count_tokens is not None:
            found += _tokens(subject, subject.count_tokens)
        tick(2, 2)
        return Checked(found, len(subject.train))


def _power(subject: Subject) -> Finding:
    """What the test side will be able to show."""
    documents = subject.task.documents is not None or bool(subject.documents)
    margin, n_pairs = subject.task.margin, most_pairs(documents=documents)
    n_test = subject.n_tested or n_test_rows(len(subject.train), len(subject.test))
    power = power_of(0, n_test, margin, n_pairs=n_pairs, worth=(None, subject.tested_worth))
    visible, needed = power.test_difference, power.rows_for_margin
    enough = visible <= margin
    need_en = f"{needed:,}" if needed is not None else "over 100,000"
    need_zh = f"{needed:,}" if needed is not None else "10 万以上"
    return Finding(
        id="size.power",
        severity="note" if enough or visible <= 2.5 * margin else "warning",
        title=Text(
            en=f"{n_test:,} test rows show differences from {visible:.1%} on; the margin is {margin:.1%}",
            zh=f"{n_test:,} 条测试数据能看出 {visible:.1%} 以上的差异，而设定的界限是 {margin:.1%}",
        ),
        measures=[
            measure("test rows", "测试行数", n_test, "rows"),
            measure("smallest difference shown", "能看出的最小差异", visible, "score"),
            measure("test rows needed for the margin", "达到界限所需的测试行数", float(needed or 100_000), "rows"),
        ],
        why=Text(
            en=f'With too few test rows the verdict is "can\'t tell yet". Planned for 80 % power, {n_pairs} comparisons and arms '
            f"that differ on {SHARE_DIFFERENT:.0%} of the rows.",
            zh=f"测试数据太少，结论就只能是“暂时无法判断”。此处按 80% 的检验功效、{n_pairs} 次比较、两个方案在 {SHARE_DIFFERENT:.0%} "
            "的数据上表现不同来估算。",
        ),
        seed_rows=["X4", "Q1"],
        fix=Text(
            en="Nothing to do."
            if enough
            else f"Give a test file of {need_en} rows, or set a larger `margin` if a smaller difference would change nothing.",
            zh="无需处理。"
            if enough
            else f"提供 {need_zh} 行的测试文件；如果小差异并不影响取舍，也可以调大 `margin`。",
        ),
    )


def _classes(subject: Subject) -> list[Finding]:
    counts = Counter(row.output for row in subject.train)
    missing = [label for label in subject.task.labels if label not in counts]
    rare = sorted(((n, label) for label, n in counts.items() if n < FEW_ROWS))
    shares = np.array(list(counts.values())) / len(subject.train)
    effective = float(np.exp(-np.sum(shares * np.log(shares))))
    largest = float(shares.max())
    return [_class_finding(subject, counts, rare, missing, effective, largest)]


def _class_finding(
    subject: Subject,
    counts: Counter[str],
    rare: Sequence[tuple[int, str]],
    missing: Sequence[str],
    effective: float,
    largest: float,
) -> Finding:
    shown = [(excerpt(label, 40), n) for n, label in rare[:_SHOWN_CLASSES]]
    en = "".join(f", {label!r} {n}" for label, n in shown)
    zh = "".join(f"，“{label}” {n} 行" for label, n in shown)
    few = {label for _, label in rare}
    smallest = min(counts.values())
    severity: Severity = "serious" if len(counts) < 2 or missing else "warning" if rare or largest >= 0.95 else "note"
    none_en = f"; {len(missing)} listed labels have none" if missing else ""
    none_zh = f"；另有 {len(missing)} 个给定标签没有数据" if missing else ""
    return Finding(
        id="size.classes",
        severity=severity,
        title=Text(
            en=f"{len(counts):,} classes, the smallest with {smallest:,} rows; {len(rare):,} have fewer than "
            f"{FEW_ROWS}{en}{none_en}",
            zh=f"共 {len(counts):,} 个类别，最少的只有 {smallest:,} 行；{len(rare):,} 个类别不足 {FEW_ROWS} 行{zh}{none_zh}",
        ),
        measures=[
            measure("rows of the smallest class", "最小类别的行数", smallest, "rows"),
            measure("share of the largest class", "最大类别的占比", largest),
            measure("effective number of classes (exp of the entropy)", "有效类别数（熵的指数）", effective, "score"),
        ],
        why=Text(
            en="A class with a handful of rows is learnt badly and tested on one or two rows. Where one class has nearly all "
            "rows, accuracy hardly moves whatever is done.",
            zh="只有几行的类别学不好，测试时也只占一两行。如果某一类几乎占了全部数据，无论怎么做，准确率都不会有多大变化。",
        ),
        seed_rows=["Q1", "N4", "C1"],
        fix=Text(
            en="Collect rows for the rare classes or unite them; with one dominant class use `metric: macro_f1`.",
            zh="为稀有类别补充数据，或将其合并；若一类独大，可改用 `metric: macro_f1`。",
        ),
        rows=mentions(subject, ((row, None) for row in subject.train if row.output in few)),
        n_rows=sum(n for n, _ in rare),
    )


def _tokens(subject: Subject, count: Callable[[str], int]) -> list[Finding]:
    sizes = _sampled_sizes(subject, count)
    p95 = float(np.quantile(sizes, 0.95))
    over = _over_context(subject, count)
    n, total = len(over), len(subject.train) + len(subject.test)
    context = f" of {subject.context_tokens:,}" if subject.context_tokens else ""
    context_zh = f"（{subject.context_tokens:,}）" if subject.context_tokens else ""
    error = 1.96 * float(sizes.std()) / max(len(sizes), 1) ** 0.5
    mean = float(sizes.mean())
    finding = Finding(
        id="size.tokens",
        severity="note" if not n else "serious" if n >= 0.05 * total else "warning",
        title=Text(
            en=f"{n:,} rows are over the model's context{context}; a row has {mean:,.0f} tokens on average, 95 % have at most "
            f"{p95:,.0f}",
            zh=f"{n:,} 行超出模型上下文{context_zh}；平均每行 {mean:,.0f} 个词元，95% 的行不超过 {p95:,.0f} 个",
        ),
        measures=[
            measure(
                "tokens a row, question and answer",
                "每行词元数（问题加答案）",
                mean,
                "tokens",
                Interval(low=max(0.0, mean - error), high=mean + error) if len(sizes) < total else None,
            ),
            measure("tokens of the 95th percentile", "第 95 百分位的词元数", p95, "tokens"),
        ],
        why=Text(
            en="Rows over the context cannot be learnt from or answered whole; tokens are what an API charges and what training "
            "time grows with.",
            zh="超出上下文的行既无法完整学习，也无法完整作答；API 按词元收费，训练时间也随词元增长。",
        ),
        seed_rows=["C3", "C4"],
        fix=Text(
            en="Shorten or split these rows, or name a model with a larger context." if n else "Nothing to do.",
            zh="缩短或拆分这些行，或换用上下文更长的模型。" if n else "无需处理。",
        ),
        rows=mentions(subject, ((row, Text(en=f"{k:,} tokens", zh=f"{k:,} 个词元")) for k, row in over)),
        n_rows=n,
    )
    return [finding]


def _whole(row: Example) -> str:
    return f"{row.query.text}\n{row.output}"


def _sampled_sizes(subject: Subject, count: Callable[[str], int]) -> np.ndarray:
    rng = subject.rng("size")
    rows = [*subject.train, *subject.test]
    taken = rng.permutation(len(rows))[:_TOKEN_SAMPLE]
    return np.array([count(_whole(rows[at])) for at in taken], dtype=np.float64)


def _over_context(subject: Subject, count: Callable[[str], int]) -> list[tuple[int, Example]]:
    """Rows over the context with their tokens, the longest first.

    Only rows of more bytes than the context has tokens can be; of these the longest 5,000 are counted.
    """
    if subject.context_tokens is None:
        return []
    limit = subject.context_tokens
    sized = ((len(_whole(row).encode()), row) for row in (*subject.train, *subject.test))
    possible = sorted(((size, row) for size, row in sized if size > limit), key=lambda item: -item[0])
    counted = ((count(_whole(row)), row) for _, row in possible[:_MOST_LONG])
    return sorted(((n, row) for n, row in counted if n > limit), key=lambda item: -item[0])


PLUGIN = Size()
