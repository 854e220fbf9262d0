"""Why, as far as changing knowledge has a say: whose score lasts, and what it costs to keep up."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.knowledge import AgeScore, UpdateCost
from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text
from tuneworth.decide.documents import (
    age_of,
    behind_on_new,
    best_closed_book,
    best_reader,
    learned_by_heart,
    only_old,
    update_of,
)
from tuneworth.decide.documents_words import STAGES
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.words.names import few
from tuneworth.words.numbers import duration, score, usd

_NOTHING = Text(en="", zh="")


def every(days: float) -> Text:
    """``every 7 days``."""
    if days == 1:
        return Text(en="every day", zh="每天")
    return Text(en=f"every {days:g} days", zh=f"每 {days:g} 天")


def by_heart_reasons(evidence: Evidence) -> list[Text]:
    """Arms whose score is shown for old knowledge only, which nobody should take for the score to come."""
    known = evidence.documents
    arms = [arm for arm in evidence.finalists if only_old(evidence, arm)]
    if known is None or known.knowledge_every_days is None or not arms:
        return []
    return [
        say(
            "The documents change {every}, and too few test rows ask for anything newer than the training rows. The score of "
            "{arms} is shown for old knowledge only: such an arm learned by heart, and knows nothing new until it is trained again.",
            "文档{every}更新一次，而测试数据里几乎没有问到训练数据之后的新知识。{arms}的得分只对旧知识成立：这类方案靠记忆作答，不重新训练就不知道新内容。",
            every=every(known.knowledge_every_days),
            arms=few([evidence.name(arm) for arm in arms]),
        )
    ]


def age_reasons(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """Scores on new and on old knowledge, and who is surely behind on new."""
    closed, reader = best_closed_book(evidence), best_reader(evidence)
    shown = [_age(evidence, arm) for arm in _unique([ruling.recommended, closed, reader])]
    found = [text for text in shown if text is not None]
    if closed is not None and reader is not None and behind_on_new(evidence, closed, reader):
        found.append(
            say(
                "On new knowledge {closed}, which answers by heart, is surely behind {reader}, which looks things up.{mind}",
                "在新知识上，靠记忆作答的{closed}确定不如查阅文档的{reader}。{mind}",
                closed=evidence.name(closed),
                reader=evidence.name(reader),
                mind=_mind_the_mix(closed, ruling),
            )
        )
    return found


def _mind_the_mix(closed: ArmResult, ruling: Ruling) -> Text:
    if ruling.recommended is not closed:
        return _NOTHING
    return Text(
        en=" It is recommended for the mix of old and new that the test rows have; the newer your questions, the less it holds.",
        zh="推荐它，依据的是测试数据中新旧知识的比例；实际问题越新，这个推荐就越站不住。",
    )


def _age(evidence: Evidence, arm: ArmResult) -> Text | None:
    new, old = age_of(evidence, arm, "new"), age_of(evidence, arm, "old")
    if new is None:
        return None
    return say(
        "On new knowledge {arm} scores {new}{old}.",
        "在新知识上，{arm}的得分为 {new}{old}。",
        arm=evidence.name(arm),
        new=_on_rows(new),
        old=say(", on old {old}", "；在旧知识上为 {old}", old=_on_rows(old)) if old is not None else _NOTHING,
    )


def _on_rows(age: AgeScore) -> Text:
    return say(
        "{score} on {n} {stage}",
        "{score}，共 {n} 条{stage}",
        score=score(age.score),
        n=age.score.n_rows,
        stage=STAGES[age.stages[0]] if age.stages else _NOTHING,
    )


def update_reasons(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What it costs to keep up with documents that change, for each kind of arm."""
    known = evidence.documents
    if known is None or known.knowledge_every_days is None:
        return []
    heart = next((arm for arm in evidence.finalists if learned_by_heart(evidence, arm)), None)
    arms = _unique([ruling.recommended, best_reader(evidence), heart, ruling.tuned, ruling.untuned])
    costs = [(arm, update_of(evidence, arm)) for arm in arms]
    told = [_update(evidence.name(arm), cost) for arm, cost in costs if cost is not None]
    if not told:
        return []
    return [
        say(
            "The documents change {every}. One update: {costs}.",
            "文档{every}更新一次。每次更新：{costs}。",
            every=every(known.knowledge_every_days),
            costs=Text(en="; ".join(text.en for text in told), zh="；".join(text.zh for text in told)),
        )
    ]


def _update(name: Text, cost: UpdateCost) -> Text:
    if cost.absorbs == "nothing":
        return say("{arm} cannot take it in", "{arm}无法获知新内容", arm=name)
    how = {
        "index": Text(en="indexes what is new", zh="把新内容加入索引"),
        "retrain": Text(en="is trained again", zh="重新训练"),
    }[cost.absorbs]
    rows = Text(en=", and rows about it must be written first", zh="，还要先编写相应的训练数据")
    return say(
        "{arm} {how} ({price}){rows}",
        "{arm}{how}（{price}）{rows}",
        arm=name,
        how=how,
        price=_price(cost),
        rows=rows if cost.absorbs == "retrain" else _NOTHING,
    )


def _price(cost: UpdateCost) -> Text:
    if cost.seconds is None:
        return Text(en="time not known", zh="用时未知")
    if cost.runs_per_year is None:
        return _time_and_money(cost.seconds, cost.usd)
    runs = cost.runs_per_year
    return say(
        "{once}; {runs} times a year, {year}",
        "{once}；一年 {runs} 次，共 {year}",
        once=_time_and_money(cost.seconds, cost.usd),
        runs=f"{runs:,.0f}" if runs >= 10 else f"{runs:.1f}",
        year=_time_and_money(runs * cost.seconds, runs * cost.usd if cost.usd is not None else None),
    )


def _time_and_money(spent: float, money: float | None) -> Text:
    time = duration(spent) if spent < 2 * 3600 else _hours(spent)
    return time if money is None else say("{time}, {money}", "{time}、{money}", time=time, money=usd(money))


def _hours(spent: float) -> Text:
    return Text(en=f"{spent / 3600:,.0f}\u00a0h", zh=f"{spent / 3600:,.0f} 小时")


def _unique(arms: Sequence[ArmResult | None]) -> list[ArmResult]:
    return list({arm.arm_id: arm for arm in arms if arm is not None}.values())
