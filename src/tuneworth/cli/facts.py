"""What is known about a situation before anybody is asked: from options, a file of facts, and a task's rows.

Every fact that can be asked for has an option, made from the advisor's own table of questions: so there is no fact
without its option and no option without its question. Numbers are read as people write them (``12k``, ``1.2万``,
``2s``). Whatever is said by option outranks the file, and both outrank what the rows show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from tuneworth.advisor.questions import ASKABLE, read, with_said
from tuneworth.cli.language import LANG, spoken
from tuneworth.core.text import Text
from tuneworth.errors import InputError, NotEnoughData, Problem
from tuneworth.words.names import joined
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.advisor.facts import Situation
    from tuneworth.data.taskfile import TaskFile

QUICK_CHECKS = ("duplicates", "conflicts", "outputs")
"""Checks of the audit that need neither a model nor minutes: a second for 5,000 rows."""


class FactCommand(TyperCommand):
    """A command with an option for every fact. Their help, the questions, is read when it is shown."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for option in self.params:
            if question := ASKABLE.get(option.name or ""):
                names = joined([Text(name, name) for name in question.choices], say("units.names.between")).to(LANG)
                listed = spoken("cli.advise.one_of", names=names) if names else ""
                option.help = question.text.to(LANG) + listed  # pyright: ignore[reportAttributeAccessIssue]
        super().format_options(ctx, formatter)


def fact_options() -> dict[str, Any]:
    """Fact → its option, as typer reads it."""
    options: dict[str, Any] = {}
    for fact, question in ASKABLE.items():
        if question.kind == "yes_no":
            spelled = f"{flag(fact)}/--no-{flag(fact)[2:]}"
            options[fact] = Annotated[bool | None, typer.Option(spelled, show_default=False)]
        else:
            metavar = "NAME" if question.kind == "choice" else "N"
            options[fact] = Annotated[str | None, typer.Option(flag(fact), show_default=False, metavar=metavar)]
    return options


def flag(fact: str) -> str:
    """``--quality-rows``."""
    return f"--{fact.replace('_', '-')}"


def read_flags(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Facts that options give, and what is wrong with the others. ``None`` is not given."""
    facts: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        if isinstance(value, bool):
            facts[name] = value
        elif value is not None:
            try:
                facts[name] = read(ASKABLE[name], value, flag(name))
            except InputError as error:
                problems += error.problems
    return facts, problems


def as_flags(facts: Mapping[str, Any]) -> list[str]:
    """The options that say ``facts`` again; those that nobody can be asked for are left out."""
    words: list[str] = []
    for name, value in facts.items():
        if name not in ASKABLE:
            continue
        if isinstance(value, bool):
            words.append(flag(name) if value else f"--no-{flag(name)[2:]}")
        else:
            words += [flag(name), str(value)]
    return words


def situation_from(
    flags: Mapping[str, Any], file: Path | None, base: Callable[[], Situation] | None = None
) -> Situation:
    """The situation that options and a file tell, on top of ``base``.

    Args:
        base: reads what lies below; called only when nothing is wrong with the rest.

    Raises:
        InputError: with everything wrong in both, and every contradiction between good facts.
    """
    from tuneworth.advisor.facts import Situation
    from tuneworth.advisor.meaning import check_facts

    said, problems = ({}, []) if file is None else read_facts_file(file)
    flagged, wrong = read_flags(flags)
    problems, values = problems + wrong, {**said, **flagged}
    try:
        check_facts(with_said(Situation(), values))
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return with_said(base() if base is not None else Situation(), values)


def read_facts_file(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Facts of a YAML file, ``name: value`` a line, and what is wrong with others. One without a value is not given.

    Raises:
        InputError: the file is missing or no YAML of plain values. A wrong fact is no error but a problem of the
            result, so that it can be told together with others.
    """
    from pydantic import ValidationError

    from tuneworth.advisor.facts import Facts
    from tuneworth.core.yamlfile import parse_yaml
    from tuneworth.data.files import decode, read_bytes
    from tuneworth.data.taskerrors import document_problems

    document = parse_yaml(decode(read_bytes(path, path.name), path.name).text, path.name)
    given = {str(name): value for name, value in document.mapping.items() if value is not None}
    try:
        facts = Facts.model_validate(given)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        good = {name: value for name, value in given.items() if name not in wrong}
        return good, document_problems(error, document, path.name, Facts)
    return facts.model_dump(include=set(given)), []


def task_situation(task_file: TaskFile, note: Callable[[Text], None]) -> Situation:
    """What the rows of a task show quickly, what its limits say, and what its file says about the situation.

    Raises:
        InputError: the rows cannot be read, or are too few to tell anything from.
    """
    from tuneworth.advisor.facts import situation_of
    from tuneworth.audit._run import audit, subject_of
    from tuneworth.data.load import load
    from tuneworth.race.prepare import told

    try:
        loaded = load(task_file)
    except NotEnoughData as error:
        raise NotEnoughData(error.problems, say("cli.advise.no_file_needed")) from None
    for said in (*loaded.inferred, *loaded.warnings):
        note(said)
    audited = audit(subject_of(loaded, seed=task_file.seed), only=QUICK_CHECKS)
    return situation_of(loaded.task, facts=audited.result.facts, answered=told(task_file))
