"""YAML with the line of every key, and nothing that runs code.

Only the tags of plain data are read. Aliases are refused: a task file has no use for them, and a few
of them can stand for gigabytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import ComposerError

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

Location = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """Plain data with, for every place in it, its 1-based line and the text of its scalar."""

    data: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)
    scalars: dict[Location, str] = field(default_factory=dict)

    def line_of(self, location: Location) -> int:
        """The line of ``location``, or of the nearest place around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # pyright: ignore[reportUnknownMemberType]
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, "aliases (*name) are not read here", mark)
        return super().compose_node(parent, index)


def parse_yaml(text: str, name: str) -> Document:
    """The document in ``text``.

    Raises:
        InputError: it is not YAML, is not a mapping, has a key twice, or asks for more than data.
    """
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        document = Document({})
        if node is not None:
            _walk(node, (), document, problems, name)
        if problems:
            raise InputError(problems)
        data = loader.construct_document(node) if node is not None else {}
    except yaml.YAMLError as error:
        raise InputError(_yaml_problem(error, name)) from None
    except (ValueError, RecursionError) as error:  # an impossible date, brackets without end
        message = Text(en=f"cannot be read as YAML: {error}", zh=f"无法按 YAML 读取：{error}")
        raise InputError(Problem(name, message)) from None
    if not isinstance(data, dict):
        message = Text(
            en="must be `key: value` lines, such as `train: rows.jsonl`",
            zh="应由 `键: 值` 组成，例如 `train: rows.jsonl`",
        )
        raise InputError(Problem(name, message))
    document.data = data
    return document


def _walk(node: yaml.Node, at: Location, document: Document, problems: list[Problem], name: str) -> None:
    line = node.start_mark.line + 1
    document.lines.setdefault(at, line)
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        shown = node.tag.replace("tag:yaml.org,2002:", "!!")
        message = Text(
            en=f"the tag {shown} asks to build an object; a task file holds plain values only",
            zh=f"标签 {shown} 要求构造对象；任务文件只能包含普通值",
        )
        problems.append(Problem(f"{name}:{line}", message))
    elif isinstance(node, yaml.MappingNode):
        _walk_mapping(node, at, document, problems, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*at, number), document, problems, name)
    elif isinstance(node, yaml.ScalarNode):
        document.scalars[at] = str(node.value)


def _walk_mapping(node: yaml.MappingNode, at: Location, document: Document, problems: list[Problem], name: str) -> None:
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            message = Text(en="a key must be a plain word", zh="键必须是普通的词")
            problems.append(Problem(f"{name}:{line}", message))
            continue
        text = str(key.value)
        if text in seen:
            message = Text(
                en=f"is given twice, first on line {seen[text]}; keep one",
                zh=f"重复出现，第一次在第 {seen[text]} 行；请只保留一个",
            )
            problems.append(Problem(f"{name}:{line} {dotted((*at, text))}", message))
        seen.setdefault(text, line)
        document.lines[(*at, text)] = line
        _walk(value, (*at, text), document, problems, name)


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
