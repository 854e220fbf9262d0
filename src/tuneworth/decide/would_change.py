"""What would change the verdict: only what this run's numbers support."""

from __future__ import annotations

from statistics import NormalDist

from tuneworth.core.run import ArmResult, Comparison
from tuneworth.core.text import Text
from tuneworth.decide.documents import in_order
from tuneworth.decide.documents_changes import document_changes
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.forecast_words import forecast_changes
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.paired import MCNEMAR
from tuneworth.stats.power import smallest_difference
from tuneworth.words.names import listed
from tuneworth.words.numbers import about, milliseconds, percent, points, told_apart

_MEANS = {
    False: Text(en="A better prompt or other examples", zh="提示词或示例"),
    True: Text(en="Better retrieval or a better prompt", zh="检索或提示词"),
}
"""What could lift an untuned arm, by whether it reads documents."""


def would_change(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """The nearest ways to another verdict, and the limits that would cost the recommended arm its place."""
    by_verdict = {
        "fine_tune": _after_fine_tune,
        "dont_fine_tune": _after_dont,
        "not_yet": _after_not_yet,
        "cant_tell": _after_cant_tell,
        "none_meets_limits": _after_none,
    }
    found = by_verdict[ruling.verdict](evidence, ruling)
    return [
        *_cut_short(evidence, ruling),
        *_unmeasured(evidence, ruling),
        *found,
        *document_changes(evidence, ruling),
        *forecast_changes(evidence, ruling),
        *_limits(evidence, ruling),
    ]


def visible_difference(pair: Comparison, n_tests: int) -> float:
    """The least true difference that as many rows show four times out of five, as a fraction.

    Args:
        n_tests: comparisons that the verdict corrects for.
    """
    binary = pair.method == MCNEMAR
    if binary:
        square = (pair.wins + pair.losses) / max(1, pair.n_rows)
    else:
        z = NormalDist().inv_cdf((1 + pair.interval.level) / 2)
        error = (pair.interval.high - pair.interval.low) / 2 / z
        square = pair.n_rows * error**2
    return smallest_difference(pair.n_rows, min(1.0, square), binary=binary, n_tests=n_tests)


def _after_fine_tune(evidence: Evidence, ruling: Ruling) -> list[Text]:
    pair = ruling.pair
    if ruling.case != "gain" or pair is None or ruling.untuned is None:
        return [
            Text(
                en="Looser limits, or a usable arm without tuning, would reopen the question.",
                zh="放宽限制，或者出现可用的免微调方案，就需要重新判断。",
            )
        ]
    found = [
        say(
            "{means} would have to lift {untuned} by about {low} before this verdict is in doubt, and by {gain} to catch up.",
            "换用更好的{means}，要让{untuned}再提高约 {low}，这个结论才会动摇；要追平则需提高 {gain}。",
            means=_MEANS[ruling.untuned.reads_documents],
            untuned=evidence.name(ruling.untuned),
            low=points(pair.interval.low),
            gain=points(pair.difference),
        )
    ]
    if pair.interval.low < evidence.task.margin:
        low, margin = told_apart(pair.interval.low, evidence.task.margin)
        found.append(
            say(
                "The gain is real but may be as small as {low}, less than your margin of {margin}; "
                "if a gain that small is not worth the upkeep, don’t fine-tune.",
                "提升是真实的，但可能只有 {low}，不到你设定的 {margin} 界限；如果这点提升抵不上维护成本，就不必微调。",
                low=low,
                margin=margin,
            )
        )
    return found


def _after_dont(evidence: Evidence, ruling: Ruling) -> list[Text]:
    pair, margin = ruling.pair, evidence.task.margin
    if ruling.case == "tuned_breaks_limits":
        return _relax(evidence, [arm for arm in evidence.finalists if arm.tuned])
    if pair is None:
        return [
            say(
                "Harder rows would: on these, at most {room} are left to gain.",
                "换成更难的数据才可能改变：在现有数据上，最多只剩 {room} 的提升空间。",
                room=points(1 - evidence.score(ruling.untuned).interval.low) if ruling.untuned is not None else "",
            )
        ]
    most, least = told_apart(pair.interval.high, margin)
    seen = say("allow {most} at most", "表明最多 {most}", most=most)
    if pair.interval.high <= 0:
        seen = Text(en="show a loss", zh="显示的却是下降")
    found = [
        say(
            "A gain of more than {margin} from tuning would; these {n} test rows {seen}.",
            "微调带来的提升超过 {margin} 才会改变结论；这 {n} 条测试数据{seen}。",
            margin=least,
            n=pair.n_rows,
            seen=seen,
        )
    ]
    if 0 < pair.interval.high < margin:
        found.append(
            say(
                "If you care about differences below {high}, set a smaller margin: then it is not settled.",
                "如果你在意小于 {high} 的差异，请把界限设小；那样就还没有定论。",
                high=most,
            )
        )
    return [*found, *_sight(evidence, pair)]


def _after_cant_tell(evidence: Evidence, ruling: Ruling) -> list[Text]:
    pair = ruling.pair
    if ruling.case in ("training_cut", "not_grown", "old_only"):
        return []  # said elsewhere: more time, all rows, or rows on new knowledge
    if ruling.case == "tuned_not_measured":
        return [Text(en="Measuring a tuned arm would.", zh="把微调方案测一遍，就能得出结论。")]
    if ruling.case == "nothing_measured":
        return [
            Text(
                en="Scores of a tuned and an untuned arm would: mend what stopped them, or run again with a larger --budget.",
                zh="微调和免微调方案至少各测出一个结果，才能下结论：请先排除上面的原因，或加大 --budget 再测一次。",
            )
        ]
    if pair is None:
        return [Text(en="Measuring a prompt and few-shot would.", zh="把提示词和少样本方案测一遍，就能得出结论。")]
    found: list[Text] = []
    if ruling.rows is not None:
        found.append(
            say(
                "About {rows} more labelled test rows, {total} in all, would probably settle it.",
                "再标注约 {rows} 条测试数据（总计 {total} 条），大概率能分出高下。",
                rows=about(ruling.rows),
                total=about(ruling.rows + pair.n_rows),
            )
        )
    whole = ruling.tuned is not None and not incomplete(evidence, ruling.tuned)
    if whole and pair.n_rows >= MIN_PAIRS and evidence.task.margin <= pair.interval.high < 1:
        found.append(
            say(
                "If only gains above {high} matter to you, these rows already say: don’t fine-tune.",
                "如果只有超过 {high} 的提升才对你有意义，那么现有数据已经说明：不必微调。",
                high=points(pair.interval.high),
            )
        )
    return [*found, *_sight(evidence, pair)]


def _after_not_yet(evidence: Evidence, ruling: Ruling) -> list[Text]:
    pair, outlook = ruling.pair, ruling.outlook
    assert pair is not None
    assert outlook is not None
    assert outlook.more is not None
    found = [
        say(
            "Label about {half} more training rows first and run again: a forecast to twice the data is surer than one to {times} times "
            "the data, and it tells whether the rest is worth it.",
            "不妨先补约 {half} 条训练数据再测一次：推算到两倍数据比推算到 {times} 倍可靠，届时就知道剩下的值不值得标。",
            half=about(outlook.n_train),
            times=f"{(outlook.n_train + outlook.more.n) / outlook.largest:.0f}",
        )
        if outlook.n_train + outlook.more.n >= 3 * outlook.largest
        else say(
            "Label these training rows and run again; the forecast is no promise.",
            "标注这些训练数据后再测一次；推算并不是保证。",
        )
    ]
    if pair.interval.high < evidence.task.margin:
        no_more = say(
            "If no more rows can be had, the verdict is: don’t fine-tune. With these rows tuning gains less than {margin}.",
            "如果无法再补充数据，结论就是不必微调：以现有的数据，微调的提升不到 {margin}。",
            margin=points(evidence.task.margin),
        )
        return [*found, no_more]
    if pair.rows_needed is not None:
        found.append(
            say(
                "Whether {tuned} is ahead with the present training rows would take about {rows} more test rows to tell.",
                "以现有的训练数据，{tuned}是否已经领先，约需再标注 {rows} 条测试数据才能看出来。",
                tuned=evidence.name(ruling.tuned) if ruling.tuned is not None else "",
                rows=about(max(1, pair.rows_needed - pair.n_rows)),
            )
        )
    return [*found, *_sight(evidence, pair)]


def _after_none(evidence: Evidence, ruling: Ruling) -> list[Text]:
    return _relax(evidence, evidence.finalists)


def _relax(evidence: Evidence, arms: tuple[ArmResult, ...] | list[ArmResult]) -> list[Text]:
    return [
        say(
            "Mending or relaxing this would bring {arm} ({score}) back: {why}.",
            "解决或放宽以下这点，{arm}（得分 {score}）就能重新入选：{why}。",
            arm=evidence.name(arm),
            score=percent(evidence.score(arm).value),
            why=listed(evidence.breaches[arm.arm_id]),
        )
        for arm in arms
    ]


def _sight(evidence: Evidence, pair: Comparison) -> list[Text]:
    """How fine a difference the present rows can show, among as many comparisons."""
    if pair.n_rows < MIN_PAIRS:
        return []
    return [
        say(
            "With the present {n} test rows, differences under about {least} are likely to be missed.",
            "以现有的 {n} 条测试数据，小于约 {least} 的差异很可能看不出来。",
            n=pair.n_rows,
            least=points(visible_difference(pair, len(evidence.comparisons))),
        )
    ]


def _unmeasured(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """Simpler ways that nobody measured may yet do without tuning."""
    missing = evidence.unmeasured
    if ruling.verdict != "fine_tune" or not missing:
        return []
    return [
        say(
            "{arms} could not be measured in this run; one of them may do without tuning. "
            "Run again with a larger --budget to be sure.",
            "这次没能测到{arms}，其中也许有无需微调就够用的方案。想确认的话，请加大 --budget 再测一次。",
            arms=listed([evidence.name(arm) for arm in missing]),
        )
    ]


def _cut_short(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """A training that the budget cut may still have more to give; nobody should take it for the full one."""
    arm = ruling.tuned
    if ruling.verdict == "fine_tune" or arm is None or arm.fit_details.get("stopped") != "time":
        return []
    return [
        say(
            "The time budget cut the training of {arm} after {epochs} epochs. More time could lift it: "
            "run again with a larger --budget before you rule fine-tuning out.",
            "时间预算在第 {epochs} 个 epoch 就中断了{arm}的训练。时间更充裕，结果可能更好：在放弃微调之前，请加大 --budget 再测一次。",
            arm=evidence.name(arm),
            epochs=f"{arm.fit_details.get('epochs', 0.0):.1f}",
        )
    ]


def _limits(evidence: Evidence, ruling: Ruling) -> list[Text]:
    arm = ruling.recommended
    if arm is None or arm.cost.latency_p95_ms is None:
        return []
    rest = [other for other in in_order(evidence) if other is not arm]
    faster = [o for o in rest if o.cost.latency_p95_ms is not None and o.cost.latency_p95_ms < arm.cost.latency_p95_ms]
    if not faster:
        return []
    return [
        say(
            "A p95 latency limit below {limit} rules {arm} out; {next} ({score}) would take its place.",
            "若要求 p95 延迟低于 {limit}，{arm}就不可用，将改用{next}（得分 {score}）。",
            limit=milliseconds(arm.cost.latency_p95_ms),
            arm=evidence.name(arm),
            next=evidence.name(faster[0]),
            score=percent(evidence.score(faster[0]).value),
        )
    ]
