import pytest
from decide_builders import arm, decided, duel, skipped, task

from tuneworth.core.run import ArmCost

GAIN, LOSS, OPEN = (90, 10, 150, 50), (10, 90, 150, 50), (14, 6, 60, 20)


def _found(counts, kind="label", n_train=800, untuned="fewshot", **more):
    arms, rows = duel(*counts, untuned=untuned, **more)
    decision = decided(arms, rows, task(kind=kind), n_train=n_train)
    assert len({finding.row for finding in decision.seed_rows}) == len(decision.seed_rows)
    return {finding.row: finding for finding in decision.seed_rows}


@pytest.mark.parametrize(
    ("counts", "prompt_rules", "structure_rules", "clash"),
    [
        (GAIN, "overturned", "confirmed", "confirmed"),
        (LOSS, "confirmed", "overturned", "confirmed"),
        (OPEN, "open", "open", "open"),
    ],
)
def test_format_rules(counts, prompt_rules, structure_rules, clash):
    found = _found(counts, "json", untuned_more={"config": {"constrained": True}})
    assert {found[row].finding for row in ("N3", "A3", "T1")} == {prompt_rules}
    assert {found[row].finding for row in ("Y1", "P2")} == {structure_rules}
    assert found["X1"].finding == clash
    assert "for free" in found["X1"].why.en


def test_free_output_cannot_settle_format_against_content():
    found = _found(GAIN, "json", untuned_more={"config": {"constrained": False}})
    assert found["X1"].finding == "open"
    assert "mixed" in found["X1"].why.en


def test_format_rules_need_json_and_a_generating_rival():
    assert "X1" not in _found(GAIN, "label")
    assert "X1" not in _found(GAIN, "json", untuned="head")


@pytest.mark.parametrize(
    ("n_train", "counts", "expected"),
    [
        (50, LOSS, {"N4": "confirmed", "T4": "confirmed", "C1": "confirmed", "Q1": "confirmed", "X4": "open"}),
        (50, GAIN, {"N4": "overturned", "T4": "overturned", "C1": "overturned", "Q1": "overturned", "X4": "open"}),
        (200, GAIN, {"T4": "overturned", "C1": "overturned", "Q1": "overturned", "X4": "open"}),
        (800, OPEN, {"C1": "open", "Q1": "open", "X4": "open"}),
        (2000, GAIN, {"C1": "confirmed", "Q1": "overturned", "X4": "open"}),
        (2000, LOSS, {"Q1": "confirmed", "X4": "open"}),
        (6000, LOSS, {"Q1": "overturned", "X4": "open"}),
        (50_000, GAIN, {"C1": "confirmed", "Q1": "confirmed", "Y2": "confirmed", "X4": "open"}),
    ],
)
def test_data_rules(n_train, counts, expected):
    found = _found(counts, n_train=n_train)
    assert {row: finding.finding for row, finding in found.items()} == expected
    assert f"{n_train:,} training rows" in found["X4"].why.en
    assert "%" in found["X4"].why.zh


@pytest.mark.parametrize(
    ("counts", "tuned_p50", "untuned_p50", "speed"),
    [
        (GAIN, 20.0, 80.0, "confirmed"),
        ((8, 8, 2500, 400), 20.0, 80.0, "confirmed"),
        (LOSS, 80.0, 20.0, "overturned"),
        (GAIN, 80.0, 20.0, "open"),
        (LOSS, 20.0, 80.0, "open"),
    ],
)
def test_latency_rules(counts, tuned_p50, untuned_p50, speed):
    found = _found(
        counts,
        tuned_more={"cost": ArmCost(latency_p50_ms=tuned_p50)},
        untuned_more={"cost": ArmCost(latency_p50_ms=untuned_p50)},
    )
    opposite = {"confirmed": "overturned", "overturned": "confirmed", "open": "open"}[speed]
    assert {row: found[row].finding for row in ("Y4", "T5", "N5", "X2")} == {
        "Y4": speed, "T5": speed, "N5": opposite, "X2": "open",
    }  # fmt: skip
    assert f"{tuned_p50:.0f}\u00a0ms" in found["T5"].why.en


def test_unknown_latency_says_nothing():
    assert "T5" not in _found(GAIN)


def test_privacy_rules_only_for_private_tasks():
    arms, rows = duel(*GAIN)
    found = {f.row: f.finding for f in decided(arms, rows, task(private=True)).seed_rows}
    assert found["Y5"] == found["A6"] == "confirmed"
    assert "A6" not in _found(GAIN)


@pytest.mark.parametrize(("seconds", "finding"), [(310.0, "confirmed"), (9000.0, "overturned")])
def test_training_cost(seconds, finding):
    found = _found(GAIN, tuned_more={"cost": ArmCost(fit_seconds=seconds)})
    assert found["C3"].finding == finding


def test_no_tuned_arm_no_findings():
    assert decided([arm("fewshot", 240), skipped("lora")], {"fewshot": {}}).seed_rows == []
