"""The race's table: it fits the terminal, keeps what matters, and reads without colour."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tuneworth.cli.watch import SIGNS, clock, fit, picture
from tuneworth.core.text import Text
from tuneworth.race.watch import LaneState
from tuneworth.words.say import table
from views_made import SURELY, lane, many, view


def drawn(of, width=100, height=None, lang="en", ago=0.0) -> list[str]:
    """The lines that a terminal without colour shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(picture(of, lang, width, height, ago))
    return [line.rstrip() for line in capture.get().splitlines()]


STATES = table("cli.race.state")
RACE = view(
    lane("a", "done", n_rows=300, score=0.853, seconds=61.0, n_train=1000, title=Text(en="head", zh="分类头")),
    lane("b", "stopped", -0.123, n_rows=64, score=0.73, seconds=5.0, why=SURELY),
    lane("c", "running", n_train=250, seconds=3.0),
    leader="a",
    seconds_left=500.0,
    spent_usd=0.02,
    usd_left=0.98,
)


def test_a_wide_terminal_shows_everything():
    leader, spent, heads, first, second, third = drawn(RACE, 140)
    assert leader == "leader: head, score 0.853"
    assert spent == "1:40 spent, 8:20 left; $0.020 spent, $0.98 left"
    assert heads.split() == ["arm", "train", "dev", "score", "to", "the", "leader", "state", "time", "why"]
    assert first.split() == ["head", "1,000", "300/300", "0.853", "leader", "✓", "done", "1:01"]
    assert second.split("  ")[0] == "arm b"
    assert "64/300  0.730  −12.3 (−19.3 to −5.3)   ✗ stopped" in second
    assert second.endswith("surely worse by more than the margin")
    assert third.split() == ["arm", "c", "250", "0/300", "▶", "running", "0:03"]


def test_chinese_columns_stand_below_their_headings():
    lines = drawn(RACE, 140, lang="zh")
    assert lines[:2] == ["领先：分类头，得分 0.853", "已用 1:40，剩余 8:20；已用 $0.020，剩余 $0.98"]
    starts = [cell_len(line[: line.index(word)]) for line, word in zip(lines[2:], ("状态", "✓", "✗", "▶"), strict=True)]
    assert len(set(starts)) == 1, lines


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_narrower_terminals_lose_columns_and_never_the_state(lang):
    before = 99
    for width in (140, 100, 80, 60, 45, 30, 20):
        lines = drawn(RACE, width, lang=lang)
        assert max(cell_len(line) for line in lines) <= width, lines
        columns = len([part for part in lines[2].split("  ") if part.strip()])
        assert columns <= before
        before = columns
        assert f"{SIGNS['stopped']} {STATES['stopped'].to(lang)}" in lines[4], lines
    assert before == 2


@settings(deadline=None)
@given(
    n_out=st.integers(0, 30),
    n_waiting=st.integers(0, 30),
    n_racing=st.integers(0, 30),
    height=st.integers(3, 60),
    width=st.integers(16, 200),
    lang=st.sampled_from(["en", "zh"]),
)
def test_no_picture_is_higher_or_wider_than_the_terminal(n_out, n_waiting, n_racing, height, width, lang):
    lines = drawn(many(n_out, n_waiting, n_racing), width, height, lang)
    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)


@settings(deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 40))
def test_every_arm_is_shown_or_folded_and_none_is_folded_without_need(n_out, n_waiting, n_racing, room):
    race = many(n_out, n_waiting, n_racing)
    fitted = fit(race, room)
    shown, folded = ([one.arm_id for one in lanes] for lanes in (fitted.lanes, fitted.folded))
    order = [one.arm_id for one in race.lanes]
    assert sorted(shown + folded) == sorted(order)
    assert shown == [arm_id for arm_id in order if arm_id in shown]
    assert bool(folded) == (len(order) > room)
    if folded and room >= 3:
        assert {"leader", "runner"} <= set(shown)
        assert len(shown) + 1 <= room
    if any(one.state == "waiting" for one in fitted.folded):
        assert all(one.state != "stopped" for one in fitted.lanes), "arms that are out go first"


def test_what_is_folded_is_counted():
    assert drawn(many(7, 0, 3), 100, 9)[-1] == "7 arms stopped"
    assert drawn(many(7, 1, 9), 100, 11)[-1] == "7 arms stopped, 1 arm waiting, 4 more"
    assert drawn(many(7, 1, 9), 100, 11, "zh")[-1] == "未列出：7 个停测，1 个等待，其他 4 个"


def test_clocks_go_on_between_views():
    later = drawn(RACE, 140, ago=30.9)
    assert later[1].startswith("2:10 spent, 7:49 left;")
    assert [line.split()[-1] for line in (later[3], later[5])] == ["1:01", "0:33"]  # only the arm that runs
    assert "0:00 left" in drawn(RACE, 140, ago=9999.0)[1]


def test_states_differ_without_colour():
    states = set(get_args(LaneState))
    assert set(SIGNS) == set(STATES) == states
    assert len(set(SIGNS.values())) == len({word.en for word in STATES.values()}) == len(states)
    assert len({word.zh for word in STATES.values()}) == len(states)


def test_a_title_from_a_file_cannot_disturb_the_terminal():
    nasty = lane("a", "racing", n_rows=32, title=Text(en="[red]x\x1b[2J\ny[/]", zh="[red]x\x1b[2J\ny[/]"))
    lines = drawn(view(nasty, leader="a"), 80)
    assert lines[0] == "leader: [red]x\ufffd[2J y[/]"
    assert lines[3].startswith("[red]x\ufffd[2J y[/]")


@pytest.mark.parametrize(("seconds", "shown"), [(-3, "0:00"), (59.9, "0:59"), (60, "1:00"), (3850, "1:04:10")])
def test_clock(seconds, shown):
    assert clock(seconds) == shown
