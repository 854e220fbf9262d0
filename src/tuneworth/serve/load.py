"""Which arm of a finished run answers a new question from the documents."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem


class Chosen(NamedTuple):
    """An arm to answer with, and why it is not the recommended one."""

    arm: ArmResult
    note: Text | None = None


def choose_arm(result: RunResult, where: str, arm_id: str | None = None) -> Chosen:
    """The arm named, else the recommended one if it reads documents, else the best measured one that does.

    Args:
        where: the run, as the user calls it.

    Raises:
        InputError: the run has no documents, no arm that can answer from them, or not the one named.
    """
    if result.task.documents is None:
        message = Text(
            en="this run had no documents, so there is nothing to look up; run again with --documents",
            zh="这次运行没有附带文档，无从检索；请加上 --documents 重新运行",
        )
        raise InputError(Problem(where, message))
    able = [arm for arm in result.arms if _why_not(arm) is None]
    if arm_id is not None:
        return Chosen(_named(result, arm_id, able))
    if not able:
        raise InputError(Problem(where, _none_able(result)))
    recommended = next((arm for arm in able if arm.arm_id == result.decision.recommended), None)
    if recommended is not None:
        return Chosen(recommended)
    best = _best(able, result.primary_metric)
    return Chosen(best, _instead(best, result.decision.recommended))


def _best(arms: list[ArmResult], metric: str) -> ArmResult:
    """The highest score on the test rows, else on the dev rows; the simpler of equals."""
    finalists = [arm for arm in arms if metric in arm.test]

    def rank(arm: ArmResult) -> tuple[float, int, str]:
        score = (arm.test if finalists else arm.dev).get(metric)
        return (-score.value if score is not None else 1.0, arm.effort, arm.arm_id)

    return min(finalists or arms, key=rank)


def _why_not(arm: ArmResult) -> Text | None:
    """Why ``arm`` cannot answer a new question from the documents, or ``None``."""
    if not arm.reads_documents:
        return Text(en="does not read documents", zh="不使用文档")
    if arm.yardstick:
        return Text(
            en="is a yardstick that is given the gold passages of a row; a new question has none",
            zh="是参照方案，作答前须给出该条数据的标准段落，而新问题没有标准段落",
        )
    if arm.state != "measured":
        why = arm.why or Text(en="", zh="")
        state = Text(en="was skipped", zh="未测") if arm.state == "skipped" else Text(en="failed", zh="运行出错")
        return Text(en=f"{state.en}: {why.en}".rstrip(": "), zh=f"{state.zh}：{why.zh}".rstrip("："))
    return None


def _named(result: RunResult, arm_id: str, able: list[ArmResult]) -> ArmResult:
    found = next((arm for arm in result.arms if arm.arm_id == arm_id), None)
    known = [arm.arm_id for arm in able]
    choices = Text(
        en=f"; arms that can answer: {', '.join(known)}" if known else "; no arm of this run can answer",
        zh=f"；可以回答的方案有：{'、'.join(known)}" if known else "；这次运行没有可以回答的方案",
    )
    if found is None:
        near = difflib.get_close_matches(arm_id, known, n=1)
        meant = Text(en=f"; did you mean {near[0]}?", zh=f"；是否想用 {near[0]}？") if near else choices
        why = Text(en=f"the run has no such arm{meant.en}", zh=f"这次运行没有这个方案{meant.zh}")
    elif (reason := _why_not(found)) is not None:
        why = Text(en=reason.en + choices.en, zh=reason.zh + choices.zh)
    else:
        return found
    raise InputError(Problem(f"--arm {arm_id}", why))


def _none_able(result: RunResult) -> Text:
    reasons = [(arm, why) for arm in result.arms if arm.reads_documents and (why := _why_not(arm)) is not None]
    en = "; ".join(f"{arm.arm_id} {why.en}" for arm, why in reasons)
    zh = "；".join(f"{arm.arm_id} {why.zh}" for arm, why in reasons)
    return Text(
        en="no arm of this run can answer from the documents"
        + (f": {en}" if en else "; leave out --strategies, or name rag in it")
        + ("" if not en else ". Run again with a larger --budget or with --strategies rag"),
        zh="这次运行没有能依据文档回答的方案"
        + (f"：{zh}" if zh else "；请去掉 --strategies，或在其中写上 rag")
        + ("" if not zh else "。请增大 --budget，或用 --strategies rag 重新运行"),
    )


def _instead(best: ArmResult, recommended: str | None) -> Text:
    if recommended is None:
        return Text(
            en=f"The run recommends no arm; {best.arm_id} answers, the best measured one that reads documents.",
            zh=f"这次运行没有推荐方案；改由实测得分最高的检索方案 {best.arm_id} 回答。",
        )
    return Text(
        en=f"The recommended arm, {recommended}, does not read documents; {best.arm_id} answers, the best measured one that does.",
        zh=f"推荐方案 {recommended} 不使用文档；改由实测得分最高的检索方案 {best.arm_id} 回答。",
    )
