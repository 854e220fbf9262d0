"""Argilla: records with ``fields`` and ``responses``, their flat form (``label.responses``), and the older records.

Suggestions are a model's and are never taken for answers; discarded and draft responses do not count.
"""

from __future__ import annotations

from typing import Any

from tuneworth.data.exports._answers import agreed, answer_name
from tuneworth.data.rows import NotTruth
from tuneworth.words.say import say

_RESPONSES = ".responses"
_OWN = ("_server_id", "external_id", "status", "inserted_at", "updated_at", "metadata", "vectors")
_OLD = {"annotation", "prediction_agent", "annotation_agent", "status"}


class Argilla:
    tool = "Argilla"

    def recognises(self, value: dict[str, Any]) -> bool:
        nested = isinstance(value.get("fields"), dict) and isinstance(value.get("responses"), dict | list)
        return nested or value.keys() >= _OLD or any(name.endswith(_RESPONSES) for name in value)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("status") in ("discarded", "Discarded"):
            raise NotTruth(say("reading.export.not_accepted", answer=str(value["status"])))
        if value.keys() >= _OLD:
            return _old(value)
        if isinstance(value.get("fields"), dict):
            plain, given = dict(value["fields"]), _nested(value["responses"])
        else:
            plain, given = _flat(value)
        if not given:
            raise NotTruth(say("reading.export.not_labelled"))
        if len(given) == 1:
            return plain | {answer_name(plain): agreed(next(iter(given.values())))}
        return plain | {question: agreed(answers) for question, answers in given.items()}


def _nested(responses: Any) -> dict[str, list[Any]]:
    """Question → submitted answers, of responses by question or by annotator (``values``)."""
    given: dict[str, list[Any]] = {}
    if isinstance(responses, dict):
        for question, answers in responses.items():
            given[question] = [one.get("value") for one in answers or () if _counts(one.get("status"))]
    else:
        for response in responses:
            for question, answer in (response.get("values") or {}).items() if _counts(response.get("status")) else ():
                given.setdefault(question, []).append(answer.get("value"))
    return {question: answers for question, answers in given.items() if answers}


def _flat(value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    given: dict[str, list[Any]] = {}
    for name in (name for name in value if name.endswith(_RESPONSES)):
        answers = value[name] or []
        states = value.get(f"{name}.status") or ["submitted"] * len(answers)
        kept = [answer for answer, state in zip(answers, states) if _counts(state)]
        given |= {name.removesuffix(_RESPONSES): kept} if kept else {}
    plain = {name: cell for name, cell in value.items() if "." not in name and name not in _OWN}
    return plain, given


def _counts(state: Any) -> bool:
    return state in (None, "submitted")


def _old(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("annotation") in (None, [], ""):
        raise NotTruth(say("reading.export.not_labelled"))
    inputs = value.get("inputs")
    plain = dict(inputs) if isinstance(inputs, dict) else {}
    if value.get("text"):
        plain = {"text": value["text"]}
    return plain | {"label": value["annotation"]}
