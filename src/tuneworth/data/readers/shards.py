"""Which files a source means: one, all of a folder that holds one data set in parts, or what a pattern matches."""

from __future__ import annotations

import glob
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_WILD = "*?["
_SHOWN = 6
_SIDES = re.compile(
    r"(?:^|[_.-])(train|training|test|testing|dev|valid|validation|val|eval)(?:[_.-]|\d|$)", re.IGNORECASE
)
_ABOUT = (
    "readme",
    "license",
    "licence",
    "dataset_info",
    "dataset_dict",
    "dataset_infos",
    "state",
    "metadata",
    "manifest",
)
"""Names of files that tell about a data set."""


def files_of(source: str, suffixes: Sequence[str]) -> tuple[list[Path], list[Text]]:
    """The files of ``source`` in their natural order (2 before 10), and what was left out.

    Raises:
        InputError: a folder without files of rows, with several kinds of them, or with several sides of one data set.
    """
    path = Path(source)
    if path.is_dir():
        return _in_folder(path, suffixes)
    if any(mark in path.name for mark in _WILD) and not path.exists():
        found = sorted((Path(one) for one in glob.glob(source)), key=natural)  # noqa: PTH207 - Path.glob takes no absolute pattern
        found = [one for one in found if one.is_file()]
        if not found:
            raise InputError(Problem(source, say("reading.folder.no_match")))
        return found, [say("reading.folder.read", name=path.name, n=len(found), names=_names(found))]
    return [path], []


def natural(path: Path) -> list[tuple[int, str]]:
    """A key that puts ``part-2`` before ``part-10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.as_posix())]


def kind_of(path: Path, suffixes: Sequence[str]) -> str:
    """The suffix that says the format, that of ``rows.jsonl.gz`` being ``.jsonl``; empty where none does."""
    return next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() in suffixes), "")


def _in_folder(folder: Path, suffixes: Sequence[str]) -> tuple[list[Path], list[Text]]:
    there = sorted((one for one in folder.iterdir() if not one.name.startswith(".")), key=natural)
    files = [one for one in there if one.is_file() and not one.stem.lower().startswith(_ABOUT)]
    data = [one for one in files if kind_of(one, suffixes)]
    below = [one for one in there if one.is_dir()]
    if not data and len(below) == 1:  # as the hub has it: a README above, the files in `data`
        return _in_folder(below[0], suffixes)
    kinds = Counter(kind_of(one, suffixes) for one in data)
    if not data:
        raise InputError(Problem(str(folder), say("reading.folder.empty", known=", ".join(suffixes))))
    if len(kinds) > 1:
        raise InputError(Problem(str(folder), say("reading.folder.kinds", names=_names(data), first=str(data[0]))))
    sides = {match[1].lower() for one in data if (match := _SIDES.search(one.stem))}
    if len(sides) > 1:
        raise InputError(Problem(str(folder), _several_sides(data)))
    others = [one for one in there if one not in data]
    notes = [say("reading.folder.read", name=folder.name, n=len(data), names=_names(data))] if len(data) > 1 else []
    if others:
        notes.append(say("reading.folder.left_out", name=folder.name, names=_names(others)))
    return data, notes


def _several_sides(data: Sequence[Path]) -> Text:
    """The command that names a side each, with a pattern where a side has several files."""
    by_side: dict[str, list[Path]] = {}
    for one in data:
        match = _SIDES.search(one.stem)
        by_side.setdefault(match[1].lower() if match else "", []).append(one)
    named = {
        side: shlex.quote(str(ones[0] if len(ones) == 1 else ones[0].parent / f"{side}*"))
        for side, ones in by_side.items()
    }
    train = next((named[side] for side in ("train", "training") if side in named), next(iter(named.values())))
    test = next((named[side] for side in ("test", "testing", "eval") if side in named), None)
    command = f"tuneworth init {train}" + (f" --test {test}" if test and test != train else "")
    return say("reading.folder.sides", names=_names(data), command=command)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(one.name for one in paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
