"""What tools for labelling and for evaluation export, turned into plain rows; one tool a file.

An export is known by its structure, never by its file's name. Rows that nobody labelled, and those that were skipped,
rejected or cancelled, are set aside with the reason: they are no truth to learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from tuneworth.data.exports import (
    argilla,
    doccano,
    evals,
    inspect_logs,
    label_studio,
    preferences,
    prodigy,
    promptfoo,
    traced,
    viewer,
)
from tuneworth.data.rows import BadRow, NotTruth, RawRow, Rows
from tuneworth.words.say import say

_SAMPLE = 200
_SHARE = 0.8


class Export(Protocol):
    """A tool's way of writing rows.

    Attributes:
        tool: its name.
    """

    tool: str

    def recognises(self, value: dict[str, Any]) -> bool:
        """Whether a record can only be this tool's."""
        ...

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        """The record as a plain row.

        Raises:
            BadRow: it has no answer that a person stands for.
        """
        ...


EXPORTS: Sequence[Export] = (
    label_studio.LabelStudio(),
    prodigy.Prodigy(),
    argilla.Argilla(),
    doccano.Doccano(),
    promptfoo.Promptfoo(),
    evals.Evals(),
    inspect_logs.InspectLogs(),
    viewer.Viewer(),
    preferences.Preferences(),
    traced.Traced("LangSmith", "inputs", "outputs"),
    traced.Traced("MLflow", "inputs", "expectations"),
    traced.Traced("Langfuse", "input", "expectedOutput"),
)


def converted(rows: Rows, name: str) -> Rows:
    """``rows`` as plain rows where most of them are a tool's export; the very same object where they are not."""
    sample = rows.rows[:_SAMPLE]
    export = next((tool for tool in EXPORTS if _is_from(tool, sample)), None)
    if export is None:
        return rows
    if isinstance(export, prodigy.Prodigy):
        export = export.fitted([row.value for row in rows.rows])
    plain = Rows([], list(rows.rejected), rows.others, list(rows.notes))
    for row in rows.rows:
        try:
            plain.rows.append(replace(row, value=export.convert(row.value), text=None))
        except BadRow as error:
            plain.rejected.append(row.rejected(error.reason, on_purpose=isinstance(error, NotTruth)))
    _same_form(plain.rows)
    plain.rejected.sort(key=lambda row: row.line)
    plain.notes.append(say("reading.export.read", name=name, tool=export.tool))
    return plain


def _is_from(tool: Export, sample: Sequence[RawRow]) -> bool:
    return bool(sample) and sum(tool.recognises(row.value) for row in sample) >= _SHARE * len(sample)


def _same_form(rows: Sequence[RawRow]) -> None:
    """Where some rows have several labels, the others have a list of one."""
    several = {
        name
        for row in rows
        for name, cell in row.value.items()
        if isinstance(cell, list) and all(isinstance(one, str) for one in cell)
    }
    for row in rows:
        for name in several & row.value.keys():
            if isinstance(row.value[name], str):
                row.value[name] = [row.value[name]]
