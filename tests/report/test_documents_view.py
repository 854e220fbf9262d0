"""Findings about documents as rows, sentences and charts: the figures are those stored, and what is unknown stays so."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from report_documents_samples import (
    LEADER,
    documents_result,
    loss,
    make_documents,
    make_losses,
    make_recalls,
    score,
    share,
)

from tuneworth.core.knowledge import Recall, UpdateCost
from tuneworth.core.record import Interval
from tuneworth.core.text import Lang
from tuneworth.report.charts import build_charts
from tuneworth.report.charts.figure import Chart
from tuneworth.report.pages.documents import DocumentsSection
from tuneworth.report.pages.documents_tables import FoundRow
from tuneworth.report.view import build_view


def section(lang: Lang = "en", **changes: Any) -> DocumentsSection:
    built = build_view(documents_result(documents=make_documents(**changes)), lang).documents
    assert built is not None
    return built


def told(row: FoundRow) -> dict[str, str]:
    return {name: cell.value for name, cell in row.cells.items()}


def chart(name: str, **changes: Any) -> Chart:
    view = build_view(documents_result(documents=make_documents(**changes)), "en")
    return next(chart for chart in build_charts(view) if chart.id == name)


def test_the_words_of_the_verdict_come_from_the_decision():
    built = section()
    assert built.answer == "Retrieval finds it, the model cannot read it: fine-tune the reader."
    assert [(rule.id, rule.finding) for rule in built.rules] == [("X3", "confirmed"), ("N2", "overturned")]


# -- loss -------------------------------------------------------------------------------------------------


def test_loss_is_told_with_its_intervals():
    built = section()
    assert built.lost == (
        "“LoRA + RAG, 5 passages” scores 61.1\u00a0% on 300 test rows. Of the 38.9 points it loses, "
        "36.3 (31.3–41.3) are lost in reading and 2.6 (1.3–4.6) in retrieval."
    )
    row = built.losses[0]
    assert (row.arm.arm_id, row.cells["shown_right"].value, row.cells["shown_right"].note) == (
        LEADER,
        "284 of 300",
        "300 test rows",
    )
    assert (row.cells["reading"].value, row.cells["reading"].interval) == ("36.3", "31.3–41.3")
    assert row.cells["oracle"].value == "–"


def test_parts_of_a_bar_add_up_to_the_whole():
    for row in section().losses:
        assert sum(row.parts) == pytest.approx(100)
    bars = [trace for trace in chart("loss").data if trace["type"] == "bar"]
    assert [sum(values) for values in zip(*(bar["x"] for bar in bars))] == pytest.approx([100, 100, 100])


def test_a_retrieval_loss_below_zero_is_told_as_none_and_kept_in_the_table():
    better = loss(LEADER, "test", 300, 280, 0.6, 0.65)
    built = section(losses=[better])
    assert "retrieval costs nothing that was measured" in built.lost
    row = built.losses[0]
    assert row.cells["retrieval"].value == "−0.3"
    assert row.cells["retrieval"].interval.startswith("−1.6 to ")
    assert row.parts[2] == pytest.approx(0, abs=1e-9)
    assert row.parts[0] + row.parts[1] == pytest.approx(100)


def test_what_nobody_saw_is_unknown():
    never = loss(
        LEADER,
        "test",
        300,
        0,
        1.0,
        0.1,
        reading=share(0.0, 1.0),
        retrieval=share(0.9, 1.0).model_copy(update={"interval": Interval(low=0.0, high=1.0)}),
    )
    built = section(losses=[never])
    assert "never shown" in built.lost
    row = built.losses[0]
    assert (row.cells["reading"].value, row.cells["retrieval"].value, row.cells["score_found"].value) == (
        "unknown",
        "unknown",
        "–",
    )
    names = {trace["name"]: trace["x"] for trace in chart("loss", losses=[never]).data}
    assert names["Lost, cause unknown"] == pytest.approx([90])
    assert names["Lost in reading"] == names["Lost in retrieval"] == [0.0]


def test_the_same_reader_with_the_gold_passage_is_marked_where_measured():
    marks = next(trace for trace in chart("loss").data if trace["type"] == "scatter")
    assert marks["y"] == [1, 2]
    assert marks["x"] == pytest.approx([44.2, 44.2])


def test_an_interval_of_other_rows_is_not_shown_beside_a_score():
    few = loss("rag:d1", "test", 250, 240, 0.326, 0.061)
    assert section(losses=[few]).losses[0].cells["score"].interval == ""
    assert section().losses[1].cells["score"].interval == "27.0–35.4"


# -- recall -----------------------------------------------------------------------------------------------


def test_recall_is_drawn_for_one_side_and_one_size_with_intervals():
    built = section()
    lines = chart("recall").data
    assert [line["name"] for line in lines] == [
        "hybrid search",
        "text search",
        "vector search",
        "hybrid search, reranked",
    ]
    assert lines[0]["y"] == pytest.approx([93.4, 97.1, 98.3, 99.1])
    assert lines[0]["error_y"]["arrayminus"] == pytest.approx([3, 3, 3, 3])
    assert lines[0]["x"] == pytest.approx([1, 3, 5, 10], rel=0.03)
    assert [row.chosen for row in built.recalls] == [True] + [False] * 9
    assert [row.stage for row in built.recalls] == ["test"] * 5 + ["dev"] * 5


def test_names_at_the_ends_of_lines_keep_apart():
    drawn = chart("recall")
    low, high = drawn.layout["yaxis"]["range"]
    pixels = sorted((high - note["y"]) * 320 / (high - low) - note["yshift"] for note in drawn.layout["annotations"])
    assert len(pixels) == 4
    assert all(b - a > 18.9 for a, b in pairwise(pixels))


def test_the_way_told_is_the_one_that_the_arm_searches():
    changed = [
        arm.model_copy(update={"config": {"mode": "vector", "passage_tokens": None, "rerank": False}})
        for arm in documents_result().arms
    ]
    built = build_view(documents_result(arms=changed), "en").documents
    assert built is not None
    assert built.found.startswith("With vector search, 78.3\u00a0% (75.3–81.3) of the gold passages come first")


@pytest.mark.parametrize("change", [{"mode": "text", "rerank": True}, {"passage_tokens": 512}])
def test_no_way_is_marked_where_the_one_of_the_arm_was_not_measured(change):
    arms = [arm.model_copy(update={"config": arm.config | change}) for arm in documents_result().arms]
    built = build_view(documents_result(arms=arms), "en").documents
    assert built is not None
    assert not any(row.chosen for row in built.recalls)
    assert built.found.startswith("With hybrid search")


@pytest.mark.parametrize(
    ("lang", "axis", "said"),
    [
        ("en", "rows whose answer was found, %", "of the rows have their answer in the first passage and"),
        ("zh", "找到答案的数据（%）", "的数据在第一个段落里有答案，"),
    ],
)
def test_by_answers_found_is_said(lang, axis, said):
    recalls = [recall.model_copy(update={"judge": "answer", "mrr": None, "ndcg": None}) for recall in make_recalls()]
    built = section(lang, recalls=recalls)
    assert built.axis == axis
    assert said in built.found
    assert not built.ranked
    assert built.recalls[0].mrr.value == "–"


def test_ranks_need_gold_passages():
    assert section().ranked
    assert section().recalls[0].ndcg.value == "96.4\u00a0%"


def test_one_place_alone_makes_a_sentence():
    one = Recall(stage="dev", mode="text", passage_tokens=256, judge="gold", at={5: score(0.5, 0.1, 40)})
    assert section(recalls=[one]).found == (
        "With text search, 50.0\u00a0% (40.0–60.0) of the gold passages come among the first 5 (40 dev rows)."
    )


# -- old and new, updates ---------------------------------------------------------------------------------


def test_old_and_new_knowledge_side_by_side():
    rows = {row.arm.arm_id: row for row in section().ages}
    assert (rows["lora:b1"].cells["old"].value, rows["lora:b1"].cells["new"].value) == ("40.2\u00a0%", "6.4\u00a0%")
    assert (rows["lora:b1"].cells["old"].note, rows["lora:b1"].cells["new"].note) == ("96 dev rows", "204 test rows")
    assert rows["rag:d2"].cells["new"].value == "–"
    assert "40.2 → 6.4" in chart("ages").readings
    assert "28.1 → –" in chart("ages").readings


def test_new_knowledge_is_told_for_one_arm_of_each_kind():
    assert section().renewed == (
        "On new knowledge: “LoRA + RAG, 5 passages” 61.1\u00a0% (57.1–65.1); “RAG, 5 passages” 31.2\u00a0% (27.2–35.2); "
        "“LoRA, rank 16” 6.4\u00a0% (2.4–10.4)."
    )


def test_an_update_in_time_and_money():
    rows = {row.arm.arm_id: told(row) for row in section().updates}
    assert rows["lora:b1"]["per_year"] == "9\u00a0h 25\u00a0min, $1.88"
    assert (rows["rag:d1"]["update_seconds"], rows["rag:d1"]["runs_per_year"]) == ("1.8\u00a0s", "91")
    assert [rows["rag:d2"][name] for name in ("update_seconds", "update_usd", "per_year")] == ["unknown"] * 3
    assert (rows["prompt:a1"]["update_seconds"], rows["prompt:a1"]["per_year"]) == ("–", "–")
    assert section().retrains


def test_how_often_is_unknown_unless_the_task_says():
    cost = UpdateCost(arm_id=LEADER, absorbs="index", seconds=2.0)
    built = section(updates=[cost], knowledge_every_days=None)
    assert built.often == ""
    row = told(built.updates[0])
    assert (row["runs_per_year"], row["per_year"]) == ("unknown", "unknown")
    assert not built.retrains


def test_a_year_of_known_time_and_unknown_money_says_both():
    cost = UpdateCost(arm_id=LEADER, absorbs="index", seconds=2.0, runs_per_year=0.5)
    assert told(section("zh", updates=[cost]).updates[0])["per_year"] == "1.0\u00a0秒，未知"
    assert told(section(updates=[cost]).updates[0])["runs_per_year"] == "0.5"


@pytest.mark.parametrize(
    ("lang", "seconds", "said"),
    [
        ("en", 2.0, "indexes the new passages in 2.0\u00a0s."),
        ("en", None, "indexes the new passages (time unknown)."),
        ("zh", 2.0, "更新索引，用时 2.0\u00a0秒。"),
        ("zh", None, "更新索引，用时未知。"),
    ],
)
def test_an_update_is_told_in_a_sentence_with_or_without_its_time(lang, seconds, said):
    cost = UpdateCost(arm_id=LEADER, absorbs="index", seconds=seconds)
    assert section(lang, updates=[cost]).updating.endswith(said)


def test_an_index_that_was_there_already_has_no_time_of_making():
    index = make_documents().index.model_copy(update={"seconds": None})
    facts = section(index=index).facts
    assert "unknown" not in [fact.value for fact in facts]
    assert len(facts) == len(section().facts) - 1


# -- grounding, order, rows -------------------------------------------------------------------------------


def test_grounding_says_what_was_checked_and_what_was_not_measured():
    by_arm = {row.arm.arm_id: row.cells for row in section().grounding}
    assert by_arm["rag:d1"]["supported"].note == "200 checked"
    assert by_arm[LEADER]["supported"].note == ""
    assert (by_arm[LEADER]["real"].value, by_arm[LEADER]["by_meaning"].value) == ("–", "–")
    (said,) = section().abstaining
    assert said.arm.arm_id == "rag:d1"
    assert [cell.note for cell in said.cells.values()] == ["", "9 of 12", "9 of 15"]


def test_rows_stand_in_the_order_of_the_report():
    built = section(losses=list(reversed(make_losses())))
    assert [row.arm.number for row in built.losses] == sorted(row.arm.number for row in built.losses)
    assert [row.arm.number for row in built.ages] == [1, 2, 3, 4, 5, 6]


def test_findings_of_arms_that_are_not_in_the_report_are_left_out():
    gone = loss("rag:gone", "dev", 20, 10, 0.5, 0.1)
    assert [row.arm.arm_id for row in section(losses=[gone]).losses] == []
