"""What is known about a situation before anybody is asked: from options, a file of facts, and a task's rows.

Whatever is said by option outranks the file, and both outrank what the rows show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneworth.cli.factflags import read_flags
from tuneworth.core.text import Text
from tuneworth.errors import InputError, NotEnoughData, Problem

if TYPE_CHECKING:
    from tuneworth.advisor.facts import Situation
    from tuneworth.data.taskfile import TaskFile

QUICK_CHECKS = ("duplicates", "conflicts", "outputs")
"""Checks of the audit that need neither a model nor minutes: a second for 5,000 rows."""


@dataclass(frozen=True)
class Source:
    """Facts of a file.

    Attributes:
        values: those that are good.
        problems: what is wrong with the others.
    """

    values: dict[str, Any]
    problems: list[Problem]


def situation_from(
    flags: Mapping[str, Any], file: Path | None, base: Callable[[], Situation] | None = None
) -> Situation:
    """The situation that options and a file tell, on top of ``base``.

    Args:
        base: reads what lies below; called only when nothing is wrong with the rest.

    Raises:
        InputError: with everything wrong in both, and every contradiction between good facts.
    """
    from tuneworth.advisor.checks import check_facts
    from tuneworth.advisor.facts import Situation

    said = Source({}, []) if file is None else read_facts_file(file)
    flagged, problems = read_flags(flags)
    problems = [*said.problems, *problems]
    values = {**said.values, **flagged}
    try:
        check_facts(_with_said(Situation(), values))
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return _with_said(base() if base is not None else Situation(), values)


def _with_said(situation: Situation, values: Mapping[str, Any]) -> Situation:
    """What nobody can be asked for was measured by whoever wrote it down."""
    from tuneworth.advisor.questions import ASKABLE

    asked = {name: value for name, value in values.items() if name in ASKABLE}
    measured = {name: value for name, value in values.items() if name not in ASKABLE}
    return situation.with_facts("answered", asked).with_facts("measured", measured)


def read_facts_file(path: Path) -> Source:
    """Facts of a YAML file, ``name: value`` a line; a fact without a value is not given.

    Raises:
        InputError: the file is missing or no YAML of plain values. A wrong fact is no error but a problem of the
            result, so that it can be told together with others.
    """
    from pydantic import ValidationError

    from tuneworth.advisor.facts import Facts
    from tuneworth.data.files import decode, read_bytes
    from tuneworth.data.taskerrors import document_problems
    from tuneworth.data.yamlfile import parse_yaml

    document = parse_yaml(decode(read_bytes(path, path.name), path.name).text, path.name)
    given = {str(name): value for name, value in document.data.items() if value is not None}
    try:
        facts = Facts.model_validate(given)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        good = {name: value for name, value in given.items() if name not in wrong}
        return Source(good, document_problems(error, document, path.name, Facts))
    return Source(facts.model_dump(include=set(given)), [])


def task_situation(task_file: TaskFile, say: Callable[[Text], None]) -> Situation:
    """What the rows of a task show quickly, what its limits say, and what its file says about the situation.

    Raises:
        InputError: the rows cannot be read, or are too few to tell anything from.
    """
    from tuneworth.advisor.situation import situation_of
    from tuneworth.audit._run import audit, subject_of
    from tuneworth.data.load import load
    from tuneworth.race.prepare import told

    try:
        loaded = load(task_file)
    except NotEnoughData as error:
        step = Text(
            en="Advice needs no file: leave out --task and say it yourself, for example with --quality-rows.",
            zh="没有数据文件也能给建议：去掉 --task，自己说明情况，例如用 --quality-rows。",
        )
        raise NotEnoughData(error.problems, step) from None
    for note in (*loaded.inferred, *loaded.warnings):
        say(note)
    audited = audit(subject_of(loaded, seed=task_file.seed), only=QUICK_CHECKS)
    return situation_of(loaded.task, facts=audited.result.facts, answered=told(task_file))
