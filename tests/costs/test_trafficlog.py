"""Logs of calls, counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tuneworth.costs.trafficlog import traffic_of_log
from tuneworth.errors import InputError, NotEnoughData

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def written(tmp_path, rows, name="calls.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows))
    return path


def every(minutes: float, n: int, start: datetime = MONDAY) -> list[datetime]:
    return [start + timedelta(minutes=minutes * each) for each in range(n)]


def test_the_rate_the_week_the_peak_and_the_gaps(tmp_path):
    days = [MONDAY + timedelta(days=day) for day in range(21) if day % 7 < 5]
    times = [moment for day in days for moment in every(15, 36, day + timedelta(hours=9))]
    seen = traffic_of_log(written(tmp_path, [{"time": time.isoformat()} for time in times]))
    span = (times[-1] - times[0]).total_seconds()
    assert seen.traffic.calls_per_month.middle == pytest.approx((len(times) - 1) / span * 730 * 3600)
    assert seen.traffic.calls_per_month.low < seen.traffic.calls_per_month.middle
    assert seen.traffic.week[9:18] == pytest.approx(np.full(9, 1 / 45))
    assert seen.traffic.week[5 * 24 :].sum() == 0
    assert seen.traffic.peak.middle == pytest.approx(4 / (len(times) * 3600 / span))
    assert seen.traffic.warm_share(901).middle == pytest.approx(35 / 36, abs=0.01)
    assert seen.traffic.warm_share(300).middle == 0
    assert seen.traffic.warm_share(300, calls=4 * seen.traffic.calls_per_month.middle).middle == pytest.approx(35 / 36, abs=0.01)  # fmt: skip
    assert (seen.n_calls, seen.n_unread, seen.n_out_of_order, seen.local) == (540, 0, 0, 0)


def test_repeats_and_tokens(tmp_path):
    texts = ["Where is it?", "where is it", "Where is it?", "Order 17", "Order 18", "你好", "你好！", "1", "2", None]
    usage = {"prompt_tokens": 10, "completion_tokens": 4}
    rows = [
        {"ts": time.timestamp(), "prompt": text, "usage": usage} for time, text in zip(every(1, 10), texts, strict=True)
    ]
    seen = traffic_of_log(written(tmp_path, rows))
    assert seen.traffic.share_repeated.middle == pytest.approx(1 / 9)
    assert seen.traffic.share_nearly_repeated.middle == pytest.approx(4 / 9)
    assert seen.mean_tokens == usage


def test_times_out_of_order_and_local_ones_are_counted(tmp_path):
    times = every(60, 48)
    times[3], times[4] = times[4], times[3]
    rows = [{"time": time.replace(tzinfo=None).isoformat(sep=" ")} for time in times]
    seen = traffic_of_log(written(tmp_path, rows), zone="Asia/Shanghai")
    assert (seen.n_out_of_order, seen.local, seen.n_calls) == (1, 48, 48)
    assert seen.traffic.week[0] > 0  # 0 h on Monday is that of the zone
    in_utc = traffic_of_log(written(tmp_path, [{"time": time.isoformat()} for time in times]), zone="Asia/Shanghai")
    assert in_utc.traffic.week[:8].sum() == 0


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_tables(tmp_path, comma):
    lines = [
        f"id{comma}timestamp",
        *(f"{n}{comma}{int(time.timestamp() * 1000)}" for n, time in enumerate(every(1, 61))),
    ]
    seen = traffic_of_log(written(tmp_path, lines, "calls.csv"))
    assert seen.traffic.calls_per_month.middle == pytest.approx(60 * 730)
    assert seen.n_calls == 61


def test_lines_that_cannot_be_read_are_counted_and_most_of_them_refused(tmp_path):
    good = [{"time": time.isoformat()} for time in every(1, 30)]
    seen = traffic_of_log(written(tmp_path, [*good, "{", '{"time": "yesterday"}']))
    assert (seen.n_calls, seen.n_unread) == (30, 2)
    with pytest.raises(InputError, match="5 of 10 lines have no time"):
        traffic_of_log(written(tmp_path, [*good[:5], *[{"when": 1}] * 5]))


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([], "has 0 calls"),
        ([{"time": "2026-11-03T09:14:02Z"}], "has 1 calls"),
        ([{"time": "2026-11-03T09:14:02Z"}] * 5, "5 calls, all at one moment"),
    ],
)
def test_a_rate_takes_two_calls(tmp_path, rows, rule):
    with pytest.raises(NotEnoughData, match=rule):
        traffic_of_log(written(tmp_path, rows))


def test_what_is_no_zone_and_no_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no time zone"):
        traffic_of_log(written(tmp_path, []), zone="Mars/Base")
    with pytest.raises(InputError, match="cannot be read"):
        traffic_of_log(tmp_path)
