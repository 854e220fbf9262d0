"""Formatting of every kind of number, and that what is unknown is never shown as zero."""

from __future__ import annotations

import math

import pytest

from tuneworth.core.run import Interval, Score
from tuneworth.report.pages import score_text
from tuneworth.words import numbers

NBSP = "\u00a0"


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "show",
    [
        numbers.count,
        numbers.percent,
        numbers.signed,
        numbers.signed_points,
        numbers.p_value,
        numbers.duration,
        numbers.milliseconds,
        numbers.usd,
        numbers.megabytes,
    ],
)
def test_unknown_is_said_in_both_languages(show, bad):
    assert show(bad).to("en") == "unknown"
    assert show(bad).to("zh") == "未知"


def test_score_with_interval():
    shown = score_text(Score(value=0.837, interval=Interval(low=0.791, high=0.874), n_rows=300), "en")
    assert shown.text == f"83.7{NBSP}% (79.1–87.4)"
    assert shown.raw == pytest.approx((83.7, 79.1, 87.4))
    shown = score_text(Score(value=0.837, interval=Interval(low=0.791, high=0.874), n_rows=300), "zh")
    assert shown.text == "83.7%（79.1–87.4）"


def test_score_that_is_not_a_number_has_no_place_in_a_chart():
    shown = score_text(Score(value=math.nan, interval=Interval(low=0, high=1), n_rows=0), "en")
    assert shown.text == "unknown"
    assert shown.raw is None


def test_score_without_bounds_says_so():
    shown = score_text(Score(value=0.5, interval=Interval(low=math.nan, high=1), n_rows=3), "zh")
    assert shown.text == "50.0%（未知）"
    assert shown.raw is None


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0618, "+6.2"), (-0.004, "−0.4"), (0.0, "0.0"), (0.0004, "0.0"), (-0.0004, "0.0")]
)
def test_signed(value, shown):
    assert numbers.signed(value).to("en") == shown


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0, "0 s", "0 秒"),
        (0.004, "0.1 s", "0.1 秒"),
        (3.24, "3.2 s", "3.2 秒"),
        (9.96, "10 s", "10 秒"),
        (59.7, "1 min 0 s", "1 分 0 秒"),
        (284.0, "4 min 44 s", "4 分 44 秒"),
        (3599.6, "1 h 0 min", "1 小时 0 分"),
        (3900, "1 h 5 min", "1 小时 5 分"),
    ],
)
def test_duration(seconds, en, zh):
    assert numbers.duration(seconds).to("en").replace(NBSP, " ") == en
    assert numbers.duration(seconds).to("zh").replace(NBSP, " ") == zh


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0 ms"), (0.002, "< 0.01 ms"), (0.043, "0.043 ms"), (5.43, "5.4 ms"), (9.96, "10 ms"), (1240.4, "1,240 ms")],
)
def test_milliseconds(ms, shown):
    assert numbers.milliseconds(ms).to("en").replace(NBSP, " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "$0"),
        (0.000002, "< $0.00001"),
        (0.00421, "$0.0042"),
        (0.0999, "$0.100"),
        (1.234, "$1.23"),
        (1234.5, "$1,234"),
    ],
)
def test_usd(value, shown):
    assert numbers.usd_sign(value).to("en").replace(NBSP, " ") == shown


def test_margin_keeps_the_users_number():
    assert numbers.margin(0.02).to("en") == "±2 points"
    assert numbers.margin(0.005).to("zh") == "±0.5 个百分点"


@pytest.mark.parametrize(
    ("value", "general", "amount"),
    [
        (0.0, "0", "0"),
        (0.002, "0.002", "0.002"),
        (0.4, "0.4", "0.40"),
        (2.0, "2", "2"),
        (2.5, "2.5", "2.50"),
        (250.5, "250", "250.50"),
        (12_345.6, "12,346", "12,346"),
    ],
)
def test_numbers_as_their_owner_wrote_them(value, general, amount):
    assert (numbers.general(value).en, numbers.amount(value).zh) == (general, amount)
