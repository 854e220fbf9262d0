"""The advisor's own YAML files, read with the line of everything in them.

Only plain data is built (PyYAML's safe constructors). A key that stands twice is a problem: the second would
silently replace the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

Location = tuple[str | int, ...]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: ten times faster, the same result."""


@dataclass
class Source:
    """A file's data, its lines, and what is wrong with it so far.

    Attributes:
        lines: place in the data → 1-based line.
    """

    name: str
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict[Location, int])
    problems: list[Problem] = field(default_factory=list[Problem])

    def wrong(self, at: Location, en: str, zh: str) -> None:
        """Note a problem at a place."""
        place = at
        while place and place not in self.lines:
            place = place[:-1]
        where = f"{self.name}:{self.lines.get(place, 1)}"
        dotted = ".".join(str(part) for part in at)
        self.problems.append(Problem(f"{where} {dotted}".rstrip(), Text(en, zh)))

    def finish(self) -> None:
        """Raise everything noted.

        Raises:
            InputError: something was noted.
        """
        if self.problems:
            raise InputError(self.problems)


def packaged(name: str) -> str:
    """The text of one of the advisor's files."""
    return (files("tuneworth.advisor") / name).read_text(encoding="utf-8")


def read_source(text: str, name: str) -> Source:
    """Data and lines of ``text``.

    Raises:
        InputError: it is not YAML, asks for an object, or has a key twice.
    """
    source = Source(name)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(node, (), source)
            source.data = loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        what = getattr(error, "problem", None) or str(error)
        message = Text(f"is not valid YAML: {what}", f"不是合法的 YAML：{what}")
        raise InputError(Problem(where, message)) from None
    finally:
        loader.dispose()
    source.finish()
    return source


def _walk(node: yaml.Node, at: Location, source: Source) -> None:
    source.lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*at, number), source)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            if place in source.lines:
                source.wrong(place, "is given twice; keep one", "重复出现；请只保留一个")
            source.lines[place] = key.start_mark.line + 1
            _walk(value, place, source)
