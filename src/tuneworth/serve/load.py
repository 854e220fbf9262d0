"""Which arm of a finished run answers a new question from the documents."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.names import joined, listed
from tuneworth.words.numbers import plain
from tuneworth.words.say import say


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
        raise InputError(Problem(where, say("serve.no_documents")))
    able = [arm for arm in result.arms if _why_not(arm) is None]
    if arm_id is not None:
        return Chosen(_named(result, arm_id, able))
    if not able:
        raise InputError(Problem(where, _none_able(result)))
    recommended = next((arm for arm in able if arm.arm_id == result.decision.recommended), None)
    if recommended is not None:
        return Chosen(recommended)
    best = _best(able, result.primary_metric)
    if result.decision.recommended is None:
        return Chosen(best, say("serve.instead.of_none", arm=best.arm_id))
    instead = say("serve.instead.of_recommended", recommended=result.decision.recommended, arm=best.arm_id)
    return Chosen(best, instead)


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
        return say("serve.unable.reads_nothing")
    if arm.yardstick:
        return say("serve.unable.yardstick")
    if arm.state == "measured":
        return None
    state = say("serve.unable.skipped" if arm.state == "skipped" else "serve.unable.failed")
    return state if arm.why is None else say("serve.unable.because", what=state, why=arm.why)


def _named(result: RunResult, arm_id: str, able: list[ArmResult]) -> ArmResult:
    found = next((arm for arm in result.arms if arm.arm_id == arm_id), None)
    known = [arm.arm_id for arm in able]
    choices = say("serve.choose.none_able")
    if known:
        arms = joined([plain(name) for name in known], say("units.names.between"))
        choices = say("serve.choose.able", arms=arms)
    if found is None:
        near = difflib.get_close_matches(arm_id, known, n=1)
        meant = say("serve.choose.did_you_mean", near=near[0]) if near else choices
        why = joined([say("serve.choose.no_such_arm"), meant])
    elif (reason := _why_not(found)) is not None:
        why = joined([reason, choices])
    else:
        return found
    raise InputError(Problem(f"--arm {arm_id}", why))


def _none_able(result: RunResult) -> Text:
    reasons = [
        say("serve.none.reason", arm=arm.arm_id, why=why)
        for arm in result.arms
        if arm.reads_documents and (why := _why_not(arm)) is not None
    ]
    return say("serve.none.because", reasons=listed(reasons)) if reasons else say("serve.none.tried")
