"""Sentences by key: ``say("verdict.gain", arm=name)``.

The catalogue is one YAML file a page, all languages of a sentence side by side. The first part of a key names the file, the
rest the place in it. A further language is one more column: every sentence that lacks it is said in English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from tuneworth.core.text import Text

Part = Text | str | int
FOLDER = Path(__file__).parent / "catalogue"
_CHARACTER = "[\u4e00-\u9fff“”（）［］]"
_SPACE_BETWEEN_CHARACTERS = re.compile(f"(?<={_CHARACTER}) (?={_CHARACTER})")


class Catalogue:
    """The sentences in one folder; a page is read when the first of its sentences is said."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._page = cache(self._read)

    def say(self, key: str, **parts: Part) -> Text:
        """The sentence at ``key`` with its parts, each in its own language; whole numbers get thousands separators.

        In Chinese, numbers stand off from characters by a space, characters do not stand off from one another;
        where a part begins and ends in one or the other is only known here.

        Raises:
            KeyError: there is no such sentence, or it asks for a part that was not given.
        """
        page, _, place = key.partition(".")
        try:
            columns = self._page(page)[place]
        except KeyError:
            raise KeyError(f"no sentence {key!r} in the catalogue") from None
        return Text(**{lang: _filled(template, parts, lang) for lang, template in columns.items()})

    def table(self, key: str) -> dict[str, Text]:
        """The sentences without parts below ``key``, by the rest of their keys: headings, words for codes."""
        page, _, place = key.partition(".")
        inside = f"{place}." if place else ""
        return {
            name.removeprefix(inside): self.say(f"{page}.{name}")
            for name in self._page(page)
            if name.startswith(inside)
        }

    def pages(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.yaml"))

    def columns(self, page: str) -> Mapping[str, dict[str, str]]:
        """Place in the page → language → template."""
        return self._page(page)

    def _read(self, page: str) -> dict[str, dict[str, str]]:
        path = self.folder / f"{page}.yaml"
        if not path.exists():
            return {}
        import yaml  # most commands start without

        fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, the result is the same
        return dict(_leaves(yaml.load(path.read_text(encoding="utf-8"), Loader=fast), ""))


def _leaves(node: Mapping[str, Any], at: str) -> list[tuple[str, dict[str, str]]]:
    if "en" in node:
        return [(at, dict(node))]
    return [leaf for name, inner in node.items() for leaf in _leaves(inner, f"{at}.{name}" if at else name)]


def _filled(template: str, parts: Mapping[str, Part], lang: str) -> str:
    """In Chinese the spaces inside a part stay, and those around a value: it may be the user's own."""
    words = {
        name: part.to(lang) if isinstance(part, Text) else f"{part:,}" if isinstance(part, int) else part
        for name, part in parts.items()
    }
    said = template.format(**words)
    if lang != "zh" or not parts:  # a sentence without parts is written as it is meant
        return said
    shape = ""  # as long as ``said``, with the template's own spaces and the characters that they may stand between
    for literal, name, _, _ in Formatter().parse(template):
        word = words[name] if name is not None else ""
        shape += literal + ("." * len(word) if name is None or isinstance(parts[name], str) else word.replace(" ", "."))
    gone = {space.start() for space in _SPACE_BETWEEN_CHARACTERS.finditer(shape)}
    return "".join(letter for at, letter in enumerate(said) if at not in gone)


CATALOGUE = Catalogue(FOLDER)
say = CATALOGUE.say
table = CATALOGUE.table
