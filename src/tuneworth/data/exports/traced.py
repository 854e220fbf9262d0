"""Data sets of tools that trace and evaluate: an object that goes in and one that should come out.

LangSmith has ``inputs`` and ``outputs``, MLflow ``inputs`` and ``expectations``, Langfuse ``input`` and ``expectedOutput``; in CSV
the objects are JSON text. In a data set these are what a person stands for, not what a system answered.
"""

from __future__ import annotations

from typing import Any

from tuneworth.data.exports._answers import answer_name
from tuneworth.data.rows import NotTruth
from tuneworth.data.values import parsed
from tuneworth.words.say import say

_BESIDE = frozenset(
    [
        "id",
        "dataset_id",
        "dataset_name",
        "datasetId",
        "datasetName",
        "name",
        "metadata",
        "split",
        "splits",
        "created_at",
        "modified_at",
        "createdAt",
        "updatedAt",
        "source_run_id",
        "sourceTraceId",
        "sourceObservationId",
        "status",
        "tags",
        "trace",
        "source",
        "dataset_record_id",
        "create_time",
    ]
)


class Traced:
    def __init__(self, tool: str, given: str, wanted: str):
        self.tool, self.given, self.wanted = tool, given, wanted

    def recognises(self, value: dict[str, Any]) -> bool:
        """Both objects are there, and nothing beside them but what the tool itself writes."""
        sides = (parsed(value.get(self.given)), parsed(value.get(self.wanted)))
        only = value.keys() <= {self.given, self.wanted, *_BESIDE}
        return only and isinstance(sides[0], dict) and isinstance(sides[1], dict)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        given, wanted = parsed(value.get(self.given)), parsed(value.get(self.wanted))
        if not wanted:
            raise NotTruth(say("reading.export.not_labelled"))
        given = dict(given) if isinstance(given, dict) else {"input": given}
        if isinstance(wanted, dict) and len(wanted) == 1:
            wanted = next(iter(wanted.values()))
        if isinstance(wanted, dict) and isinstance(wanted.get("content"), str):  # a turn
            wanted = wanted["content"]
        own = {"id": value["id"]} if "id" in value else {}
        return {**own, **given, answer_name(given): wanted}
