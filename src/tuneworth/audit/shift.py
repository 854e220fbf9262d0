"""Do the rows of the test file come from where the training rows come from?

A classifier is trained to tell test inputs from training inputs (Lopez-Paz & Oquab 2017, ICLR, "Revisiting Classifier
Two-Sample Tests"). It learns on half of the rows; on the other half its scores are compared by the rank test of Mann
and Whitney, one score a group of near-duplicates, so that the p-value holds whatever the classifier is. The outputs
are compared by a chi-square test. With many rows any difference is significant: severity follows the size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mentions
from tuneworth.audit._learned import Auc, auc, group_names, grouped_folds, held_out_scores, vectors, why_no_classifier
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import Finding, Severity
from tuneworth.core.task import Example
from tuneworth.core.text import Text

MIN_ROWS = 30
MOST_OF_A_SIDE = 1_000
LEVEL = 0.01
_CLEAR, _SMALL = 0.7, 0.6
_TV_SERIOUS, _TV_WARNING = 0.25, 0.1
_LEAST_EXPECTED = 5.0


class Inputs(NamedTuple):
    """How well the inputs of the sides can be told apart, and the most telling test rows first."""

    auc: Auc
    n_units: int
    telling: list[Example]


class LabelShift(NamedTuple):
    """How the outputs of the sides differ.

    Attributes:
        distance: half the sum of the differences of the shares (total variation), in [0, 1].
    """

    p_value: float
    distance: float
    most_changed: str
    train_share: float
    test_share: float


class Shift:
    title = Text(en="Shift between train and test", zh="训练集与测试集的分布差异")

    def skip(self, subject: Subject) -> Text | None:
        if not subject.test:
            return Text(
                en="there is no test file; the split deals the rows at random", zh="没有单独的测试文件；划分是随机的"
            )
        if min(len(subject.train), len(subject.test)) < MIN_ROWS:
            return Text(en=f"needs {MIN_ROWS} rows on each side", zh=f"两侧各需至少 {MIN_ROWS} 行")
        return why_no_classifier()

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        found = compare_inputs(subject, tick)
        findings = [] if found is None else [_input_finding(subject, found)]
        if subject.task.kind == "label":
            findings.append(_label_finding(compare_labels(subject.train, subject.test)))
        n = len(subject.train) if subject.task.kind == "label" else min(len(subject.train), MOST_OF_A_SIDE)
        return Checked(findings, n)


def compare_inputs(subject: Subject, tick: Tick = no_tick) -> Inputs | None:
    """The two-sample test on inputs; ``None`` when the rows are so few groups that there is nothing to compare."""
    rng = subject.rng("shift")
    rows = [*_sample(subject.train, rng), *_sample(subject.test, rng)]
    sides = np.array([subject.side_of[row.id] == "test" for row in rows], dtype=np.intp)
    x = vectors([row.query.text for row in rows], subject.embed, subject.seed, tick).values
    groups = group_names(rows)
    folds = grouped_folds(groups, sides, 2, rng)
    scores = held_out_scores(x, sides, 2, folds, rng=rng)
    margin = scores[:, 1] - scores[:, 0]
    judged = np.flatnonzero(folds == 0)
    test = _by_group(groups, margin, judged[sides[judged] == 1])
    train = _by_group(groups, margin, judged[sides[judged] == 0])
    # A group on both sides is a leak, which is another check's finding and would only blur this one.
    both = test.keys() & train.keys()
    above = np.array([value for name, value in test.items() if name not in both])
    below = np.array([value for name, value in train.items() if name not in both])
    if min(above.size, below.size) < MIN_ROWS // 3:
        return None
    order = judged[np.argsort(-margin[judged], kind="stable")]
    return Inputs(auc(above, below), above.size + below.size, [rows[at] for at in order if sides[at] == 1])


def compare_labels(train: Sequence[Example], test: Sequence[Example]) -> LabelShift:
    """A chi-square test of the labels' shares, rare labels taken together."""
    from scipy.stats import chi2_contingency

    ours, theirs = Counter(row.output for row in train), Counter(row.output for row in test)
    labels = sorted(ours.keys() | theirs.keys())
    table = np.array([[side[label] for label in labels] for side in (ours, theirs)], dtype=np.float64)
    shares = table / table.sum(axis=1, keepdims=True)
    changed = int(np.abs(shares[0] - shares[1]).argmax())
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < _LEAST_EXPECTED
    merged = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    merged = merged[:, merged.sum(axis=0) > 0]
    tested: Any = chi2_contingency(merged) if merged.shape[1] > 1 else None
    p_value = float(tested.pvalue) if tested is not None else 1.0
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return LabelShift(p_value, distance, labels[changed], float(shares[0, changed]), float(shares[1, changed]))


def _sample(rows: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    return [rows[at] for at in np.sort(rng.permutation(len(rows))[:MOST_OF_A_SIDE])]


def _by_group(groups: Sequence[str], margin: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Mean score of every group."""
    found: dict[str, list[float]] = {}
    for at in rows:
        found.setdefault(groups[int(at)], []).append(float(margin[at]))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _input_severity(found: Auc) -> Severity:
    if found.p_value >= LEVEL or found.interval.low < 0.55:
        return "note"
    return "serious" if found.interval.low >= _CLEAR else "warning" if found.value >= _SMALL else "note"


def _input_finding(subject: Subject, found: Inputs) -> Finding:
    value, p_value = found.auc.value, found.auc.p_value
    severity, differs = _input_severity(found.auc), p_value < LEVEL
    said = (
        Text(en="test inputs differ from training inputs", zh="测试输入与训练输入存在差异")
        if differs
        else Text(en="no difference between test and training inputs was found", zh="未发现测试输入与训练输入有差异")
    )
    return Finding(
        id="shift.inputs",
        severity=severity,
        title=Text(
            en=f"{said.en[0].upper()}{said.en[1:]}: a classifier tells them apart with AUC {value:.2f} (p = {p_value:.2g})",
            zh=f"{said.zh}：分类器区分两者的 AUC 为 {value:.2f}（p = {p_value:.2g}）",
        ),
        measures=[
            measure(
                "AUC of telling test from train (0.5 is not at all)",
                "区分训练与测试的 AUC（0.5 表示分不出）",
                value,
                "score",
                found.auc.interval,
            ),
            measure("p-value, no difference", "p 值（原假设：无差异）", p_value, "p_value"),
            measure("groups compared", "参与比较的组数", found.n_units, "rows"),
        ],
        why=Text(
            en="Every arm learns from one kind of input and is judged on another. That is right if the test file shows what will "
            "come, and misleading if it does not.",
            zh="各方案学的是一种输入，考的是另一种。如果测试集代表将来的真实情况，这没有问题；否则结论会误导人。",
        ),
        seed_rows=["K4", "X5"],
        fix=Text(
            en="Look at the test rows below, those least like training rows. Collect such rows for training, or leave the test "
            "file out and let the split deal the rows."
            if differs
            else "Nothing to do.",
            zh="看看下面这些与训练数据最不像的测试行：要么补充同类训练数据，要么不用这份测试文件，改由程序划分。"
            if differs
            else "无需处理。",
        ),
        rows=mentions(subject, ((row, None) for row in found.telling[:20])) if severity != "note" else [],
        n_rows=len(subject.test) if severity != "note" else 0,
    )


def _label_severity(found: LabelShift) -> Severity:
    if found.p_value >= LEVEL or found.distance < _TV_WARNING:
        return "note"
    return "serious" if found.distance >= _TV_SERIOUS else "warning"


def _label_finding(found: LabelShift) -> Finding:
    name = excerpt(found.most_changed, 40)
    return Finding(
        id="shift.labels",
        severity=_label_severity(found),
        title=Text(
            en=f"The labels' shares differ by {found.distance:.1%} between train and test (p = {found.p_value:.2g}), most for "
            f"{name!r}: {found.train_share:.1%} and {found.test_share:.1%}",
            zh=f"训练与测试的标签占比相差 {found.distance:.1%}（p = {found.p_value:.2g}），差得最多的是“{name}”："
            f"{found.train_share:.1%} 对 {found.test_share:.1%}",
        ),
        measures=[
            measure("total variation distance of the labels", "标签分布的总变差距离", found.distance),
            measure("p-value, no difference", "p 值（原假设：无差异）", found.p_value, "p_value"),
        ],
        why=Text(
            en="A tuned model learns how frequent each label is, so a test with other shares counts against it.",
            zh="微调后的模型会学到各标签出现的频率；测试集占比不同，对它不利。",
        ),
        seed_rows=["K4", "P1"],
        fix=Text(
            en="If the test file has the shares of real use, sample the training rows alike or judge by `macro_f1`.",
            zh="如果测试集的占比更接近真实使用，就按同样的占比抽取训练数据，或改用 `macro_f1` 评价。",
        ),
    )


PLUGIN = Shift()
