"""The folder of a run: whose result it holds, and what may be deleted in it."""

import pytest

from report.report_samples import make_result
from rows_made import write_rows
from tuneworth.core.money import ArmMoney, Money
from tuneworth.core.task import Split
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder, folder_for, read_result, settings_digest
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "a", "output": "b"}\n', encoding="utf-8")
    return path


def test_a_larger_budget_is_the_same_run(tmp_path, rows):
    first = folder_for(tmp_path, task_file_for(rows, budget="15m")).path
    assert folder_for(tmp_path, task_file_for(rows, budget="1h")).path == first
    assert settings_digest(task_file_for(rows, budget="15m")) == settings_digest(task_file_for(rows))


def finished(folder, settings):
    folder.create()
    with Store(folder.store) as store:
        folder.freeze(store, Split((), (), (), "digest"), settings)
    folder.result.write_text("{}", encoding="utf-8")


def test_the_same_command_finds_the_same_folder_and_other_settings_or_rows_another(tmp_path, rows):
    first = folder_for(tmp_path, task_file_for(rows)).path
    assert folder_for(tmp_path, task_file_for(rows)).path == first
    assert folder_for(tmp_path, task_file_for(rows, seed=1)).path != first
    rows.write_text('{"input": "a", "output": "c"}\n', encoding="utf-8")
    assert folder_for(tmp_path, task_file_for(rows)).path != first


def test_a_changed_metric_function_is_another_run(tmp_path, rows):
    metric = tmp_path / "mine.py"
    metric.write_text("def score(answer, references): return True\n", encoding="utf-8")
    before = settings_digest(task_file_for(rows, metric=f"{metric}:score"))
    metric.write_text("def score(answer, references): return False\n", encoding="utf-8")
    assert settings_digest(task_file_for(rows, metric=f"{metric}:score")) != before


def test_the_result_of_another_command_is_not_given_back(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert folder.finished("mine") is None
    finished(folder, "mine")
    with pytest.raises(InputError, match="other settings or rows"):
        folder.finished("other")
    with pytest.raises(InputError, match="not a readable result"):
        folder.finished("mine")


@pytest.mark.parametrize(
    ("had", "asked", "is_finished"), [(60, 60, True), (60, 30, True), (60, 90, False), (None, 90, True)]
)
def test_a_run_is_not_finished_for_a_larger_budget(tmp_path, had, asked, is_finished):
    folder = RunFolder(tmp_path / "run")
    finished(folder, "mine")
    folder.result.write_text(
        make_result().model_copy(update={"budget_seconds": had}).model_dump_json(), encoding="utf-8"
    )
    assert (folder.finished("mine", asked) is not None) == is_finished


@pytest.mark.parametrize(
    ("usd", "calls", "is_finished"), [(0.002, None, True), (None, 30, True), (2.0, None, False), (2.0, 80, False)]
)
def test_a_cap_that_is_spent_already_does_not_replace_a_result(tmp_path, usd, calls, is_finished):
    folder = RunFolder(tmp_path / "run")
    finished(folder, "mine")
    money = Money(budget_usd=1.0, max_calls=40, reached=True, total=ArmMoney(n_calls=40, usd=0.9))
    old = make_result().model_copy(update={"budget_seconds": 60, "money": money})
    folder.result.write_text(old.model_dump_json(), encoding="utf-8")
    assert (folder.finished("mine", 90, usd, calls) is not None) == is_finished


def test_clearing_leaves_what_no_run_wrote(tmp_path):
    folder = RunFolder(tmp_path)
    finished(folder, "mine")
    (tmp_path / "train.jsonl").write_text("mine", encoding="utf-8")
    folder.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


def test_files_of_somebody_else_are_not_overwritten(tmp_path):
    (tmp_path / "report.html").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not that of a run"):
        RunFolder(tmp_path).create()


def test_what_is_no_run_is_no_result(tmp_path, rows):
    (tmp_path / "result.json").mkdir()
    for path in (tmp_path / "result.json", rows / "result.json"):
        with pytest.raises(InputError, match="not a readable result"):
            read_result(path)


def test_a_finished_run_is_priced_again_when_the_task_file_states_other_traffic_or_costs(tmp_path, rows):
    folder = RunFolder(tmp_path / "run")
    finished(folder, settings_digest(task_file_for(rows)))
    folder.result.write_text(make_result().model_dump_json(), encoding="utf-8")
    as_it_was = folder.result.read_bytes()
    run(task_file_for(rows), folder, Silent())
    assert folder.result.read_bytes() == as_it_was
    log = write_rows(tmp_path / "calls.jsonl", [{"time": f"2026-11-01T{hour:02}:00:00Z"} for hour in range(24)])
    for stated, volume, error in (
        ({"traffic": {"calls_per_month": 50_000}, "usd_per_error": 3}, 50_000, 3.0),
        ({"traffic": {"calls_per_month": 70_000}}, 70_000, None),
        ({"costs": {"log": str(log)}}, pytest.approx(730), None),
        ({}, None, None),
    ):
        told = run(task_file_for(rows, **stated), folder, Silent())
        assert (told.costs.calls_per_month, told.usd_per_error and told.usd_per_error.low) == (volume, error)
        assert read_result(folder.result) == told
        assert folder.report.exists()
        kept = folder.result.stat().st_mtime_ns
        run(task_file_for(rows, **stated), folder, Silent())
        assert folder.result.stat().st_mtime_ns == kept, "priced once"
    log.unlink()
    with pytest.raises(InputError):
        run(task_file_for(rows, costs={"log": str(log)}), folder, Silent())
