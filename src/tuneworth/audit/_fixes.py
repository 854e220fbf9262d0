"""``--fix``: cleaned copies of the files, and a list of every change for a person to review.

The sources are read, never written. Certain patches are done; the others are listed as suggestions. A row is left
out only where another that stays is the same in every column. Rows that could not be used stay as they are, for a
person to mend, and are listed; only what is no record at all (a broken line) has no place in a copy.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuneworth.audit import Patch
from tuneworth.audit._personal.mask import Placeholders, excerpt, mask
from tuneworth.core.files import write_atomic
from tuneworth.data import formats, rewrite
from tuneworth.data.drafts import is_conversation, target_turn
from tuneworth.data.formats import PREFIX
from tuneworth.data.load import Loaded
from tuneworth.data.onehot import united
from tuneworth.data.rewrite import Rewritten
from tuneworth.data.rows import RawRow, place_of
from tuneworth.data.shapes import Shape
from tuneworth.data.taskfile import TaskFile
from tuneworth.data.transcripts import conversation_in
from tuneworth.data.values import parsed
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

PATCHES = "patches.jsonl"
_SHOWN_CHARS = 1_000
_TEXT_KEYS = ("content", "value")


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A cleaned copy.

    Attributes:
        n_in: rows of the source, those that could not be used among them.
    """

    path: Path
    source: str
    n_in: int
    n_out: int
    n_changed: int


@dataclass(frozen=True, slots=True)
class Fixes:
    """What ``--fix`` would write, worked out to the last byte, for a person to look at first.

    Attributes:
        entries: the lines of ``patches``: every change and every suggestion.
    """

    files: list[FixedFile]
    patches: Path
    entries: list[dict[str, Any]]
    contents: list[tuple[Path, bytes]]

    @property
    def n_applied(self) -> int:
        return sum(entry["applied"] for entry in self.entries)

    @property
    def n_suggested(self) -> int:
        return len(self.entries) - self.n_applied

    def write(self) -> None:
        """Write the list and the copies, each whole or not at all.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        for path, content in self.contents:
            write_atomic(path, content)


def check_folder(task_file: TaskFile, folder: Path) -> None:
    """Refuse a folder in which something would be overwritten, before any work is done.

    Raises:
        InputError: ``folder`` is a file, or has a file that is called like one that would be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(Problem(str(folder), say("audit.fixes.is_a_file")))
    names = [*_copies(task_file).values(), PATCHES]
    taken = [folder / name for name in names if (folder / name).exists()]
    if taken:
        raise InputError([Problem(str(path), say("audit.fixes.would_overwrite")) for path in taken])


def fixes_for(task_file: TaskFile, loaded: Loaded, patches: Sequence[Patch], folder: Path) -> Fixes:
    """The cleaned files and ``patches.jsonl`` as they would stand in ``folder``. Nothing is written.

    Raises:
        InputError: see ``check_folder``; or a source changed since it was loaded.
    """
    check_folder(task_file, folder)
    fixer = _Fixer(loaded, patches)
    files: list[FixedFile] = []
    contents: list[tuple[Path, bytes]] = []
    for source, name in _copies(task_file).items():
        data = _read_again(loaded, source)
        rows = fixer.rewritten(data.rows, lists=rewrite.takes_lists(source))
        contents.append((folder / name, rewrite.content_of(source, rows, plain=bool(data.suffix))))
        files.append(FixedFile(folder / name, source, data.n_read, len(rows), sum(row.changed for row in rows)))
    entries = list(fixer.entries())
    lines = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)
    contents.insert(0, (folder / PATCHES, lines.encode("utf-8", "backslashreplace")))
    return Fixes(files, folder / PATCHES, entries, contents)


def _copies(task_file: TaskFile) -> dict[str, str]:
    """Source → name of its copy; two sources of one name are told apart by their side."""
    sides = {"train": task_file.train, **({"test": task_file.test} if task_file.test else {})}
    names = {source: rewrite.file_name(source) for source in sides.values()}
    if len(set(names.values())) == len(names):
        return names
    return {source: f"{side}-{rewrite.file_name(source)}" for side, source in sides.items()}


def _read_again(loaded: Loaded, source: str) -> formats.RawData:
    """The rows of ``source``, called as ``loaded`` calls them."""
    name = source if source in loaded.files or source.startswith(PREFIX) else Path(source).name
    data = formats.read(source, name=name)
    if loaded.files.get(data.name) != data.sha256:
        raise InputError(Problem(data.name, say("audit.fixes.changed")))
    return united([data], loaded.label_columns)[0] if loaded.label_columns else data


class _Fixer:
    """Applies patches to rows.

    Attributes:
        applied: places in ``patches`` of those that were done.
    """

    def __init__(self, loaded: Loaded, patches: Sequence[Patch]):
        self._loaded = loaded
        self._patches = patches
        self._masks = any(patch.action == "mask" and patch.certain for patch in patches)
        self._examples = {row.source: row for row in (*loaded.examples, *(loaded.test_examples or ()))}
        self._certain: dict[str, list[int]] = defaultdict(list)
        for at, patch in enumerate(patches):
            if patch.certain:
                self._certain[patch.source].append(at)
        self._answers: dict[str, list[str]] = defaultdict(list)
        self._after: dict[int, str] = {}
        self.applied: set[int] = set()
        self._unusable: dict[str, str] = {}

    def rewritten(self, rows: Sequence[RawRow], *, lists: bool) -> list[Rewritten]:
        """The rows of the copy: dropped ones left out, the others with their changes, unusable ones as they are.

        Args:
            lists: a cell may hold a list, so that answers can be merged.
        """
        good = [row for row in rows if row.source in self._examples]
        gone = self._dropped(good)
        if lists:
            gone |= self._merged(good, gone)
        return [Rewritten(row, self._changed(row)) for row in rows if row.source not in gone]

    def entries(self) -> Iterator[dict[str, Any]]:
        """Lines of the list of changes; what is quoted is masked."""
        for row in self._loaded.rejected:
            stays, after = row.where in self._unusable, self._unusable.get(row.where, "")
            action = "mask" if after else "drop"
            yield _entry(
                Patch("load", "", row.where, action, row.reason, row.raw, after), applied=not stays or bool(after)
            )
        for at, patch in enumerate(self._patches):
            yield _entry(replace(patch, after=self._after.get(at, patch.after)), applied=at in self.applied)

    def _take(self, row: RawRow, *actions: str) -> Iterator[Patch]:
        """The certain patches of ``row`` that do one of ``actions``; they count as applied."""
        for at in self._certain.get(row.source, ()):
            if self._patches[at].action in actions:
                self.applied.add(at)
                yield self._patches[at]

    def _dropped(self, rows: Sequence[RawRow]) -> set[str]:
        return {row.source for row in rows if list(self._take(row, "drop"))}

    def _merged(self, rows: Sequence[RawRow], gone: set[str]) -> set[str]:
        """Rows whose answers go to another row that stays."""
        staying = {self._examples[row.source].id for row in rows if row.source not in gone}
        found: set[str] = set()
        for row in rows:
            into = [at for at in self._certain.get(row.source, ()) if self._patches[at].action == "merge"]
            if row.source not in gone and into and self._patches[into[0]].into in staying:
                self.applied.add(into[0])
                self._answers[self._patches[into[0]].into].append(self._examples[row.source].output)
                staying.discard(self._examples[row.source].id)
                found.add(row.source)
        return found

    def _changed(self, row: RawRow) -> dict[str, Any]:
        """The value of ``row`` after its changes; the very same object when there are none."""
        value, shape, example = row.value, self._loaded.shape, self._examples.get(row.source)
        if example is None:  # no check has looked at it, yet a copy that is masked must be so throughout
            hidden = masked(value, self._never_masked()) if self._masks else value
            value = value if hidden == value else hidden
            self._unusable[row.source] = "" if value is row.value else _shown(value)
        if shape is None or example is None:
            return value
        references = example.references
        for patch in self._take(row, "relabel", "replace"):
            value = with_output(value, shape, patch.after)
            references = tuple(dict.fromkeys((patch.after, *(text for text in references if text != example.output))))
        if answers := self._answers.get(example.id):
            value = with_references(value, shape, tuple(dict.fromkeys((*references, *answers))))
        if list(self._take(row, "mask")):
            value = masked(value, self._never_masked())
            self._note_mask(row, value)
        return value

    def _never_masked(self) -> frozenset[str]:
        """Ids, groups, and answers that are the task's own words."""
        shape = self._loaded.shape
        if shape is None:
            return frozenset()
        names = [shape.extras.id, shape.extras.group, shape.extras.choices]
        if self._loaded.task.kind in ("label", "choice") and not shape.chat:
            names.append(shape.answer)
        return frozenset(name for name in names if name)

    def _note_mask(self, row: RawRow, value: dict[str, Any]) -> None:
        for at in self._certain[row.source]:
            if self._patches[at].action == "mask":
                self._after[at] = _shown(value)


def _shown(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _entry(patch: Patch, *, applied: bool) -> dict[str, Any]:
    file, line = place_of(patch.source)
    return {
        "file": file,
        "line": line,
        "row_id": patch.row_id,
        "check": patch.check,
        "action": patch.action,
        "applied": applied,
        "before": excerpt(patch.before, _SHOWN_CHARS),
        "after": excerpt(patch.after, _SHOWN_CHARS),
        "into": patch.into,
        "why": {"en": mask(patch.why.en), "zh": mask(patch.why.zh)},  # reasons quote the row at times
    }


def with_output(value: Mapping[str, Any], shape: Shape, output: str) -> dict[str, Any]:
    """``value`` with another answer, written in the type of the old one."""
    return _with(value, shape.answer, output)


def _with(value: Mapping[str, Any], place: str, output: str) -> dict[str, Any]:
    if place not in value and "." in place:  # as `inputs.cell` reads it
        outer, inner = place.split(".", 1)
        return {**value, outer: _with(value[outer], inner, output)}
    return {**value, place: _like(value[place], output)}


def with_references(value: Mapping[str, Any], shape: Shape, answers: Sequence[str]) -> dict[str, Any]:
    """``value`` with the list of all accepted answers."""
    return {**value, shape.extras.references or "references": list(answers)}


def masked(value: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """``value`` with placeholders for personal data in every text, but for the fields in ``keep``."""
    placeholders = Placeholders()
    return {name: cell if name in keep else _masked_cell(cell, placeholders) for name, cell in value.items()}


def _masked_cell(cell: Any, placeholders: Placeholders) -> Any:
    if isinstance(cell, str):
        return placeholders.apply(cell)
    if isinstance(cell, list):
        return [_masked_cell(inner, placeholders) for inner in cell]
    if isinstance(cell, dict):
        return {name: _masked_cell(inner, placeholders) for name, inner in cell.items()}
    if isinstance(cell, int) and not isinstance(cell, bool):
        text = str(cell)  # a telephone or card number may stand as a bare number
        shown = placeholders.apply(text)
        return cell if shown == text else shown
    return cell


def _with_last_answer(turns: list[dict[str, Any]], output: str) -> list[dict[str, Any]]:
    last = target_turn(turns)
    if last is None:
        return turns
    key = next(key for key in _TEXT_KEYS if key in turns[last])
    return [{**turn, key: output} if at == last else turn for at, turn in enumerate(turns)]


def _like(old: Any, output: str) -> Any:
    """``output`` in the type and in the form of ``old`` where it can be written so, else as text."""
    if is_conversation(old):
        return _with_last_answer(old, output)
    if isinstance(old, str):
        turns = conversation_in(old)
        if turns is None or (last := target_turn(turns)) is None:
            return output
        if is_conversation(parsed(old)):
            return json.dumps(_with_last_answer(turns, output), ensure_ascii=False)
        before, _, after = old.rpartition(turns[last]["content"])
        return f"{before}{output}{after}"
    if isinstance(old, dict) and isinstance(old.get("text"), list):
        return {**old, "text": [output]}
    try:
        return json.loads(output)
    except ValueError:
        return output
