"""What a learning curve answers, in sentences of both languages."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.race import CannotTellReason, ForecastCrossing
from tuneworth.core.text import Text
from tuneworth.words import numbers
from tuneworth.words.numbers import about_usd

LABELS: dict[str, Text] = {
    "forecast": Text(en="Would more data change the verdict?", zh="再多些数据，结论会变吗"),
    "more_data": Text(en="More data", zh="数据增多"),
    "forecast_lead": Text(
        en="How many more labelled rows would flip this verdict? The score is measured at growing numbers of training rows "
        "and carried on from there.",
        zh="还要标注多少数据，结论才会改变？先测出训练数据逐步增加时的得分，再据此向后推算。",
    ),
    "forecast_plain_lead": Text(
        en="The score is measured at growing numbers of training rows or demonstrations and carried on from there.",
        zh="先测出训练数据（或示例）逐步增加时的得分，再据此向后推算。",
    ),
    "rows_axis": Text(en="training rows (log scale)", zh="训练数据条数（对数刻度）"),
    "shots_axis": Text(en="demonstrations per request (log scale)", zh="每次请求的示例数（对数刻度）"),
    "measured": Text(en="measured, 95 % interval", zh="实测（95% 区间）"),
    "median": Text(en="forecast", zh="预测"),
    "likely": Text(en="80 % band", zh="80% 区间"),
    "possible": Text(en="95 % band", zh="95% 区间"),
    "goal": Text(en="{arm} + margin", zh="{arm} + 界限"),
    "crossing": Text(en="overtakes, 80 % interval", zh="反超（80% 区间）"),
    "at_hand": Text(en="{n} at hand", zh="现有 {n} 条"),
    "other_curves": Text(en="Curves of the other arms", zh="其他方案的曲线"),
    "bears_on": Text(en="Rule of thumb in question", zh="相关的经验法则"),
}

WHY_NOT: dict[CannotTellReason, Text] = {
    "too_few_sizes": Text(
        en="It cannot be told: {arm} was measured at fewer than four sizes, too few for a curve.",
        zh="无法判断：{arm}实测的规模不到四种，不足以拟合曲线。",
    ),
    "no_trend": Text(
        en="It cannot be told: the scores of {arm} do not rise by more than noise, so there is no trend to carry on.",
        zh="无法判断：{arm}的得分没有超出波动范围的上升趋势，无从推算。",
    ),
    "falling": Text(
        en="It cannot be told: the scores of {arm} fall as more is added. Look for the cause, such as wrong labels, before "
        "labelling more.",
        zh="无法判断：数据越多，{arm}的得分反而越低。请先查明原因（例如标注有误），再考虑补充数据。",
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """Whether, and when, one arm overtakes another.

    Attributes:
        arm, target: their names, in quotation marks.
        n_measured: training rows of its largest fit.
        n_at_hand: training rows that the run has.
        reach: training rows up to which was looked.
        won: the test rows show what the curve, on dev rows, does not: the arm is ahead, and the verdict is to tune.
    """

    arm: Text
    target: Text
    margin: float
    n_measured: int
    n_at_hand: int
    reach: int
    crossing: ForecastCrossing
    won: bool = False


def ahead_on_test(arm: Text) -> Text:
    """Said instead of a forecast that is less favourable than what the test rows have shown."""
    return Text(
        en=f"On the test rows {arm.en} is ahead already. The curve is measured on the dev rows and is less favourable there; the "
        "test rows decide.",
        zh=f"在测试集上{arm.zh}已经领先。这条曲线是在开发集上测的，结果没有那么乐观；以测试集为准。",
    )


def no_curve(*, measured: bool) -> Text:
    """Said where no tuned arm was trained on several sizes, or none was measured at all."""
    if measured:
        return Text(
            en="How many more rows would change the verdict cannot be told: no tuned arm was trained on several numbers of rows.",
            zh="再补多少数据会改变结论，无法判断：没有哪个微调方案在多种数据规模上训练过。",
        )
    return Text(
        en="How many more rows would change the verdict cannot be told: no tuned arm was measured.",
        zh="再补多少数据会改变结论，无法判断：没有测到微调方案。",
    )


def why_not(reason: CannotTellReason, arm: Text) -> Text:
    text = WHY_NOT[reason]
    return Text(en=text.en.replace("{arm}", arm.en), zh=text.zh.replace("{arm}", arm.zh))


def answer(question: Question) -> Text:
    """How many more rows it takes, or why that cannot be said."""
    match question.crossing.status:
        case "already":
            return _already(question)
        case "forecast" if question.crossing.n is not None:
            more = question.crossing.n - question.n_at_hand
            return _more(question, more) if more > 0 else _at_hand(question, question.crossing.n)
        case "not_within":
            return _not_within(question)
        case _:
            return _even(question)


def cost(question: Question, usd_per_label: float) -> Text | None:
    """What the labels would cost; ``None`` when no number of further rows is forecast."""
    crossing = question.crossing
    if question.won or crossing.status != "forecast" or crossing.n is None or crossing.n <= question.n_at_hand:
        return None
    each, have = Text(en=f"${usd_per_label:,.10g}", zh=f"{usd_per_label:,.10g} 美元"), question.n_at_hand
    n, low = (about_usd(max(0, size - have) * usd_per_label) for size in (crossing.n, crossing.low or crossing.n))
    between = Text(en=f"from {low.en} upwards", zh=f"至少 {low.zh}，上限不明")
    if crossing.high is not None:
        high = about_usd((crossing.high - have) * usd_per_label)
        between = Text(en=f"{low.en} to {high.en}", zh=f"{low.zh}到 {high.zh}")
    return Text(
        en=f"At {each.en} a label, these rows cost about {n.en} ({between.en}).",
        zh=f"按每条标注 {each.zh}计，约需 {n.zh}（{between.zh}）。",
    )


def moving_target(target: Text) -> Text:
    return Text(
        en=f"{target.en} learns from more rows as well; the forecast takes that into account.",
        zh=f"数据增多时{target.zh}也会提升，这一点已计入预测。",
    )


def rising_target(target: Text) -> Text:
    return Text(
        en=f"{target.en} is taken to stay as it is. It learns from rows as well, so with more of them the line may rise.",
        zh=f"这里假定{target.zh}保持不变；它同样从数据中学习，数据增多后，反超线也可能随之上移。",
    )


def gain(arm: Text, n: int, *, shots: bool, now: float, value: float, low: float, high: float) -> Text:
    """What twice as much would give an arm that has nothing to overtake."""
    score, before = ({lang: numbers.percent(share).to(lang) for lang in ("en", "zh")} for share in (value, now))
    between = f"{100 * low:.1f}–{100 * high:.1f}"
    of = Text(en="demonstrations", zh="条示例") if shots else Text(en="training rows", zh="条训练数据")
    return Text(
        en=f"With twice as many {of.en} ({n:,}) {arm.en} would score about {score['en']} (80 % interval {between}); "
        f"the largest measured scored {before['en']}.",
        zh=f"增加一倍，用 {n:,} {of.zh}，{arm.zh}预计得分 {score['zh']}（80% 区间 {between}）；目前实测最多时为 {before['zh']}。",
    )


def _lead(question: Question) -> Text:
    """``put LoRA ahead of few-shot by the margin of 2 points``, less the verb."""
    margin = {lang: numbers.points(question.margin).to(lang) for lang in ("en", "zh")}
    return Text(
        en=f"ahead of {question.target.en} by the margin of {margin['en']}",
        zh=f"比{question.target.zh}高出 {margin['zh']}（界限）",
    )


def _more(question: Question, more: int) -> Text:
    crossing, lead = question.crossing, _lead(question)
    n = numbers.about(more).to("en")
    least = max(0, (crossing.low or 0) - question.n_at_hand)
    low = numbers.about(least).to("en")
    if crossing.high is None:
        at_least = Text(en=f"{low} more", zh=f"至少再补 {low} 条") if least else Text(en="none", zh="也可能不必再补")
        between = Text(en=f"{at_least.en} to beyond what was looked at", zh=f"{at_least.zh}，上限超出推算范围")
    else:
        high = numbers.about(crossing.high - question.n_at_hand).to("en")
        between = Text(en=f"{low} to {high} more", zh=f"再补 {low} 到 {high} 条")
    level = {lang: numbers.percent(crossing.level, 0).to(lang) for lang in ("en", "zh")}
    return Text(
        en=f"About {n} more labelled rows would put {question.arm.en} {lead.en} ({level['en']} interval: {between.en}).",
        zh=f"再标注约 {n} 条训练数据，{question.arm.zh}预计能{lead.zh}。{level['zh']} 区间：{between.zh}。",
    )


def _at_hand(question: Question, n: int) -> Text:
    """The median lies within the rows that the run has."""
    lead, about = _lead(question), numbers.about(n).to("en")
    have, measured = f"{question.n_at_hand:,}", f"{question.n_measured:,}"
    if question.n_measured < question.n_at_hand and n > question.n_measured:
        return Text(
            en=f"No more labelled rows, by its curve: {question.arm.en} was trained on at most {measured} of the {have} rows at "
            f"hand, and about {about} would put it {lead.en}.",
            zh=f"从曲线看不必再标注：现有 {have} 条训练数据，{question.arm.zh}最多只用了 {measured} 条，用到约 {about} 条就预计能{lead.zh}。",
        )
    return Text(
        en=f"It is close: by its curve {question.arm.en} should be {lead.en} from about {about} training rows, fewer than the {have} "
        "at hand. The rows that were measured do not settle it.",
        zh=f"很接近：从曲线看，{question.arm.zh}用约 {about} 条训练数据就该{lead.zh}，少于现有的 {have} 条；但实测的数据还不足以确认。",
    )


def _already(question: Question) -> Text:
    lead = _lead(question)
    return Text(
        en=f"None: with {question.n_measured:,} training rows {question.arm.en} is already {lead.en} on the dev rows.",
        zh=f"不必再补：用 {question.n_measured:,} 条训练数据，{question.arm.zh}在开发集上已经{lead.zh}。",
    )


def _not_within(question: Question) -> Text:
    lead, reach = _lead(question), numbers.about(question.reach).to("en")
    chance = _chance(question.crossing.probability)
    return Text(
        en=f"More rows alone would hardly do: even with {reach} training rows {question.arm.en} would most likely not be "
        f"{lead.en}{chance.en}.",
        zh=f"光靠补数据恐怕不够：即使有 {reach} 条训练数据，{question.arm.zh}多半仍不能{lead.zh}{chance.zh}。",
    )


def _even(question: Question) -> Text:
    lead, chance, reach = (
        _lead(question),
        _chance(question.crossing.probability),
        numbers.about(question.reach).to("en"),
    )
    return Text(
        en=f"It cannot be told: whether {question.arm.en} would be {lead.en} with up to {reach} training rows is too "
        f"uncertain{chance.en}.",
        zh=f"无法判断：即使增加到 {reach} 条训练数据，{question.arm.zh}能否{lead.zh}还太不确定{chance.zh}。",
    )


def _chance(probability: float | None) -> Text:
    if not numbers.is_known(probability):
        return Text(en="", zh="")
    shown = {lang: numbers.percent(probability, 0).to(lang) for lang in ("en", "zh")}
    return Text(en=f" (a chance of {shown['en']})", zh=f"（可能性约 {shown['zh']}）")
