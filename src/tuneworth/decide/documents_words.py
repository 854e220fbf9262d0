"""Why, as far as documents have a say: where the loss of an arm that looks things up lies."""

from __future__ import annotations

from tuneworth.core.knowledge import Judge, LossSplit, Share
from tuneworth.core.outcome import Stage
from tuneworth.core.run import ArmResult, Score
from tuneworth.core.text import Text
from tuneworth.decide.documents import Diagnosis, best_reader, diagnosis_of
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.forecast_words import unfinished
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.intervals import wilson
from tuneworth.words.numbers import MINUS, about, points, score, signed_interval, signed_points

STAGES: dict[Stage, Text] = {
    "test": Text(en="test rows", zh="测试数据"),
    "dev": Text(en="dev rows", zh="开发集数据"),
}
FINDS = 0.8
"""Retrieval is said to find the passage when it surely does for more than this share of the rows."""
_RIGHT: dict[Judge, Text] = {
    "gold": Text(en="the right passage", zh="正确段落"),
    "answer": Text(en="a passage with the answer in it", zh="含有答案的段落"),
}
_NOTHING = Text(en="", zh="")


def part(share: Share) -> Text:
    """A part of a loss: ``12.4 points (9.8 to 15.1)``. It may be below zero."""
    size, low, high = map(_number, (share.value, share.interval.low, share.interval.high))
    return say("{size} points ({low} to {high})", "{size} 个百分点（{low} 到 {high}）", size=size, low=low, high=high)


def _number(value: float) -> str:
    rounded = round(100 * value, 1)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded):.1f}"


def loss_reasons(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """Of the best reader that is not trained; and of a trained one that is recommended, what it still loses."""
    untrained, chosen = best_reader(evidence, tuned=False), ruling.recommended
    arms = [untrained if untrained is not None else best_reader(evidence)]
    if chosen is not None and chosen.reads_documents and chosen not in arms:
        arms.append(chosen)
    found = [(arm, diagnosis_of(evidence, arm)) for arm in arms if arm is not None]
    return [_loss(evidence, arm, diagnosis) for arm, diagnosis in found if diagnosis is not None]


def _loss(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Text:
    split = diagnosis.split
    parts = {"arm": evidence.name(arm), "n": split.n_rows, "stage": STAGES[split.stage], "right": _RIGHT[split.judge]}
    if diagnosis.cause == "never_found":
        return say(
            "Fix retrieval first: {arm} was shown {right} for none of {n} {stage}. How well it reads is not known.",
            "先解决检索：{n} 条{stage}里，{arm}一次也没见到{right}，读得好不好无从得知。",
            **parts,
        )
    said = say(
        "{lead}: {arm} was shown {right} for {share} of {n} {stage}{at}; it loses {reading} in reading and {retrieval} in "
        "retrieval.",
        "{lead}：{n} 条{stage}中，{arm}见到{right}的占 {share}{at}；阅读丢 {reading}，检索丢 {retrieval}。",
        lead=_lead(diagnosis),
        share=score(_found(split)),
        at=_at(arm),
        reading=part(split.reading),
        retrieval=part(split.retrieval),
        **parts,
    )
    return say("{said}{next}", "{said}{next}", said=said, next=_next(evidence, arm, diagnosis))


def _found(split: LossSplit) -> Score:
    """The share of rows that were shown the right passage."""
    interval = wilson(split.n_found, split.n_rows)
    return Score(value=split.n_found / split.n_rows, interval=interval, n_rows=split.n_rows)


def _at(arm: ArmResult) -> Text:
    k = arm.config.get("k")
    return Text(en=f" (recall@{k})", zh=f"（recall@{k}）") if isinstance(k, int) else _NOTHING


def _lead(diagnosis: Diagnosis) -> Text:
    if diagnosis.cause == "reading":
        if _found(diagnosis.split).interval.low >= FINDS:
            return Text(en="Retrieval finds it, the model misreads it", zh="检索找得到，模型读不对")
        return Text(en="Most is lost in reading", zh="分主要丢在阅读上")
    if diagnosis.cause == "retrieval" and diagnosis.reader_is_fine:
        return Text(en="The reader is fine, fix retrieval", zh="阅读没有问题，要改进的是检索")
    return {
        "retrieval": Text(en="Most is lost in retrieval: fix that first", zh="分主要丢在检索上，应先改进检索"),
        "both": Text(en="Reading and retrieval both lose", zh="阅读和检索都在丢分"),
        "little": Text(en="Little is lost in either", zh="阅读和检索丢的分都很少"),
    }.get(
        diagnosis.cause, Text(en="Whether reading or retrieval loses cannot be told", zh="还看不出分丢在阅读还是检索")
    )


def _next(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Text:
    """What follows from it, as far as it was measured."""
    if diagnosis.cause == "unclear":
        return _more_rows(diagnosis)
    if diagnosis.cause not in ("reading", "both"):
        return _NOTHING
    if arm.tuned:
        return Text(
            en=" It is trained already: more rows or a larger model are left to try.",
            zh="它已经训练过，可以再试的是补充数据或换更大的模型。",
        )
    return _training_the_reader(evidence, arm)


def _more_rows(diagnosis: Diagnosis) -> Text:
    if diagnosis.rows is None:
        return Text(en=" No reasonable number of rows would tell.", zh="再标注多少数据都很难分清。")
    return say(
        " About {rows} more {stage} would probably tell.",
        "再标注约 {rows} 条{stage}，大概率能分清。",
        rows=about(diagnosis.rows),
        stage=STAGES[diagnosis.split.stage],
    )


def _training_the_reader(evidence: Evidence, arm: ArmResult) -> Text:
    trained = best_reader(evidence, tuned=True)
    if trained is None:
        return Text(
            en=" A trained reader was not measured; it or a larger model is what to try.",
            zh="这次没有测到训练过的阅读模型；值得一试的是微调阅读模型，或换更大的模型。",
        )
    pair = evidence.between(trained, arm)
    parts = {
        "trained": evidence.name(trained),
        "arm": evidence.name(arm),
        "difference": signed_points(pair.difference),
        "interval": signed_interval(pair.interval),
    }
    if evidence.shows_gain(trained, arm):
        return say(
            " Fine-tune the reader: {trained} is {gain} better ({interval}).",
            "应当微调阅读模型：{trained}比它高 {gain}（{interval}）。",
            gain=points(pair.difference),
            **parts,
        )
    if incomplete(evidence, trained):
        return say(
            " Whether training the reader mends it is not known: {why}.",
            "微调阅读模型能否解决还不清楚：{why}。",
            why=unfinished(evidence, trained),
        )
    if evidence.rules_out_gain(trained, arm):
        return say(
            " Training the reader did not mend it: {trained} minus {arm} is {difference} ({interval}). A larger model may.",
            "微调阅读模型没有解决：{trained}相对{arm}的差异为 {difference}（{interval}）。可以试试更大的模型。",
            **parts,
        )
    return say(
        " Whether training the reader mends it is not settled: {trained} minus {arm} is {difference} ({interval}).",
        "微调阅读模型能否解决还没有定论：{trained}相对{arm}的差异为 {difference}（{interval}）。",
        **parts,
    )
