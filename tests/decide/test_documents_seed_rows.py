import pytest
from documents_builders import UPDATES, age, decided_with, known, loss, run_of, text_of, update

READING = loss("rag", (0.30, 0.05), (0.03, 0.02))
FINE = loss("rag", (0.01, 0.005), (0.30, 0.05), found=0.6)


def findings(run, **fields):
    decision = decided_with(run, known(**fields))
    assert len({finding.row for finding in decision.seed_rows}) == len(decision.seed_rows)
    rows = {finding.row: finding for finding in decision.seed_rows}
    return {row: rows[row].finding for row in ("N2", "A2", "A5", "T3", "X3", "C6") if row in rows}


@pytest.mark.parametrize(
    ("right", "alone", "together", "clash"),
    [
        ({"rag": 200, "lora_rag": 260, "lora": 100}, "overturned", "confirmed", "confirmed"),
        ({"rag": 200, "lora_rag": 201, "lora": 100}, "confirmed", "overturned", "confirmed"),
        ({"rag": 200, "lora_rag": 120, "lora": 100}, "confirmed", "overturned", "confirmed"),
        ({"rag": 200, "lora_rag": 203, "lora": 100}, "open", "open", "open"),
        ({"rag": 150, "lora_rag": 200, "lora": 280}, "overturned", "overturned", "confirmed"),
        ({"rag": 200, "lora": 100}, "confirmed", None, "open"),
        ({"rag": 150, "lora": 280}, "overturned", None, "open"),
        ({"rag": 200, "prompt": 100}, None, None, "open"),
        ({"lora_rag": 200, "lora": 100}, None, None, None),
    ],
)
def test_retrieval_alone_against_tuning_with_it(right, alone, together, clash):
    found = findings(run_of(**right), losses=[READING])
    assert {found.get(row) for row in ("N2", "A2")} == {alone}
    assert {found.get(row) for row in ("A5", "T3")} == {together}
    assert found.get("X3") == clash


def test_a_lead_on_old_knowledge_overturns_nothing():
    found = findings(run_of(rag=150, lora_rag=200, lora=280), knowledge_every_days=7.0)
    assert (found["N2"], found["T3"]) == ("overturned", "open")
    assert findings(run_of(rag=150, lora_rag=151, lora=280), knowledge_every_days=7.0)["N2"] == "open"
    ages = [*age("lora", 190), *age("rag", 100), *age("lora_rag", 130)]
    assert findings(run_of(rag=150, lora_rag=200, lora=280), knowledge_every_days=7.0, ages=ages)["T3"] == "overturned"


def test_a_training_cut_by_time_speaks_to_no_rule():
    arms, rows = run_of(rag=200, lora_rag=201)
    cut = arms[1].model_copy(update={"fit_details": {"stopped": "time", "epochs": 0.4}})
    assert decided_with(([arms[0], cut], rows), known(losses=[READING])).seed_rows == []


def test_a_trained_reader_cut_by_time_is_not_overturned_beside_a_training_that_ended():
    arms, rows = run_of(rag=200, lora_rag=90, lora=100)
    assert findings((arms, rows))["T3"] == "overturned"
    cut = arms[1].model_copy(update={"fit_details": {"stopped": "time", "epochs": 0.4}})
    found = findings(([arms[0], cut, arms[2]], rows))
    assert (found["N2"], found["T3"], found["X3"]) == ("open", "open", "open")


def test_nothing_to_win_in_reading_settles_it_without_training():
    run = run_of(rag=200, lora=100)
    assert findings(run, losses=[FINE])["X3"] == "confirmed"
    text = text_of(decided_with(run, known(losses=[FINE])))["X3"]
    assert "nothing to win there" in text
    assert "1.0 points (0.5 to 1.5) in reading and 30.0 points (25.0 to 35.0) in retrieval" in text
    # A small loss that may be a large one settles nothing.
    assert findings(run, losses=[loss("rag", (0.01, 0.02), (0.30, 0.05))])["X3"] == "open"


def test_the_sentence_names_the_side_and_the_figures():
    text = text_of(decided_with(run_of(rag=200, lora_rag=260), known(losses=[READING])))
    assert "earns its place beside retrieval" in text["X3"]
    assert "30.0 points (25.0 to 35.0) in reading" in text["X3"]
    assert "“LORA_RAG” 86.7\u00a0%, “RAG” 66.7\u00a0%, difference +20.0 points" in text["T3"]
    assert "Tuning without retrieval was not measured." in text["N2"]


@pytest.mark.parametrize(
    ("indexing", "training", "finding"),
    [(2.5, 310.0, "confirmed"), (300.0, 310.0, "open"), (900.0, 310.0, "overturned"), (None, 310.0, None)],
)
def test_the_cost_of_an_update(indexing, training, finding):
    costs = [update("rag", "index", indexing), update("lora", "retrain", training)]
    assert findings(run_of(rag=200, lora=100), updates=costs).get("C6") == finding


def test_c6_needs_both_kinds_of_arms():
    assert "C6" not in findings(run_of(rag=200, lora_rag=260), updates=UPDATES)
