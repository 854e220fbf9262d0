"""The race in plain lines: what moved, what left, each told once."""

from __future__ import annotations

import pytest

from tuneworth.cli.progress import RaceLines, standing
from tuneworth.core.record import Interval
from tuneworth.core.text import Text
from views_made import SURELY, lane, view


def english(lines: list[Text]) -> list[str]:
    return [line.en.replace("\u00a0", " ") for line in lines]


def test_an_arm_that_leaves_is_told_once_with_the_evidence():
    racing = lane("a", "racing", -0.12, n_rows=64, score=0.5)
    stopped = lane("a", "stopped", -0.12, n_rows=64, score=0.5, why=SURELY)
    lines = RaceLines(moves=False)
    assert lines.news(view(racing)) == []
    [line] = lines.news(view(stopped))
    assert line.en == (
        "arm a: out after 64 of 300 dev rows: 12.0 points behind (−19.0 to −5.0), surely worse by more than the margin"
    )
    assert line.zh == "方案 a：测完开发集 64/300 条后停测：落后 12.0 个百分点（−19.0 到 −5.0），可以确定差距超过界限"
    assert lines.news(view(stopped)) == []


OUTS = {
    "never looked at": (
        lane("a", "stopped", why=Text(en="no time left", zh="时间用完")),
        ("arm a: out: no time left", "方案 a：停测：时间用完"),
    ),
    "no evidence told": (
        lane("a", "stopped", n_rows=300),
        ("arm a: out after all 300 dev rows", "方案 a：测完开发集全部 300 条后停测"),
    ),
    "broke": (
        lane("a", "failed", why=Text(en="failed while fitting: E", zh="训练时出错：E")),
        ("arm a: failed while fitting: E", "方案 a：训练时出错：E"),
    ),
    "broke, nobody knows why": (lane("a", "failed", -0.5, n_rows=32), ("arm a: failed", "方案 a：出错")),
}


@pytest.mark.parametrize("case", OUTS)
def test_how_an_arm_leaves(case):
    out, (en, zh) = OUTS[case]
    assert RaceLines(moves=False).news(view(out)) == [Text(en=en, zh=zh)]


def test_every_move_is_told_once():
    lines = RaceLines(moves=True)
    assert lines.news(view(lane("a", "running"), lane("b"))) == []
    first = view(lane("a", "racing", n_rows=32, score=0.8, seconds=12.0), lane("b", "running", n_train=250), leader="a")
    assert english(lines.news(first)) == ["arm a: 32 of 300 dev rows, score 0.800, in the lead, 12 s so far"]
    both = view(
        lane("a", "racing", n_rows=32, score=0.8, seconds=12.0),
        lane("b", "racing", -0.031, n_train=1250, n_rows=300, score=0.769, seconds=75.0),
        leader="a",
    )
    assert english(lines.news(both)) == [
        "arm b: 1,250 training rows, all 300 dev rows, score 0.769, 3.1 points behind (−10.1 to +3.9), 1 min 15 s so far"
    ]
    assert lines.news(both) == []


def test_a_lead_that_changes_without_a_move_of_the_new_leader_is_told():
    lines = RaceLines(moves=True)
    lines.news(view(lane("a", "racing", n_rows=32, score=0.8), lane("b", "racing", n_rows=32, score=0.7), leader="a"))
    told = lines.news(
        view(lane("a", "racing", n_rows=64, score=0.6), lane("b", "racing", n_rows=32, score=0.7), leader="b")
    )
    assert english(told) == ["arm a: 64 of 300 dev rows, score 0.600, 0 s so far", "arm b: in the lead"]
    assert told[1].zh == "方案 b：目前领先"


def test_the_same_rows_at_another_training_size_are_a_move():
    lines = RaceLines(moves=True)
    small, large = (lane("a", "racing", n_train=n, n_rows=32, score=0.5) for n in (62, 125))
    assert "62 training rows" in lines.news(view(small))[0].en
    assert lines.news(view(lane("a", "running", n_train=125))) == []
    assert "125 training rows" in lines.news(view(large))[0].en


@pytest.mark.parametrize(
    ("difference", "en", "zh"),
    [
        (-0.031, "3.1 points behind", "落后 3.1 个百分点"),
        (0.02, "2.0 points ahead", "高出 2.0 个百分点"),
        (0.0, "level with the leader", "与领先者持平"),
        (-0.0004, "level with the leader", "与领先者持平"),
    ],
)
def test_standing(difference, en, zh):
    one = lane("a", "racing", n_rows=64)
    assert standing(type(one)(one.arm_id, one.title, "racing", difference=difference)) == Text(en=en, zh=zh)
    interval = Interval(low=difference - 0.01, high=difference + 0.01)
    bounded = standing(type(one)(one.arm_id, one.title, "racing", difference=difference, interval=interval))
    assert bounded.en.startswith(f"{en} (")
    assert bounded.zh.startswith(f"{zh}（")
