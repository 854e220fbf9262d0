import pytest
from decide_builders import decided, duel, skipped, task

from tuneworth.core.text import Text

CUT = {"fit_details": {"stopped": "time", "epochs": 0.73}}
DONE = {"fit_details": {"stopped": "epochs", "epochs": 3.0}}


def sentences(decision, lang="en"):
    return "\n".join(text.to(lang) for text in decision.would_change)


@pytest.mark.parametrize("counts", [(5, 60, 200, 35), (20, 22, 200, 58)], ids=["behind", "open"])
def test_a_training_cut_by_the_budget_is_no_reason_to_rule_tuning_out(counts):
    decision = decided(*duel(*counts, tuned_more=CUT))
    assert decision.verdict in ("dont_fine_tune", "cant_tell")
    assert "after 0.7 epochs" in sentences(decision)
    assert "--budget" in sentences(decision)
    assert "第 0.7 个 epoch" in sentences(decision, "zh")


@pytest.mark.parametrize(
    ("counts", "how"), [((5, 60, 200, 35), DONE), ((60, 5, 200, 35), CUT)], ids=["finished", "won"]
)
def test_nothing_is_said_of_a_training_that_ended_or_won(counts, how):
    assert "time budget" not in sentences(decided(*duel(*counts, tuned_more=how)))


def test_a_loss_after_less_than_one_epoch_decides_nothing():
    counts = (5, 60, 200, 35)
    cut = decided(*duel(*counts, tuned_more=CUT))
    assert cut.verdict == "cant_tell"
    assert cut.rows is None
    assert cut.recommended == "fewshot"
    assert not cut.seed_rows
    assert "before it had seen every row once" in cut.headline.en
    longer = {"fit_details": {"stopped": "time", "epochs": 1.2}}
    assert decided(*duel(*counts, tuned_more=longer)).verdict == "dont_fine_tune"
    assert decided(*duel(60, 5, 200, 35, tuned_more=CUT)).verdict == "fine_tune"


def test_a_gain_over_the_prompt_alone_says_that_few_shot_was_not_measured():
    arms, rows = duel(60, 5, 200, 35, untuned="prompt")
    waiting = skipped("fewshot", "no time left.").model_copy(update={"config": {"k": 4}})
    decision = decided([*arms, waiting], rows, task(kind="json"))
    assert decision.verdict == "fine_tune"
    assert "FEWSHOT" in sentences(decision)
    assert "could not be measured" in sentences(decision)
    found = {finding.row: finding.finding for finding in decision.seed_rows}
    assert not {row for row in ("N3", "A3", "T1") if found.get(row) == "overturned"}
    assert "could not be measured" not in sentences(decided(arms, rows, task(kind="json")))


def test_a_configuration_that_was_not_measured_counts_even_where_another_of_its_strategy_was():
    arms, rows = duel(60, 5, 200, 35)
    nearest = {"arm_id": "fewshot/nearest", "config": {"selection": "nearest"}, "title": Text(en="NEAREST", zh="近邻")}
    decision = decided([*arms, skipped("fewshot").model_copy(update=nearest)], rows, task(kind="json"))
    assert "“NEAREST” could not be measured" in sentences(decision)
    assert "the best arm that the time allowed to measure without tuning" in decision.headline.en
    assert "比时间允许测到的最好的免微调方案“方案fewshot”高" in decision.headline.zh
    assert {f.finding for f in decision.seed_rows if f.row in ("N3", "A3", "T1")} == {"open"}


def test_the_free_form_of_a_constrained_arm_is_not_missed():
    arms, rows = duel(60, 5, 200, 35)
    free = skipped("prompt").model_copy(update={"config": {"constrained": False}})
    assert "could not be measured" not in sentences(decided([*arms, free], rows, task(kind="json")))
