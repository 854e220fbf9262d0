"""What stands in the cells of the race's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.report.plain import one_line
from tuneworth.words import numbers

ColumnName = Literal["arm", "n_train", "rows", "score", "difference", "short_difference", "state", "seconds", "why"]

HEADINGS: dict[ColumnName, Text] = {
    "arm": Text(en="arm", zh="方案"),
    "n_train": Text(en="train", zh="训练集"),
    "rows": Text(en="dev", zh="开发集"),
    "score": Text(en="score", zh="得分"),
    "difference": Text(en="to the leader", zh="与领先者之差"),
    "short_difference": Text(en="to lead", zh="差距"),
    "state": Text(en="state", zh="状态"),
    "seconds": Text(en="time", zh="用时"),
    "why": Text(en="why", zh="原因"),
}
SIGNS: dict[LaneState, str] = {
    "waiting": "·",
    "running": "▶",
    "racing": "○",
    "done": "✓",
    "stopped": "✗",
    "failed": "!",
}
STATES: dict[LaneState, Text] = {
    "waiting": Text(en="waiting", zh="等待"),
    "running": Text(en="running", zh="正在测"),
    "racing": Text(en="in race", zh="进行中"),
    "done": Text(en="done", zh="已测完"),
    "stopped": Text(en="stopped", zh="停测"),
    "failed": Text(en="failed", zh="出错"),
}
_LEADER = Text(en="leader", zh="领先")


def clock(seconds: float) -> str:
    """``4:10``, ``1:04:10``: a time that goes on without jumping in width."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one picture, taken ``ago`` seconds after its view."""

    view: RaceView
    lang: Lang
    ago: float

    def cell(self, name: ColumnName, lane: Lane) -> str:
        match name:
            case "arm":
                return one_line(lane.title.to(self.lang))
            case "n_train":
                return "" if lane.n_train is None else f"{lane.n_train:,}"
            case "rows":
                return f"{lane.n_rows:,}/{self.view.n_dev:,}"
            case "score":
                return "" if lane.score is None else f"{lane.score:.3f}"
            case "difference" | "short_difference":
                return self._difference(lane, whole=name == "difference")
            case "state":
                return f"{SIGNS[lane.state]} {STATES[lane.state].to(self.lang)}"
            case "seconds":
                seconds = lane.seconds + (self.ago if lane.state == "running" else 0.0)
                return clock(seconds) if seconds else ""
            case "why":
                return "" if lane.why is None else one_line(lane.why.to(self.lang))

    def usual(self, name: ColumnName) -> str:
        """What a column needs at most as a rule: the room is kept from the start, so that nothing jumps."""
        match name:
            case "rows":
                return f"{self.view.n_dev:,}/{self.view.n_dev:,}"
            case "difference":
                between = "−20.0 到 −10.0" if self.lang == "zh" else "−20.0 to −10.0"
                return "−10.0" + numbers.in_parentheses(between).to(self.lang)
            case "state":
                return max((f"{SIGNS[state]} {word.to(self.lang)}" for state, word in STATES.items()), key=len)
            case "short_difference":
                return "−10.0"
            case "seconds":
                return "10:00"
            case "score":
                return "0.000"
            case _:
                return ""

    def _difference(self, lane: Lane, *, whole: bool) -> str:
        if lane.arm_id == self.view.leader:
            return _LEADER.to(self.lang)
        if lane.difference is None:
            return ""
        said = numbers.signed(lane.difference).to(self.lang)
        if not whole or lane.interval is None:
            return said
        return said + numbers.in_parentheses(numbers.signed_range(lane.interval).to(self.lang)).to(self.lang)
