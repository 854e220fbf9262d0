"""``tuneworth decide``: other limits, the same measurements."""

from __future__ import annotations

import json

import numpy as np
import pytest
from decide_builders import duel, finished, task
from typer.testing import CliRunner

import tuneworth
from tuneworth.cli.main import app
from tuneworth.core.costs import CostFigure
from tuneworth.core.outcome import Outcome, Usage
from tuneworth.core.run import RunResult
from tuneworth.costs.of_run import Took, costs_of, stated_in
from tuneworth.costs.spend import Spend
from tuneworth.errors import InputError
from tuneworth.race.store import FitRecord, Store


@pytest.fixture
def run(tmp_path):
    """A finished run in which tuning is 35 of 300 rows ahead."""
    result = finished(*duel(40, 5, 200, 55), task())
    (tmp_path / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    return tmp_path


def decided(run, *settings, exit_code=0):
    flags = [part for setting in settings for part in ("--set", setting)]
    done = CliRunner().invoke(app, ["decide", str(run), *flags, "--json"])
    assert done.exit_code == exit_code, done.output or done.exception
    return done


def test_another_margin_is_another_verdict_and_the_run_stays(run):
    before = (run / "result.json").read_bytes()
    told = RunResult.model_validate_json(decided(run, "margin=0.3").stdout)
    assert told.decision.verdict == "dont_fine_tune"
    assert (run / "result.json").read_bytes() == before
    folder = run / "decided" / "margin=0.3"
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["task"]["margin"] == 0.3
    assert (folder / "report.html").stat().st_size > 10_000


def test_for_people_the_verdict_of_before_stands_beside_it(run):
    told = CliRunner().invoke(app, ["decide", str(run), "--set", "margin=0.3"]).stdout
    assert told.rstrip().splitlines()[-1].startswith("Before: Fine-tune")
    same = CliRunner().invoke(app, ["decide", str(run), "--set", "limits.min_quality=0.01"]).stdout
    assert same.rstrip().endswith("as before.")


def test_all_that_is_wrong_is_told_at_once(run):
    flags = ["p95=3", "margin", "limits.p95_ms=-1", "margin=[7", "usd_per_label=1", "usd_per_label=2"]
    done = CliRunner().invoke(app, ["decide", str(run), *(part for flag in flags for part in ("--set", flag))])
    assert isinstance(done.exception, InputError)
    places = [problem.where for problem in done.exception.problems]
    assert sorted(places) == sorted(
        ["--set p95=3", "--set margin", "--set usd_per_label=2", "--limits.p95-ms", "--margin"]
    )
    assert not (run / "decided").exists()


# -- other traffic -----------------------------------------------------------------------------------------

KEYS = {"lora": "a" * 64, "fewshot": "b" * 64}


@pytest.fixture
def priced(tmp_path):
    """A run that is level in quality: LoRA on a machine at a dollar an hour, few-shot at a service for $0.1 a thousand calls."""
    arms, rows = duel(8, 8, 2500, 400, untuned_more={"local": False})
    arms = [arm.model_copy(update={"solver_folder": f"arms/x-{KEYS[arm.arm_id][:12]}/solver"}) for arm in arms]
    result = finished(arms, rows, task()).model_copy(update={"machine_usd_per_hour": 1.0, "usd_per_label": 0.1})
    rng, took = np.random.default_rng(0), {}
    for arm in arms:
        seconds = 10 + 2 * rng.random(60)
        usage = [Usage(prompt_tokens=900 + int(n), completion_tokens=5) for n in rng.integers(0, 200, 60)]
        took[arm.arm_id] = [
            Outcome(arm_id=arm.arm_id, row_id=f"r{at}", stage="dev", status="scored", latency_ms=ms, usage=usage[at], usd=usd)
            for at, ms in enumerate(seconds)
            for usd in [0.0001 if arm.arm_id == "fewshot" else 0.0]
        ]  # fmt: skip
    with Store(tmp_path / "store.sqlite") as store:
        for arm_id, outcomes in took.items():
            store.add_outcomes(KEYS[arm_id], [outcome.row_id for outcome in outcomes], outcomes)
            store.add_fit(KEYS[arm_id], FitRecord(seconds=60.0, usd=0.0))
    stated = stated_in(result)
    costs = costs_of(arms, {arm: Took(Spend(60.0), each) for arm, each in took.items()}, {}, stated, n_train=800)
    result = result.model_copy(update={"costs": costs})
    (tmp_path / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    return tmp_path


def test_more_calls_turn_the_verdict_and_what_changed_is_told(priced):
    assert tuneworth.load_run(priced).decision.verdict == "dont_fine_tune"
    few = RunResult.model_validate_json(decided(priced, "traffic.calls_per_month=50k").stdout)
    assert (few.decision.verdict, few.decision.recommended) == ("dont_fine_tune", "fewshot")
    assert few.costs.pair("lora", "fewshot").p_cheaper in (0.0, 1.0)
    flags = ["--set", "traffic.calls_per_month=100M", "--set", "traffic.peak=1"]
    told = CliRunner().invoke(app, ["decide", str(priced), *flags]).stdout
    many = tuneworth.decide_again(priced, traffic={"calls_per_month": "100M", "peak": 1})
    assert many.costs.calls_per_month == 1e8
    assert many.decision.codes[0] == ("pays.saves" if many.decision.recommended == "lora" else "verdict.too_little")
    last = told.rstrip().splitlines()[-2:]
    assert any("a month, before unknown" in line for line in last), last
    assert tuneworth.load_run(priced).costs.calls_per_month is None, "the run itself stays"


def test_a_price_of_errors_may_be_set(priced):
    known = tuneworth.decide_again(priced, traffic={"calls_per_month": 50_000}, usd_per_error="0.5-2")
    assert known.usd_per_error == CostFigure(
        name="usd_per_error", unit="usd/piece", low=0.5, high=2.0, source="task file"
    )
    again = tuneworth.decide_again(known, usd_per_error=3)
    assert (again.usd_per_error.low, again.costs) == (3.0, known.costs)


def test_a_price_of_labels_reaches_the_bill(priced):
    def labels(run):
        [line] = [line for line in run.costs.arm("lora").lines if line.what == "labels"]
        return line.price, line.usd / line.amount, run.usd_per_label

    volume = {"calls_per_month": 50_000}
    assert labels(tuneworth.decide_again(priced, traffic=volume)) == (0.1, pytest.approx(0.1), 0.1)
    set_to = RunResult.model_validate_json(decided(priced, "usd_per_label=0.7").stdout)
    assert labels(set_to) == (0.7, pytest.approx(0.7), 0.7)
    assert labels(tuneworth.decide_again(priced, traffic=volume, usd_per_label=0.7)) == (0.7, pytest.approx(0.7), 0.7)
    with pytest.raises(InputError, match="needs the folder of the run"):
        tuneworth.decide_again(tuneworth.load_run(priced), usd_per_label=0.7)


def test_other_traffic_needs_the_folder(priced):
    with pytest.raises(InputError, match="needs the folder of the run"):
        tuneworth.decide_again(tuneworth.load_run(priced), traffic={"calls_per_month": 5})
    done = CliRunner().invoke(
        app, ["decide", str(priced), "--set", "traffic.calls_per_month=-5", "--set", "traffic.log=x"]
    )
    assert sorted(problem.where for problem in done.exception.problems) == [
        "--set traffic.log=x",
        "--traffic.calls-per-month",
    ]
