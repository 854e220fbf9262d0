"""The race as plain lines: one for every arm that moves or leaves.

For terminals that cannot draw, log files and pipes; the table of ``--watch`` borrows the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.text import Text
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.words import numbers

OUT: frozenset[LaneState] = frozenset(("stopped", "failed"))
"""States of an arm that is not looked at any further."""

_LEADS = Text(en="in the lead", zh="目前领先")


@dataclass(frozen=True, slots=True)
class _Seen:
    state: LaneState
    n_train: int | None
    n_rows: int

    @classmethod
    def of(cls, lane: Lane) -> _Seen:
        return cls(lane.state, lane.n_train, lane.n_rows)


class RaceLines:
    """Turns views of the race into lines, each thing told once."""

    def __init__(self, *, moves: bool):
        """``moves``: tell every step and every change of the lead, not only who leaves."""
        self._moves = moves
        self._seen: dict[str, _Seen] = {}
        self._leader: str | None = None

    def news(self, view: RaceView) -> list[Text]:
        """What has happened since the view before."""
        told = {lane.arm_id: line for lane in view.lanes if (line := self._line(lane, view)) is not None}
        first = next((lane for lane in view.lanes if lane.arm_id == view.leader), None)
        if self._moves and first is not None and view.leader != self._leader:
            told.setdefault(first.arm_id, leads(first))  # its own move says it already
        self._seen = {lane.arm_id: _Seen.of(lane) for lane in view.lanes}
        self._leader = view.leader
        return list(told.values())

    def _line(self, lane: Lane, view: RaceView) -> Text | None:
        before = self._seen.get(lane.arm_id)
        if lane.state in OUT:
            return None if before is not None and before.state in OUT else left(lane, view.n_dev)
        rows = (lane.n_train, lane.n_rows)
        still = before is not None and rows == (before.n_train, before.n_rows)
        return None if still or not self._moves or not lane.n_rows else moved(lane, view)


def left(lane: Lane, n_dev: int) -> Text:
    """``few-shot, 16 random: out after 64 of 300 dev rows: 12.3 points behind (−19.1 to −5.4), …``."""
    if lane.state == "failed":
        return _colon(lane.title, lane.why or Text(en="failed", zh="出错"))
    rows = _rows(lane, n_dev)
    out = Text(en=f"out after {rows.en}", zh=f"测完{rows.zh}后停测") if lane.n_rows else Text(en="out", zh="停测")
    why = [standing(lane)] if lane.difference is not None else []
    why += [lane.why] if lane.why is not None else []
    return _colon(lane.title, _colon(out, _listed(why)) if why else out)


def moved(lane: Lane, view: RaceView) -> Text:
    """``few-shot, 16 random: 64 of 300 dev rows, score 0.712, 3.1 points behind (−9.0 to +2.8), 12 s so far``."""
    said = [_rows(lane, view.n_dev)]
    if lane.n_train is not None:
        said.insert(0, Text(en=f"{lane.n_train:,} training rows", zh=f"训练数据 {lane.n_train:,} 条"))
    if lane.score is not None:
        said.append(Text(en=f"score {lane.score:.3f}", zh=f"得分 {lane.score:.3f}"))
    if lane.arm_id == view.leader:
        said.append(_LEADS)
    elif lane.difference is not None:
        said.append(standing(lane))
    en, zh = (numbers.duration(lane.seconds).to(lang) for lang in ("en", "zh"))
    return _colon(lane.title, _listed([*said, Text(en=f"{en} so far", zh=f"累计用时 {zh}")]))


def leads(lane: Lane) -> Text:
    return _colon(lane.title, _LEADS)


def standing(lane: Lane) -> Text:
    """How far an arm is from the leader, with the interval of the difference."""
    difference = round(lane.difference or 0.0, 3)  # as it is shown: what looks like 0.0 is told as level
    size = numbers.signed(abs(difference)).to("en").lstrip("+")
    if difference < 0:
        said = Text(en=f"{size} points behind", zh=f"落后 {size} 个百分点")
    elif difference > 0:
        said = Text(en=f"{size} points ahead", zh=f"高出 {size} 个百分点")
    else:
        said = Text(en="level with the leader", zh="与领先者持平")
    if lane.interval is None:
        return said
    en, zh = (numbers.signed_range(lane.interval).to(lang) for lang in ("en", "zh"))
    return Text(en=f"{said.en} ({en})", zh=f"{said.zh}（{zh}）")


def _rows(lane: Lane, n_dev: int) -> Text:
    if lane.n_rows >= n_dev:
        return Text(en=f"all {n_dev:,} dev rows", zh=f"开发集全部 {n_dev:,} 条")
    return Text(en=f"{lane.n_rows:,} of {n_dev:,} dev rows", zh=f"开发集 {lane.n_rows:,}/{n_dev:,} 条")


def _colon(head: Text, tail: Text) -> Text:
    return Text(en=f"{head.en}: {tail.en}", zh=f"{head.zh}：{tail.zh}")


def _listed(parts: Sequence[Text]) -> Text:
    return Text(en=", ".join(part.en for part in parts), zh="，".join(part.zh for part in parts))
