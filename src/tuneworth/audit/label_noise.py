"""Which labels look wrong, and how many of them there may be.

Every row is judged by a classifier that never saw it. Suggested labels are suggestions: they are never applied by
``--fix``.

From texts and labels alone the rate is not identified: a row on which a classifier and its label disagree may
show a wrong label, two classes that overlap, or a weak classifier. What the rows do allow is a range:

* **At least**: among the quarter of each predicted class that the classifier is surest of, hardly any error is its
  own. Labels that disagree there are wrong, and labels that are wrong at random are wrong there as often as
  elsewhere (anchor points: Liu & Tao 2016, IEEE TPAMI 38:447).
* **At most**: the disagreement that more rows would not remove. The error of a classifier falls with its training
  rows and the share of wrong labels does not, so the error is carried on to endless rows with the usual
  square-root rate from a quarter of the rows and from all of them.

The estimate is the middle, which is wrong by at most half the range if the truth is inside. Confident learning
(Northcutt et al. 2021, JAIR 70:1373), which ranks the rows, gives a second opinion.

NOT seen: wrong labels that follow a pattern. Where people mistake one class for another in the same way over and over,
a classifier learns the mistake; nothing in the rows then tells it from the rule. Only a second opinion on some rows
does. (Measured on news labelled by people, a fifth of it wrongly: the range for their labels and the range for the
true labels of the same texts are nearly the same; ``benchmarks/audit_noise.py``.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mention
from tuneworth.audit._learned import (
    group_names,
    grouped_folds,
    held_out_scores,
    most_texts,
    probabilities,
    vectors,
    why_no_classifier,
)
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, Measure, Severity
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.groups import stratified_sample
from tuneworth.stats.intervals import wilson

N_FOLDS = 5
MIN_ROWS = 100
_MAX_SUGGESTED = 1_000
_SERIOUS, _WARNING = 0.1, 0.03
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
SUREST = 0.25
MIN_LIFT = 0.3
MAX_UNDECIDED = 0.15
"""Labels that are missed and may be wrong or hard, at most, for an estimate."""
SMALL_SHARE = 0.25
"""The size of the smaller fit; with a square-root rate the limit is then 2 e(all) - e(quarter)."""


@dataclass(frozen=True)
class Judged:
    """Rows with the classifier's opinion of their labels.

    Attributes:
        rows: those judged: a sample of classes with at least ``N_FOLDS`` rows.
        names: label of every class number.
        labels: class number by row.
        probabilities: held out, shape ``(rows, classes)``.
        doubts: how doubtful each label is, in [0, 1].
        suspects: rows by position, the most doubtful first, that confident learning calls wrong.
    """

    rows: tuple[Example, ...]
    names: tuple[str, ...]
    labels: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    doubts: NDArray[np.float64]
    suspects: tuple[int, ...]
    rate: NoiseRange

    def suggested(self, at: int) -> str:
        """The label that the classifier expects for the row at position ``at``."""
        return self.names[int(self.probabilities[at].argmax())]


class LabelNoise:
    title = Text(en="Wrong labels", zh="错误标签")

    def skip(self, subject: Subject) -> Text | None:
        if subject.task.kind not in ("label", "choice"):
            return Text(en="answers are not labels", zh="答案不是标签")
        rows = _judgeable(subject.train)
        if len(rows) < MIN_ROWS or len({row.output for row in rows}) < 2:
            return Text(
                en=f"needs {MIN_ROWS} rows of two labels that have {N_FOLDS} rows each; there are {len(rows)}",
                zh=f"至少需要 {MIN_ROWS} 行、两种标签且每种不少于 {N_FOLDS} 行；目前只有 {len(rows)} 行可用",
            )
        return why_no_classifier("cleanlab")

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        judged = judge(subject, tick)
        if not judged.rate.told:
            return Checked([_cannot_tell(judged)], len(judged.rows))
        return Checked([_finding(subject, judged)], len(judged.rows), [_fact(judged)], _patches(judged))


def judge(subject: Subject, tick: Tick = no_tick) -> Judged:
    """Held-out opinions on the labels of ``subject.train``; rows beyond ``most_texts`` are sampled."""
    rng = subject.rng("label_noise")
    rows = _judgeable(subject.train)
    taken = stratified_sample([row.output for row in rows], most_texts(subject.embed), rng)
    rows = _judgeable([rows[at] for at in taken])
    names = sorted({row.output for row in rows})
    number = {name: at for at, name in enumerate(names)}
    labels = np.array([number[row.output] for row in rows], dtype=np.intp)
    x = vectors([row.query.text for row in rows], subject.embed, subject.seed, tick).values
    folds = grouped_folds(group_names(rows), labels, N_FOLDS, rng)
    opinions = probabilities(held_out_scores(x, labels, len(names), folds, rng=rng), labels)
    small = held_out_scores(x, labels, len(names), folds, share=SMALL_SHARE, rng=rng).argmax(axis=1) != labels
    doubts = doubt(opinions, labels)
    return Judged(
        tuple(rows),
        tuple(names),
        labels,
        opinions,
        doubts,
        _suspects(opinions, labels, doubts),
        noise_range(opinions, small, labels),
    )


def _judgeable(rows: Sequence[Example]) -> list[Example]:
    """Rows whose label has a row for every fold."""
    counts = Counter(row.output for row in rows)
    return [row for row in rows if counts[row.output] >= N_FOLDS]


def _suspects(opinions: NDArray[np.float64], labels: NDArray[np.intp], doubts: NDArray[np.float64]) -> tuple[int, ...]:
    from cleanlab.filter import find_label_issues

    issues = np.asarray(find_label_issues(labels, opinions, filter_by="confident_learning", n_jobs=1), dtype=np.bool_)
    found = np.flatnonzero(issues & (opinions.argmax(axis=1) != labels))
    return tuple(int(at) for at in found[np.argsort(-doubts[found], kind="stable")])


def _finding(subject: Subject, judged: Judged) -> Finding:
    rate, n = judged.rate, len(judged.suspects)
    low, high = rate.interval.low, rate.interval.high
    return Finding(
        id="label_noise",
        severity=_severity(rate),
        title=Text(
            en=f"About {rate.estimate:.1%} of the labels may be wrong ({low:.1%} to {high:.1%}); {n:,} rows are suspects",
            zh=f"约 {rate.estimate:.1%} 的标签可能有误（{low:.1%} 至 {high:.1%}），其中 {n:,} 行较为可疑",
        ),
        measures=_measures(judged),
        why=Text(
            en="Wrong labels cap the accuracy that any arm can show, and a tuned model learns them. The lower end are "
            "labels that are wrong where the classifier is surest; up to the upper end it may be labels, classes "
            "that overlap, or inputs that do not tell. Mistakes that follow a pattern are not seen: a classifier learns them.",
            zh="错误标签会压低各方案能测到的准确率，微调还会把错误学进去。区间下限是分类器最有把握处仍与标签相左的比例；"
            "从下限到上限，可能是标签错误，也可能是类别边界重叠或输入信息不足。有规律的错标不在其中：分类器会把它当成规则学走。",
        ),
        seed_rows=["K4", "Q1", "N4"],
        fix=Text(
            en="Look at the suspects from the top; then have a second person label 100 random rows afresh. How often the "
            "two disagree is the number that no computation on these rows can give.",
            zh="从最可疑的行看起；再随机抽 100 行，请另一人独立重新标注。两次标注的不一致率，是仅凭现有数据算不出来的。",
        ),
        rows=[
            mention(subject, judged.rows[at], detail=_detail(judged, at), score=float(judged.doubts[at]))
            for at in judged.suspects[:MAX_ROWS_SHOWN]
        ],
        n_rows=n,
    )


def _severity(rate: NoiseRange) -> Severity:
    """Serious only when what is surely wrong is much, or the middle of the range is far over any margin."""
    if rate.interval.low >= _WARNING or rate.estimate >= 2 * _SERIOUS:
        return "serious" if rate.estimate >= _SERIOUS else "warning"
    return "warning" if rate.estimate >= _WARNING else "note"


def _measures(judged: Judged) -> list[Measure]:
    rate, n = judged.rate, len(judged.rows)
    return [
        measure("share of wrong labels, estimated", "错标比例（估计）", rate.estimate, interval=rate.interval),
        measure("wrong where the classifier is surest", "分类器最有把握处的错标比例", rate.at_least),
        measure("share by confident learning", "置信学习给出的比例", rate.confident),
        measure("labels that a held-out classifier does not expect", "与留出分类器预测不一致的比例", rate.disagreement),
        measure("rows judged", "参与判断的行数", n, "rows"),
    ]


def _detail(judged: Judged, at: int) -> Text:
    given, other = judged.names[judged.labels[at]], judged.suggested(at)
    p_given = float(judged.probabilities[at, judged.labels[at]])
    p_other = float(judged.probabilities[at].max())
    return Text(
        en=f"labelled {given!r} ({p_given:.0%}), looks like {other!r} ({p_other:.0%})",
        zh=f"标为“{given}”（{p_given:.0%}），更像“{other}”（{p_other:.0%}）",
    )


def _fact(judged: Judged) -> AuditFact:
    rate = judged.rate
    interval = Interval(low=rate.interval.low, high=rate.interval.high)
    return AuditFact(
        name="noise_rate",
        value=rate.estimate,
        why=Text(
            en=f"middle of what the rows allow: {rate.at_least:.1%} are wrong where a held-out classifier is surest, and it "
            f"would still miss {rate.at_most:.1%} of the labels with endless rows",
            zh=f"取数据所允许范围的中点：留出分类器最有把握处有 {rate.at_least:.1%} 的标签与之相左；"
            f"即使数据无限多，它仍会有 {rate.at_most:.1%} 与标签不符",
        ),
        interval=interval,
    )


def _patches(judged: Judged) -> list[Patch]:
    return [
        Patch(
            check="label_noise",
            row_id=judged.rows[at].id,
            source=judged.rows[at].source,
            action="relabel",
            why=_detail(judged, at),
            before=judged.rows[at].output,
            after=judged.suggested(at),
            certain=False,
        )
        for at in judged.suspects[:_MAX_SUGGESTED]
    ]


def _cannot_tell(judged: Judged) -> Finding:
    rate, right = judged.rate, 1 - judged.rate.disagreement
    return Finding(
        id="label_noise.unknown",
        severity="note",
        title=Text(
            en=f"Wrong labels cannot be told from hard rows: a simple classifier gets {right:.0%} of the labels right",
            zh=f"无法区分错标与难例：简单分类器答对 {right:.0%} 的标签",
        ),
        measures=[
            measure("held-out accuracy", "留出准确率", right),
            measure("wrong where the classifier is surest", "分类器最有把握处的错标比例", rate.at_least),
        ],
        why=Text(
            en="Too many labels depend on something that word statistics and sentence vectors do not show; a disagreement "
            "there says little about the label.",
            zh="太多标签取决于词频和句向量反映不出的内容，分类器与标签不一致并不足以说明标签有错。",
        ),
        seed_rows=["K4"],
        fix=Text(
            en="Have a second person label 100 random rows afresh and count the disagreements.",
            zh="随机抽 100 行，请另一人独立重新标注，统计不一致的比例。",
        ),
    )


@dataclass(frozen=True, slots=True)
class NoiseRange:
    """What the rows say about the share of wrong labels.

    Attributes:
        estimate: the middle of ``at_least`` and ``at_most``.
        interval: from the lower end of ``at_least`` to the upper end of ``at_most``, both at 95 %.
        disagreement: rows whose label is not what the held-out classifier expects.
        confident: the rate by confident learning.
        lift: agreement beyond chance where the classifier is surest, mean over the classes it predicts: 0 when it
            has learnt nothing, 1 when it is always right there. Unlike accuracy it is not eaten up by noise.
    """

    estimate: float
    interval: Interval
    at_least: float
    at_most: float
    disagreement: float
    confident: float
    lift: float

    @property
    def told(self) -> bool:
        """Whether the rows say enough for an estimate that is off by hardly more than 7 points inside the range."""
        return self.lift >= MIN_LIFT and self.disagreement - self.at_least <= MAX_UNDECIDED


def noise_range(probabilities: Floats, small_wrong: NDArray[np.bool_], labels: Ints) -> NoiseRange:
    """The range from held-out ``probabilities`` of shape ``(rows, classes)``.

    Args:
        small_wrong: whether the classifier fitted on a quarter of the rows misses the label, per row.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = predicted != labels
    surest = _surest(probabilities, predicted)
    at_least, low = float(wrong[surest].mean()), wilson(float(wrong[surest].sum()), surest.size)
    limit, error = _limit(wrong, small_wrong)
    at_most = min(max(limit, at_least), max(float(wrong.mean()), at_least))
    return NoiseRange(
        estimate=(at_least + at_most) / 2,
        interval=Interval(low=min(low.low, at_most), high=min(1.0, max(at_most + error, low.high))),
        at_least=at_least,
        at_most=at_most,
        disagreement=float(wrong.mean()),
        confident=confident_rate(probabilities, labels),
        lift=_lift(wrong[surest], predicted[surest], labels),
    )


def confident_rate(probabilities: Floats, labels: Ints) -> float:
    """The off-diagonal share of the calibrated confident joint. Counts the overlap of classes as noise."""
    from cleanlab.count import compute_confident_joint

    joint = np.asarray(compute_confident_joint(labels, probabilities, calibrate=True), dtype=np.float64)
    return 1 - float(np.trace(joint) / joint.sum())


def doubt(probabilities: Floats, labels: Ints) -> Floats:
    """How doubtful each label is, in [0, 1]: one minus its held-out probability.

    cleanlab's ``self_confidence``; on human errors it ranks as well as the normalised margin.
    """
    from cleanlab.rank import get_label_quality_scores

    return 1 - np.asarray(get_label_quality_scores(labels, probabilities, method="self_confidence"), dtype=np.float64)


def _surest(probabilities: Floats, predicted: Ints) -> Ints:
    """The quarter of each predicted class with the highest probability."""
    top = probabilities.max(axis=1)
    chosen: list[Ints] = []
    for label in np.unique(predicted):
        rows = np.flatnonzero(predicted == label)
        keep = max(1, round(SUREST * rows.size))
        chosen.append(rows[np.argsort(-top[rows], kind="stable")[:keep]])
    return np.concatenate(chosen)


def _lift(wrong: NDArray[np.bool_], predicted: Ints, labels: Ints) -> float:
    """Mean over predicted classes of (agreement - share of the class) / (1 - share of the class)."""
    lifts: list[float] = []
    for label in np.unique(predicted):
        by_chance = float(np.mean(labels == label))
        agreement = 1 - float(wrong[predicted == label].mean())
        lifts.append((agreement - by_chance) / max(1 - by_chance, 1e-9))
    return float(np.mean(lifts))


def _limit(wrong: NDArray[np.bool_], small_wrong: NDArray[np.bool_]) -> tuple[float, float]:
    """The error at endless rows, and half its 95 % interval."""
    values = 2 * wrong.astype(np.float64) - small_wrong
    spread = float(values.std(ddof=1)) if values.size > 1 else 1.0
    return float(values.mean()), NormalDist().inv_cdf(0.975) * spread / math.sqrt(values.size)


PLUGIN = LabelNoise()
