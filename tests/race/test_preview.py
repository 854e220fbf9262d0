# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportOptionalOperand=false
"""The plan of a run: expected costs, who the budget reaches, and the warnings."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.plan import RunPlan
from tuneworth.core.text import Text
from tuneworth.data.load import load
from tuneworth.data.split import make_split
from tuneworth.data.taskfile import parse_budget, task_file_for
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race import prepare
from tuneworth.race.estimate import Speeds
from tuneworth.race.preview import as_option, preview
from tuneworth.race.watch import Silent

ARMS = ("prompt", "fewshot", "head", "lora", "majority", "nearest")


class Slow(ScriptedModel):
    """A model that can be trained, and must not be asked."""

    def __init__(self, name: str = "slow"):
        super().__init__(id=name, can_train=True)

    def generate(self, requests, *, max_new_tokens):
        raise AssertionError("a plan asks no model")


@pytest.fixture(autouse=True)
def speeds(monkeypatch):
    """Speeds as on the machine of docs/benchmarks.md."""
    monkeypatch.setattr(prepare, "speeds_of", lambda model: Speeds(read=600.0, write=200.0))


@pytest.fixture
def plan_of(tmp_path: Path):
    """Plans a run on made-up rows."""

    def planned(budget: str = "15m", n_rows: int = 600, models=("slow",), strategies=ARMS, **options) -> RunPlan:
        rows = write_rows(tmp_path / "rows.jsonl", label_rows(n_rows))
        task_file = task_file_for(rows, text_language="en", budget=budget, strategies=list(strategies), **options)
        loaded = load(task_file)
        ready = prepare.Ready(
            task_file,
            loaded,
            make_split(loaded, seed=0),
            prepare.metrics(loaded, Silent()),
            [Slow(name) for name in models],
        )
        return preview(ready, task_file.budget_seconds or 0.0)

    return planned


def warnings(plan: RunPlan) -> list[Text]:
    """Those about the budget; the made-up rows are also warned of, because they are alike."""
    return [warning for warning in plan.warnings if "--budget" in warning.en]


def enough(warning: Text) -> str:
    return warning.en.partition("(--budget ")[2].partition(")")[0]


def prospects(plan: RunPlan) -> dict[str, str]:
    return {arm.arm_id: arm.prospect for arm in plan.arms}


def test_with_time_enough_all_arms_are_measured(plan_of, tmp_path):
    plan = plan_of("4h")
    dealt = make_split(load(task_file_for(tmp_path / "rows.jsonl", text_language="en")), seed=0)
    assert set(prospects(plan).values()) == {"in_time"}
    assert not warnings(plan)
    assert all(arm.why is None for arm in plan.arms)
    assert all(arm.race_rows > 0 for arm in plan.arms)
    assert plan.race_seconds == pytest.approx(sum(arm.race_seconds for arm in plan.arms))
    assert plan.seconds_all == pytest.approx(sum(arm.seconds for arm in plan.arms))
    assert plan.race_seconds <= plan.seconds_all
    assert plan.n_train + plan.n_dev + plan.n_test == 600 - len(dealt.left_out)  # of groups over a twentieth of a side
    assert plan.power.n_test == plan.n_test


def test_sizes_are_told_of_arms_that_grow(plan_of):
    plan = plan_of("4h")
    for arm in plan.arms:
        assert (arm.sizes[-1] == plan.n_train) if arm.sizes else not arm.tuned
        assert arm.sizes == sorted(arm.sizes)
    [lora] = [arm for arm in plan.arms if arm.tuned]
    assert len(lora.sizes) == 5
    assert lora.seconds > 1.5 * lora.fit_seconds


def test_money_follows_the_price_of_the_machine(plan_of):
    free, priced = plan_of("4h"), plan_of("4h,$100", machine_usd_per_hour=7.2)
    assert (free.usd_all, free.arms[0].usd, free.budget_usd) == (None, None, None)
    assert priced.usd_all == pytest.approx(priced.seconds_all * 0.002)
    assert all(arm.usd == pytest.approx(arm.seconds * 0.002) for arm in priced.arms)
    assert priced.budget_usd == 100


def test_a_tight_budget_cuts_the_training_and_stays_inside(plan_of):
    plan = plan_of("4m")
    [lora] = [arm for arm in plan.arms if arm.tuned]
    assert lora.prospect == "cut"
    assert 0 < lora.training_share < 1
    assert f"{round(100 * lora.training_share)} %" in lora.why.en
    assert plan.race_seconds + plan.final_seconds <= 1.1 * plan.budget_seconds


@pytest.mark.parametrize("budget", ["2m", "4m", "10m", "30m"])
def test_no_plan_spends_more_than_the_budget(plan_of, budget):
    plan = plan_of(budget)
    # the first rows of the first untuned arm of a model are asked whatever they cost
    assert plan.race_seconds + plan.final_seconds <= parse_budget(budget).seconds * 1.1
    for arm in plan.arms:
        assert (arm.why is None) == (arm.prospect == "in_time")


def test_an_arm_too_slow_for_a_finalist_is_told(plan_of):
    slow = {arm.arm_id for arm in plan_of("160s").arms if arm.prospect == "too_slow"}
    assert "fewshot/slow/selection=nearest" in slow
    assert "prompt/slow" not in slow  # without the first arm of a model nothing could be compared


def test_a_budget_too_small_for_one_arm_is_told_with_what_would_do(plan_of):
    [warning] = warnings(plan_of("1s", strategies=["prompt"]))
    assert "too small to measure a single arm" in warning.en
    assert "无法判断" in warning.zh
    plan = plan_of(enough(warning), strategies=["prompt"])
    assert not warnings(plan)
    assert "in_time" in prospects(plan).values()


def test_a_budget_too_small_for_a_training_is_told_with_what_would_do(plan_of):
    [warning] = warnings(plan_of("20s"))
    assert "does not reach for a training" in warning.en
    plan = plan_of(enough(warning))
    assert not warnings(plan)
    [lora] = [arm for arm in plan.arms if arm.tuned]
    assert lora.prospect in ("cut", "in_time")
    assert lora.race_rows > 0


def test_what_cannot_run_is_told_with_the_reason(plan_of):
    [lora] = [arm for arm in plan_of(n_rows=60).arms if arm.tuned]
    assert lora.prospect == "cannot_run"
    assert "by heart" in lora.why.en
    assert lora.seconds is None


def test_two_models_are_told_apart(plan_of):
    titles = [arm.title.en for arm in plan_of("4h", models=("one", "two")).arms]
    assert len(set(titles)) == len(titles)
    assert any(title.endswith(", two") for title in titles)


def test_unknown_speeds_stay_unknown(plan_of, monkeypatch):
    monkeypatch.setattr(prepare, "speeds_of", lambda model: None)
    plan = plan_of("15m")
    assert plan.seconds_all is None
    assert {arm.arm_id for arm in plan.arms if arm.seconds is None} == {arm.arm_id for arm in plan.arms if arm.model}
    assert not any("too small" in warning.en for warning in plan.warnings)


def test_exhaustive_takes_everything(plan_of):
    plan = plan_of("9h", exhaustive=True)
    assert plan.race_seconds == pytest.approx(plan.seconds_all)
    assert all(arm.race_rows == plan.n_dev for arm in plan.arms)


def test_the_same_plan_twice_and_in_seconds(plan_of):
    started = time.perf_counter()
    assert plan_of("15m") == plan_of("15m")
    assert time.perf_counter() - started < 40


def test_amounts_are_written_as_the_option_takes_them():
    expected = {50.0: "50s", 59.6: "1m", 60.0: "1m", 61.0: "2m", 720.0: "12m", 3600.0: "1h", 5400.0: "1h30m"}
    assert {seconds: as_option(seconds) for seconds in expected} == expected
    assert all(parse_budget(option).seconds >= seconds - 0.5 for seconds, option in expected.items())


class TestSettings:
    def test_each_value_is_an_arm(self, plan_of):
        arms = set(prospects(plan_of("4h", settings={"lora": {"rank": [8, 64]}, "fewshot": {"k": [2, 8]}})))
        assert {"lora/slow/rank=8", "lora/slow/rank=64"} <= arms
        assert {arm for arm in arms if arm.startswith("fewshot")} == {
            f"fewshot/slow/k={k}{chosen}"
            for k in (2, 8)
            for chosen in ("", ",selection=balanced", ",selection=nearest")
        }
        assert "lora/slow" not in arms

    def test_combinations_are_arms_and_the_usual_value_has_the_usual_name(self, plan_of):
        arms = prospects(plan_of("4h", settings={"lora": {"rank": [16, 8], "learning_rate": [1e-3]}}))
        assert [arm for arm in arms if arm.startswith("lora")] == [
            "lora/slow/learning_rate=0.001",
            "lora/slow/rank=8,learning_rate=0.001",
        ]

    def test_the_plan_expects_one_training_on_all_rows(self, plan_of):
        alone = plan_of("4h", settings={"lora": {"rank": [8]}})
        both = plan_of("4h", settings={"lora": {"rank": [8, 64]}})
        [of_one] = [arm.race_seconds for arm in alone.arms if arm.arm_id.startswith("lora")]
        of_two = [arm.race_seconds for arm in both.arms if arm.arm_id.startswith("lora")]
        # The size below all rows may be worth a look in one and not in the other.
        assert of_one <= max(of_two) < 1.5 * of_one
        assert min(of_two) < 0.5 * of_one
        assert set(prospects(both).values()) == {"in_time"}


def test_settings_of_a_strategy_that_is_not_tried_are_told(tmp_path: Path):
    rows = write_rows(tmp_path / "rows.jsonl", label_rows(120))
    settings = {"fewshot": {"k": [2]}, "lora": {"rank": [8]}}

    def warned(strategies: list[str] | None) -> list[str]:
        task_file = task_file_for(rows, text_language="en", strategies=strategies, settings=settings)
        return [
            warning.en
            for warning in prepare.ready(task_file, Silent()).prepared.summary.warnings
            if "settings" in warning.en
        ]

    assert warned(None) == warned(["fewshot", "lora"]) == []
    assert len(warned(["fewshot"])) == 1
    assert warned(["fewshot"])[0].startswith("The `settings` of lora are not used")


def test_a_limit_of_latency_takes_more_single_rows(plan_of):
    free, limited = plan_of("15m"), plan_of("15m", limits={"p95_ms": 500})
    for before, after in zip(free.arms, limited.arms, strict=True):
        if before.test_seconds:
            assert after.test_seconds > before.test_seconds
    assert limited.final_seconds >= free.final_seconds
