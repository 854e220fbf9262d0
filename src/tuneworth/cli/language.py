"""Which language to speak: ``--lang``, else ``TUNEWORTH_LANG``, else the system's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import cast

from tuneworth.core.text import Lang, Text


def detect(arguments: Sequence[str], environment: Mapping[str, str]) -> Lang:
    """The language for everything that is said before options are parsed, help texts among it."""
    for position, argument in enumerate(arguments):
        if argument == "--lang" and position + 1 < len(arguments):
            return _known(arguments[position + 1])
        if argument.startswith("--lang="):
            return _known(argument.partition("=")[2])
    for name in ("TUNEWORTH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _known(environment[name])
    return "en"


def _known(value: str) -> Lang:
    return cast(Lang, "zh" if value.lower().startswith("zh") else "en")


LANG: Lang = detect(sys.argv[1:], os.environ)


def say(en: str, zh: str) -> str:
    """One of the two, by the language of this process."""
    return Text(en=en, zh=zh).to(LANG)
