"""The words of the race in both languages: headings, what became of an arm, and why."""

from __future__ import annotations

import math
from typing import Literal

from tuneworth.core.race import Race, Stop, StopReason
from tuneworth.core.text import Text
from tuneworth.words import numbers

Fate = Literal[StopReason, "finalist", "finished", "open"]
"""What became of an arm: why it was stopped, or ``finalist`` (met the test rows), ``finished`` (looked at in
full) or ``open`` (neither stopped nor looked at in full)."""

FATES: dict[Fate, Text] = {
    "finalist": Text(en="finalist", zh="入围"),
    "finished": Text(en="measured in full", zh="测完"),
    "open": Text(en="not finished", zh="未测完"),
    "eliminated": Text(en="eliminated", zh="淘汰"),
    "little_to_gain": Text(en="little to gain", zh="提升有限"),
    "forecast": Text(en="forecast too low", zh="预测追不上"),
    "no_rise": Text(en="did not rise", zh="得分不升"),
    "setting": Text(en="other setting kept", zh="保留另一组参数"),
    "budget": Text(en="out of budget", zh="预算不足"),
    "failed": Text(en="failed", zh="失败"),
}

LABELS: dict[str, Text] = {
    "race": Text(en="The race", zh="筛选过程"),
    "race_lead": Text(
        en="Every arm starts on the same few dev rows and is given more only while it could still matter. "
        "The test rows play no part in this.",
        zh="每个方案都从同一小批开发集数据测起，只有还可能影响结论的才继续测下去。测试集不参与筛选。",
    ),
    "race_key": Text(
        en="Numbers above a bar: dev rows answered so far; before a slash, the training rows of that fit.",
        zh="色块上方的数字是已测的开发集条数；斜线前的数字是这次训练所用的条数。",
    ),
    "arm": Text(en="Arm", zh="方案"),
    "looked_at": Text(en="Looked at", zh="测到"),
    "score_there": Text(en="Score", zh="得分"),
    "to_leader": Text(en="To the leader", zh="与领先方案之差"),
    "fate": Text(en="What happened", zh="结果"),
    "time": Text(en="Time", zh="用时"),
    "saved": Text(en="Time not spent", zh="少用时间"),
    "evidence": Text(en="The evidence in numbers", zh="停测依据的数字"),
    "leader": Text(en="Held against", zh="对照的领先方案"),
    "rows_shared": Text(en="Rows in common", zh="共同的条数"),
    "level": Text(en="interval", zh="置信区间"),
    "e_value": Text(en="E-value / needed", zh="e 值 / 所需"),
    "expected_gain": Text(en="Expected gain", zh="预计提升"),
    "forecast_high": Text(en="Optimistic end", zh="乐观估计"),
    "more_arms": Text(en="Show the other arms", zh="显示其余方案"),
    "axis_minutes": Text(en="time since the run began, minutes", zh="运行开始后的时间（分钟）"),
    "axis_seconds": Text(en="time since the run began, seconds", zh="运行开始后的时间（秒）"),
}

MANY = 1_000_000
"""A larger e-value is told as "more than a million": the rest of its digits tell nobody anything."""


NOTHING_TO_GAIN = 0.0001
"""An expected gain below a hundredth of a point is told without a number."""


def promise(race: Race) -> Text:
    share = {lang: numbers.percent(race.promise, 0).to(lang) for lang in ("en", "zh")}
    return Text(
        en=f"However often the scores are looked at on the way, at most {share['en']} of such races eliminate an arm that "
        "lies within the margin of the best. The other stops carry no such promise.",
        zh=f"无论中途看过多少次得分，误淘汰的概率（与最优方案相差不到一个界限却被淘汰）不超过 {share['zh']}。"
        "因其他原因停测的方案没有这一保证。",
    )


def spent(race: Race) -> Text:
    """``Spent 6 min 6 s of the 21 min 0 s …``; no claim of a saving where there is none."""
    took, everything = (_both(seconds) for seconds in (race.seconds, race.seconds_all))
    if not numbers.is_known(race.seconds_all):
        return Text(
            en=f"The race took {took.en}. What measuring everything would have taken is not known.",
            zh=f"筛选用时 {took.zh}；全部测完要多久无法估计。",
        )
    if race.seconds_all <= race.seconds:
        return Text(
            en=f"The race took {took.en}, no less than the {everything.en} estimated for measuring everything.",
            zh=f"筛选用时 {took.zh}，并不少于全部测完的估计用时 {everything.zh}。",
        )
    share = race.seconds / race.seconds_all
    part = {lang: numbers.percent(share, 0).to(lang) for lang in ("en", "zh")}
    return Text(
        en=f"Spent {took.en} of an estimated {everything.en} for measuring everything ({part['en']}).",
        zh=f"筛选用时 {took.zh}，全部测完估计要 {everything.zh}（占 {part['zh']}）。",
    )


def cut_off(seconds: float) -> Text:
    """Said where the budget, not the evidence, kept time from being spent."""
    took = _both(seconds)
    return Text(
        en=f"About {took.en} of the rest was not saved but cut off by the budget.",
        zh=f"没花的时间里，约 {took.zh}是因为预算不够，并不是省下来的。",
    )


def why(
    fate: Fate,
    stop: Stop | None,
    leader: Text,
    *,
    n_rows: int,
    yardstick: bool,
    finalist: bool,
    reason: Text | None,
) -> Text:
    """What happened to an arm, in a sentence or two for somebody who does not do statistics.

    Args:
        n_rows: dev rows that it was scored on; a stop by the budget does not say.
        reason: why the arm has no scores, where the run says so; the list of skipped arms has the same words.
    """
    if reason is not None:
        return reason
    said = _survived(fate, yardstick=yardstick) if stop is None else _stopped(stop, leader, n_rows)
    if stop is None or not finalist:
        return said
    return Text(en=f"{said.en} It met the test rows all the same.", zh=f"{said.zh}它仍然进入了测试集的比较。")


def _survived(fate: Fate, *, yardstick: bool) -> Text:
    if fate == "finalist":
        return Text(en="Went on to the test rows.", zh="进入测试集的比较。")
    if fate == "failed":
        return Text(en="It broke.", zh="运行出错。")
    if fate == "open":
        return Text(en="Still in the race when it ended.", zh="筛选结束时仍未测完。")
    if yardstick:
        return Text(en="Measured for scale only.", zh="仅作参照。")
    return Text(en="Measured in full; others went on to the test rows.", zh="已经测完，进入测试集的是其他方案。")


def _stopped(stop: Stop, leader: Text, n_rows: int) -> Text:
    match stop.reason:
        case "eliminated":
            return _eliminated(stop, leader)
        case "little_to_gain":
            return _little(stop)
        case "forecast":
            return _forecast(stop, leader)
        case "no_rise":
            return Text(
                en=f"More training rows did not raise its score, and it is behind {leader.en} by more than the margin.",
                zh=f"训练数据增加，得分却没有上升，比{leader.zh}差，而且差距超出界限。",
            )
        case "setting":
            return _setting(stop, leader)
        case "budget":
            return _budget(stop, n_rows)
        case "failed":
            return Text(en="It broke, or left too many rows without an answer.", zh="运行出错，或有太多数据没有答案。")


def _eliminated(stop: Stop, leader: Text) -> Text:
    worse = Text(
        en=f"Behind {leader.en} by more than the margin.",
        zh=f"比{leader.zh}差，而且差距超出界限。",
    )
    if not numbers.is_known(stop.e_value) or stop.e_value < 1:
        return worse
    n = numbers.about(stop.e_value).to("en")
    times = Text(en="a million", zh="一百万") if stop.e_value > MANY else Text(en=n, zh=f" {n} ")
    # Ville's inequality: an e-value of e turns up with probability at most 1 / e if the arm is within the margin.
    return Text(
        en=f"{worse.en} Were it within the margin, evidence this strong would turn up at most once in {times.en} races.",
        zh=f"{worse.zh}假如差距其实在界限之内，这么强的证据在{times.zh}次筛选里最多出现一次。",
    )


def _little(stop: Stop) -> Text:
    gain = stop.expected_gain
    expected = Text(en="next to nothing", zh="几乎没有提升")
    if numbers.is_known(gain) and gain >= NOTHING_TO_GAIN:
        en, zh = (numbers.points(_ceiling(gain)).to(lang) for lang in ("en", "zh"))
        expected = Text(en=f"at most {en}", zh=f"最多只能提升 {zh}")
    return Text(
        en=f"Looking further was expected to gain {expected.en}, so the time went to others. This is no proof that it is worse.",
        zh=f"继续测下去预计{expected.zh}，时间便留给了其他方案；这并不能证明它更差。",
    )


def _setting(stop: Stop, leader: Text) -> Text:
    rows = stop.n_train or 0
    return Text(
        en=f"Trained on {rows:,} rows like {leader.en}, it scored no higher, so only that one was trained on more. "
        "This is no proof that it would be worse on all rows.",
        zh=f"同样用 {rows:,} 条训练时，得分没有超过{leader.zh}，因此只有后者继续增加训练数据；这并不能证明用上全部数据时它更差。",
    )


def _forecast(stop: Stop, leader: Text) -> Text:
    high = {lang: numbers.percent(stop.forecast_high).to(lang) for lang in ("en", "zh")}
    if not numbers.is_known(stop.forecast_high):
        return Text(
            en=f"By its learning curve it would stay behind {leader.en} by more than the margin, even with all training rows.",
            zh=f"从学习曲线看，即使用上全部训练数据，仍会落后于{leader.zh}，而且差距超出界限。",
        )
    return Text(
        en=f"Even the optimistic end of its learning curve, {high['en']} with all training rows, stays behind {leader.en} by "
        "more than the margin.",
        zh=f"按学习曲线往乐观处估计，用上全部训练数据也只有 {high['zh']}，仍落后于{leader.zh}，而且差距超出界限。",
    )


def _budget(stop: Stop, n_rows: int) -> Text:
    done = Text(
        en="Not finished: the rest was not expected to fit into the budget.", zh="没有测完：剩下的部分预计超出预算。"
    )
    rest = Text(en="The rest", zh="剩下的部分估计还要")
    if n_rows == 0:
        done = Text(en="Not started: it was not expected to fit into the budget.", zh="没有开始测：预计超出预算。")
        rest = Text(en="It", zh="测完估计要")
    if not stop.seconds_saved:
        return done
    time = _both(stop.seconds_saved)
    return Text(en=f"{done.en} {rest.en} would have taken about {time.en}.", zh=f"{done.zh}{rest.zh} {time.zh}。")


def _ceiling(gain: float) -> float:
    """Up to a tenth of a point, so that "at most" holds."""
    return math.ceil(gain * 1000 - 1e-9) / 1000


def _both(seconds: float | None) -> Text:
    return Text(en=numbers.duration(seconds).to("en"), zh=numbers.duration(seconds).to("zh"))
