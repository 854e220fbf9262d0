"""What of an earlier index can still be used, and if nothing, why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.retrieval.database import (
    Damaged,
    Known,
    generations,
    identity_in,
    next_generation,
    open_table,
    read_all,
    remove_generation,
)
from tuneworth.retrieval.state import FORMAT, STATE_FILE, Identity, State, read_state


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
    return Text(
        en=f"the index was written in format {found}, this version writes format {FORMAT}",
        zh=f"原索引的格式版本为 {found}，当前版本使用格式 {FORMAT}",
    )


def _other_model(found: Identity | None, wanted: Identity) -> Text:
    if found is None or found.format != wanted.format:
        return _damaged("schema")
    before, now = found.encoder, wanted.encoder
    if before == now:
        return Text(
            en=f"the embedding model {now} gives other vectors than when the index was made",
            zh=f"嵌入模型 {now} 给出的向量与建索引时不同",
        )
    return Text(
        en=f"the index was made with {_model_en(before)}; now {_model_en(now)} is used",
        zh=f"原索引{_model_zh(before)}，现在{_model_zh(now)}",
    )


def _model_en(encoder: str | None) -> str:
    return "no embedding model" if encoder is None else f"the embedding model {encoder}"


def _model_zh(encoder: str | None) -> str:
    return "不含向量" if encoder is None else f"使用嵌入模型 {encoder}"


def _damaged(what: str) -> Text:
    return Text(en=f"the index was damaged ({what})", zh=f"索引已损坏（{what}）")
