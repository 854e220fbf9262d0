"""Results that others measured: plain rows, and the logs of lm-evaluation-harness, Inspect, promptfoo and DeepEval; one tool a file.

What a file holds tells whose it is, never its name. Compressed files and other encodings are read as files of rows are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from tuneworth.data.files import decode, read_bytes, sha256_of
from tuneworth.data.formats import rows_of
from tuneworth.data.logs import deepeval, inspect_logs, lm_eval, plain, promptfoo
from tuneworth.data.logs.answered import Log
from tuneworth.data.readers import impostors
from tuneworth.data.readers.unpack import Unpacked, office_kind, unpack
from tuneworth.data.rows import Rows
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_SAMPLE = 20


def read_all(paths: Sequence[str], wanted: Collection[str] = (), problems: Sequence[Problem] = ()) -> list[Log]:
    """The systems of all files.

    Args:
        problems: what is wrong beside the files.

    Raises:
        InputError: with everything that is wrong; fewer than two systems, or one file twice, is wrong too.
        EnvironmentProblem: a file cannot be read.
    """
    logs, problems = list[Log](), list(problems)
    for path in paths:
        try:
            found = read_results(path, wanted)
        except InputError as error:
            problems += error.problems
            continue
        twin = next((log.file for log in logs if log.sha256 == found[0].sha256), None)
        if twin is not None:
            problems.append(Problem(path, say("compared.files.twice", other=twin)))
        logs += found
    if not problems and len(logs) < 2:
        problems.append(Problem(", ".join(paths), say("compared.files.few", n=len(logs))))
    if problems:
        raise InputError(problems)
    return logs


def read_results(path: str, wanted: Collection[str] = ()) -> list[Log]:
    """The systems of a file.

    Args:
        wanted: metrics that the user names; of plain rows, columns.

    Raises:
        InputError: there is no such file, or it holds no results; the message says what it is.
        EnvironmentProblem: it cannot be read, or a library is missing to unpack it.
    """
    data = read_bytes(Path(path), path)
    file = unpack(data, PurePosixPath(path).name)
    if office_kind(file.data) == ".eval":
        logs = inspect_logs.read_archive(file.data, path, path)
    else:
        impostors.check(file.data, Path(path), path)
        document = _document(file)
        logs = _of_rows(file, path, wanted) if document is None else _of_document(document, path)
        if logs is None:
            logs = _of_rows(file, path, wanted)
    digest = sha256_of(data)
    return [replace(log, sha256=digest) for log in logs]


def _document(file: Unpacked) -> dict[str, Any] | None:
    """The one JSON object that a text is. Of rows, one a line, only the first is looked at."""
    if not file.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    try:
        value = json.loads(decode(file.data, file.name).text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _of_document(document: dict[str, Any], path: str) -> list[Log] | None:
    """``None`` where no tool writes such a document."""
    if inspect_logs.recognises(document):
        return inspect_logs.read(document, path, path)
    if promptfoo.recognises(document):
        results = document["results"]["results"]
        return promptfoo.read(
            [(one, f"{path} #{n}") for n, one in enumerate(results, start=1) if isinstance(one, dict)], path
        )
    if deepeval.recognises(document):
        return deepeval.read(document, path, path)
    if lm_eval.is_summary(document):
        raise InputError(Problem(path, say("compared.read.summary")))
    return None


def _of_rows(file: Unpacked, path: str, wanted: Collection[str]) -> list[Log]:
    found = rows_of(file, path)
    if not found.rows:
        raise InputError(Problem(path, say("rows.file.no_rows")))
    sample = [row.value for row in found.rows[:_SAMPLE]]
    if all(map(lm_eval.recognises, sample)):
        logs = lm_eval.read([row for row in found.rows if lm_eval.recognises(row.value)], path)
    elif all(map(promptfoo.recognises_row, sample)):
        logs = promptfoo.read([(row.value, row.source) for row in found.rows], path)
    else:
        logs = plain.read(found.rows, path, wanted)
    for log in logs:
        log.notes += found.notes
        log.doubts += _set_aside(found)
    return logs


def _set_aside(found: Rows) -> list[Any]:
    if not found.rejected:
        return []
    one = found.rejected[0]
    return [say("compared.read.rejected", n=len(found.rejected), place=one.where, reason=one.reason)]
