"""How to read a verdict: short notes for someone who decides and does not do statistics."""

from __future__ import annotations

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.verdict import Fact
from tuneworth.report.words import VERDICT_MEANINGS, VERDICTS
from tuneworth.words import numbers
from tuneworth.words.say import say

_NOTES: tuple[tuple[Text, Text], ...] = (
    (
        Text(en="The interval", zh="区间"),
        Text(
            en="A score of 80 % (75–85) means: on rows like these, the true score is likely between 75 and 85. Fewer rows, wider interval.",
            zh="80%（75–85）的意思是：在同类数据上，真实得分大概率落在 75 到 85 之间。数据越少，区间越宽。",
        ),
    ),
    (
        Text(en="Overlap proves nothing", zh="区间重叠说明不了问题"),
        Text(
            en="Two scores whose intervals overlap can still differ for certain, because both arms answered the same rows. Trust the differences chart, not the overlap.",
            zh="两个得分的区间即使重叠，也可能确有差异，因为两个方案回答的是同一批数据。请看“两两差异”一节，不要看重叠与否。",
        ),
    ),
    (
        Text(en="The margin", zh="界限"),
        Text(
            en="The smallest difference that matters to you, here {margin}. Arms closer than that are called equivalent, and the simpler one wins.",
            zh="你认为值得在意的最小差异，这里是 {margin}。差距小于它的方案视为相当，取更简单的那个。",
        ),
    ),
    (
        Text(en="Can’t tell is an answer", zh="“尚难判断”也是结论"),
        Text(
            en="It means that these rows cannot separate the arms. It does not mean that they are equal. The rows needed are an estimate.",
            zh="它表示现有的数据分不出高下，并不表示两者一样好。报告给出的所需条数是估计值。",
        ),
    ),
    (
        Text(en="Dev and test", zh="开发集与测试集"),
        Text(
            en="Dev rows were used to choose between settings, so dev scores flatter. Test rows were looked at once, by the finalists; only they decide.",
            zh="开发集用来挑选设置，得分会略偏乐观。测试集只由入围方案用过一次，结论只看它。",
        ),
    ),
    (
        Text(en="Yardsticks", zh="参照"),
        Text(
            en="Always answering the commonest class, or copying the nearest training row. Nobody ships them; an arm that cannot beat them has learnt nothing.",
            zh="永远回答最常见的类别，或照抄最相似的那条训练数据。没有人会真拿它们上线；连它们都赢不了的方案，等于什么也没学到。",
        ),
    ),
    (
        Text(en="Money", zh="费用"),
        Text(
            en="Computing time on this machine times the price you stated for it. It leaves out people’s time. Unknown means unknown, not free.",
            zh="本机计算时间乘以你给出的机器价格，不含人工。“未知”就是未知，不代表免费。",
        ),
    ),
)


_RACE = (
    Text(en="Stopped early", zh="提前停测"),
    Text(
        en="“Eliminated” is backed by evidence: worse by more than the margin. With an e-value of 400, an arm that is really "
        "within the margin would look this bad in at most 1 of 400 races. “Little to gain” is a bet on where time is best spent.",
        zh="“淘汰”有证据支持：差距超出界限。e 值为 400 的意思是：假如差距其实在界限之内，这么强的证据在 400 次筛选里最多出现一次。“提升有限”则只是取舍，把时间花在更值得的地方。",
    ),
)
_FORECAST = (
    Text(en="The forecast", zh="预测"),
    Text(
        en="It carries the measured curve on, as such curves usually go; it cannot foresee a change of another kind. Read the "
        "band, not the line, and trust it less the further it reaches.",
        zh="预测是把实测曲线按常见的走势向后延伸，预见不了走势本身的突变。要看区间，不要只看中线；延伸得越远，越要打折扣。",
    ),
)


def _on_documents() -> list[tuple[Text, Text]]:
    return [
        (say("documents.guide.reading.title"), say("documents.guide.reading.note")),
        (say("documents.guide.upper_bound.title"), say("documents.guide.upper_bound.note")),
    ]


def build_guide(result: RunResult, lang: Lang) -> tuple[Fact, ...]:
    """The notes, with this run's margin filled in."""
    margin = numbers.margin(result.task.margin).to(lang)
    notes = [
        *_NOTES,
        *([_RACE] if result.race and result.race.stops else []),
        *([_FORECAST] if result.forecasts else []),
        *(_on_documents() if result.documents else []),
    ]
    return tuple(Fact(title.to(lang), note.to(lang).replace("{margin}", margin)) for title, note in notes)


def build_meanings(result: RunResult, lang: Lang) -> tuple[tuple[Fact, bool], ...]:
    """What each of the five verdicts means; true marks the verdict of this run."""
    return tuple(
        (Fact(VERDICTS[code].to(lang), meaning.to(lang)), code == result.decision.verdict)
        for code, meaning in VERDICT_MEANINGS.items()
    )
