"""Bad input ends in one clear error and exit code 2, and nothing is half-written."""

import json
import os
import shutil
import subprocess

import pytest

from rows_made import label_rows, write_rows

RUN = ("run", "--yes", "--strategies", "majority,head")


def assert_refused(done, *words):
    """The process ended as it should, and its message has these words."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "error:" in done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


@pytest.fixture
def untouched(tmp_path):
    """Checks at the end that the command left no file behind."""
    yield
    left = {path.name for path in tmp_path.iterdir()} & {"runs", "out"}
    assert not left


DATA_CASES = {
    "empty file": ("", ["rows.jsonl"]),
    "one row": (json.dumps({"input": "a", "output": "b"}) + "\n", ["rows.jsonl"]),
    "one class": (
        "".join(json.dumps({"input": f"text number {i} of many", "output": "x"}) + "\n" for i in range(60)),
        ["x"],
    ),
    "not JSON": ("this is not json\n" * 50, ["rows.jsonl:1"]),
    "no output": ("".join(json.dumps({"input": f"text {i}", "output": ""}) + "\n" for i in range(50)), ["rows.jsonl"]),
    "NUL bytes": ("\0" * 5000, ["rows.jsonl"]),
}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("case", DATA_CASES)
def test_data_that_cannot_give_an_answer(tuneworth, tmp_path, case):
    content, words = DATA_CASES[case]
    (tmp_path / "rows.jsonl").write_text(content, encoding="utf-8")
    assert_refused(tuneworth(*RUN, "rows.jsonl"), *words)


@pytest.mark.usefixtures("untouched")
def test_no_such_file(tuneworth):
    assert_refused(tuneworth(*RUN, "missing.jsonl"), "missing.jsonl")
    assert_refused(tuneworth(*RUN, "missing.yaml"), "missing.yaml")


@pytest.mark.usefixtures("untouched")
def test_a_test_file_with_other_fields(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    write_rows(tmp_path / "other.jsonl", [{"question": f"what {i}", "verdict": "yes"} for i in range(50)])
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--test", "other.jsonl"), "other.jsonl", "input")


@pytest.mark.usefixtures("untouched")
def test_unknown_model_and_strategy(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    assert_refused(tuneworth("run", "--yes", "rows.jsonl", "--models", "smollm2-135"), "smollm2-135m")
    assert_refused(tuneworth("run", "--yes", "rows.jsonl", "--strategies", "head,heads"), "heads", "majority")


@pytest.mark.usefixtures("untouched")
def test_private_task_with_an_api_model(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    assert_refused(tuneworth("run", "--yes", "rows.jsonl", "--private", "--models", "openai/gpt-x"), "private")


@pytest.mark.usefixtures("untouched")
def test_every_problem_of_a_task_file_at_once_with_its_line(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    (tmp_path / "task.yaml").write_text(
        "train: rows.jsonl\nmargn: 0.02\nlimits:\n  p95_ms: fast\n  colour: red\nseed: often\n", encoding="utf-8"
    )
    assert_refused(
        tuneworth(*RUN, "task.yaml"),
        "task.yaml:2",
        "margn",
        "margin",
        "task.yaml:4",
        "p95_ms",
        "task.yaml:5",
        "colour",
        "task.yaml:6",
    )


@pytest.mark.usefixtures("untouched")
def test_a_yaml_that_tries_to_run_code(tuneworth, tmp_path):
    (tmp_path / "task.yaml").write_text("train: !!python/object/apply:os.system ['touch pwned']\n", encoding="utf-8")
    assert_refused(tuneworth(*RUN, "task.yaml"), "task.yaml")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.usefixtures("untouched")
def test_a_metric_that_raises(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    (tmp_path / "mine.py").write_text("def score(answer, references):\n    return 1 / 0\n", encoding="utf-8")
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--metric", "mine.py:score"), "mine.py", "ZeroDivisionError")


def test_a_row_of_a_megabyte_is_set_aside_and_the_run_goes_on(tuneworth, tmp_path):
    rows = label_rows(150)
    rows.insert(7, {"input": "word " * 200_000, "output": "tool"})
    write_rows(tmp_path / "rows.jsonl", rows)
    done = tuneworth("run", "--yes", "--strategies", "majority", "rows.jsonl", "--out", "out")
    assert done.returncode == 0, done.stderr
    [line] = (tmp_path / "out" / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["line"] == 8
    assert "1 " in done.stderr


def test_a_cache_folder_that_cannot_be_written(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    blocked = tmp_path / "file"
    blocked.write_text("a file where the cache should be", encoding="utf-8")
    assert_refused(
        tuneworth(
            "run", "--yes", "--strategies", "prompt", "rows.jsonl", env={"TUNEWORTH_HOME": str(blocked / "cache")}
        ),
        "TUNEWORTH_HOME",
    )


def test_a_run_folder_that_cannot_be_written(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--out", "taken/run"), "--out")


@pytest.mark.usefixtures("untouched")
def test_a_report_on_what_is_no_run(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(20))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{}", encoding="utf-8")
    assert_refused(tuneworth("report", "missing"), "missing", "no finished run")
    assert_refused(tuneworth("report", "rows.jsonl"), "rows.jsonl")
    assert_refused(tuneworth("report", "broken"), "result.json")


@pytest.mark.usefixtures("untouched")
def test_options_out_of_range(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--budget", "0m"), "budget")
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--margin", "2"), "margin")


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small disk needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", folder], check=False).returncode != 0:
        pytest.skip("this system does not let a test mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(tuneworth, tmp_path, small_disk):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    assert_refused(tuneworth(*RUN, "rows.jsonl", "--out", small_disk / "run"), str(small_disk))
    assert not (small_disk / "run" / "result.json").exists()
