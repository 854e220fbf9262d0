"""Documents put together from many files: ids made unique, the same content kept once."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import PurePath

from tuneworth.core.documents import Document
from tuneworth.core.text import Text
from tuneworth.data.documents.base import Parsed, Reading, SourceFile
from tuneworth.errors import Problem


class Collection:
    """Documents in the order in which they were added.

    Attributes:
        same_as: id of a document left out → id of the one with the same content.
    """

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.same_as: dict[str, str] = {}
        self._by_content: dict[str, Document] = {}
        self._ids: set[str] = set()
        self._notes: list[Problem] = []
        self._repeated: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._renamed: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, file: SourceFile, reading: Reading) -> None:
        """Take in what was read from ``file``; documents without text are left out."""
        self._notes += [Problem(file.name, note) for note in reading.notes]
        for parsed in reading.documents:
            if parsed.blocks:
                self._add(file, parsed)

    def notes(self) -> list[Problem]:
        """What was done to documents without being asked, one note a file and kind."""
        repeated = [
            Problem(name, _repeats(found, is_file=found[0][0] == name)) for name, found in self._repeated.items()
        ]
        renamed = [Problem(name, _renames(found)) for name, found in self._renamed.items()]
        return [*self._notes, *repeated, *renamed]

    def _add(self, file: SourceFile, parsed: Parsed) -> None:
        wanted, content = parsed.id or file.id, _content(parsed)
        source = file.name if parsed.line is None else f"{file.name}:{parsed.line}"
        first = self._by_content.get(content)
        if first is not None:
            if wanted != first.id and wanted not in self._ids:
                self.same_as[wanted] = first.id
            self._repeated[file.name].append((source, first.source))
            return
        document_id = wanted
        if wanted in self._ids:
            document_id = f"{wanted}~{content[:8]}"
            self._renamed[file.name].append((wanted, document_id))
        document = Document(
            id=document_id,
            title=parsed.title or ("" if parsed.line is not None else PurePath(file.id).stem),
            blocks=parsed.blocks,
            source=source,
            changed=parsed.changed,
            doc_set=parsed.doc_set,
            metadata=parsed.metadata,
        )
        self._ids.add(document_id)
        self.same_as.pop(document_id, None)
        self._by_content[content] = document
        self.documents.append(document)


def _content(parsed: Parsed) -> str:
    """A digest of what a reader sees: the title that the file itself has, headings and words, not their spacing."""
    seen = [parsed.title, *([*block.headings, " ".join(block.text.split())] for block in parsed.blocks)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _repeats(found: list[tuple[str, str]], *, is_file: bool) -> Text:
    (source, first), n = found[0], len(found)
    if is_file:
        return Text(en=f"has the same content as {first}; it was kept once", zh=f"与 {first} 内容相同，只保留一份")
    return Text(
        en=f"{n:,} document{'s' * (n > 1)} in it repeat{'s' * (n == 1)} others: {source} is the same as {first}"
        f"{', and so on' * (n > 1)}; each was kept once",
        zh=f"其中有 {n:,} 篇文档与其他文档内容相同，例如 {source} 与 {first}；每篇只保留一份",
    )


def _renames(found: list[tuple[str, str]]) -> Text:
    wanted, given = found[0]
    return Text(
        en=f"{len(found):,} ids in it belong to other documents already, first {wanted!r}, which is called {given!r} here; "
        "give every document an id of its own if rows refer to it",
        zh=f"其中有 {len(found):,} 个编号已被其他文档占用，第一个是 {wanted!r}，这里改称 {given!r}；"
        "如果数据行会引用文档，请为每篇文档设置唯一的编号",
    )
