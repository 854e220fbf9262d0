"""A run killed at any moment goes on with the same command, and ends with the same numbers."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from rows_made import label_rows, write_rows
from tuneworth.testing.models import make_tiny_llama

pytestmark = pytest.mark.slow

OPTIONS = ["--strategies", "majority,prompt,lora", "--budget", "1h", "--yes", "--out", "run"]
VOLATILE = {"fit_seconds", "seconds_per_1k_rows", "latency_p50_ms", "latency_p95_ms", "fit_usd", "usd_per_1k_rows"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A folder with rows and a tiny model, and the result of an undisturbed run."""
    folder = tmp_path_factory.mktemp("resume")
    make_tiny_llama(folder / "tiny")
    write_rows(folder / "rows.jsonl", label_rows(420))
    (folder / "calm").mkdir()
    finish(folder, folder / "calm")
    return folder


def start(bench: Path, cwd: Path) -> subprocess.Popen[bytes]:
    """The command, working in ``cwd``."""
    command = [
        sys.executable,
        "-m",
        "tuneworth.cli.main",
        "run",
        str(bench / "rows.jsonl"),
        "--models",
        str(bench / "tiny"),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TUNEWORTH_LANG": "en"}
    # A suite started in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (cwd / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, *OPTIONS], cwd=cwd, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env
        )


def finish(bench: Path, cwd: Path) -> None:
    """Run to the end."""
    process = start(bench, cwd)
    assert process.wait(timeout=300) == 0, (cwd / "log").read_text(encoding="utf-8")


def numbers(cwd: Path) -> dict:
    """Everything in the result that must not depend on interruptions: all but times."""
    result = json.loads((cwd / "run" / "result.json").read_text(encoding="utf-8"))
    for arm in result["arms"]:
        arm["cost"] = {name: value for name, value in arm["cost"].items() if name not in VOLATILE}
        arm["fit_details"].pop("seconds", None)
        arm["fit_details"].get("details", {}).pop("look_seconds", None)
        arm["notes"] = []
    keep = ("task", "data", "advice", "arms", "comparisons", "disagreements", "classes")
    return {
        **{name: result[name] for name in keep},
        "findings": result["audit"]["findings"],
        "verdict": result["decision"]["verdict"],
    }


def adapters(cwd: Path) -> dict[str, bytes]:
    """The trained weights, byte for byte."""
    return {str(file.relative_to(cwd)): file.read_bytes() for file in cwd.rglob("adapter_model.safetensors")}


def outcomes(cwd: Path) -> int:
    store = cwd / "run" / "store.sqlite"
    if not store.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=0.05)) as db:
            return db.execute("SELECT count(*) FROM outcomes").fetchone()[0]
    except sqlite3.Error:  # locked by the run that is writing it
        return -1


MOMENTS = {
    "at once": lambda cwd: (cwd / "run").exists(),
    "during the dev rows": lambda cwd: any((cwd / "run" / "arms").glob("prompt-*/solver")),
    "during training": lambda cwd: any((cwd / "run" / "arms").glob("lora-*/**/checkpoint.pt")),
    "after training": lambda cwd: any((cwd / "run" / "arms").glob("lora-*/solver")),
    "between the finalists' test rows": lambda cwd: "test rows" in (cwd / "log").read_text(encoding="utf-8"),
}


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_run_stopped_several_times_ends_with_the_same_numbers(bench, tmp_path, signal_number):
    stopped = 0
    for name, reached in MOMENTS.items():
        process = start(bench, tmp_path)
        while process.poll() is None and not reached(tmp_path):
            time.sleep(0.01)
        assert process.poll() is None or reached(tmp_path), f"never got to: {name}"
        if process.poll() is None:
            process.send_signal(signal_number)
            code = process.wait(timeout=120)
            # A moment already reached by an earlier start stops this one before it got going.
            assert code in (-signal_number, 130, 0), (name, (tmp_path / "log").read_text(encoding="utf-8"))
            stopped += 1
    assert stopped >= 3, "the run was hardly disturbed"
    finish(bench, tmp_path)
    assert numbers(tmp_path) == numbers(bench / "calm")
    assert adapters(tmp_path)
    assert adapters(tmp_path) == adapters(bench / "calm")


def test_a_finished_run_is_shown_again_without_work(bench):
    calm = bench / "calm"
    before = (calm / "run" / "result.json").read_bytes()
    n_outcomes = outcomes(calm)
    assert n_outcomes > 0
    finish(bench, calm)
    assert (calm / "run" / "result.json").read_bytes() == before
    assert outcomes(calm) == n_outcomes


def test_ctrl_c_says_how_to_go_on(bench, tmp_path):
    process = start(bench, tmp_path)
    while process.poll() is None and not MOMENTS["during the dev rows"](tmp_path):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "To go on: tuneworth run" in log
