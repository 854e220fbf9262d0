import pytest
from decide_builders import arm, decided, duel, skipped, task
from documents_builders import UPDATES, decided_with, known, run_of

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


# -- the arms that the verdict is about ----------------------------------------------------------------------


def _three(tuned_right, best_right, next_right, **more):
    """Whoever has more rows right has all that the others have; ``more``: arm id → its fields."""
    right = {"lora": tuned_right, "fewshot": best_right, "prompt": next_right}
    arms = [arm(name, n, **more.get(name, {})) for name, n in right.items()]
    return arms, {name: {f"r{i}": float(i < n) for i in range(300)} for name, n in right.items()}


def _of(decision):
    return {finding.row: finding for finding in decision.seed_rows}


def test_a_tuned_arm_that_breaks_a_limit_does_not_speak_for_the_one_that_keeps_it():
    arms, rows = _three(100, 200, 150, lora={"p95": 10.0}, fewshot={"p95": 10.0}, prompt={"p95": 10.0})
    slow = arm("lora", 280, p95=90.0).model_copy(update={"arm_id": "lora/slow", "model": "big"})
    rows["lora/slow"] = {f"r{i}": float(i < 280) for i in range(300)}
    decision = decided([*arms, slow], rows, task(p95_ms=50))
    assert (decision.verdict, decision.decided_by) == ("dont_fine_tune", ("lora", "fewshot"))
    found = _of(decision)
    assert {found[row].finding for row in ("C1", "Q1")} == {"confirmed"}
    assert "“LORA · tiny” 33.3\u00a0%, “FEWSHOT · tiny” 66.7\u00a0%" in found["Q1"].why.en


def test_what_may_not_be_used_wins_nothing():
    out, keeps = {"p95": 90.0}, {"p95": 10.0}
    arms, rows = _three(280, 200, 150, lora=out, fewshot=keeps, prompt=keeps)
    ahead = decided(arms, rows, task(p95_ms=50))
    assert ahead.verdict == "dont_fine_tune"
    assert {row: finding.finding for row, finding in _of(ahead).items() if row in ("C1", "Q1")} == {
        "C1": "open",
        "Q1": "open",
    }
    assert "; “LORA” may not be used here." in _of(ahead)["Q1"].why.en
    assert "；“方案lora”在这里不可用。" in _of(ahead)["Q1"].why.zh
    arms, rows = _three(100, 200, 150, lora=keeps, fewshot=out, prompt=out)
    left = decided(arms, rows, task(p95_ms=50))
    assert left.verdict == "fine_tune"
    assert _of(left)["Q1"].finding == "open"
    arms, rows = _three(100, 200, 150, lora=out, fewshot=keeps, prompt=keeps)
    assert _of(decided(arms, rows, task(p95_ms=50)))["Q1"].finding == "confirmed"


def test_the_rival_is_the_best_untuned_arm_that_keeps_the_limits():
    keeps = {"p95": 10.0}
    arms, rows = _three(200, 280, 150, lora=keeps, fewshot={"p95": 90.0}, prompt=keeps)
    decision = decided(arms, rows, task(p95_ms=50))
    assert (decision.verdict, decision.decided_by) == ("fine_tune", ("lora", "prompt"))
    assert "“PROMPT” 50.0\u00a0%" in _of(decision)["Q1"].why.en
    assert _of(decision)["C1"].finding == "overturned"


def test_a_score_for_old_knowledge_only_does_not_speak_for_the_reader_of_the_verdict():
    decision = decided_with(run_of(lora=280, lora_rag=250, rag=150), known(updates=UPDATES, knowledge_every_days=7.0))
    assert decision.decided_by == ("lora_rag", "rag")
    assert "“LORA_RAG” 83.3\u00a0%, “RAG” 50.0\u00a0%" in _of(decision)["Q1"].why.en
