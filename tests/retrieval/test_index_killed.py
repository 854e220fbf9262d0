"""An index that is being written when its process dies, by itself or beside others."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from passages_made import WordEncoder, many

from tuneworth.errors import InputError
from tuneworth.retrieval.index import open_index, open_or_build

QUERIES = ["m7x stands", "m33x", "rye dough", "glaciers turquoise", "weather"]


def answers(index):
    return [
        [(hit.passage, round(hit.score, 6)) for hit in hits]
        for mode in index.modes
        for hits in index.search(QUERIES, 6, mode=mode)
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """(first, last) → the answers of an index of these passages that nobody disturbed."""
    made = {}
    for span in ((0, 30), (10, 40)):
        index, _ = open_or_build(tmp_path_factory.mktemp("whole"), many(span[1])[span[0] :], WordEncoder())
        made[span] = answers(index)
    return made


def writer(folder, first, last, *more):
    command = [sys.executable, str(Path(__file__).with_name("index_writer.py")), str(folder), str(first), str(last)]
    return subprocess.Popen([*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def check_healed(folder, expected):
    encoder = WordEncoder()
    index, refresh = open_or_build(folder, many(40)[10:], encoder)
    assert refresh.rebuilt_because is None
    assert answers(index) == expected[10, 40]
    assert answers(open_index(folder, encoder)) == expected[10, 40]
    return refresh


@pytest.mark.slow
def test_killed_before_any_step_of_a_refresh_the_old_index_stays(tmp_path, expected):
    encoder = WordEncoder()
    open_or_build(tmp_path / "old", many(30), encoder)
    for step in range(1, 40):
        folder = tmp_path / f"step{step}"
        shutil.copytree(tmp_path / "old", folder)
        process = writer(folder, 10, 40, str(step))
        process.communicate(timeout=120)
        seen = answers(open_index(folder, encoder))
        if process.returncode == 0:
            assert seen == expected[10, 40]
            break
        assert process.returncode == -signal.SIGKILL
        assert seen in (expected[0, 30], expected[10, 40])
        check_healed(folder, expected)
    assert step > 8, "the refresh has more steps than that"
    assert process.returncode == 0


@pytest.mark.slow
def test_killed_during_the_first_build_it_goes_on_where_it_stopped(tmp_path, expected):
    process = writer(tmp_path, 10, 40, "3")  # two batches of eight are written
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(InputError, match="no finished index"):
        open_index(tmp_path, None)
    assert check_healed(tmp_path, expected).embedded == 30 - 16


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 30, 45, 60, 90])
def test_killed_at_any_moment_it_heals(tmp_path, expected, milliseconds):
    open_or_build(tmp_path, many(30), WordEncoder())
    process = writer(tmp_path, 10, 40)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    time.sleep(milliseconds / 1000)
    process.kill()
    process.communicate(timeout=120)
    assert answers(open_index(tmp_path, WordEncoder())) in (expected[0, 30], expected[10, 40])
    check_healed(tmp_path, expected)


@pytest.mark.slow
def test_processes_that_write_at_once_leave_the_index_of_one_of_them(tmp_path, expected):
    processes = [writer(tmp_path, *span) for span in ((0, 30), (10, 40), (0, 30))]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert answers(open_index(tmp_path, WordEncoder())) in (expected[0, 30], expected[10, 40])


def test_interrupted_by_the_user_nothing_that_was_embedded_is_lost(tmp_path, monkeypatch, expected):
    monkeypatch.setattr("tuneworth.retrieval.refresh.ROWS_PER_WRITE", 8)
    open_or_build(tmp_path, many(30), WordEncoder())

    def stop(done, total, unit):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_or_build(tmp_path, many(40)[10:], WordEncoder(), progress=stop)
    assert answers(open_index(tmp_path, WordEncoder())) == expected[0, 30]
    assert check_healed(tmp_path, expected).embedded == 10 - 8
