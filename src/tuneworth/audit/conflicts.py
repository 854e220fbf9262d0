"""The same input with different answers, and what that leaves to be reached.

No function of the input can be right on two rows that ask the same and want different things. Over the training
rows the best possible accuracy is therefore the share of rows that have the commonest answer of their input.
Only inputs that occur more than once can show a contradiction, so how often *those* disagree says more about the
labels than the ceiling does, and it is given with its interval.

Where a column that nothing reads tells the contradicting rows apart, they are no contradictions: the finding names it, and
no label is suggested to change.

Where the answer is free text several answers are no contradiction: they are references of one another, and the
split counts them so on the held-out rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mention, no_rows
from tuneworth.audit._likeness.forms import asked, bare, n_of
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import MAX_ROWS_SHOWN, Finding, RowMention
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.evidence import explains, values_of
from tuneworth.data.neardup import ngram_size, pairs_within, plain, sketch
from tuneworth.stats.intervals import wilson
from tuneworth.words.say import say

NEAR = 0.9
_SERIOUS_CEILING = 0.98


@dataclass(frozen=True, slots=True)
class Repeated:
    """Rows with one input, by their places.

    Attributes:
        usual: the commonest answer; ``None`` when two are equally common.
    """

    rows: tuple[int, ...]
    outputs: Counter[str]

    @property
    def usual(self) -> str | None:
        (first, n), *others = self.outputs.most_common(2)
        return None if others and others[0][1] == n else first

    @property
    def reachable(self) -> int:
        """Rows of these that one answer can get right."""
        return max(self.outputs.values())


class Conflicts:
    title = Text(en="Same input, different answers", zh="输入相同、答案不同")

    def skip(self, subject: Subject) -> Text | None:
        return no_rows(subject)

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        tick(0, 2)
        repeated = _repeated(subject.train)
        split = [group for group in repeated if len(group.outputs) > 1]
        if split and (column := _explanation(subject)) is not None:
            return Checked([_not_read(subject, split, *column)], len(subject.train))
        if subject.task.kind == "text":
            findings = [_several(subject, split)] if split else []
            return Checked(findings, len(subject.train), patches=_merges(subject, split))
        findings = [_conflict(subject, repeated, split)] if split else []
        tick(1, 2)
        near = _near_conflicts(subject)
        findings += [_near_miss(subject, near)] if near else []
        return Checked(findings, len(subject.train), patches=_relabels(subject, split))


def _repeated(rows: Sequence[Example]) -> list[Repeated]:
    """Inputs that occur more than once, spacing aside."""
    places: dict[object, list[int]] = {}
    for at, row in enumerate(rows):
        key = tuple((turn.role, " ".join(turn.content.split())) for turn in row.query.messages)
        places.setdefault((key, row.query.choices), []).append(at)
    return [
        Repeated(tuple(group), Counter(rows[at].output for at in group)) for group in places.values() if len(group) > 1
    ]


def _conflict(subject: Subject, repeated: Sequence[Repeated], split: Sequence[Repeated]) -> Finding:
    total = len(subject.train)
    rows = sum(len(group.rows) for group in split)
    lost = sum(len(group.rows) - group.reachable for group in split)
    ceiling = 1 - lost / total
    n_inputs = len(repeated)
    return Finding(
        id="conflicts.same",
        severity="serious" if ceiling < _SERIOUS_CEILING else "warning",
        title=Text(
            en=f"answers contradict one another for {n_of(len(split), 'input')} ({rows:,} rows)",
            zh=f"有 {len(split):,} 种输入的答案互相矛盾（涉及 {rows:,} 条数据）",
        ),
        measures=[
            measure("best accuracy possible on these rows", "在这些数据上可能达到的最高准确率", ceiling),
            measure(
                f"of the {n_inputs:,} inputs that occur more than once, those with contradicting answers",
                f"出现多次的 {n_inputs:,} 种输入中，答案互相矛盾的占比",
                len(split) / n_inputs,
                interval=wilson(len(split), n_inputs),
            ),
            measure("rows that no model can get right", "任何模型都答不对的数据", lost, "rows"),
        ],
        why=Text(
            en=f"{lost:,} of {total:,} rows cannot be got right by any model. Training on both answers teaches neither, "
            "and more rows of this kind do not help.",
            zh=f"{total:,} 条数据中有 {lost:,} 条，任何模型都不可能答对。两种答案都拿来训练，哪种也学不好；再多这样的数据也无济于事。",
        ),
        seed_rows=["K4", "Q1", "Q2", "N4"],
        fix=Text(
            en="Decide which answer is right. If both are, the input lacks what decides between them: add it.",
            zh="确定哪个答案正确；若两个都对，说明输入里缺少区分它们的信息，应当补上。",
        ),
        rows=_group_mentions(subject, split),
        n_rows=rows,
    )


def _explanation(subject: Subject) -> tuple[str, int, int] | None:
    """The column that nothing reads and that tells most contradicting rows apart, with how many of how many; or ``None``."""
    rows = [subject.columns_of(row) for row in subject.train]
    asked_ = [" ".join(text.split()) for text in asked(subject.train)]
    answers = [row.output for row in subject.train]
    found = {name: explains(asked_, answers, values_of(name, rows)) for name in subject.unused}
    said = [(name, *told) for name, told in found.items() if told is not None]
    return max(said, key=lambda told: told[1], default=None)


def _not_read(subject: Subject, split: Sequence[Repeated], column: str, n: int, of: int) -> Finding:
    """What looks like wrong labels is a question that is not asked whole."""
    return Finding(
        id="conflicts.column",
        severity="serious",
        title=say("columns.conflict.title", name=column, n=n, of=of),
        measures=[measure("rows that it tells apart", "它能区分的数据", n, "rows")],
        why=say("columns.conflict.why", name=column),
        seed_rows=["Q1"],
        fix=say("columns.conflict.fix", name=column),
        rows=_group_mentions(subject, split),
        n_rows=of,
    )


def _several(subject: Subject, split: Sequence[Repeated]) -> Finding:
    rows = sum(len(group.rows) for group in split)
    return Finding(
        id="conflicts.several",
        severity="note",
        title=Text(
            en=f"there is more than one answer for {n_of(len(split), 'input')} ({rows:,} rows)",
            zh=f"有 {len(split):,} 种输入对应多个答案（涉及 {rows:,} 条数据）",
        ),
        measures=[measure("rows", "数据条数", rows, "rows")],
        why=Text(
            en="Several right answers are normal for free text. On held-out rows they count as references of one input.",
            zh="自由文本有多个正确答案很正常；在评测数据上，它们会合并为同一输入的多个参考答案。",
        ),
        seed_rows=["Q2"],
        fix=Text(
            en="Nothing, if all are right. Give them as `references` of one row to say so.",
            zh="若都正确则无需处理；也可以把它们写进同一行的 `references` 字段。",
        ),
        rows=_group_mentions(subject, split),
        n_rows=rows,
    )


def _group_mentions(subject: Subject, split: Sequence[Repeated]) -> list[RowMention]:
    """The rows of the groups in which most is lost, each pointing to the first row of its group."""
    ordered = sorted(split, key=lambda group: group.reachable - len(group.rows))
    pairs = [(at, group.rows[0]) for group in ordered[:MAX_ROWS_SHOWN] for at in group.rows]
    return [
        mention(subject, subject.train[at], other="" if at == first else subject.train[first].source)
        for at, first in pairs[:MAX_ROWS_SHOWN]
    ]


def _near_conflicts(subject: Subject) -> list[tuple[int, int, float]]:
    """(row, earlier row, similarity) with inputs almost alike and answers that differ."""
    texts, rows = asked(subject.train), subject.train
    plains = [plain(text, keep_numbers=True) for text in texts]
    pairs = pairs_within(sketch(plains, ngram_size(plains)), NEAR)
    found: dict[int, tuple[int, int, float]] = {}
    for first, row, similarity in zip(pairs.a.tolist(), pairs.b.tolist(), pairs.similarity.tolist()):
        if rows[first].output != rows[row].output and texts[first].split() != texts[row].split():
            same = 1.0 if bare(texts[first]) == bare(texts[row]) else similarity
            found.setdefault(row, (row, first, same))
    return sorted(found.values(), key=lambda near: -near[2])


def _near_miss(subject: Subject, near: Sequence[tuple[int, int, float]]) -> Finding:
    rows = subject.train
    return Finding(
        id="conflicts.near",
        severity="warning",
        title=Text(
            en=f"{n_of(len(near), 'pair')} of rows with almost the same input and different answers",
            zh=f"有 {len(near):,} 对数据的输入几乎相同，答案却不同",
        ),
        measures=[
            measure("share of the rows", "占比", len(near) / len(rows)),
            measure("least similarity of such a pair", "这样成对的最低相似度", NEAR, "score"),
        ],
        why=Text(
            en="Either one of the two answers is wrong, or a single word decides. The first is label noise; the second is "
            "where a model needs examples most.",
            zh="要么其中一个答案标错了，要么一词之差决定了答案。前者是标注噪声，后者正是模型最需要样例的地方。",
        ),
        seed_rows=["K4", "Q1"],
        fix=Text(en="Look at the pairs and mend the wrong ones.", zh="逐对核对，改正标错的答案。"),
        rows=[
            mention(subject, rows[row], other=rows[first].source, score=similarity, detail=_other_answer(rows[first]))
            for row, first, similarity in near[:MAX_ROWS_SHOWN]
        ],
        n_rows=len(near),
    )


def _other_answer(row: Example) -> Text:
    shown = excerpt(row.output, 60)
    return Text(en=f"there: {shown}", zh=f"对方的答案：{shown}")


def _relabels(subject: Subject, split: Sequence[Repeated]) -> list[Patch]:
    """Suggest the commonest answer to the others; without one, all are in doubt."""
    patches: list[Patch] = []
    for group in split:
        usual = group.usual
        for row in (subject.train[at] for at in group.rows):
            if usual is None:
                why = Text(
                    en="other rows with this input have other answers, none of them more common",
                    zh="同一输入另有不同答案，且没有哪个占多数",
                )
                patches.append(Patch("conflicts", row.id, row.source, "drop", why, row.output, certain=False))
            elif row.output != usual:
                n, of = group.outputs[usual], len(group.rows)
                why = Text(
                    en=f"{n} of the {of} rows with this input have the other answer",
                    zh=f"同一输入的 {of} 条数据中有 {n} 条是另一个答案",
                )
                patches.append(Patch("conflicts", row.id, row.source, "relabel", why, row.output, usual, certain=False))
    return patches


def _merges(subject: Subject, split: Sequence[Repeated]) -> list[Patch]:
    """Suggest to make the answers of one input references of its first row."""
    rows = subject.train
    return [
        Patch(
            "conflicts",
            rows[at].id,
            rows[at].source,
            "merge",
            Text(
                en=f"another answer to the input of {rows[group.rows[0]].source}",
                zh=f"与 {rows[group.rows[0]].source} 输入相同，是另一个答案",
            ),
            rows[at].output,
            into=rows[group.rows[0]].id,
            certain=False,
        )
        for group in split
        for at in group.rows[1:]
        if rows[at].output != rows[group.rows[0]].output
    ]


PLUGIN = Conflicts()
