"""Which table, at which version, is the index: ``index.json`` in its folder.

A table of LanceDB keeps its earlier versions. A refresh writes new versions that nobody reads until this file
names the last of them, in one step; killed before that, the file still names the old one, whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuneworth.core.files import write_atomic
from tuneworth.models.base import Encoder
from tuneworth.retrieval.fulltext import Cutting

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
    return Identity(encoder.id, tuple(float(value) for value in encoder.encode([_PROBE])[0]))


def parse_identity(text: str) -> Identity | None:
    """``None`` when ``text`` is not the identity of a table of ours, of this or any other format."""
    try:
        found: dict[str, Any] = json.loads(text)
        if found["format"] != FORMAT:
            return Identity(None, format=int(found["format"]))
        return Identity(found["encoder"], tuple(found["probe"]), found["format"])
    except (ValueError, TypeError, KeyError):
        return None


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
