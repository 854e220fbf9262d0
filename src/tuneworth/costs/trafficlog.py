"""Traffic as a log of the user's own shows it: one call a line, JSONL or CSV, with its time, and its text where it is known.

    {"time": "2026-11-03T09:14:02Z", "prompt": "…", "prompt_tokens": 512, "completion_tokens": 40}

The log is streamed: of each call a time (8 bytes) and two hashes of its text (8 bytes each) are kept, so ten million calls take
240 MB and are counted exactly. Times may be out of order, in seconds or milliseconds since 1970, or ISO 8601. Times without a zone are taken to
be local times of ``zone`` (of UTC where none is given), and `LogSeen.local` says how many there were.

    calls a month    (calls − 1) / (last − first time) · month; its range is that of a mean over days (± √3 standard errors, the
                     uniform range with their spread), from seven whole days on
    hours            of the zone, by its distance from UTC in the middle of the log
    peak             calls of the busiest clock hour / mean calls of an hour
    repeats          calls whose text came before, exactly, or but for case, digits, spaces and punctuation; the latter is what an answer
                     cache might risk, not what it may
"""

from __future__ import annotations

import csv
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO, cast
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tuneworth.costs.breakeven import HOURS_PER_DAY, SECONDS_PER_MONTH
from tuneworth.costs.figures import figure
from tuneworth.costs.traffic import HOURS_PER_WEEK, MONTHS, Traffic
from tuneworth.errors import InputError, NotEnoughData, Problem
from tuneworth.words.say import say

Floats = NDArray[np.float64]
TIME_FIELDS = (
    "time",
    "timestamp",
    "ts",
    "datetime",
    "date",
    "created_at",
    "created",
    "start_time",
    "request_time",
    "时间",
)
TEXT_FIELDS = ("prompt", "input", "question", "query", "text", "request", "messages", "输入", "问题")
TOKEN_FIELDS = {
    "prompt_tokens": ("prompt_tokens", "input_tokens"),
    "completion_tokens": ("completion_tokens", "output_tokens"),
}
_SPACING = re.compile(r"[\W\d_]+")
_MOST_UNREAD = 0.1
_QUANTILES = 1_001
_MONDAY_HOUR = 4 * 24
"""Of 1970-01-05, the first Monday, from 1970 on."""


@dataclass(frozen=True)
class LogSeen:
    """What a log says of the calls.

    Attributes:
        traffic: as it would be stated; no growth is read from a log.
        n_unread: lines without a time that can be read; they are left out.
        n_out_of_order: calls whose time is before that of the line above.
        local: calls whose time has no zone.
        days: from the first call to the last.
        mean_tokens: ``prompt_tokens`` and ``completion_tokens`` of the calls that have them.
    """

    traffic: Traffic
    n_calls: int
    n_unread: int
    n_out_of_order: int
    local: int
    days: float
    mean_tokens: Mapping[str, float]


class _Calls:
    """What is kept while a log is read."""

    def __init__(self, zone: tzinfo):
        self.zone = zone
        self.times, self.exact, self.near = array("d"), array("Q"), array("Q")
        self.tokens = {name: [0.0, 0] for name in TOKEN_FIELDS}
        self.unread = self.local = 0
        self.named: dict[str, str] = {}

    def add(self, row: Mapping[str, Any] | None) -> None:
        seconds = None if row is None else self._time(self._field(row, "time", TIME_FIELDS))
        if row is None or seconds is None:
            self.unread += 1
            return
        self.times.append(seconds)
        text = self._field(row, "text", TEXT_FIELDS)
        if text not in (None, ""):
            said = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, sort_keys=True)
            self.exact.append(_hash(said))
            self.near.append(_hash(_SPACING.sub("", said.casefold()) or said))
        usage: Any = row.get("usage")
        for name, fields in TOKEN_FIELDS.items():
            found = self._field(row, name, fields)
            if found is None and isinstance(usage, dict):
                found = self._field(cast("dict[str, Any]", usage), name, fields)
            if (number := _number(found)) is not None:
                self.tokens[name][0] += number
                self.tokens[name][1] += 1

    def _field(self, row: Mapping[str, Any], what: str, names: Iterable[str]) -> Any:
        """The value of the field that was found first; looked for anew in a row that lacks it."""
        if (name := self.named.get(what)) in row:
            return row[cast("str", name)]
        for name in names:
            if name in row:
                self.named[what] = name
                return row[name]
        return None

    def _time(self, written: Any) -> float | None:
        """Seconds since 1970."""
        number = _number(written)
        if number is not None:
            seconds = number / 1000 if number > 1e11 else number
            return seconds if 1e8 < seconds < 1e10 else None
        try:
            moment = datetime.fromisoformat(written.strip())
        except (AttributeError, ValueError):
            return None
        if moment.tzinfo is None:
            self.local += 1
            moment = moment.replace(tzinfo=self.zone)
        return moment.timestamp()


def traffic_of_log(path: Path, *, zone: str | None = None, months: int = MONTHS) -> LogSeen:
    """Count the calls of a log.

    Args:
        zone: of times without one, ``Asia/Shanghai``; hours of the week are hours of this zone too. ``None``: UTC.

    Raises:
        InputError: it cannot be read, most lines have no time, or there is no such zone.
        NotEnoughData: fewer than two calls, or all at one moment.
    """
    try:
        where = ZoneInfo(zone) if zone else UTC
    except (KeyError, ValueError):
        raise InputError(Problem("zone", say("costs.rule.zone", value=str(zone)))) from None
    calls = _Calls(where)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in _rows(file):
                calls.add(row)
    except OSError as error:
        raise InputError(Problem(path.name, say("costs.rule.unreadable", why=error.strerror or ""))) from None
    n = len(calls.times)
    if calls.unread > _MOST_UNREAD * (n + calls.unread) and calls.unread > 1:
        found = say("costs.rule.no_times", n=calls.unread, of=n + calls.unread, names=", ".join(TIME_FIELDS[:4]))
        raise InputError(Problem(path.name, found))
    if n < 2:
        raise NotEnoughData(Problem(path.name, say("costs.rule.one_call", n=n)))
    return _counted(calls, path.name, months)


def _counted(calls: _Calls, name: str, months: int) -> LogSeen:
    """Everything large is sorted and shifted in place, and let go as soon as it is counted."""
    repeated = {each: _repeated(getattr(calls, each)) for each in ("exact", "near")}
    stated = "log" if calls.exact else ""
    del calls.exact, calls.near
    times = np.frombuffer(calls.times, dtype=np.float64)
    n, disordered = times.size, int(np.count_nonzero(times[1:] < times[:-1]))
    times.sort()
    span = float(times[-1] - times[0])
    if span <= 0:
        raise NotEnoughData(Problem(name, say("costs.rule.one_moment", n=n)))
    gaps = np.diff(times)
    gaps.sort()
    gaps = gaps[np.linspace(0, n - 2, _QUANTILES).round().astype(np.intp)]
    offset = datetime.fromtimestamp(float(times[n // 2]), calls.zone).utcoffset()
    times += offset.total_seconds() if offset else 0.0
    times //= 3600
    hours = times.astype(np.int64)
    by_hour = np.bincount(hours - hours[0])
    week = np.bincount((hours - _MONDAY_HOUR) % HOURS_PER_WEEK, minlength=HOURS_PER_WEEK)
    rate, spread = (n - 1) / span * SECONDS_PER_MONTH, _spread_of_days(hours)
    peak = float(by_hour.max()) / max(n / by_hour.size, n * 3600 / span)
    traffic = Traffic(
        calls_per_month=figure("traffic.calls_per_month", "call/month", rate * max(0.0, 1 - spread), rate * (1 + spread), source="log"),
        peak=figure("traffic.peak", "ratio", max(1.0, peak), source="log"),
        growth_per_month=figure("traffic.growth_per_month", "ratio", 0.0),
        share_repeated=figure("traffic.share_repeated", "share", repeated["exact"], source=stated),
        share_nearly_repeated=figure("traffic.share_nearly_repeated", "share", repeated["near"], source=stated),
        months=months,
        week=week / week.sum(),
        gaps=gaps,
    )  # fmt: skip
    means = {name: total / count for name, (total, count) in calls.tokens.items() if count}
    return LogSeen(traffic, n, calls.unread, disordered, calls.local, span / 3600 / HOURS_PER_DAY, means)


def _spread_of_days(hours: NDArray[np.int64]) -> float:
    """√3 standard errors of the mean calls of a day over that mean; 0 from fewer than seven whole days."""
    days = np.bincount(hours // 24 - hours[0] // 24)[1:-1]
    return float(np.sqrt(3) * days.std(ddof=1) / np.sqrt(days.size) / days.mean()) if days.size >= 7 else 0.0


def _repeated(hashes: array[int]) -> float:
    """Share of calls whose text came before."""
    texts = np.frombuffer(hashes, dtype=np.uint64)
    if texts.size == 0:
        return 0.0
    texts.sort()
    return float((texts[1:] == texts[:-1]).sum()) / texts.size


def _rows(file: TextIO) -> Iterator[Mapping[str, Any] | None]:
    """Calls; ``None`` for a line that cannot be read."""
    head = list(islice(file, 1))
    if not head:
        return
    lines = chain(head, file)
    if head[0].lstrip().startswith("{"):
        for line in lines:
            if line.strip():
                yield _json(line)
        return
    reader = csv.DictReader(lines, delimiter=max(",;\t", key=head[0].count))
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _json(line: str) -> Mapping[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", row) if isinstance(row, dict) else None


def _number(written: Any) -> float | None:
    try:
        return None if isinstance(written, bool) or written is None else float(written)
    except (TypeError, ValueError):
        return None


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
