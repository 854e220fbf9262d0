"""What a run says of its stages, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import StopReason
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.race.arms import Arm
from tuneworth.race.schedule import Work
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words.say import table


def plain(text: str) -> Text:
    """A number, the same in every language."""
    return Text(en=text, zh=text)


def doing(arm: Arm, work: Work) -> Text:
    name = arm.make().describe()
    if work.n_train is None:
        return name
    return Text(en=f"{name.en}, {work.n_train} training rows", zh=f"{name.zh}（{work.n_train} 条训练数据）")


def named(arm: Arm, *, several: bool) -> Text:
    """The arm in a few words, with its model where there are several."""
    name = arm.make().describe()
    if not several or arm.model_id is None:
        return name
    return Text(en=f"{name.en} · {arm.model_id}", zh=f"{name.zh} · {arm.model_id}")


def on_test_rows(arm: Arm) -> Text:
    name, number = arm.make().describe(), arm.repeat + 1
    if number == 1:
        return Text(en=f"test rows: {name.en}", zh=f"测试集：{name.zh}")
    return Text(en=f"test rows: {name.en}, training {number}", zh=f"测试集：{name.zh}（第 {number} 次训练）")


def training_again(arm: Arm) -> Text:
    name, number = arm.make().describe(), arm.repeat + 1
    return Text(en=f"training {number}, another seed: {name.en}", zh=f"换随机种子第 {number} 次训练：{name.zh}")


def came_to(value: float, n_rows: int, n_dev: int) -> Text:
    if n_rows == n_dev:
        return plain(f"{value:.3f}")
    return Text(en=f"{value:.3f} on {n_rows} rows", zh=f"{value:.3f}（{n_rows} 条）")


def stopped(reason: StopReason) -> Text:
    """Why an arm is looked at no further, in a few words."""
    return table("race.stopped_short")[reason]


def no_time() -> Text:
    return Text(
        en="it was not expected to fit into what was left of the budget; a larger --budget measures it",
        zh="预计超出剩余的预算，因此没有测；加大 --budget 即可测量",
    )


def too_dear(outcomes: Sequence[Outcome], metric: str, seconds: float) -> Text:
    """Of an arm that was looked at for a few rows and would take too long for the rest."""
    scores = [outcome.scores[metric] for outcome in outcomes if metric in outcome.scores]
    n, score, minutes = len(outcomes), sum(scores) / len(scores), max(1, round(seconds / 60))
    return Text(
        en=f"scored {score:.3f} on {n} dev rows, but the rest of them and, as a finalist, the test rows would take about "
        f"{minutes} min, too much of the time budget; a larger --budget measures it",
        zh=f"前 {n} 条开发集得分 {score:.3f}，但测完其余部分、入围后再测测试集还要约 {minutes} 分钟，占用过多时间预算；"
        "加大 --budget 即可测完",
    )


def too_slow(seconds: float) -> Text:
    """Of an arm that was not asked at all: as a finalist it would take too much of the budget."""
    minutes = max(1, round(seconds / 60))
    return Text(
        en=f"by its token counts it would take about {minutes} min as a finalist, too much of the time budget; a larger "
        "--budget measures it",
        zh=f"按词元数估计，入围后测测试集约要 {minutes} 分钟，占用过多时间预算；加大 --budget 即可测量",
    )


def nothing_scored(outcomes: Sequence[Outcome]) -> Text:
    error = next((outcome.error for outcome in outcomes if outcome.error), "")
    return Text(en=f"no dev row could be scored: {error}", zh=f"开发集中没有一条能计分：{error}")


def mostly_unscored(outcomes: Sequence[Outcome]) -> Text:
    """Of an arm that was stopped because most of its rows had no answer that could be scored."""
    unscored = [outcome for outcome in outcomes if outcome.status != "scored"]
    error = next((outcome.error for outcome in unscored if outcome.error), "")
    en, zh = (f", the first because: {error}", f"，第一条的原因：{error}") if error else ("", "")
    return Text(
        en=f"{len(unscored)} of {len(outcomes)} dev rows were left without an answer that can be scored{en}",
        zh=f"开发集 {len(outcomes)} 条中有 {len(unscored)} 条没有可以计分的回答{zh}",
    )


def race_off(exhaustive: bool, metric: Metric, n_dev: int) -> Text | None:
    """Why no arm can be stopped early; ``None`` when the race is on."""
    if exhaustive:
        return Text(
            en="every arm was measured in full, as --exhaustive asks",
            zh="按 --exhaustive 的要求，所有方案都完整测量",
        )
    if n_dev < MIN_PAIRS:
        return Text(
            en=f"{n_dev} dev rows are too few to stop an arm early (at least {MIN_PAIRS}), so every arm was measured in full",
            zh=f"开发集只有 {n_dev} 条，少于 {MIN_PAIRS} 条，不足以提前淘汰任何方案，因此全部完整测量",
        )
    if metric.corpus:
        return Text(
            en=f"{metric.title.en} is not a mean over rows, so no arm can be stopped early: every arm was measured in full",
            zh=f"{metric.title.zh}不是逐条得分的平均值，无法提前淘汰方案，因此全部完整测量",
        )
    return None
