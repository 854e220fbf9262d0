"""The view model: order, words, and what is said when something is missing."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

import pytest
from report_samples import comparison, make_arms, make_decision, make_result, score

from tuneworth.core.run import Answer, ArmCost, ClassRow, Interval, NewestScore, SeedFinding, Verdict
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import _alone
from tuneworth.report.pages.evidence import MAX_ROWS
from tuneworth.report.pages.verdict import decisive
from tuneworth.report.view import build_view
from tuneworth.words.say import table

HAN = re.compile("[\u4e00-\u9fff]")


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, list | tuple) else []


def test_arms_are_finalists_then_dev_then_yardsticks_each_by_score(result):
    arms = build_view(result, "en").arms
    assert [arm.arm_id for arm in arms] == [
        "head:c1",
        "lora:d1",
        "fewshot:b1",
        "fewshot:b2",
        "prompt:a1",
        "prompt:a2",
        "nearest",
        "majority",
    ]
    assert [arm.number for arm in arms] == list(range(1, 9))
    assert [arm.stage for arm in arms] == ["finalist"] * 3 + ["measured"] * 3 + ["yardstick"] * 2


def test_both_languages_have_the_same_shape(result):
    english, chinese = (asdict(build_view(result, lang)) for lang in ("en", "zh"))
    assert len(strings(english)) == len(strings(chinese))


@pytest.mark.parametrize("lang", get_args(Lang))
def test_nothing_python_leaks_into_text(result, lang):
    shown = "\n".join(strings(asdict(build_view(result, lang))))
    assert not re.search(r"\b(None|nan|inf|True|False)\b", shown.replace('"loss": NaN', ""))


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_has_words(verdict, lang):
    decision = make_decision(
        verdict=verdict,
        rows=1200 if verdict in ("not_yet", "cant_tell") else None,
        recommended=None if verdict == "none_meets_limits" else "head:c1",
        runner_up=None,
    )
    view = build_view(make_result(decision=decision), lang)
    assert view.verdict.word == table("verdict_page.words")[verdict].to(lang)
    assert [fact.value for fact, current in view.meanings if current] == [
        table("verdict_page.meanings")[verdict].to(lang)
    ]
    assert view.verdict.facts[1].value == {"en": "none", "zh": "无"}[lang]
    if verdict == "not_yet":
        assert (
            view.verdict.rows.value == {"en": "about 1,200 more training rows", "zh": "再补充约 1,200 条训练数据"}[lang]
        )
    if verdict == "cant_tell":
        assert {"en": "test rows", "zh": "测试数据"}[lang] in view.verdict.rows.value


def test_every_answer_has_words():
    assert set(table("verdict_page.pair.answers")) == set(get_args(Answer))
    assert set(table("verdict_page.words")) == set(table("verdict_page.meanings")) == set(get_args(Verdict))


@pytest.mark.parametrize(
    ("answer", "needed", "en", "zh"),
    [
        ("better", None, "The first is better.", "前者更好。"),
        ("worse", None, "The first is worse.", "前者更差。"),
        ("equivalent", None, "equivalent.", "视为相当。"),
        ("cant_tell", 820, "Not settled: about 820 test rows in all would.", "总共约需 820 条测试数据"),
        ("cant_tell", None, "no number of rows", "估计不出"),
    ],
)
def test_the_decisive_comparison_is_said_in_a_sentence(answer, needed, en, zh):
    pair = comparison("lora:d1", "head:c1", 0.012, -0.02, 0.041, answer, rows_needed=needed)
    for lang, ending in (("en", en), ("zh", zh)):
        decision = make_decision(verdict="cant_tell", rows=400)
        sentence = build_view(make_result(comparisons=[pair], decision=decision), lang).verdict.facts[2].note
        assert "+1.2" in sentence
        assert "−2.0" in sentence
        assert ending in sentence


@pytest.mark.parametrize(
    ("decision", "high", "en", "zh"),
    [
        (
            {"verdict": "dont_fine_tune"},
            0.018,
            "With all comparisons counted it is not sure which is ahead, but a gain of 2 points is ruled out.",
            "计入多重比较后，谁高谁低还说不准，但可以排除提升达到 2 个百分点的可能。",
        ),
        ({"verdict": "cant_tell", "rows": None}, 0.041, "Not settled.", "还分不出高下。"),
        ({"verdict": "not_yet", "rows": 300}, 0.041, "Not settled.", "还分不出高下。"),
    ],
)
def test_no_test_rows_are_asked_for_where_the_verdict_asks_for_none(decision, high, en, zh):
    pair = comparison("lora:d1", "head:c1", -0.015, -0.06, high, "cant_tell", rows_needed=1187)
    for lang, ending in (("en", en), ("zh", zh)):
        view = build_view(make_result(comparisons=[pair], decision=make_decision(**decision)), lang)
        assert view.verdict.facts[2].note.endswith(ending)
        assert view.comparisons[0].rows_needed == ""


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_settled_is_never_said_beside_a_word_for_open(verdict):
    """Of any verdict and any interval: the hero card speaks with one voice."""
    for high in (-0.01, 0.018, 0.041):
        pair = comparison("lora:d1", "head:c1", -0.015, -0.06, high, "cant_tell", rows_needed=1187)
        decision = make_decision(verdict=verdict, rows=890 if verdict == "cant_tell" else None)
        fact = build_view(make_result(comparisons=[pair], decision=decision), "zh").verdict.facts[2]
        if "已有定论" in fact.value:
            assert "定论" not in fact.note
            assert "测试数据" not in fact.note


@pytest.mark.parametrize(("needed", "shown"), [(1187, "1,200"), (303, "303"), (None, "unknown")])
def test_test_rows_in_all_are_rounded_and_more_than_there_are(needed, shown):
    """Of the 302 rows there are, 303 would be "about 300": fewer."""
    pair = comparison("lora:d1", "head:c1", 0.012, -0.02, 0.041, "cant_tell", rows_needed=needed, n_rows=302)
    view = build_view(make_result(comparisons=[pair], decision=make_decision(verdict="cant_tell", rows=900)), "en")
    assert view.comparisons[0].rows_needed == shown
    assert needed is None or f"about {shown} test rows in all would." in view.verdict.facts[2].note


def test_decisive_is_tuned_against_untuned_with_the_recommended_arm(result):
    main = decisive(result)
    assert main is not None
    assert (main.a, main.b) == ("head:c1", "lora:d1")
    assert build_view(result, "en").comparisons[0].decisive


def test_decisive_never_uses_another_metric():
    other = comparison("head:c1", "lora:d1", 0.2, 0.1, 0.3, "better", metric="macro_f1")
    assert decisive(make_result(comparisons=[other])) is None


def test_a_run_with_nothing_measured_still_has_a_view():
    arms = [arm for arm in make_arms() if arm.state != "measured"]
    decision = make_decision(recommended=None, runner_up=None, verdict="none_meets_limits", seed_rows=[])
    view = build_view(make_result(arms=arms, comparisons=[], decision=decision, disagreements=[], classes=[]), "zh")
    assert view.arms == ()
    assert len(view.skipped) == 2
    assert view.verdict.facts[2].value == "没有可比的结果"


def test_unknown_price_is_unknown_and_known_price_is_shown(result):
    view = build_view(result, "en")
    assert {arm.usd_per_1k for arm in view.arms} == {"unknown"}
    assert view.price_note
    arms = make_arms()
    priced = arms[0].model_copy(update={"cost": ArmCost(usd_per_1k_rows=0.0042, fit_usd=0.0)})
    view = build_view(make_result(arms=[priced], machine_usd_per_hour=0.4), "en")
    assert (view.arms[0].usd_per_1k, view.arms[0].fit_cost) == ("$0.0042", "$0")
    assert view.arms[0].per_row == "unknown"
    assert view.price_note == ""


def test_arms_with_the_same_title_get_their_model_named():
    first, second = (
        arm.model_copy(update={"title": make_arms()[2].title, "model": model})
        for arm, model in zip(make_arms()[2:4], ("small", "large"))
    )
    labels = [arm.label for arm in build_view(make_result(arms=[first, second]), "en").arms]
    assert labels == ["prompt, constrained · small", "prompt, constrained · large"]
    twins = [first, second.model_copy(update={"model": "small"})]
    labels = [arm.label for arm in build_view(make_result(arms=twins), "en").arms]
    assert len(set(labels)) == 2


def test_arms_without_a_language_model_have_no_tokens_to_count():
    arms = [arm.model_copy(update={"cost": ArmCost(prompt_tokens_per_row=0.0)}) for arm in make_arms()[1:3]]
    tokens = {arm.arm_id: arm.tokens_in for arm in build_view(make_result(arms=arms), "en").arms}
    assert tokens == {"nearest": "–", "prompt:a1": "0"}


def test_limits_are_sentences(result):
    said = {lang: build_view(result, lang).data.task[3].value.replace("\u00a0", " ") for lang in get_args(Lang)}
    assert said == {
        "en": "rows stay on this machine; 95 % of rows answered within 250 ms; quality at least 80.0 %",
        "zh": "数据不出本机；95% 的数据须在 250 ms 内答完；质量不低于 80.0%",
    }


def test_rows_without_a_score_are_counted_by_reason(result):
    arms = {arm.arm_id: arm.unscored for arm in build_view(result, "en").arms}
    assert arms["fewshot:b1"] == "test: 2 failed, 1 over the context"
    assert arms["head:c1"] == ""
    assert build_view(result, "zh").arms[2].unscored == "测试集：2 条失败，1 条超出上下文"


def test_an_answer_without_a_score_is_not_wrong(result):
    answers = build_view(result, "en").disagreements[0].answers
    assert [(answer.mark, answer.text) for answer in answers] == [
        ("right", "transaction_charged_twice"),
        ("wrong", "card_payment_fee"),
        ("none", "no answer"),
    ]
    assert build_view(result, "en").disagreements[1].answers[2].mark_word == "40\u00a0%"


def test_long_rows_are_cut_and_many_rows_are_capped(result):
    row = result.disagreements[6].model_copy(update={"text": "长" * 1_000_000})
    view = build_view(make_result(disagreements=[row] * 100), "zh")
    assert len(view.disagreements) == MAX_ROWS
    assert len(view.disagreements[0].text) < 1300


def test_classes_are_worst_first_by_the_recommended_arm():
    rows = [
        ClassRow(label="good", n_rows=5, recall={"head:c1": 0.9, "lora:d1": 0.1}),
        ClassRow(label="bad", n_rows=5, recall={"head:c1": 0.2}),
        ClassRow(label="odd", n_rows=5, recall={"lora:d1": math.nan}),
    ]
    table = build_view(make_result(classes=rows), "en").classes
    assert [row.label for row in table.rows] == ["bad", "good", "odd"]
    assert table.arms == ("head on MiniLM embeddings", "LoRA, rank 16")
    assert [(cell.text, cell.error) for cell in table.rows[0].cells] == [("20\u00a0%", 80), ("unknown", None)]
    assert table.rows[2].cells[1].error is None


def test_seed_rows_lead_with_what_was_overturned(result):
    assert [item.rules[0][0] for item in build_view(result, "en").seed] == ["Y1", "N3", "Q1"]


def test_seed_rows_with_one_reason_are_one_entry_and_say_their_rule():
    why = Text(en="Measured.", zh="实测如此。")
    rows = [SeedFinding(row=row, finding="open", why=why) for row in ("N3", "A3", "Z9")]
    (entry,) = build_view(make_result(decision=make_decision(seed_rows=rows)), "en").seed
    assert entry.rules == (("N3", table("rules")["N3"].en), ("A3", table("rules")["A3"].en), ("Z9", ""))


TUNED_FIRST = ("lora:d1", "head:c1")


@pytest.mark.parametrize(
    ("verdict", "pair", "low", "high", "answer", "key"),
    [
        ("fine_tune", TUNED_FIRST, 0.01, 0.05, "better", "gain"),
        ("fine_tune", TUNED_FIRST[::-1], -0.05, -0.01, "worse", "gain"),
        ("fine_tune", TUNED_FIRST, -0.01, 0.01, "equivalent", "limits"),
        ("dont_fine_tune", TUNED_FIRST, 0.01, 0.05, "better", "limits"),
        ("dont_fine_tune", TUNED_FIRST, -0.05, -0.01, "worse", "no_gain"),
        ("dont_fine_tune", TUNED_FIRST, -0.01, 0.01, "equivalent", "no_gain"),
        ("dont_fine_tune", TUNED_FIRST, -0.06, 0.015, "cant_tell", "no_gain"),
        ("dont_fine_tune", TUNED_FIRST[::-1], -0.015, 0.06, "cant_tell", "no_gain"),
        ("dont_fine_tune", TUNED_FIRST, -0.01, 0.06, "cant_tell", "limits"),
        ("cant_tell", TUNED_FIRST, -0.01, 0.06, "cant_tell", "open"),
        ("not_yet", TUNED_FIRST, -0.06, 0.01, "cant_tell", "forecast"),
        ("none_meets_limits", TUNED_FIRST, 0.01, 0.05, "better", "limits"),
        ("cant_tell", ("head:c1", "fewshot:b1"), 0.01, 0.05, "better", "not_tuned"),
    ],
)
def test_how_sure_speaks_of_the_verdict_and_not_of_the_pair_alone(verdict, pair, low, high, answer, key):
    pairs = [comparison(*pair, (low + high) / 2, low, high, answer)]
    view = build_view(make_result(comparisons=pairs, decision=make_decision(verdict=verdict)), "en")
    assert view.verdict.facts[2].value == table("verdict_page.certainty")[key].en


def test_where_money_decides_the_comparison_does_not_say_how_sure():
    pairs = [comparison("lora:d1", "fewshot:b1", 0.0, -0.01, 0.01, "equivalent")]
    decision = make_decision(verdict="fine_tune", codes=["pays.saves"])
    view = build_view(make_result(comparisons=pairs, decision=decision), "zh")
    assert view.verdict.facts[2].value == "由费用决定，把握不低于 90%"


def test_the_decision_may_name_its_comparison(result):
    named = make_decision(decided_by=("fewshot:b1", "lora:d1"))
    main = decisive(make_result(decision=named))
    assert main is not None
    assert {main.a, main.b} == {"fewshot:b1", "lora:d1"}


def test_chinese_view_has_no_english_sentence(result):
    """Three English words in a row are a sentence; names, commands, code and rows of data are not ours."""
    view = asdict(build_view(result, "zh"))
    for data in ("disagreements", "classes", "skipped", "record", "title"):
        view.pop(data)
    view["data"]["task"] = ()
    for arm in view["arms"]:
        arm.pop("config")
    english = [text for text in strings(view) if re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", text)]
    assert english == []


def test_english_view_has_no_chinese(result):
    view = asdict(build_view(result, "en"))
    for data in ("disagreements", "classes", "title", "data", "record"):
        view.pop(data)
    assert [text for text in strings(view) if HAN.search(text)] == []


@pytest.mark.parametrize(("n_rows", "shown"), [(2, "10\u00a0ms"), (20, "10\u00a0ms / 30\u00a0ms")])
def test_a_percentile_of_a_few_single_rows_is_not_shown(n_rows, shown):
    cost = ArmCost(fit_seconds=1.0, latency_p50_ms=10.0, latency_p95_ms=30.0, latency_rows=n_rows)
    [arm] = [one.model_copy(update={"cost": cost}) for one in make_arms()[:1]]
    assert _alone(arm).to("en") == shown


@pytest.mark.parametrize(("high", "place"), [(0.02, "reasons"), (-0.02, "doubts")])
def test_the_newest_rows_are_told_and_are_a_doubt_where_they_are_surely_worse(result, high, place):
    newest = NewestScore(
        arm_id=result.decision.recommended,
        since=date(2026, 5, 1),
        newest=score(0.7, 0.1, 30),
        older=score(0.8, 0.05, 270),
        difference=Interval(low=-0.2, high=high),
    )
    with_it = result.model_copy(update={"newest": [newest]})
    for lang in get_args(Lang):
        told = getattr(build_view(with_it, lang).verdict, place)[-1]
        assert "2026-05-01" in told
        assert "70.0" in told
        assert len(getattr(build_view(result, lang).verdict, place)) + 1 == len(
            getattr(build_view(with_it, lang).verdict, place)
        )
