"""Which labels look wrong, and how many of them there may be.

Every row is judged by a classifier that never saw it; ``learned.noise`` says what can be concluded from that, and
what cannot. Suggested labels are suggestions: they are never applied by ``--fix``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._learned.classify import held_out_scores, probabilities
from tuneworth.audit._learned.folds import group_names, grouped_folds
from tuneworth.audit._learned.needs import why_no_classifier
from tuneworth.audit._learned.noise import SMALL_SHARE, NoiseRange, doubt, noise_range
from tuneworth.audit._learned.vectors import most_texts, vectors
from tuneworth.audit._mentions import mention
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, Measure, Severity
from tuneworth.core.run import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.groups import stratified_sample

N_FOLDS = 5
MIN_ROWS = 100
_MAX_SUGGESTED = 1_000
_SERIOUS, _WARNING = 0.1, 0.03


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
        Measure(
            name=Text(en="share of wrong labels, estimated", zh="错标比例（估计）"),
            value=rate.estimate,
            unit="share",
            interval=rate.interval,
        ),
        Measure(
            name=Text(en="wrong where the classifier is surest", zh="分类器最有把握处的错标比例"),
            value=rate.at_least,
            unit="share",
        ),
        Measure(
            name=Text(en="share by confident learning", zh="置信学习给出的比例"), value=rate.confident, unit="share"
        ),
        Measure(
            name=Text(en="labels that a held-out classifier does not expect", zh="与留出分类器预测不一致的比例"),
            value=rate.disagreement,
            unit="share",
        ),
        Measure(name=Text(en="rows judged", zh="参与判断的行数"), value=n, unit="rows"),
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
            Measure(name=Text(en="held-out accuracy", zh="留出准确率"), value=right, unit="share"),
            Measure(
                name=Text(en="wrong where the classifier is surest", zh="分类器最有把握处的错标比例"),
                value=rate.at_least,
                unit="share",
            ),
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


PLUGIN = LabelNoise()
