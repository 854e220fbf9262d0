"""The situation that a task and an audit of its rows show."""

from __future__ import annotations

from typing import Any

from tuneworth.advisor.facts import Facts, Scenario, Situation
from tuneworth.core.audit import AuditFact
from tuneworth.core.task import OutputKind, Task
from tuneworth.core.text import Text

_SCENARIO_OF: dict[OutputKind, Scenario] = {"label": "classification", "json": "structured_output"}


def situation_of(task: Task, *, facts: list[AuditFact], answered: Facts | None = None) -> Situation:
    """What is known about ``task``: what its owner says, its limits, and what its rows show.

    Where the owner and the rows speak of the same fact, the rows are believed.

    Args:
        facts: those of an audit of the rows; names that are no facts of the advisor are left out.
        answered: what the task's owner says about the situation.
    """
    said = {} if answered is None else answered.model_dump(exclude_none=True)
    situation = _assumed(task, said).with_facts("answered", {**_limits(task), **said})
    known = {fact.name: fact for fact in facts if fact.name in Facts.model_fields}
    values = {"output_kind": task.kind, **{name: fact.value for name, fact in known.items()}}
    return situation.with_facts("data", values, {name: fact.why for name, fact in known.items()})


def _assumed(task: Task, said: dict[str, Any]) -> Situation:
    scenario = _SCENARIO_OF.get(task.kind)
    if scenario is None or "scenario" in said:
        return Situation()
    why = Text(en=f"the answers are of kind {task.kind}", zh=f"答案的类型是 {task.kind}")
    return Situation().with_facts("assumed", {"scenario": scenario}, {"scenario": why})


def _limits(task: Task) -> dict[str, Any]:
    """A limit that is set was said; one that is not set says nothing."""
    found = {"private": task.limits.private or None, "p95_target_ms": task.limits.p95_ms}
    return {name: value for name, value in found.items() if value is not None}
