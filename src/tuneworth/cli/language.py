"""Which language to speak: ``--lang``, else ``TUNEWORTH_LANG``, else the system's."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuneworth.core.text import Lang, Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import Part, say

_OWN_VARIABLE = "TUNEWORTH_LANG"


def detect(arguments: Sequence[str], environment: Mapping[str, str]) -> Lang:
    """The language for everything that is said before options are parsed, help texts among it.

    A system that speaks neither language is spoken to in English.
    """
    asked = [*_options(arguments), environment.get(_OWN_VARIABLE, "")]
    for value in asked:
        if (known := _known(value)) is not None:
            return known
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _known(environment[name]) or "en"
    return "en"


def check_languages(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Refuse a language that was asked for by name and is not spoken.

    Raises:
        InputError: ``--lang`` or ``TUNEWORTH_LANG`` is neither English nor Chinese.
    """
    asked = [("--lang", value) for value in _options(arguments)]
    if environment.get(_OWN_VARIABLE):
        asked.append((_OWN_VARIABLE, environment[_OWN_VARIABLE]))
    problems = [
        Problem(where, say("cli.unknown_language", said=repr(value))) for where, value in asked if _known(value) is None
    ]
    if problems:
        raise InputError(problems)


def _options(arguments: Sequence[str]) -> Iterator[str]:
    """Values of ``--lang``, as far as ``--``, after which nothing is an option."""
    for position, argument in enumerate(arguments):
        if argument == "--":
            return
        if argument == "--lang" and position + 1 < len(arguments):
            yield arguments[position + 1]
        elif argument.startswith("--lang="):
            yield argument.partition("=")[2]


def _known(value: str) -> Lang | None:
    """The language of ``zh``, ``zh-CN``, ``en_US.UTF-8``; ``None`` of any other."""
    name = re.split(r"[-_.@]", value.lower())[0]
    return "zh" if name == "zh" else "en" if name == "en" else None


LANG: Lang = detect(sys.argv[1:], os.environ)


def inline(en: str, zh: str) -> str:
    """One of the two, by the language of this process: for the help of options, written where they are declared."""
    return en if LANG == "en" else zh


def spoken(key: str, **parts: Part) -> str:
    """The sentence at ``key`` of the catalogue, in the language of this process."""
    return say(key, **parts).to(LANG)


def to_json(value: Any) -> str:
    """What ``--json`` prints; sentences in every language, as in ``result.json``."""
    if hasattr(value, "model_dump_json"):
        return value.model_dump_json(indent=1)
    return json.dumps(
        value, ensure_ascii=False, indent=1, default=lambda it: it.by_lang if isinstance(it, Text) else str(it)
    )
