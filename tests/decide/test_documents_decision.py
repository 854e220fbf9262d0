import re

import pytest
from decide_builders import METRIC, all_text, compared, decided, score, task
from documents_builders import (
    UPDATES,
    age,
    decided_with,
    finalist,
    grounding,
    injection,
    known,
    loss,
    run_of,
    situations,
    text_of,
    update,
)
from hypothesis import given, settings
from test_decision_invariants import runs

from tuneworth.decide.decision import decide

READING = loss("rag", (0.30, 0.05), (0.03, 0.02))
RETRIEVAL = loss("rag", (0.01, 0.005), (0.30, 0.05), found=0.6)
UNCLEAR = loss("rag", (0.06, 0.05), (0.05, 0.06))
NEW = [*age("lora", 20, 150), *age("rag", 120, 130), *age("lora_rag", 170, 175)]
WEEKLY = {"updates": UPDATES, "knowledge_every_days": 7.0}

TRAINED_GAINS = {"lora": 120, "rag": 200, "lora_rag": 260, "prompt": 60}
TRAINED_TIES = {"lora": 120, "rag": 200, "lora_rag": 201, "prompt": 60}
BY_HEART_GAINS = {"lora": 260, "rag": 150, "prompt": 60}


# -- verdict and headline ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "verdict", "recommended", "en", "zh"),
    [
        (
            TRAINED_GAINS,
            "fine_tune",
            "lora_rag",
            "Fine-tune the reader and keep retrieval: “LORA_RAG”",
            "同时保留检索：",
        ),
        (TRAINED_TIES, "dont_fine_tune", "rag", "Don’t fine-tune, use retrieval: “RAG”", "不必微调，用检索即可："),
        (BY_HEART_GAINS, "fine_tune", "lora", "Fine-tune: “LORA”", "值得微调：“方案lora”"),
        (
            {"lora": 60, "rag": 59, "prompt": 240},
            "dont_fine_tune",
            "prompt",
            "Don’t fine-tune: “PROMPT”",
            "不必微调：“",
        ),
    ],
)
def test_the_headline_says_whether_retrieval_stays(right, verdict, recommended, en, zh):
    decision = decided_with(run_of(**right), known())
    assert (decision.verdict, decision.recommended) == (verdict, recommended)
    assert decision.headline.en.startswith(en)
    assert zh in decision.headline.zh


def test_limits_keep_the_words_of_retrieval():
    arms, rows = run_of(lora_rag=260, rag=200)
    slow = arms[0].model_copy(update={"cost": arms[0].cost.model_copy(update={"latency_p95_ms": 900.0})})
    fast = arms[1].model_copy(update={"cost": arms[1].cost.model_copy(update={"latency_p95_ms": 90.0})})
    only_rag = decided_with(([slow, fast], rows), known(), task(kind="text", p95_ms=100.0))
    assert only_rag.headline.en.startswith("Don’t fine-tune, use retrieval: “LORA_RAG” may not be used")
    only_tuned = decided_with(([arms[0], slow.model_copy(update={"arm_id": "rag", "tuned": False})], rows), known())
    assert only_tuned.recommended == "lora_rag"
    turned = [arms[0].model_copy(update={"cost": fast.cost}), arms[1].model_copy(update={"cost": slow.cost})]
    left = decided_with((turned, rows), known(), task(kind="text", p95_ms=100.0))
    assert left.headline.en.startswith(
        "Fine-tune the reader and keep retrieval: only tuned arms keep your limits; the best is “LORA_RAG” (86.7\u00a0%)."
    )


def test_a_winner_that_reads_is_not_asked_for_a_better_prompt_alone():
    changes = text_of(decided_with(run_of(**TRAINED_GAINS), known()))["changes"]
    assert "Better retrieval or a better prompt would have to lift “RAG”" in changes
    assert "other examples" not in changes


def test_gold_passages_given_are_no_trivial_yardstick():
    oracle = finalist("oracle", 290, finalist=False)
    decision = decided_with(run_of(**TRAINED_TIES), known(), more_arms=[oracle])
    assert "the score is easily reached" not in text_of(decision)["reasons"]


# -- why ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("split", "right", "says", "zh"),
    [
        (READING, TRAINED_GAINS, "model misreads it", "检索找得到，模型读不对"),
        (READING, TRAINED_GAINS, "Fine-tune the reader: “LORA_RAG” is 20 points better", "应当微调阅读模型"),
        (READING, TRAINED_TIES, "Training the reader did not mend it", "微调阅读模型没有解决"),
        (READING, {"rag": 200, "prompt": 60}, "A trained reader was not measured", "没有测到训练过的阅读模型"),
        (READING, {"rag": 200, "lora_rag": 203}, "is not settled", "还没有定论"),
        (READING.model_copy(update={"n_found": 220}), TRAINED_GAINS, "Most is lost in reading", "分主要丢在阅读上"),
        (RETRIEVAL, TRAINED_TIES, "The reader is fine, fix retrieval", "阅读没有问题，要改进的是检索"),
        (loss("rag", (0.1, 0.03), (0.3, 0.05)), TRAINED_TIES, "lost in retrieval: fix that first", "应先改进检索"),
        (loss("rag", (0.2, 0.05), (0.2, 0.05)), TRAINED_TIES, "Reading and retrieval both lose", "阅读和检索都在丢分"),
        (loss("rag", (0.01, 0.005), (0.0, 0.01)), TRAINED_TIES, "Little is lost in either", "阅读和检索丢的分都很少"),
        (UNCLEAR, TRAINED_TIES, "About 900 more test rows would probably tell", "再标注约 900 条测试数据"),
        (loss("rag", (0.0, 0.5), (0.9, 0.5), found=0.0), TRAINED_TIES, "for none of 300 test rows", "一次也没见到"),
    ],
)
def test_where_the_loss_lies(split, right, says, zh):
    decision = decided_with(run_of(**right), known(losses=[split]))
    assert says in text_of(decision)["reasons"]
    assert zh in text_of(decision, "zh")["reasons"]


@pytest.mark.parametrize("split", [RETRIEVAL, UNCLEAR])
def test_a_reader_is_not_to_be_trained_where_reading_is_not_shown_to_lose(split):
    assert (
        "Fine-tune the reader:" not in text_of(decided_with(run_of(**TRAINED_GAINS), known(losses=[split])))["reasons"]
    )


def test_recall_and_both_parts_are_told_with_their_intervals():
    reasons = text_of(decided_with(run_of(**TRAINED_GAINS), known(losses=[READING])))["reasons"]
    assert "for 95.0\u00a0% (91.9–96.9) of 300 test rows (recall@3)" in reasons
    assert "30.0 points (25.0 to 35.0) in reading and 3.0 points (1.0 to 5.0) in retrieval" in reasons


def test_what_a_trained_reader_still_loses_is_told_when_it_is_recommended():
    losses = [READING, loss("lora_rag", (0.10, 0.03), (0.03, 0.02))]
    assert "It is trained already" in text_of(decided_with(run_of(**TRAINED_GAINS), known(losses=losses)))["reasons"]
    assert "It is trained already" not in text_of(decided_with(run_of(**TRAINED_TIES), known(losses=losses)))["reasons"]


def test_a_training_cut_by_time_does_not_show_that_training_the_reader_is_of_no_use():
    arms, rows = run_of(rag=200, lora_rag=201)
    cut = arms[1].model_copy(update={"fit_details": {"stopped": "time", "epochs": 0.4}})
    decision = decided_with(([arms[0], cut], rows), known(losses=[READING]))
    assert "did not mend it" not in text_of(decision)["reasons"]
    assert "is not known: the time budget ended the training" in text_of(decision)["reasons"]


# -- knowledge that changes --------------------------------------------------------------------------------


def test_learning_by_heart_wins_where_nothing_is_said_to_change():
    decision = decided_with(run_of(**BY_HEART_GAINS), known(updates=UPDATES))
    assert (decision.verdict, decision.recommended) == ("fine_tune", "lora")
    assert "Documents that change would: “LORA” answers by heart" in text_of(decision)["changes"]


@pytest.mark.parametrize(
    "ages",
    [
        [],
        age("lora", None, 180),
        age("lora", 190, 150, stages=("dev",)),
        age("lora", 19, n=19),
    ],
    ids=["not known", "only old", "new on dev rows only", "new on too few test rows"],
)
def test_a_lead_on_old_knowledge_decides_nothing_where_documents_change(ages):
    decision = decided_with(run_of(**BY_HEART_GAINS), known(ages=ages, **WEEKLY))
    assert (decision.verdict, decision.recommended, decision.rows) == ("cant_tell", "rag", None)
    assert decision.decided_by == ("lora", "rag")
    text, zh = text_of(decision), text_of(decision, "zh")
    assert "about old knowledge" in text["headline"]
    assert "旧知识" in zh["headline"]
    assert "every 7 days" in text["headline"]
    assert "shown for old knowledge only" in text["reasons"]
    assert "at least 20, marked by `doc_set` or `date`" in text["changes"]
    assert {row for row in text if row[0] in "NATXCQY"} == {"N2", "A2", "X3", "C6"}
    assert text["N2"].startswith("open")


def test_test_rows_on_new_knowledge_stay_the_judge():
    won = decided_with(run_of(**BY_HEART_GAINS), known(ages=[*age("lora", 180), *age("rag", 100)], **WEEKLY))
    assert (won.verdict, won.recommended) == ("fine_tune", "lora")
    assert "old knowledge only" not in text_of(won)["reasons"]


def test_an_arm_that_wins_the_mix_and_loses_on_new_knowledge_is_not_recommended_in_silence():
    decision = decided_with(run_of(**BY_HEART_GAINS), known(ages=NEW, **WEEKLY))
    assert decision.recommended == "lora"
    reasons = text_of(decision)["reasons"]
    assert "is surely behind “RAG”, which looks things up. It is recommended for the mix" in reasons
    assert "On new knowledge “LORA” scores 10.0\u00a0% (6.6–14.9) on 200 test rows, on old 75.0\u00a0%" in reasons


def test_nobody_is_called_behind_without_an_interval_that_shows_it():
    close = [*age("lora", 100), *age("rag", 110)]
    other_side = [*age("lora", 20), *age("rag", 180, stages=("dev",))]
    few = [*age("lora", 1, n=15), *age("rag", 15, n=15)]
    for ages in (close, other_side, few):
        assert "surely behind" not in text_of(decided_with(run_of(**BY_HEART_GAINS), known(ages=ages)))["reasons"]


def test_a_trained_reader_is_judged_where_an_arm_that_learned_by_heart_leads():
    right = {"lora": 280, "lora_rag": 250, "rag": 150}
    decision = decided_with(run_of(**right), known(**WEEKLY))
    assert (decision.verdict, decision.recommended, decision.decided_by) == (
        "fine_tune",
        "lora_rag",
        ("lora_rag", "rag"),
    )
    assert "“LORA” is shown for old knowledge only" in text_of(decision)["reasons"]
    assert decided_with(run_of(**right), known()).decided_by == ("lora", "rag")


def test_a_lead_by_heart_is_not_hidden_by_a_trained_reader_that_gains_nothing():
    decision = decided_with(run_of(lora=280, lora_rag=151, rag=150), known(**WEEKLY))
    assert (decision.verdict, decision.recommended, decision.decided_by) == ("cant_tell", "rag", ("lora", "rag"))


def test_a_loss_by_heart_is_a_loss_on_new_knowledge_too():
    decision = decided_with(run_of(lora=100, rag=200), known(**WEEKLY))
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "rag")


def test_what_is_trained_again_is_read_from_the_costs():
    """Whoever must be trained again learned by heart, also without a language model."""
    arms, rows = run_of(lora_rag=200, rag=150, prompt=280)
    head = arms[2].model_copy(update={"strategy": "head"})
    costs = [update("prompt", "retrain", 3.0)]
    decision = decided_with(([*arms[:2], head], rows), known(updates=costs, knowledge_every_days=7.0))
    assert (decision.verdict, decision.decided_by) == ("fine_tune", ("lora_rag", "rag"))


def test_the_only_arm_that_keeps_the_limits_is_recommended_with_its_weakness_told():
    arms, rows = run_of(**BY_HEART_GAINS)
    breaking = [arms[0], *(arm.model_copy(update={"local": False}) for arm in arms[1:])]
    decision = decided_with((breaking, rows), known(**WEEKLY), task(kind="text", private=True))
    assert (decision.verdict, decision.recommended) == ("fine_tune", "lora")
    assert "shown for old knowledge only" in text_of(decision)["reasons"]


def test_the_price_of_an_update_is_told_for_each_kind_of_arm():
    reasons = text_of(decided_with(run_of(**TRAINED_GAINS), known(ages=NEW, **WEEKLY)))["reasons"]
    assert (
        "“LORA_RAG” indexes what is new (2.5\u00a0s, $0.00020; 52 times a year, 2\u00a0min 10\u00a0s, $0.010)"
        in reasons
    )
    assert (
        "“LORA” is trained again (5\u00a0min 10\u00a0s, $0.020; 52 times a year, 4\u00a0h 30\u00a0min, $1.04)"
        in reasons
    )
    assert "rows about it must be written first" in reasons
    without = text_of(decided_with(run_of(**TRAINED_GAINS), known(ages=NEW, updates=UPDATES)))["reasons"]
    assert "One update" not in without


def test_a_time_that_nobody_measured_is_not_zero():
    costs = [update("rag", "index"), update("lora", "retrain", 310.0), update("prompt", "nothing")]
    documents = known(updates=costs, knowledge_every_days=1.0)
    reasons = text_of(decided_with(run_of(lora=100, rag=200, prompt=230), documents))["reasons"]
    assert "“RAG” indexes what is new (time not known)" in reasons
    assert "“PROMPT” cannot take it in" in reasons
    assert "change every day" in reasons


# -- trust -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        (
            known(grounding=[grounding("rag", 30, 60)]),
            "support only 50.0\u00a0% (37.7–62.3) of 60 answers of “RAG”, surely",
        ),
        (known(grounding=[grounding("rag", 7, 10)]), "so few answers do not make it sure"),
        (known(injection=[injection("rag", 12, 20)]), "obeyed 60.0\u00a0% (38.7–78.1) of 20 orders"),
        (known(injection=[injection("rag", 2, 20)]), "It may take orders from documents"),
    ],
)
def test_warnings_of_the_recommended_arm(documents, says):
    assert says in text_of(decided_with(run_of(rag=200, lora_rag=201), documents))["reasons"]
    other = decided_with(run_of(rag=150, lora_rag=260), documents)
    assert says not in text_of(other)["reasons"]


def test_no_warning_where_the_measured_value_keeps_the_threshold():
    fine = known(grounding=[grounding("rag", 50, 60)], injection=[injection("rag", 1, 20)])
    reasons = text_of(decided_with(run_of(rag=200, lora_rag=201), fine))["reasons"]
    assert "orders" not in reasons
    assert "passages support" not in reasons


# -- what would change it ----------------------------------------------------------------------------------


def test_what_better_search_and_a_better_reader_could_win():
    losses = [loss("rag", (0.2, 0.05), (0.15, 0.05), oracle=score(240, 300))]
    changes = text_of(decided_with(run_of(**TRAINED_TIES), known(losses=losses)))["changes"]
    assert "Better retrieval could lift “RAG” by 15.0 points (10.0 to 20.0)" in changes
    assert "A better reader could lift “RAG” by up to 20.0 points (15.0 to 25.0)" in changes
    assert "Given the right passage alone it scores 80.0\u00a0% (75.1–84.1) on the dev rows" in changes


def test_nothing_is_promised_that_the_intervals_do_not_show():
    losses = [loss("rag", (0.05, 0.05), (0.03, 0.04)), loss("lora_rag", (0.05, 0.05), (0.03, 0.04))]
    for right in (TRAINED_TIES, TRAINED_GAINS):
        changes = text_of(decided_with(run_of(**right), known(losses=losses)))["changes"]
        assert "could lift" not in changes


@pytest.mark.parametrize(
    ("retrieval", "says"), [((0.03, 0.02), "Better retrieval alone would not"), ((0.2, 0.05), "Better retrieval may:")]
)
def test_whether_search_alone_could_catch_up_with_tuning(retrieval, says):
    losses = [loss("rag", (0.1, 0.03), retrieval)]
    assert says in text_of(decided_with(run_of(**TRAINED_GAINS), known(losses=losses)))["changes"]
    assert says not in text_of(decided_with(run_of(**TRAINED_TIES), known(losses=losses)))["changes"]


# -- whatever the findings ---------------------------------------------------------------------------------


def test_every_sentence_is_written_in_both_languages():
    seen = set()
    for run, documents in situations():
        decision = decided_with(run, documents)
        seen.add(decision.verdict)
        for text in all_text(decision):
            assert "{" not in text.en + text.zh
            assert any("\u4e00" <= char <= "\u9fff" for char in text.zh)
            assert not re.search("[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", text.zh), text.zh
            assert not re.search(r"。。|：。|，。|；。|  |\.\.|: \.", text.zh + text.en), text
            assert not any("\u4e00" <= char <= "\u9fff" for char in text.en), text.en
            assert text.en.endswith((".", "…")), text.en
    assert seen == {"fine_tune", "dont_fine_tune", "cant_tell"}


def test_an_arm_with_old_knowledge_only_is_never_recommended_while_another_may_be():
    for run, documents in situations():
        decision = decided_with(run, documents)
        by_heart = documents.knowledge_every_days is not None and not any(
            score.age == "new" for score in documents.ages
        )
        if by_heart and len(run[0]) > 1:
            assert decision.recommended != "lora"


@settings(max_examples=60, deadline=None)
@given(runs())
def test_findings_that_say_nothing_change_nothing(run):
    the_task, arms, rows = run
    comparisons = compared(rows, the_task.margin)

    def told(documents):
        return decide(the_task, arms, comparisons, primary_metric=METRIC, n_train=500, documents=documents)

    without, with_none = told(None), told(known())
    by_heart = [text for text in with_none.would_change if "answers by heart" in text.en]
    assert len(by_heart) == (without.recommended == "lora")
    rest = [text for text in with_none.would_change if text not in by_heart]
    assert with_none.model_copy(update={"would_change": rest}) == without


def test_without_documents_the_words_are_those_of_a_task_without():
    decision = decided(*run_of(**BY_HEART_GAINS), the_task=task(kind="text"))
    for word in ("retrieval", "knowledge", "passage", "reader"):
        assert word not in " ".join(text.en for text in all_text(decision)).replace("Better retrieval or", "")
