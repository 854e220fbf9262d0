import sqlite3
import subprocess
import sys

import pytest

from tuneworth.core.outcome import Outcome
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem
from tuneworth.race.store import FitRecord, Store


def outcome(row: str, answer: str = "yes", ms: float = 10.0) -> Outcome:
    return Outcome(
        arm_id="prompt",
        row_id=row,
        stage="dev",
        status="scored",
        answer=answer,
        scores={"accuracy": 1.0},
        latency_ms=ms,
    )


def test_what_was_added_is_there_after_reopening(tmp_path):
    path = tmp_path / "store.sqlite"
    fit = FitRecord(seconds=2.5, tokens=7, notes=[Text(en="stopped early", zh="提前停止")], details={"steps": 3})
    with Store(path) as store:
        store.add_outcomes("arm", ["k1", "k2"], [outcome("r1"), outcome("r2")])
        store.add_fit("arm", fit)
        store.add_latencies("arm", {"a": 1.0})
        store.add_latencies("arm", {"a": 1.0, "b": None})
        store.add_fact("split", "abc")
    with Store(path) as store:
        assert store.outcomes("arm", "dev") == {"k1": outcome("r1"), "k2": outcome("r2")}
        assert store.outcomes("arm", "test") == {}
        assert store.fit("arm") == fit
        assert store.latencies("arm") == {"a": 1.0, "b": None}
        assert store.fact("split") == "abc"


def test_the_first_record_stays(tmp_path):
    with Store(tmp_path / "store.sqlite") as store:
        store.add_outcomes("arm", ["k"], [outcome("r", "first")])
        store.add_outcomes("arm", ["k"], [outcome("r", "second")])
        store.add_fact("split", "one")
        store.add_fact("split", "two")
        assert store.outcomes("arm", "dev")["k"].answer == "first"
        assert store.fact("split") == "one"


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path):
    with Store(tmp_path / "store.sqlite") as store:
        with pytest.raises(ValueError, match="zip"):
            store.add_outcomes("a", ["k1"], [outcome("r1"), outcome("r2")])
        assert store.outcomes("a", "dev") == {}


def test_two_processes_cannot_work_on_one_run(tmp_path):
    path = tmp_path / "store.sqlite"
    code = (
        "import sys; from pathlib import Path; from tuneworth.race.store import Store; from tuneworth.errors import EnvironmentProblem\n"
        "try:\n    Store(Path(sys.argv[1]))\nexcept EnvironmentProblem as error:\n    print(error)"
    )
    with Store(path):
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "another tuneworth process is working on this run" in done.stdout


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(EnvironmentProblem, match=r"database is damaged .* start over with --fresh"):
        Store(path)


def test_a_damaged_page_is_a_clear_error_when_it_is_read(tmp_path):
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        for batch in range(20):
            rows = [f"{batch}-{i}" for i in range(20)]
            store.add_outcomes("arm", rows, [outcome(row, "long answer " * 20) for row in rows])
    content = bytearray(path.read_bytes())
    for page in range(6, len(content) // 4096):  # the first pages hold the schema
        content[page * 4096 : page * 4096 + 512] = b"\xff" * 512
    path.write_bytes(content)
    with Store(path) as store, pytest.raises(EnvironmentProblem, match=r"database is damaged"):
        store.outcomes("arm", "dev")


def test_a_killed_writer_leaves_whole_batches(tmp_path):
    path = tmp_path / "store.sqlite"
    code = """
import os, signal, sys
from pathlib import Path
from tuneworth.core.outcome import Outcome
from tuneworth.race.store import Store
store = Store(Path(sys.argv[1]))
for batch in range(1000):
    rows = [f"{batch}-{i}" for i in range(10)]
    store.add_outcomes("arm", rows, [Outcome(arm_id="a", row_id=r, stage="dev", status="scored", answer=r) for r in rows])
    if batch == 20:
        print("ready", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    with Store(path) as store:
        kept = store.outcomes("arm", "dev")
    assert len(kept) >= 210
    assert len(kept) % 10 == 0


def test_a_failure_that_may_pass_is_final_for_no_later_start(tmp_path):
    path = tmp_path / "store.sqlite"
    gone = outcome("r").model_copy(update={"status": "failed", "answer": None, "scores": {}})
    passing = gone.model_copy(update={"may_pass": True})
    with Store(path) as store:
        store.add_outcomes("arm", ["k", "l"], [passing, gone])
        assert store.outcomes("arm", "dev") == {"k": passing, "l": gone}, "for this start it is what happened"
    with Store(path) as store:
        assert store.outcomes("arm", "dev") == {"l": gone}
        store.add_outcomes("arm", ["k", "l"], [outcome("r"), outcome("r")])
    with Store(path) as store:
        assert store.outcomes("arm", "dev") == {"k": outcome("r"), "l": gone}


def test_a_store_of_an_earlier_version_is_read_and_goes_on(tmp_path):
    path = tmp_path / "store.sqlite"
    old = (
        '{"arm_id": "prompt", "row_id": "r1", "stage": "dev", "status": "scored", "answer": "yes", "latency_ms": 10.0}'
    )
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE outcomes (arm_key TEXT NOT NULL, stage TEXT NOT NULL, row_key TEXT NOT NULL, "
            "outcome TEXT NOT NULL, PRIMARY KEY (arm_key, stage, row_key)) WITHOUT ROWID"
        )
        db.execute("INSERT INTO outcomes VALUES ('arm', 'dev', 'k1', ?)", [old])
        db.execute("CREATE TABLE fits (arm_key TEXT PRIMARY KEY, fit TEXT NOT NULL) WITHOUT ROWID")
        db.execute("INSERT INTO fits VALUES ('arm', '{\"seconds\": 2.5}')")
    db.close()
    for _ in range(2):
        with Store(path) as store:
            kept = store.outcomes("arm", "dev")["k1"]
            assert (kept.answer, kept.usd, kept.may_pass) == ("yes", None, False)
            assert store.fit("arm") == FitRecord(seconds=2.5)
            store.add_outcomes("arm", ["k2"], [outcome("r2")])
            assert set(store.outcomes("arm", "dev")) == {"k1", "k2"}


def test_a_store_that_is_closed_while_calls_are_noted_does_not_crash(tmp_path):
    """Ctrl-C: the run ends while threads still note what they gave up. In a process of its own, since a crash takes it along."""
    code = """
import sys, threading, time
from pathlib import Path
from tuneworth.errors import EnvironmentProblem
from tuneworth.race.store import Store

def note(store):
    try:
        while True:
            store.end_call(store.add_call("scope", "arm", "call", 0.1), "failed", None, None)
    except EnvironmentProblem:
        pass

for at in range(15):
    store = Store(Path(sys.argv[1]) / f"{at}.sqlite")
    threads = [threading.Thread(target=note, args=[store]) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.02 + 0.001 * at % 0.01)
    store.close()
    for thread in threads:
        thread.join()
print("whole")
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")
