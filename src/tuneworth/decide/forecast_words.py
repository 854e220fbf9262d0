"""Sentences about more training rows: what a forecast says, what it would cost, and why it decides nothing.

Numbers of rows have two significant digits. "More" is on top of the rows at hand.
"""

from __future__ import annotations

from tuneworth.core.race import CannotTellReason, Forecast, ForecastCrossing
from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.outlook import FAR, WIDE, More, Outlook, cut_short
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.words import say as catalogue
from tuneworth.words.numbers import about, about_usd, percent, points, usd

_WHY_NOT: dict[CannotTellReason, Text] = {
    "too_few_sizes": Text(en="it was tried on fewer than four training sizes", zh="实测的训练规模不到四种"),
    "no_trend": Text(
        en="over the sizes tried its score does not rise by more than noise",
        zh="在实测的各个规模上，得分没有超出波动的上升",
    ),
    "falling": Text(
        en="over the sizes tried its score falls; look for the cause, such as wrong labels, before labelling more",
        zh="在实测的各个规模上，得分不升反降；请先查明原因（例如标注有误），再考虑补充标注",
    ),
}


def between(more: More, level: float) -> Text:
    """``80 % interval: 900 to 9,000 more``."""
    low = about(more.low)
    if more.high is None:
        reach = catalogue.say("forecast.more.from", low=low)
    else:
        reach = catalogue.say("forecast.more.between", low=low, high=about(more.high))
    return catalogue.say("forecast.more.interval", level=percent(level, 0), between=reach)


def unfinished(evidence: Evidence, arm: ArmResult) -> Text:
    """Why a loss of an arm whose training is incomplete says little; without a full stop, to go on or to end with."""
    if cut_short(arm):
        return say(
            "the time budget ended the training of {arm} before it had seen every row once",
            "时间预算不够，{arm}的训练还没把数据过完一遍就停了",
            arm=evidence.name(arm),
        )
    return say(
        "{arm} was trained on only {n} of the {all} rows",
        "{arm}只用了 {all} 条训练数据中的 {n} 条",
        arm=evidence.name(arm),
        n=arm.n_train or evidence.n_train,
        all=evidence.n_train,
    )


def forecast_reasons(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What speaks for the verdict: the curve behind ``not_yet``, or that no amount of data within reach would do."""
    outlook = ruling.outlook
    if outlook is None or ruling.tuned is None or ruling.untuned is None:
        return []
    found = [_on_a_part(evidence, ruling, outlook)]
    if ruling.case == "not_yet":
        found += [_curve(evidence, ruling, outlook), _price(evidence, outlook)]
    if ruling.case in ("no_gain", "open") and outlook.never:
        found.append(_never(evidence, ruling, outlook))
    return [text for text in found if text is not None]


def forecast_changes(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """A forecast that does not decide, told with what is weak about it."""
    outlook = ruling.outlook
    if outlook is None or outlook.forecast is None or ruling.tuned is None:
        return []
    if ruling.case not in ("no_gain", "open", "not_grown"):
        return []
    met = _crossing(outlook.forecast)
    if outlook.forecast.cannot_tell is not None:
        return [_no_curve(evidence, ruling, outlook.forecast.cannot_tell)] if met.status != "already" else []
    if outlook.sure:
        return []  # something else decides: test rows, or that nothing is left to gain
    if outlook.more is not None:
        return [_weak(evidence, ruling, outlook, outlook.more), *_cost_of(evidence, outlook.more)]
    if met.status == "cannot_tell" and met.probability is not None:
        return [_even(evidence, ruling, met.probability)]
    if ruling.case == "not_grown" and met.status == "forecast" and met.n is not None:
        return [_at_hand(evidence, ruling, outlook, met.n)]
    return []


def _crossing(forecast: Forecast) -> ForecastCrossing:
    assert forecast.crossing is not None, "an outlook keeps forecasts that have a target"
    return forecast.crossing


def _names(evidence: Evidence, ruling: Ruling) -> dict[str, Text]:
    assert ruling.tuned is not None
    assert ruling.untuned is not None
    return {
        "tuned": evidence.name(ruling.tuned),
        "untuned": evidence.name(ruling.untuned),
        "margin": points(evidence.task.margin),
    }


def _on_a_part(evidence: Evidence, ruling: Ruling, outlook: Outlook) -> Text | None:
    """The race did not train it on all rows."""
    if outlook.grown or ruling.case in ("only_tuned_eligible", "tuned_breaks_limits"):
        return None
    parts = {**_names(evidence, ruling), "n": outlook.n_used, "all": outlook.n_train}
    if ruling.case in ("no_gain", "open") and outlook.backed and outlook.high is not None:
        return say(
            "{tuned} was trained on {n} of the {all} rows and no more: by its learning curve it would score at most {high} with all of "
            "them on the dev rows (upper end of the 95\u00a0% interval), which is not {margin} above {untuned}.",
            "{tuned}只用了 {all} 条训练数据中的 {n} 条就不再加量：按学习曲线推算，用上全部数据，它在开发集上最多达到 {high}"
            "（95% 区间上限），仍不能领先{untuned} {margin}。",
            high=percent(outlook.high),
            **parts,
        )
    return say(
        "{tuned} was trained on {n} of the {all} training rows.",
        "{tuned}只用了 {all} 条训练数据中的 {n} 条。",
        **parts,
    )


def _curve(evidence: Evidence, ruling: Ruling, outlook: Outlook) -> Text:
    assert outlook.forecast is not None
    sizes = sorted({point.n for point in outlook.forecast.points})
    grows = Text(
        en=" {untuned} learns from rows too; that it grows with them is counted in.",
        zh="{untuned}同样从数据中学习，它随数据增加的提升已计算在内。",
    )
    names = _names(evidence, ruling)
    return say(
        "The forecast carries on what {tuned} scored on the dev rows with {first} to {last} training rows; within 100 times the "
        "largest it leads by {margin} with a probability of {chance}.{grows}",
        "推算的依据是{tuned}用 {first} 到 {last} 条训练数据时在开发集上的得分；增加到最大训练量的 100 倍之内，它领先 {margin} 的概率为 {chance}。{grows}",
        first=sizes[0],
        last=sizes[-1],
        chance=_chance(_crossing(outlook.forecast).probability or 0.0),
        grows=say(grows.en, grows.zh, **names) if outlook.forecast.target_grows else Text(en="", zh=""),
        **names,
    )


def _price(evidence: Evidence, outlook: Outlook) -> Text | None:
    return next(iter(_cost_of(evidence, outlook.more)), None) if outlook.more is not None else None


def _cost_of(evidence: Evidence, more: More) -> list[Text]:
    each = evidence.usd_per_label
    if each is None:
        return []
    parts = {"each": usd(each), "cost": about_usd(more.n * each), "low": about_usd(more.low * each)}
    if more.high is None:
        return [
            say(
                "At {each} a label these rows cost about {cost}, at least {low}, with no upper end known.",
                "按每条标注 {each} 计，约需 {cost}，至少 {low}，上限不明。",
                **parts,
            )
        ]
    return [
        say(
            "At {each} a label these rows cost about {cost} ({low} to {high}).",
            "按每条标注 {each} 计，约需 {cost}（{low} 到 {high}）。",
            high=about_usd(more.high * each),
            **parts,
        )
    ]


def _never(evidence: Evidence, ruling: Ruling, outlook: Outlook) -> Text:
    assert outlook.forecast is not None
    return say(
        "Not within reach: by its learning curve {tuned} would most likely not lead {untuned} by {margin} even with "
        "{reach} training rows{chance}.",
        "增加数据也够不着：按学习曲线推算，即使有 {reach} 条训练数据，{tuned}多半仍不能领先{untuned} {margin}{chance}。",
        reach=about(100 * max(point.n for point in outlook.forecast.points)),
        chance=_in_brackets(_crossing(outlook.forecast).probability),
        **_names(evidence, ruling),
    )


def _weak(evidence: Evidence, ruling: Ruling, outlook: Outlook, more: More) -> Text:
    assert outlook.forecast is not None
    met = _crossing(outlook.forecast)
    return say(
        "More training rows may: by its learning curve {tuned} leads {untuned} by {margin} after about {n} more ({between}). "
        "Too weak for a verdict: {why}.",
        "增加训练数据也许会：按学习曲线推算，再标注约 {n} 条，{tuned}就能领先{untuned} {margin}（{between}）。"
        "但这还不足以作为结论：{why}。",
        n=about(more.n),
        between=between(more, met.level),
        why=_weakness(ruling, outlook, more, met),
        **_names(evidence, ruling),
    )


def _weakness(ruling: Ruling, outlook: Outlook, more: More, met: ForecastCrossing) -> Text:
    if ruling.tuned is not None and cut_short(ruling.tuned):
        return Text(en="its training was cut by the time budget", zh="训练因时间预算不够而中断")
    if more.high is None:
        return say(
            "that it overtakes at all has a probability of {chance}",
            "它最终能反超的概率只有 {chance}",
            chance=_chance(met.probability or 0.0),
        )
    if outlook.n_train + more.n > FAR * outlook.largest:
        return say(
            "it looks further than {far} times the {n} rows that it was trained on",
            "推算范围超过了实际训练量（{n} 条）的 {far} 倍",
            far=FAR,
            n=outlook.largest,
        )
    if more.high > WIDE * more.n:
        return Text(en="the interval is too wide to plan with", zh="区间太宽，无法据此安排标注")
    return Text(
        en="the test rows show another difference than the dev rows on which the curve was measured",
        zh="测试集上的差异与推算所依据的开发集不符",
    )


def _no_curve(evidence: Evidence, ruling: Ruling, reason: CannotTellReason) -> Text:
    return say(
        "Whether {tuned} would overtake {untuned} with more training rows cannot be told: {why}.",
        "增加训练数据后{tuned}能否反超{untuned}，目前无法推算：{why}。",
        why=_WHY_NOT[reason],
        **_names(evidence, ruling),
    )


def _even(evidence: Evidence, ruling: Ruling, probability: float) -> Text:
    return say(
        "More training rows are not likely to be enough: that {tuned} leads {untuned} by {margin} within 100 times the rows trained on has "
        "a probability of {chance}.",
        "仅靠增加训练数据多半不够：增加到最大训练量的 100 倍之内，{tuned}领先{untuned} {margin} 的概率只有 {chance}。",
        chance=_chance(probability),
        **_names(evidence, ruling),
    )


def _at_hand(evidence: Evidence, ruling: Ruling, outlook: Outlook, n: int) -> Text:
    return say(
        "Training {tuned} on all rows at hand may: by its learning curve about {n} of the {all} put it {margin} ahead of {untuned}.",
        "用现有的全部数据训练{tuned}也许就会：按学习曲线推算，{all} 条中用到约 {n} 条，它就能领先{untuned} {margin}。",
        n=about(n),
        all=outlook.n_train,
        **_names(evidence, ruling),
    )


def _chance(probability: float) -> Text:
    """Never as good as certain: the curves are only those that we know."""
    shown = f"{100 * min(max(probability, 0.01), 0.99):.0f}"
    return Text(en=f"{shown}\u00a0%", zh=f"{shown}%")


def _in_brackets(probability: float | None) -> Text:
    if probability is None:
        return Text(en="", zh="")
    return say(" (probability {chance})", "（概率约 {chance}）", chance=_chance(probability))
