"""Measured figures about documents as sentences in both languages.

They tell what was measured. What follows from it is the decision's to say.
"""

from __future__ import annotations

from tuneworth.core.knowledge import AgeScore, LossSplit, Recall, Share, UpdateCost
from tuneworth.core.record import Score
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.documents_words import MODES
from tuneworth.report.score import shown
from tuneworth.report.words import named
from tuneworth.words import numbers

STAGES = {"test": Text(en="test rows", zh="测试数据"), "dev": Text(en="dev rows", zh="开发集数据")}


def search_name(recall: Recall) -> Text:
    """``hybrid search, reranked``."""
    mode = Text(en=named(MODES, recall.mode, "en"), zh=named(MODES, recall.mode, "zh"))
    return Text(en=f"{mode.en}, reranked", zh=f"{mode.zh} + 重排序") if recall.reranked else mode


def found(recall: Recall) -> Text:
    """How often the first passage, and the first few, are the right ones."""
    name, ks = search_name(recall), sorted(recall.at)
    first, last = (_both(recall.at[k]) for k in (ks[0], ks[-1]))
    n, stage = f"{recall.at[ks[-1]].n_rows:,}", STAGES[recall.stage]
    if recall.judge == "gold":
        en, zh = f"{first.en} of the gold passages come {_among(ks[0])}", f"{first.zh}的标准段落{_within(ks[0])}"
        more = Text(en=f" and {last.en} {_among(ks[-1])}", zh=f"，{last.zh}{_within(ks[-1])}")
    else:
        en, zh = (
            f"{first.en} of the rows have their answer {_inside(ks[0])}",
            f"{first.zh}的数据在{_those(ks[0])}里有答案",
        )
        more = Text(en=f" and {last.en} {_inside(ks[-1])}", zh=f"，{last.zh}在{_those(ks[-1])}里有答案")
    if len(ks) > 1:
        en, zh = en + more.en, zh + more.zh
    return Text(en=f"With {name.en}, {en} ({n} {stage.en}).", zh=f"用{name.zh}，{zh}（{n} 条{stage.zh}）。")


def _among(k: int) -> str:
    return "first" if k == 1 else f"among the first {k}"


def _inside(k: int) -> str:
    return "in the first passage" if k == 1 else f"in the first {k}"


def _within(k: int) -> str:
    return "排在第一" if k == 1 else f"排进前 {k}"


def _those(k: int) -> str:
    return "第一个段落" if k == 1 else f"前 {k} 个段落"


def lost(split: LossSplit, arm: Text) -> Text:
    """How much an arm loses, and of that in reading and in retrieval, with the intervals."""
    n, stage = f"{split.n_rows:,}", STAGES[split.stage]
    score = 1 - split.reading.value - split.retrieval.value
    total = {lang: numbers.percent(score).to(lang) for lang in ("en", "zh")}
    head = Text(
        en=f"{arm.en} scores {total['en']} on {n} {stage.en}",
        zh=f"{arm.zh}在 {n} 条{stage.zh}上得分 {total['zh']}",
    )
    if split.n_found == 0:
        return Text(
            en=f"{head.en}. The right passage was never shown, so what reading would cost is not known.",
            zh=f"{head.zh}。正确段落一次也没有出现，阅读会丢多少分无从得知。",
        )
    points = f"{100 * (1 - score):.1f}"
    reading, retrieval = part(split.reading, "en"), part(split.retrieval, "en")
    reading_zh, retrieval_zh = part(split.reading, "zh"), part(split.retrieval, "zh")
    if split.retrieval.value < 0:
        return Text(
            en=f"{head.en}. With the right passage shown it would lose {reading} points in reading; rows without it did no worse, so "
            "retrieval costs nothing that was measured.",
            zh=f"{head.zh}。见到正确段落时，阅读丢 {reading_zh} 个百分点；没见到的数据得分并不更低，测不出检索丢了分。",
        )
    return Text(
        en=f"{head.en}. Of the {points} points it loses, {reading} are lost in reading and {retrieval} in retrieval.",
        zh=f"{head.zh}。丢掉的 {points} 个百分点里，阅读丢 {reading_zh}，检索丢 {retrieval_zh}。",
    )


def part(share: Share, lang: Lang) -> str:
    """Points and their interval: ``12.4 (9.8–15.1)``."""
    return amount(share) + numbers.in_parentheses(between(share, lang)).to(lang)


def amount(share: Share) -> str:
    return numbers.signed(share.value).to("en").removeprefix("+")


def between(share: Share, lang: Lang) -> str:
    """An interval that may reach below zero, in points."""
    low, high = (numbers.signed(edge).to("en").removeprefix("+") for edge in (share.interval.low, share.interval.high))
    to = (" 到 " if lang == "zh" else " to ") if numbers.MINUS in low + high else "–"
    return f"{low}{to}{high}"


def on_new(scores: list[tuple[Text, AgeScore]]) -> Text:
    """Scores of a few arms on new knowledge, side by side."""
    en = "; ".join(f"{arm.en} {_both(age.score).en}" for arm, age in scores)
    zh = "；".join(f"{arm.zh}为 {_both(age.score).zh}" for arm, age in scores)
    return Text(en=f"On new knowledge: {en}.", zh=f"新知识上的得分：{zh}。")


def one_update(costs: list[tuple[Text, UpdateCost]]) -> Text:
    """What one update takes a few arms, side by side."""

    def told(cost: UpdateCost, lang: Lang) -> str:
        if cost.absorbs == "nothing":
            return "无法获知新内容" if lang == "zh" else "cannot take it in"
        known, time = numbers.is_known(cost.seconds), numbers.duration(cost.seconds).to(lang)
        if lang == "zh":
            took = f"用时 {time}" if known else f"用时{time}"
            return f"重新训练，{took}" if cost.absorbs == "retrain" else f"更新索引，{took}"
        took = f"in {time}" if known else f"(time {time})"
        return f"trains again {took}" if cost.absorbs == "retrain" else f"indexes the new passages {took}"

    en = "; ".join(f"{arm.en} {told(cost, 'en')}" for arm, cost in costs)
    zh = "；".join(f"{arm.zh}{told(cost, 'zh')}" for arm, cost in costs)
    return Text(en=f"When the documents change: {en}.", zh=f"文档更新一次：{zh}。")


def how_often(days: float) -> Text:
    n = f"{days:g}"
    return Text(
        en=f"The task says that knowledge changes every {n} day{'' if n == '1' else 's'}.",
        zh=f"按任务说明，知识每 {n} 天更新一次。",
    )


def unread(n: int) -> Text:
    return Text(
        en=f"{n:,} {'file' if n == 1 else 'files'} could not be read in full; the page names {'it' if n == 1 else 'them'}.",
        zh=f"有 {n:,} 个文件没能完整读取，详见报告。",
    )


def _both(score: Score) -> Text:
    return Text(en=shown(score, "en").text, zh=shown(score, "zh").text)
