"""Texts of the documents that come with a task, from a file or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data import formats
from tuneworth.data.encoding import decode
from tuneworth.data.files import read_bytes
from tuneworth.errors import InputError, Problem

PLAIN_SUFFIXES = (".txt", ".md", ".rst")
TEXT_FIELDS = ("text", "content", "passage", "body", "document", "chunk")
"""Fields that hold a document's text; without one of them, all texts of a row but its id are taken."""


def read_documents(source: str) -> tuple[str, ...]:
    """The documents in ``source``: a file of rows, a text file, or a folder of text files.

    Raises:
        InputError: nothing is there, or nothing in it is a text.
        EnvironmentProblem: a file cannot be read.
    """
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PLAIN_SUFFIXES)
        texts = [_plain(file) for file in files if file.stat().st_size]
    elif path.suffix.lower() in PLAIN_SUFFIXES:
        texts = [_plain(path)]
    else:
        texts = [_text_of(row.value) for row in formats.read(source).rows]
    texts = [text for text in texts if text.strip()]
    if not texts:
        known = ", ".join(PLAIN_SUFFIXES)
        message = Text(
            en=f"holds no documents; give a folder of {known} files, or rows with a field `text`",
            zh=f"里面没有文档；请给出存放 {known} 文件的目录，或带有 `text` 字段的数据文件",
        )
        raise InputError(Problem(source, message))
    return tuple(texts)


def _plain(path: Path) -> str:
    return decode(read_bytes(path, path.name), path.name).text


def _text_of(value: dict[str, Any]) -> str:
    for name in TEXT_FIELDS:
        if isinstance(value.get(name), str):
            return value[name]
    return "\n".join(cell for name, cell in value.items() if isinstance(cell, str) and name != "id")
