"""YAML with the line of every key, and nothing that runs code.

Only the tags of plain data are read. Aliases are refused: no file has a use for them, and a few of them can stand for
gigabytes. A key that stands twice is a problem: the second would silently replace the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.composer import ComposerError

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

Location = tuple[str | int, ...]
_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Document:
    """Plain data with, for every place in it, its 1-based line and the text of its scalar.

    Attributes:
        problems: what is wrong with it, as far as it was noted.
    """

    name: str
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict[Location, int])
    scalars: dict[Location, str] = field(default_factory=dict[Location, str])
    problems: list[Problem] = field(default_factory=list[Problem])

    @property
    def mapping(self) -> dict[str, Any]:
        """The data of a file of ``key: value`` lines; an empty file has none.

        Raises:
            InputError: it holds something else.
        """
        data: Any = self.data
        if data is None or isinstance(data, dict):
            return cast("dict[str, Any]", data or {})
        message = Text(
            en="must be `key: value` lines, such as `train: rows.jsonl`",
            zh="应由 `键: 值` 组成，例如 `train: rows.jsonl`",
        )
        raise InputError(Problem(self.name, message))

    def line_of(self, location: Location) -> int:
        """The line of ``location``, or of the nearest place around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def wrong(self, location: Location, message: Text) -> None:
        """Note a problem: ``rules.yaml:4 [0].when: …``."""
        where = f"{self.name}:{self.line_of(location)} {dotted(location)}"
        self.problems.append(Problem(where.rstrip(), message))

    def finish(self) -> None:
        """Raise everything that was noted.

        Raises:
            InputError: something was.
        """
        if self.problems:
            raise InputError(self.problems)


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        events: Any = self
        if events.check_event(yaml.AliasEvent):
            mark = events.peek_event().start_mark
            raise ComposerError(None, None, "aliases (*name) are not read here", mark)
        return super().compose_node(parent, index)


def parse_yaml(text: str, name: str, *, ours: bool = False) -> Document:
    """The document in ``text``.

    Args:
        ours: a file of the package. libyaml reads it where there is one, ten times faster; it is not given the files of
            others, since brackets without end overflow its stack.

    Raises:
        InputError: it is not YAML, has a key twice, or asks for more than data.
    """
    document = Document(name)
    try:
        loader: Any = _Fast(text) if ours else _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            _walk(node, (), document)
            document.finish()
            document.data = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise InputError(_yaml_problem(error, name)) from None
    except (ValueError, RecursionError) as error:  # an impossible date, brackets without end
        message = Text(en=f"cannot be read as YAML: {error}", zh=f"无法按 YAML 读取：{error}")
        raise InputError(Problem(name, message)) from None
    return document


def _walk(node: Any, at: Location, document: Document) -> None:
    """Note lines and scalars of ``node`` and all in it, and what is no plain data."""
    line = node.start_mark.line + 1
    document.lines.setdefault(at, line)
    if not node.tag.startswith(_TAG) or "python" in node.tag:
        shown = node.tag.replace(_TAG, "!!")
        message = Text(
            en=f"the tag {shown} asks to build an object; a task file holds plain values only",
            zh=f"标签 {shown} 要求构造对象；任务文件只能包含普通值",
        )
        document.problems.append(Problem(f"{document.name}:{line}", message))
    elif isinstance(node, yaml.ScalarNode):
        document.scalars[at] = str(node.value)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*at, number), document)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                message = Text(en="a key must be a plain word", zh="键必须是普通的词")
                document.problems.append(Problem(f"{document.name}:{line}", message))
                continue
            place = (*at, str(key.value))
            document.lines[place] = line
            if (first := seen.get(key.value)) is not None:
                message = Text(
                    en=f"is given twice, first on line {first}; keep one",
                    zh=f"重复出现，第一次在第 {first} 行；请只保留一个",
                )
                document.wrong(place, message)
            seen.setdefault(key.value, line)
            _walk(value, place, document)


def dotted(location: Location) -> str:
    """``limits.p95_ms``, ``models[1]``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _yaml_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    return Problem(where, Text(en=f"is not valid YAML: {what}", zh=f"不是合法的 YAML：{what}"))
