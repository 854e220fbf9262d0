"""Which table, at which version, is the index: ``index.json`` in its folder; and what of an earlier one can still be used.

A table of LanceDB keeps its earlier versions. A refresh writes new versions that nobody reads until this file
names the last of them, in one step; killed before that, the file still names the old one, whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuneworth.core.files import write_atomic
from tuneworth.core.text import Text
from tuneworth.models.base import Encoder
from tuneworth.retrieval.database import (
    Damaged,
    Known,
    generations,
    next_generation,
    open_table,
    read_all,
    remove_generation,
)
from tuneworth.retrieval.fulltext import Cutting
from tuneworth.words.say import say

if TYPE_CHECKING:
    from lancedb.table import Table

STATE_FILE = "index.json"
FORMAT = 1
"""Raised whenever an index of an earlier release could not be used as it is: other columns, another embedded text."""

_PROBE = "The warranty lasts 24 months. 保修期为 24 个月。"
_SAME_MODEL = 0.999  # cosine; other hardware and precision stay above it, other weights do not


@dataclass(frozen=True, slots=True)
class State:
    """The finished index.

    Attributes:
        table, version: of LanceDB.
        encoder: id of the embedding model; ``None`` for an index without vectors.
    """

    table: str
    version: int
    cutting: Cutting
    n_passages: int
    encoder: str | None
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Identity:
    """What the vectors of a table were made with; kept in the table itself.

    Attributes:
        probe: the vector of a fixed sentence: a model that was replaced under the same name is noticed by it.
    """

    encoder: str | None
    probe: tuple[float, ...] = ()
    format: int = FORMAT

    @property
    def dimension(self) -> int | None:
        return len(self.probe) if self.encoder is not None else None

    def fits(self, other: Identity) -> bool:
        """Whether vectors of both may be compared with one another."""
        if (self.format, self.encoder, len(self.probe)) != (other.format, other.encoder, len(other.probe)):
            return False
        mine, others = np.array(self.probe), np.array(other.probe)
        scale = float(np.linalg.norm(mine) * np.linalg.norm(others))
        return not scale or float(mine @ others) / scale >= _SAME_MODEL

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def identity_of(encoder: Encoder | None) -> Identity:
    """The identity of an index made with ``encoder``; encodes one sentence."""
    if encoder is None:
        return Identity(None)
    return Identity(encoder.id, tuple(float(value) for value in encoder.encode([_PROBE], role="passage")[0]))


def parse_identity(text: str) -> Identity | None:
    """``None`` when ``text`` is not the identity of a table of ours, of this or any other format."""
    try:
        found: dict[str, Any] = json.loads(text)
        if found["format"] != FORMAT:
            return Identity(None, format=int(found["format"]))
        return Identity(found["encoder"], tuple(found["probe"]), found["format"])
    except (ValueError, TypeError, KeyError):
        return None


def identity_in(table: Table) -> Identity | None:
    found = (table.schema.metadata or {}).get(b"tuneworth")
    return parse_identity(found.decode("utf-8", "replace")) if found else None


def read_state(folder: Path) -> State | None:
    """``None`` when there is no finished index of this format in ``folder``, or the file is damaged."""
    try:
        found: dict[str, Any] = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        state = State(**found)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return state if state.format == FORMAT else None


def write_state(folder: Path, state: State) -> None:
    write_atomic(folder / STATE_FILE, json.dumps(asdict(state), indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class Earlier:
    """Where to write, and what is there already.

    Attributes:
        table: name of the table to go on with or to create.
        state: the finished index, when it can be used.
        known: the passages of the finished index; else what an interrupted build left.
        unusable: why an index that was finished once cannot be used.
    """

    table: str
    exists: bool = False
    state: State | None = None
    known: dict[str, Known] = field(default_factory=dict[str, Known])
    unusable: Text | None = None


def find_earlier(folder: Path, wanted: Identity) -> Earlier:
    """The finished index in ``folder`` if it is one of ``wanted``, else what an interrupted build left, else nothing.

    Tables that cannot be read are removed.
    """
    state = read_state(folder)
    if state is None:
        return _left_over(folder, wanted, _other_format(folder))
    try:
        table = open_table(folder, state.table, state.version)
        found = identity_in(table)
        if found is None or not found.fits(wanted):
            return _left_over(folder, wanted, _other_model(found, wanted))
        known = read_all(folder, table)
        latest = open_table(folder, state.table)
        if latest.version != state.version:  # an interrupted refresh left it; the next one writes on top of it
            read_all(folder, latest)
        return Earlier(state.table, True, state, known)
    except Damaged as damage:
        remove_generation(folder, state.table)
        return _left_over(folder, wanted, _damaged(str(damage)))


def _left_over(folder: Path, wanted: Identity, unusable: Text | None) -> Earlier:
    for name in generations(folder):
        try:
            table = open_table(folder, name)
            found = identity_in(table)
            if found is not None and found.fits(wanted):
                return Earlier(name, True, known=read_all(folder, table), unusable=unusable)
        except Damaged:
            remove_generation(folder, name)
    if unusable is None and (folder / STATE_FILE).exists():
        unusable = _damaged(STATE_FILE)
    return Earlier(next_generation(folder), unusable=unusable)


def _other_format(folder: Path) -> Text | None:
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["format"]
    except (ValueError, TypeError, KeyError):
        return None  # the table beside it may still be whole
    if found == FORMAT:
        return None
    return say("retrieval.rebuilt.format", found=str(found), format=FORMAT)


def _other_model(found: Identity | None, wanted: Identity) -> Text:
    if found is None or found.format != wanted.format:
        return _damaged("schema")
    before, now = found.encoder, wanted.encoder
    if before == now:
        return say("retrieval.rebuilt.other_vectors", encoder=now or "")
    return say("retrieval.rebuilt.other_model", before=_model(before), now=_model(now))


def _model(encoder: str | None) -> Text:
    if encoder is None:
        return say("retrieval.rebuilt.without_model")
    return say("retrieval.rebuilt.with_model", encoder=encoder)


def _damaged(what: str) -> Text:
    return say("retrieval.rebuilt.damaged", what=what)
