"""``tuneworth cost``: a finished run priced again, from its folder."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest
from typer.testing import CliRunner

from cli.test_light import BLOCK, assert_runs
from report.report_samples import make_result
from tuneworth.cli.main import app
from tuneworth.core.costs import CostResult
from tuneworth.core.money import ModelPrice, Money
from tuneworth.core.outcome import Outcome
from tuneworth.core.run import RunResult
from tuneworth.race.store import FitRecord, Store

KEYS = {"head:c1": "a" * 64, "lora:d1": "b" * 64}


@pytest.fixture
def run(tmp_path):
    """A finished run with the outcomes of two arms, 40 rows each of 0.1 s, in groups of two."""
    result = make_result()
    arms = [
        arm.model_copy(update={"solver_folder": f"arms/x-{KEYS[arm.arm_id][:12]}/solver"}) if arm.arm_id in KEYS else arm
        for arm in result.arms
    ]  # fmt: skip
    result = result.model_copy(update={"arms": arms})
    (tmp_path / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    rows = [[f"r{at}", f"a.csv:{at}", f"g{at // 2}"] for at in range(40)]
    (tmp_path / "split.json").write_text(json.dumps({"train": [], "dev": rows, "test": []}), encoding="utf-8")
    with Store(tmp_path / "store.sqlite") as store:
        for arm_id, key in KEYS.items():
            made = [
                Outcome(arm_id=arm_id, row_id=row[0], stage="dev", status="scored", latency_ms=100, usd=0.0)
                for row in rows
            ]
            store.add_outcomes(key, [row[0] for row in rows], made)
            store.add_fit(key, FitRecord(seconds=36.0, usd=0.0))
    return tmp_path


def told(run, *options, exit_code=0):
    done = CliRunner().invoke(app, ["cost", str(run), *options])
    assert done.exit_code == exit_code, done.output or done.exception
    return done


def sums(path):
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.iterdir()) if file.is_file()
    }


def test_by_hand_and_the_run_stays_as_it_is(run):
    before = sums(run)
    asked = ("--calls", "50k", "--machine", "1.39/h", "--label", "0.2", "--wage", "60", "--hours", "head=8")
    found = CostResult.model_validate_json(told(run, *asked, "--json").stdout)
    n_train = make_result().data.n_train
    head, lora = found.arm("head:c1"), found.arm("lora:d1")
    assert head.n_groups == 20
    once = n_train * 0.2 + 0.01 * 1.39
    assert head.monthly.value == pytest.approx(730 * 1.39 + (once + 8 * 60) / 12)
    assert lora.monthly.value == pytest.approx(730 * 1.39 + once / 12)
    assert sums(run) == before
    [folder] = (run / "priced").iterdir()
    assert RunResult.model_validate_json((folder / "result.json").read_bytes()).costs == found
    assert (folder / "report.html").stat().st_size > 10_000


def test_priced_again_from_what_it_was_priced_with(run):
    told(run, "--calls", "20k-80k", "--machine", "¥5/h", "--label", "0.2")
    [folder] = (run / "priced").iterdir()
    (run / "result.json").write_bytes((folder / "result.json").read_bytes())
    found = CostResult.model_validate_json(told(run, "--label", "0.4", "--json").stdout)
    assert found.calls_per_month == 50_000
    assert found.arm("head:c1").monthly.value == pytest.approx(
        730 * 5 / 6.8012 + (make_result().data.n_train * 0.4 + 0.01 * 5 / 6.8012) / 12
    )


def test_an_older_run_without_its_store_is_priced_by_means_and_says_so(run):
    (run / "store.sqlite").unlink()
    done = told(run, "--calls", "50k", "--machine", "1", "--label", "0.2")
    assert "without intervals" in done.output
    [folder] = (run / "priced").iterdir()
    costs = RunResult.model_validate_json((folder / "result.json").read_bytes()).costs
    assert costs.arm("head:c1").monthly.inner is None
    assert costs.arm("head:c1").monthly.value > 730


def test_without_its_store_a_batched_arm_has_its_tokens_and_what_is_not_known_is_missing(run):
    """Asked in batches and never alone: tokens, no time."""
    (run / "store.sqlite").unlink()
    result, model = RunResult.model_validate_json((run / "result.json").read_bytes()), "nowhere/model"
    means = {
        "fewshot:b1": {"seconds_per_1k_rows": None, "prompt_tokens_per_row": 400.0, "completion_tokens_per_row": 3.0},
        "prompt:a1": {"prompt_tokens_per_row": 0.0, "cached_tokens_per_row": 0.0, "completion_tokens_per_row": 0.0},
        "prompt:a2": {"seconds_per_1k_rows": None, "prompt_tokens_per_row": None},
    }
    arms = [
        arm.model_copy(
            update={"local": False, "model": model, "cost": arm.cost.model_copy(update={"cached_tokens_per_row": 0.0, **means[arm.arm_id]})}
        )
        if arm.arm_id in means
        else arm
        for arm in result.arms
    ]  # fmt: skip
    price = ModelPrice(source="a list", checked_on=date(2026, 1, 1), input=1.0, output=10.0)
    old = result.model_copy(update={"arms": arms, "money": Money(prices={model: price})})
    (run / "result.json").write_text(old.model_dump_json(), encoding="utf-8")
    costs = CostResult.model_validate_json(
        told(run, "--calls", "1000", "--machine", "1", "--label", "0.2", "--json").stdout
    )
    asked = next(line for line in costs.arm("fewshot:b1").lines if line.what == "input")
    assert asked.usd_a_month == pytest.approx(0.4)
    for arm in ("prompt:a1", "prompt:a2"):
        assert (costs.arm(arm).missing, costs.arm(arm).monthly) == ([f"measured.{arm}.charged"], None)


def test_all_that_is_wrong_is_told_at_once(run):
    (run / "mine.yaml").write_text("figures: {wage: {value: -1, unit: usd/hour}}\n", encoding="utf-8")
    done = CliRunner().invoke(
        app, ["cost", str(run), "--calls", "-5", "--machine", "1/label", "--prices", str(run / "mine.yaml")]
    )
    where = [problem.where for problem in done.exception.problems]
    assert len(where) == 3
    assert where[1:] == ["--calls", "--machine"]
    assert where[0].endswith("figures.wage.value")
    hours = CliRunner().invoke(app, ["cost", str(run), "--hours", "lora"])
    assert [problem.where for problem in hours.exception.problems] == ["--hours lora"]


def test_a_log_in_place_of_a_number(run):
    log = run / "calls.jsonl"
    log.write_text(
        "".join(f'{{"time": "2026-11-0{day}T{hour:02}:00:00Z"}}\n' for day in range(1, 4) for hour in range(24)),
        encoding="utf-8",
    )
    found = CostResult.model_validate_json(told(run, "--log", str(log), "--json").stdout)
    assert found.calls_per_month == pytest.approx(730)


def test_no_engine_is_needed(run):
    assert_runs(
        BLOCK
        + f"import sys\nsys.argv = ['tuneworth', 'cost', {str(run)!r}, '--calls', '50k']\n"
        + "from tuneworth.cli.main import main\nmain()\n"
    )
