"""``--watch``: what stays on a terminal, and what a file gets."""

from __future__ import annotations

import json
import re

import pytest

from rows_made import label_rows, write_rows
from terminal import on_terminal
from tuneworth.cli.watch import watcher_for
from tuneworth.core.text import Text
from views_made import SURELY, lane, view

RACE = """
import sys, time
from tuneworth.cli.watch import watcher_for
from tuneworth.core.text import Text
from views_made import lane, view

def same(text):
    return Text(en=text, zh=text)

try:
    with watcher_for("en", watch=True) as watcher:
        watcher.say(same("before the race"))
        watcher.start(same("audit"))
        watcher.finish(same("3 findings"))
        watcher.race(view(lane("a", "running"), lane("b")))
        watcher.start(same("fitting a"))
        watcher.progress(32, 300, "rows")
        time.sleep(0.6)
        watcher.finish(same("0.5 of a"))
        watcher.say(same("a message"))
        watcher.race(view(lane("a", "racing", n_rows=32, score=0.5), lane("b", "running"), leader="a"))
        watcher.start(same("fitting b " * 20))
        watcher.progress(32, 300, "rows")
        time.sleep(float(sys.argv[1]))
        watcher.finish(same("0.4 of b"))
        watcher.race(
            view(
                lane("a", "done", n_rows=300, score=0.5),
                lane("b", "stopped", -0.1, n_rows=64, score=0.4),
                *(lane(f"c{number}", "stopped") for number in range(20)),
                leader="a",
            )
        )
        watcher.start(same("test rows: a"))
        watcher.finish(same("0.6"))
        time.sleep(0.4)
except KeyboardInterrupt:
    sys.exit(130)
print("the result")
"""


@pytest.mark.slow
def test_the_last_table_stays_below_what_was_said():
    done = on_terminal(RACE, "0.5")
    lines = done.lines
    assert (done.code, done.out) == (0, "the result\n"), "stdout is for results"
    assert lines[:2] == ["before the race", "  audit  3 findings  (0 s)"]
    assert lines[2:4] == ["a message", "  test rows: a  0.6  (0 s)"], "steps of the race are told by the table alone"
    assert lines[4].startswith("leader: arm a")
    table = "\n".join(lines[4:])
    assert re.search(r"arm a +300/300 +0.500 +leader +✓ done", table)
    assert re.search(r"arm b +64/300 +0.400 +−10.0 \(.*\) +✗ stopped", table)
    assert len(re.findall("arm c[0-9]+ ", table)) == 20, "the last picture may be higher than the terminal"
    assert 0 < done.screen.most_ups < 12, "nothing that has scrolled out of the terminal can be drawn over"
    assert table.count("leader: ") == 1
    assert done.screen.cursor


@pytest.mark.slow
def test_ctrl_c_leaves_the_terminal_clean():
    done = on_terminal(RACE, "60", typed=("fitting b", b"\x03"))
    lines = done.lines
    assert (done.code, done.out) == (130, "")
    assert done.screen.cursor
    assert lines[3].startswith("leader: arm a")
    assert [line.split("  ")[0] for line in lines[4:]] == ["1:40 spent", "arm", "arm a", "arm b", ""]
    assert "fitting b" not in "\n".join(lines), "no bar is left"


QUESTION = """
import time, typer
from tuneworth.cli.watch import watcher_for
from tuneworth.core.text import Text

with watcher_for("en", watch=True) as watcher:
    watcher.start(Text(en="still at work", zh=""))
    time.sleep(0.3)
    with watcher.asking():
        print(typer.confirm("Begin?", err=True))
    watcher.finish(Text(en="ended", zh=""))
"""


@pytest.mark.slow
def test_a_question_can_be_read_and_answered():
    done = on_terminal(QUESTION, typed=("Begin? [y/N]", b"y\n"))
    assert (done.code, done.out.split()) == (0, ["True"])
    question, *rest = done.lines
    assert re.fullmatch(r"Begin\? \[y/N\]: ?y", question)
    assert rest == ["  still at work  ended  (0 s)", ""]


def plain(watcher) -> None:
    """A short race."""
    with watcher:
        watcher.race(view(lane("a", "running")))
        watcher.start(Text(en="fitting a", zh="训练 a"))
        watcher.finish(Text(en="0.5", zh="0.5"))
        watcher.race(view(lane("a", "racing", n_rows=32, score=0.5, seconds=3.0), leader="a"))
        watcher.race(view(lane("a", "stopped", -0.2, n_rows=32, score=0.5, why=SURELY), leader="b"))
        watcher.start(Text(en="test rows: b", zh="测试集：b"))
        watcher.finish(Text(en="0.6", zh="0.6"))


LEFT = (
    "  arm a: out after 32 of 300 dev rows: 20.0 points behind (−27.0 to −13.0), surely worse by more than the margin\n"
)


@pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_file_gets_lines(capsys, monkeypatch, env):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    plain(watcher_for("en", watch=True))
    out, err = capsys.readouterr()
    moved = "  arm a: 32 of 300 dev rows, score 0.500, in the lead, 3.0 s so far\n"
    assert err == f"{moved}{LEFT}  test rows: b  0.6  (0 s)\n"
    assert out == ""


def test_without_watch_only_those_who_leave_are_told_beside_the_steps(capsys):
    plain(watcher_for("en", watch=False))
    assert capsys.readouterr().err == f"  fitting a  0.5  (0 s)\n{LEFT}  test rows: b  0.6  (0 s)\n"


def test_json_has_stdout_to_itself_and_progress_is_told_on_stderr(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    done = tuneworth("run", "rows.jsonl", "--strategies", "majority,nearest", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decision"]["verdict"] == "cant_tell"
    assert "most frequent answer" in done.stderr


@pytest.mark.slow
def test_a_whole_run_is_watched_in_lines(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(300))
    command = ("run", "rows.jsonl", "--strategies", "majority,head", "--yes", "--json", "--watch")
    raced = tuneworth(*command, "--out", "raced")
    assert raced.returncode == 0, raced.stderr
    result = json.loads(raced.stdout)
    assert "in the lead" in raced.stderr
    assert "exhaustive" not in raced.stderr
    for stop in result["race"]["stops"]:
        title = next(arm["title"]["en"] for arm in result["arms"] if arm["arm_id"] == stop["arm_id"])
        assert f"  {title}: out" in raced.stderr
    assert result["race"]["off"] is None

    exhaustive = tuneworth(*command, "--exhaustive", "--out", "exhaustive")
    assert exhaustive.returncode == 0, exhaustive.stderr
    result = json.loads(exhaustive.stdout)
    assert "exhaustive: every arm is measured at every training size" in exhaustive.stderr
    assert "--exhaustive" in result["race"]["off"]["en"]
    assert result["race"]["stops"] == []
    assert {step["n_rows"] for step in result["race"]["steps"]} == {result["race"]["n_dev"]}
