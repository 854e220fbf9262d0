"""Why: scores, the comparison, the choice, and everything that was left out."""

from __future__ import annotations

import math

from tuneworth.core.metricnames import metric_name
from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text
from tuneworth.decide.documents import in_order
from tuneworth.decide.documents_knowledge import age_reasons, by_heart_reasons, update_reasons
from tuneworth.decide.documents_trust import trust_cautions
from tuneworth.decide.documents_words import loss_reasons
from tuneworth.decide.evidence import Evidence, trainings
from tuneworth.decide.forecast_words import forecast_reasons
from tuneworth.decide.limits import n_unscored
from tuneworth.decide.phrases import p_value, say
from tuneworth.decide.ruling import Ruling
from tuneworth.words.names import few, listed
from tuneworth.words.numbers import duration, percent, points, score, signed_interval, signed_points


def reasons(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """One sentence each, the weightiest first."""
    return [
        *_scores(evidence),
        *_trainings(evidence),
        *_comparison(evidence, ruling),
        *by_heart_reasons(evidence),
        *loss_reasons(evidence, ruling),
        *age_reasons(evidence, ruling),
        *update_reasons(evidence, ruling),
        *forecast_reasons(evidence, ruling),
        *_choice(evidence, ruling),
        *_effort(evidence, ruling),
        *_left_out(evidence),
        *_stopped(evidence),
        *_unmeasured(evidence, ruling),
        *_cautions(evidence, ruling),
        *trust_cautions(evidence, ruling),
    ]


def _scores(evidence: Evidence) -> list[Text]:
    return [
        say(
            "{arm}: {metric} {score} on {n} test rows, never seen before.",
            "{arm}：在 {n} 条从未见过的测试数据上，{metric} 为 {score}。",
            arm=evidence.name(arm),
            metric=metric_name(evidence.metric),
            score=score(evidence.score(arm)),
            n=evidence.score(arm).n_rows,
        )
        for arm in evidence.finalists
    ]


def _trainings(evidence: Evidence) -> list[Text]:
    """How much the luck of training matters, where it was tried."""
    return [_each_training(evidence, arm) for arm in evidence.finalists if arm.repeats]


def _each_training(evidence: Evidence, arm: ArmResult) -> Text:
    scores = trainings(arm, evidence.metric)
    seen = say(
        "{arm} was trained {n} times with different seeds: {scores}.",
        "{arm}换随机种子训练了 {n} 次，得分分别为 {scores}。",
        arm=evidence.name(arm),
        n=len(scores),
        scores=few([percent(value) for value in scores], len(scores)),
    )
    if arm.arm_id not in evidence.averaged:
        return say(
            "{seen} The first is compared and handed over.", "{seen}参与比较并交付的都是第一次训练的模型。", seen=seen
        )
    return say(
        "{seen} Their mean is compared, and the interval holds how much they differ; the first is the one handed over.",
        "{seen}参与比较的是平均值，几次训练之间的差异已计入区间；交付的是第一次训练的模型。",
        seen=seen,
    )


def _stopped(evidence: Evidence) -> list[Text]:
    """Arms that the race looked at no further: for certain, or because it was not worth it."""
    sure, dear = (_stopped_by(evidence, reason) for reason in ("eliminated", "little_to_gain"))
    gain = max((evidence.stops[arm.arm_id].expected_gain or 0.0 for arm in dear), default=0.0)
    found = list[Text]()
    if sure:
        found.append(
            say(
                "Stopped early on the dev rows, as surely more than {margin} behind another arm: {arms}.",
                "以下方案已在开发集上提前淘汰，可以确定比别的方案差 {margin} 以上：{arms}。",
                margin=points(evidence.task.margin),
                arms=few([evidence.name(arm) for arm in sure]),
            )
        )
    if dear:
        found.append(
            say(
                "Not looked at further, because the rest was expected to gain less than {gain} (an estimate, no promise): {arms}.",
                "以下方案没有继续测，预计测下去提升不到 {gain}（只是估计，并无保证）：{arms}。",
                gain=points(max(math.ceil(1_000 * gain), 1) / 1_000),
                arms=few([evidence.name(arm) for arm in dear]),
            )
        )
    return found


def _stopped_by(evidence: Evidence, reason: str) -> list[ArmResult]:
    tested = {arm.arm_id for arm in evidence.finalists}
    return [
        arm
        for arm in evidence.arms
        if arm.arm_id in evidence.stops
        and evidence.stops[arm.arm_id].reason == reason
        and arm.arm_id not in tested
        and not arm.yardstick
    ]


def _comparison(evidence: Evidence, ruling: Ruling) -> list[Text]:
    pair = ruling.pair
    if pair is None or ruling.tuned is None or ruling.untuned is None:
        return []
    return [
        say(
            "Row by row, {tuned} did better than {untuned} on {wins} rows, worse on {losses} and the same on {ties}: "
            "{difference} ({interval}; {p} after correcting for all comparisons).",
            "逐条对比，{tuned}在 {wins} 条上好于{untuned}，{losses} 条上更差，{ties} 条相同："
            "差异 {difference}（{interval}；多重比较校正后 {p}）。",
            tuned=evidence.name(ruling.tuned),
            untuned=evidence.name(ruling.untuned),
            wins=pair.wins,
            losses=pair.losses,
            ties=pair.ties,
            difference=signed_points(pair.difference),
            interval=signed_interval(pair.interval),
            p=p_value(pair.p_adjusted),
        )
    ]


def _choice(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """Why not simply the arm with the highest score."""
    chosen, best = ruling.recommended, next(iter(in_order(evidence)), None)
    if chosen is None or best is None or chosen is best:
        return []
    pair = evidence.between(best, chosen)
    parts = {"chosen": evidence.name(chosen), "best": evidence.name(best), "interval": signed_interval(pair.interval)}
    if evidence.rules_out_gain(best, chosen):
        return [
            say(
                "{chosen} is recommended because it is simpler: {best} is less than {margin} better ({interval}).",
                "推荐{chosen}是因为它更简单：{best}的优势不到 {margin}（{interval}）。",
                margin=points(evidence.task.margin),
                **parts,
            )
        ]
    return [
        say(
            "{chosen} is for the meantime: it is simpler, and {best} is not shown to be better ({interval}).",
            "暂时先用{chosen}：它更简单，而{best}是否更好还没有定论（{interval}）。",
            **parts,
        )
    ]


def _effort(evidence: Evidence, ruling: Ruling) -> list[Text]:
    if ruling.tuned is None or ruling.tuned.cost.fit_seconds <= 0:
        return []
    return [
        say(
            "Training {tuned} took {time} on this machine.",
            "在这台机器上训练{tuned}用了 {time}。",
            tuned=evidence.name(ruling.tuned),
            time=duration(ruling.tuned.cost.fit_seconds),
        )
    ]


def _left_out(evidence: Evidence) -> list[Text]:
    return [
        say(
            "{arm} is out: {why}.",
            "{arm}被排除：{why}。",
            arm=evidence.name(arm),
            why=listed(evidence.breaches[arm.arm_id]),
        )
        for arm in evidence.finalists
        if evidence.breaches[arm.arm_id]
    ]


def _unmeasured(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What became of fine-tuning when no tuned arm reached the test rows; of every arm when none did."""
    if ruling.tuned is not None:
        return []
    missed = [arm for arm in evidence.arms if not arm.yardstick and (arm.tuned or ruling.case == "nothing_measured")]
    named: dict[Text, list[Text]] = {}
    for arm in missed:
        named.setdefault(_why(arm), []).append(evidence.name(arm))
    found = [_missed(names, why) for why, names in named.items()]
    if any(arm.tuned for arm in evidence.arms):
        return found
    return [
        Text(en="Fine-tuning was not among the strategies of this run.", zh="这次运行的策略中没有包含微调。"),
        *found,
    ]


def _missed(names: list[Text], why: Text) -> Text:
    return say(
        "{arms} was not measured on the test rows: {why}."
        if len(names) == 1
        else "{arms} were not measured on the test rows: {why}.",
        "{arms}没有在测试集上测量：{why}。",
        arms=few(names),
        why=why,
    )


def _why(arm: ArmResult) -> Text:
    if arm.why is not None:
        return Text(en=arm.why.en.rstrip("."), zh=arm.why.zh.rstrip("。"))
    if arm.state == "measured":
        return Text(en="another arm was ahead on the dev rows", zh="在开发集上被其他方案超过")
    return Text(en="no reason was recorded", zh="没有记录原因")


def _cautions(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What weakens the numbers: rows without an answer, a limit barely kept, a trivial rival."""
    found = [_missing_rows(evidence, arm) for arm in evidence.eligible]
    if ruling.recommended is not None:
        found += [_barely(evidence, ruling.recommended), _trivial(evidence, ruling.recommended)]
    return [caution for caution in found if caution is not None]


def _missing_rows(evidence: Evidence, arm: ArmResult) -> Text | None:
    missing = n_unscored(arm.test_counts)
    if missing == 0:
        return None
    return say(
        "{arm} left {missing} test rows without a usable answer; they are not in its score.",
        "{arm}有 {missing} 条测试数据没有给出可用的答案，这些数据不计入得分。",
        arm=evidence.name(arm),
        missing=missing,
    )


def _barely(evidence: Evidence, arm: ArmResult) -> Text | None:
    limit, measured = evidence.task.limits.min_quality, evidence.score(arm)
    if limit is None or measured.interval.low >= limit:
        return None
    return say(
        "{arm} keeps the least quality of {limit} as measured, but not for certain: {score}.",
        "{arm}的实测得分达到了 {limit} 的最低要求，但并不稳妥：{score}。",
        arm=evidence.name(arm),
        limit=percent(limit),
        score=score(measured),
    )


def _trivial(evidence: Evidence, arm: ArmResult) -> Text | None:
    """A yardstick that does as well means that the score is easy to get; not one that is given the gold passages."""
    metric = evidence.metric
    trivial = [other for other in evidence.arms if other.yardstick and not other.reads_documents]
    yardsticks = [other for other in trivial if metric in other.dev]
    best = max(yardsticks, key=lambda other: (other.dev[metric].value, other.arm_id), default=None)
    if best is None or metric not in arm.dev or best.dev[metric].value < arm.dev[metric].interval.low:
        return None
    return say(
        "Mind that the yardstick {yardstick} scores {value} on the dev rows, about as much as {arm}: "
        "the score is easily reached, or the model does little.",
        "请注意，参照{yardstick}在开发集上就有 {value}，与{arm}相差无几：要么这个得分本来就容易达到，要么模型没起多大作用。",
        yardstick=evidence.name(best),
        value=percent(best.dev[metric].value),
        arm=evidence.name(arm),
    )
