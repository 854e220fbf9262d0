"""Options for every fact that can be asked for, made from the advisor's own table of questions.

So there is no fact without its option and no option without its question. Numbers are read as people write them
(``12k``, ``1.2万``, ``2s``), by the reader that the conversation uses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer

from tuneworth.advisor.questions import ASKABLE, Question
from tuneworth.cli.language import LANG, say
from tuneworth.errors import InputError, Problem


def with_fact_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command``, whose ``**facts`` become one option each as far as typer can see.

    typer reads options from a signature; a written one would repeat the table of questions.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    shown = [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    made = [_parameter(question) for question in ASKABLE.values()]

    def call(**values: Any) -> None:
        command(**values)

    call.__doc__ = command.__doc__
    call.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*shown, *made)]
    )
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in (*shown, *made)}
    return call


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
                facts[name] = _read(ASKABLE[name], value)
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


def _read(question: Question, value: str) -> Any:
    from tuneworth.advisor.answers import read

    return read(question, value, flag(question.fact))


def _parameter(question: Question) -> inspect.Parameter:
    name = question.fact
    spelled = f"{flag(name)}/--no-{flag(name)[2:]}" if question.kind == "yes_no" else flag(name)
    metavar = {"choice": "NAME", "yes_no": None}.get(question.kind, "N")
    option = typer.Option(None, spelled, help=_help(question), show_default=False, metavar=metavar)
    kind = bool | None if question.kind == "yes_no" else str | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind)


def _help(question: Question) -> str:
    names = ", ".join(question.choices)
    listed = say(f" One of {names}.", f" 可选：{names.replace(', ', '、')}。") if names else ""
    return question.text.to(LANG) + listed
