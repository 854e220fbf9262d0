"""The verdict in one sentence, with the numbers that carry it."""

from __future__ import annotations

from collections.abc import Callable

from tuneworth.core.run import ArmResult, Comparison, Interval
from tuneworth.core.text import Text
from tuneworth.decide.documents_knowledge import every
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.forecast_words import between
from tuneworth.decide.limits import MAX_FAILED_SHARE
from tuneworth.decide.outlook import Outlook
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Case, Ruling
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words.numbers import about, percent, points, score, signed_interval, signed_points, told_apart

_BEST = Text(en="arm", zh="最好的")
_MOST_UNANSWERED = Text(en=f"{100 * MAX_FAILED_SHARE:.0f}\u00a0%", zh=f"{100 * MAX_FAILED_SHARE:.0f}%")
_BEST_OF_SOME = Text(en="arm that the time allowed to measure", zh="时间允许测到的最好的")


def headline(evidence: Evidence, ruling: Ruling) -> Text:
    """What to do, and the one number that says why."""
    return _WRITERS[ruling.case](evidence, ruling)


def _lead(ruling: Ruling) -> Text:
    """What to do. Retrieval stays where the recommended arm reads documents."""
    reads = ruling.recommended is not None and ruling.recommended.reads_documents
    if ruling.verdict == "fine_tune":
        plain = Text(en="Fine-tune", zh="值得微调")
        return (
            Text(en="Fine-tune the reader and keep retrieval", zh="值得微调阅读模型，同时保留检索") if reads else plain
        )
    plain = Text(en="Don’t fine-tune", zh="不必微调")
    return Text(en="Don’t fine-tune, use retrieval", zh="不必微调，用检索即可") if reads else plain


def _nothing_measured(evidence: Evidence, ruling: Ruling) -> Text:
    return Text(
        en="Can’t tell: no arm got a score on the test rows.", zh="还下不了结论：没有任何方案在测试集上得到结果。"
    )


def _nothing_eligible(evidence: Evidence, ruling: Ruling) -> Text:
    if evidence.only_unanswered(evidence.finalists):
        return say(
            "No arm is usable: every finalist ({n} in all) left more than {share} of its test rows without an answer.",
            "没有可用的方案：入围方案（共 {n} 个）都有超过 {share} 的测试数据没有给出可用的答案。",
            n=len(evidence.finalists),
            share=_MOST_UNANSWERED,
        )
    return say(
        "No arm keeps your limits: {n} reached the test rows, and each breaks at least one.",
        "没有方案满足你的限制：入围的 {n} 个方案各自至少违反一项。",
        n=len(evidence.finalists),
    )


def _gain(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    return say(
        "{lead}: {tuned} scores {score}, {gain} above {untuned}, the best {measured} without tuning "
        "({interval}, {n} test rows).",
        "{lead}：{tuned}的得分为 {score}，比{measured}免微调方案{untuned}高 {gain}（{interval}，{n} 条测试数据）。",
        lead=_lead(ruling),
        measured=_BEST_OF_SOME if evidence.unmeasured else _BEST,
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        score=_mean(evidence, tuned),
        gain=points(pair.difference),
        interval=signed_interval(pair.interval),
        n=pair.n_rows,
    )


def _no_gain(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    most, margin = told_apart(pair.interval.high, evidence.task.margin)
    parts = {
        "lead": _lead(ruling),
        "untuned": evidence.name(untuned),
        "tuned": evidence.name(tuned),
        "score": _mean(evidence, untuned),
        "interval": signed_interval(pair.interval),
        "loss": points(pair.difference),
        "most": most,
        "margin": margin,
    }
    if pair.answer == "worse":
        ahead = Interval(low=-pair.interval.high, high=-pair.interval.low, level=pair.interval.level)
        return say(
            "{lead}: {untuned} scores {score} without tuning, {loss} more than {tuned} ({interval}).",
            "{lead}：{untuned}无需微调就达到 {score}，比{tuned}还高 {loss}（{interval}）。",
            **{**parts, "interval": signed_interval(ahead)},
        )
    if pair.interval.high <= 0:
        return say(
            "{lead}: {untuned} scores {score} without tuning, and {tuned} is no better ({interval}).",
            "{lead}：{untuned}无需微调就达到 {score}，{tuned}并不更好（{interval}）。",
            **parts,
        )
    return say(
        "{lead}: {untuned} scores {score} without tuning, and {tuned} is at most {most} better, "
        "less than your margin of {margin} ({interval}).",
        "{lead}：{untuned}无需微调就达到 {score}，{tuned}最多只比它高 {most}，"
        "不到你设定的 {margin} 界限（{interval}）。",
        **parts,
    )


def _open(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    seen = say(
        "Can’t tell yet: {tuned} minus {untuned} is {difference} on {n} test rows, "
        "and the true difference may be anywhere from {low} to {high}.",
        "还下不了结论：在 {n} 条测试数据上，{tuned}相对{untuned}的差异为 {difference}，"
        "而真实差异可能在 {low} 到 {high} 之间。",
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        difference=signed_points(pair.difference),
        low=signed_points(pair.interval.low),
        high=signed_points(pair.interval.high),
        n=pair.n_rows,
    )
    return say(
        "{seen} {label}{meanwhile}",
        "{seen}{label}{meanwhile}",
        seen=seen,
        label=_label(ruling, pair),
        meanwhile=_meanwhile(evidence, ruling),
    )


def _training_cut(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    seen = say(
        "Can’t tell yet: {tuned} minus {untuned} is {difference} ({interval}), but the time budget ended its training before "
        "it had seen every row once. Run again with a larger --budget.",
        "还下不了结论：{tuned}相对{untuned}的差异为 {difference}（{interval}），但时间预算不够，训练还没把数据过完一遍就停了。"
        "请加大 --budget 再测一次。",
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
    )
    return say("{seen}{meanwhile}", "{seen}{meanwhile}", seen=seen, meanwhile=_meanwhile(evidence, ruling))


def _not_yet(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    outlook = ruling.outlook
    assert outlook is not None
    assert outlook.more is not None
    assert outlook.forecast is not None
    assert outlook.forecast.crossing is not None
    return say(
        "Not yet: with {n} training rows {tuned} does not lead {untuned} by {margin} ({difference}; {interval}). By its learning "
        "curve it takes about {more} more labelled rows ({between}).{meanwhile}",
        "还不到微调的时候：用 {n} 条训练数据，{tuned}还不能领先{untuned} {margin}（差异 {difference}，{interval}）。"
        "按学习曲线推算，还需再标注约 {more} 条训练数据（{between}）。{meanwhile}",
        n=outlook.n_used,
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        margin=points(evidence.task.margin),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
        more=about(outlook.more.n),
        between=between(outlook.more, outlook.forecast.crossing.level),
        meanwhile=_meanwhile(evidence, ruling),
    )


def _not_grown(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    outlook = ruling.outlook
    assert outlook is not None
    seen = say(
        "Can’t tell yet: {tuned} minus {untuned} is {difference} ({interval}), but it was trained on only {n} of the {all} training "
        "rows. {next}",
        "还下不了结论：{tuned}相对{untuned}的差异为 {difference}（{interval}），但它只用了 {all} 条训练数据中的 {n} 条。{next}",
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
        n=outlook.n_used,
        all=outlook.n_train,
        next=_train_on_all(outlook),
    )
    return say("{seen}{meanwhile}", "{seen}{meanwhile}", seen=seen, meanwhile=_meanwhile(evidence, ruling))


def _old_only(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned, pair = _both(ruling)
    known = evidence.documents
    assert known is not None
    assert known.knowledge_every_days is not None
    seen = say(
        "Can’t tell yet: {tuned} minus {untuned} is {difference} ({interval}), but that is about old knowledge. The documents change "
        "{every}, {tuned} answers by heart, and too few test rows ask for anything new.",
        "还下不了结论：{tuned}相对{untuned}的差异为 {difference}（{interval}），但这只是旧知识上的表现。文档{every}更新一次，"
        "{tuned}靠记忆作答，而测试数据里几乎没有问到新知识。",
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
        every=every(known.knowledge_every_days),
    )
    return say("{seen}{meanwhile}", "{seen}{meanwhile}", seen=seen, meanwhile=_meanwhile(evidence, ruling))


def _train_on_all(outlook: Outlook) -> Text:
    if outlook.stop is None or outlook.stop.reason == "budget":
        return Text(
            en="The time budget ended; run again with a larger --budget.",
            zh="时间预算已用完，请加大 --budget 再测一次。",
        )
    return Text(
        en="The race stopped it there; run again with --exhaustive to train it on all of them.",
        zh="筛选时没有再给它加量；想用全部数据训练，请加上 --exhaustive 再测一次。",
    )


def _mean(evidence: Evidence, arm: ArmResult) -> Text:
    """The score that differences are about; of several trainings the mean."""
    shown, n = percent(evidence.value(arm)), 1 + len(arm.repeats)
    if n == 1 or arm.arm_id not in evidence.averaged:
        return shown
    return say("{score} (mean of {n} trainings)", "{score}（{n} 次训练的平均）", score=shown, n=n)


def _label(ruling: Ruling, pair: Comparison) -> Text:
    if ruling.rows is not None:
        n = about(ruling.rows)
        return say("Label about {n} more test rows.", "再标注约 {n} 条测试数据，大概率就能见分晓。", n=n)
    if pair.n_rows < MIN_PAIRS:
        return say(
            "Nothing can be said from fewer than {least} rows; label more.",
            "不足 {least} 条时什么都说明不了，请先补充标注。",
            least=MIN_PAIRS,
        )
    return Text(en="No reasonable number of rows would settle it.", zh="再标注多少数据都很难分出高下。")


def _meanwhile(evidence: Evidence, ruling: Ruling) -> Text:
    if ruling.recommended is None:
        return Text(en="", zh="")
    return say(" Meanwhile use {arm}.", "在此之前先用{arm}。", arm=evidence.name(ruling.recommended))


def _only_tuned_eligible(evidence: Evidence, ruling: Ruling) -> Text:
    tuned = _needed(ruling.tuned)
    parts = {"lead": _lead(ruling), "tuned": evidence.name(tuned), "score": _mean(evidence, tuned)}
    if evidence.only_unanswered([arm for arm in evidence.finalists if not arm.tuned]):
        return say(
            "{lead}: only tuned arms are usable, the best is {tuned} ({score}). Every finalist without tuning left more than {share} "
            "of its test rows without an answer.",
            "{lead}：只有微调方案可用，其中最好的是{tuned}（得分 {score}）。入围的免微调方案都有超过 {share} 的测试数据没有给出可用的答案。",
            share=_MOST_UNANSWERED,
            **parts,
        )
    return say(
        "{lead}: only tuned arms keep your limits; the best is {tuned} ({score}).",
        "{lead}：只有微调方案满足你的限制，其中最好的是{tuned}（得分 {score}）。",
        **parts,
    )


def _tuned_breaks_limits(evidence: Evidence, ruling: Ruling) -> Text:
    tuned, untuned = _needed(ruling.tuned), _needed(ruling.recommended)
    return say(
        "{lead}: {tuned} may not be used ({why}), and {untuned} keeps every limit with a score of {score}.",
        "{lead}：{tuned}不可用（{why}），而{untuned}满足所有限制，得分 {score}。",
        lead=_lead(ruling),
        tuned=evidence.name(tuned),
        why=evidence.breaches[tuned.arm_id][0],
        untuned=evidence.name(untuned),
        score=percent(evidence.score(untuned).value),
    )


def _no_room(evidence: Evidence, ruling: Ruling) -> Text:
    untuned = _needed(ruling.untuned)
    return say(
        "{lead}: tuning was not measured, but {untuned} already scores {score}; "
        "even a perfect model would gain less than your margin of {margin}.",
        "{lead}：这次没有测到微调方案，但{untuned}已达到 {score}，就算拿到满分，提升也不到你设定的 {margin} 界限。",
        lead=_lead(ruling),
        untuned=evidence.name(untuned),
        score=score(evidence.score(untuned)),
        margin=points(evidence.task.margin),
    )


def _tuned_not_measured(evidence: Evidence, ruling: Ruling) -> Text:
    untuned = _needed(ruling.untuned)
    seen = say(
        "Can’t tell: fine-tuning was not measured. Without it, {untuned} scores {score}.",
        "还下不了结论：这次没有测到微调方案。免微调方案中，{untuned}的得分为 {score}。",
        untuned=evidence.name(untuned),
        score=score(evidence.score(untuned)),
    )
    return say("{seen}{meanwhile}", "{seen}{meanwhile}", seen=seen, meanwhile=_meanwhile(evidence, ruling))


def _untuned_not_measured(evidence: Evidence, ruling: Ruling) -> Text:
    tuned = _needed(ruling.tuned)
    return say(
        "Can’t tell: {tuned} scores {score}, but nothing simpler was measured to compare it with.",
        "还下不了结论：{tuned}的得分为 {score}，但没有测更简单的方案，无从比较。",
        tuned=evidence.name(tuned),
        score=score(evidence.score(tuned)),
    )


def _both(ruling: Ruling) -> tuple[ArmResult, ArmResult, Comparison]:
    assert ruling.pair is not None
    return _needed(ruling.tuned), _needed(ruling.untuned), ruling.pair


def _needed(arm: ArmResult | None) -> ArmResult:
    assert arm is not None, "this verdict is only given when the arm was tested"
    return arm


_WRITERS: dict[Case, Callable[[Evidence, Ruling], Text]] = {
    "nothing_measured": _nothing_measured,
    "nothing_eligible": _nothing_eligible,
    "gain": _gain,
    "no_gain": _no_gain,
    "open": _open,
    "not_yet": _not_yet,
    "not_grown": _not_grown,
    "training_cut": _training_cut,
    "old_only": _old_only,
    "only_tuned_eligible": _only_tuned_eligible,
    "tuned_breaks_limits": _tuned_breaks_limits,
    "no_room": _no_room,
    "tuned_not_measured": _tuned_not_measured,
    "untuned_not_measured": _untuned_not_measured,
}
