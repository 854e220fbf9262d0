"""How a learning curve is told and drawn: what more rows would change, and what cannot be told."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, get_args

import pytest
from report_race_samples import lora_forecast, make_band, make_crossing, make_forecasts, make_points, raced_result
from report_samples import comparison, make_decision, make_result

from tuneworth.core.race import CannotTellReason, CrossingStatus, Forecast
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.charts.forecast import forecast_charts
from tuneworth.report.pages.forecast import CurveView, ForecastSection
from tuneworth.report.view import build_view


def section(result: RunResult, lang: Lang = "en") -> ForecastSection:
    found = build_view(result, lang).forecasts
    assert found is not None
    return found


def main(lang: Lang = "en", *, crossing: dict[str, Any] | None = None, **changes: Any) -> CurveView:
    """The curve of LoRA, with a crossing as given."""
    values = {"forecasts": [lora_forecast(crossing=make_crossing(**(crossing or {})), **changes)]}
    found = section(raced_result(**values), lang).main
    assert found is not None
    return found


def test_the_question_is_answered_with_rows_and_an_interval():
    assert main().answer == (
        "About 32,000 more labelled rows would put “LoRA, rank 16” ahead of “head on MiniLM embeddings” by the margin of "
        "2 points (80\u00a0% interval: 8,400 to 95,000 more)."
    )
    assert main("zh").answer == (
        "再标注约 32,000 条训练数据，“LoRA（秩 16）”预计能比“MiniLM 向量 + 分类头”高出 2 个百分点（界限）。"
        "80% 区间：再补 8,400 到 95,000 条。"
    )


@pytest.mark.parametrize(
    ("crossing", "en", "zh"),
    [
        (
            {"high": None},
            "interval: 8,400 more to beyond what was looked at)",
            "80% 区间：至少再补 8,400 条，上限超出推算范围。",
        ),
        (
            {"high": None, "low": 700},
            "interval: none to beyond what was looked at)",
            "80% 区间：也可能不必再补，上限超出推算范围。",
        ),
        ({"low": 700}, "80\u00a0% interval: 0 to 95,000 more", "再补 0 到 95,000 条"),
        ({"n": 830, "low": 400}, "It is close: by its curve", "很接近：从曲线看"),
        ({"status": "already", "n": None}, "None: with 1,000 training rows", "不必再补"),
        ({"status": "not_within", "n": None, "probability": 0.04}, "(a chance of 4\u00a0%)", "（可能性约 4%）"),
        (
            {"status": "not_within", "n": None, "probability": None},
            "More rows alone would hardly do: even with 100,000 training rows",
            "光靠补数据恐怕不够：即使有 100,000 条训练数据",
        ),
        (
            {"status": "cannot_tell", "n": None, "probability": 0.31},
            "with up to 100,000 training rows is too uncertain (a chance of 31\u00a0%)",
            "增加到 100,000 条训练数据，“LoRA（秩 16）”能否",
        ),
        ({"status": "forecast", "n": None}, "It cannot be told", "无法判断"),
    ],
)
def test_every_outcome_is_told(crossing, en, zh):
    assert en in main(crossing=crossing).answer
    assert zh in main("zh", crossing=crossing).answer


def fine_tuned(low: float, high: float, answer: Any, **changes: Any) -> RunResult:
    """A run whose verdict is to tune, with the curve as it is and this comparison on the test rows."""
    curve = lora_forecast(crossing=make_crossing(**changes))
    assert curve.target is not None
    pair = comparison(curve.target, curve.arm_id, (low + high) / 2, low, high, answer)
    decision = make_decision(verdict="fine_tune", recommended=curve.arm_id, decided_by=(curve.arm_id, curve.target))
    return raced_result(forecasts=[curve], decision=decision, comparisons=[pair])


@pytest.mark.parametrize("status", ["forecast", "not_within", "cannot_tell"])
def test_a_gain_on_the_test_rows_is_not_contradicted_by_the_curve(status):
    result = fine_tuned(-0.09, -0.03, "worse", status=status)
    found = section(result)
    assert found.answer.startswith("On the test rows “LoRA, rank 16” is ahead already.")
    assert found.main is not None
    assert not any("these rows cost" in note for note in found.main.notes)
    unsure = result.decision.model_copy(update={"verdict": "cant_tell"})
    assert "ahead already" not in section(result.model_copy(update={"decision": unsure})).answer


def test_an_arm_that_won_by_the_limits_alone_is_not_said_to_be_ahead():
    """The verdict is to tune although the tuned arm is behind: the other breaks a limit."""
    assert "ahead already" not in section(fine_tuned(0.05, 0.13, "better")).answer
    assert "ahead already" not in section(fine_tuned(-0.02, 0.03, "cant_tell")).answer


def test_ahead_on_dev_and_test_rows_is_told_by_the_curve():
    assert section(fine_tuned(-0.09, -0.03, "worse", status="already", n=None)).answer.startswith("None: with 1,000")


def test_how_far_was_looked_is_not_told_in_multiples_of_the_rows_at_hand():
    """It is a hundred times the largest size trained on, which may be a part of them."""
    for status in ("not_within", "cannot_tell"):
        for lang in get_args(Lang):
            told = main(lang, crossing={"status": status, "n": None, "probability": 0.2}).answer
            assert "100 times" not in told
            assert "100 倍" not in told


def test_rows_at_hand_that_were_not_trained_on_count_before_new_labels():
    points = make_points([62, 125, 250, 500], [0.31, 0.47, 0.61, 0.70], [32, 64, 128, 200])
    answer = main(crossing={"n": 840, "low": 500}, points=points).answer
    assert answer.startswith("No more labelled rows, by its curve:")
    assert "at most 500 of the 1,000 rows at hand" in answer


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("reason", get_args(CannotTellReason))
def test_why_nothing_can_be_told(reason, lang):
    curve = main(lang, crossing={"status": "cannot_tell", "n": None}, cannot_tell=reason, band=[])
    assert curve.answer.startswith({"en": "It cannot be told", "zh": "无法判断"}[lang])
    assert {"en": "LoRA, rank 16", "zh": "LoRA（秩 16）"}[lang] in curve.answer


def test_an_arm_may_be_ahead_already_although_its_curve_cannot_be_told():
    curve = main(crossing={"status": "already", "n": None}, cannot_tell="no_trend", band=[])
    assert curve.answer.startswith("None: with 1,000 training rows")


@pytest.mark.parametrize(
    ("price", "crossing", "words"),
    [
        (0.05, {}, "At $0.05 a label, these rows cost about $1,600 ($420 to $4,800)."),
        (0.05, {"high": None}, "about $1,600 (from $420 upwards)"),
        (0.0, {}, "At $0 a label, these rows cost about $0 ($0 to $0)."),
    ],
)
def test_labels_have_their_price(price, crossing, words):
    forecasts = [lora_forecast(crossing=make_crossing(**crossing))]
    found = section(raced_result(forecasts=forecasts, usd_per_label=price)).main
    assert found is not None
    assert words in found.notes[0]


@pytest.mark.parametrize(
    ("price", "crossing"),
    [(None, {}), (0.05, {"status": "not_within", "n": None}), (0.05, {"n": 830}), (0.05, {"status": "already"})],
)
def test_no_price_is_told_without_a_number_of_rows_to_buy(price, crossing):
    forecasts = [lora_forecast(crossing=make_crossing(**crossing))]
    found = section(raced_result(forecasts=forecasts, usd_per_label=price)).main
    assert found is not None
    assert not any("$" in note for note in found.notes)


@pytest.mark.parametrize(("grows", "words"), [(True, "takes that into account"), (False, "is taken to stay as it is")])
def test_a_target_that_learns_too_is_told_as_it_was_reckoned(grows, words):
    forecasts = [*make_forecasts()[:2], lora_forecast(target_grows=grows)]
    found = section(raced_result(forecasts=forecasts, usd_per_label=None)).main
    assert found is not None
    assert [words in note for note in found.notes] == [True]
    assert bool(found.target_line) is grows


def test_a_moving_target_has_its_measured_score_at_its_largest_size():
    found = section(raced_result()).main
    assert found is not None
    near = min(found.target_line, key=lambda at: abs(math.log(at[0] / 1000)))
    assert near[1] == pytest.approx(87.1, abs=0.3)


def test_tuned_arms_come_first_and_few_shot_is_folded():
    found = section(raced_result())
    assert [curve.label for curve in found.open] == ["LoRA, rank 16", "head on MiniLM embeddings"]
    assert [curve.shots for curve in found.folded] == [True]
    assert found.rules == (("X4", "How many rows are enough?"),)
    assert len({curve.id for curve in found.curves}) == 3


def test_the_curve_of_the_decisive_arm_answers():
    other = lora_forecast(arm_id="lora:d3", points=make_points([62, 125], [0.8, 0.99], [32, 32]))
    found = section(raced_result(forecasts=[other, lora_forecast()]))
    assert found.main is not None
    assert found.main.label == "LoRA, rank 16"


def test_arms_without_anything_to_overtake_are_told_what_twice_as_much_gives():
    head, shots = (section(raced_result()).curves[index] for index in (1, 2))
    assert head.answer.startswith(
        "With twice as many training rows (2,000) “head on MiniLM embeddings” would score about 87."
    )
    assert shots.answer.startswith("With twice as many demonstrations (32)")
    assert [point.shown for point in shots.points] == [0, 4, 8, 16]
    assert section(raced_result(), "zh").curves[2].answer.startswith("增加一倍，用 32 条示例，")


def test_without_a_tuned_curve_the_report_says_that_it_cannot_tell():
    found = section(raced_result(forecasts=make_forecasts()[:2]))
    assert found.main is None
    assert found.rules == ()
    assert len(found.curves) == 2
    assert found.answer.endswith("cannot be told: no tuned arm was trained on several numbers of rows.")


def test_a_race_that_never_came_to_training_says_so():
    arms = [arm for arm in raced_result().arms if not (arm.tuned and arm.state == "measured")]
    found = section(raced_result(arms=arms, forecasts=[]), "zh")
    assert found.curves == ()
    assert found.answer == "再补多少数据会改变结论，无法判断：没有测到微调方案。"


def test_where_nothing_was_to_be_tuned_the_question_is_not_asked():
    arms = [arm for arm in raced_result().arms if not arm.tuned]
    assert section(raced_result(arms=arms, forecasts=make_forecasts()[:2])).answer == ""
    assert build_view(raced_result(arms=arms, forecasts=[]), "en").forecasts is None


def test_old_results_have_no_curves():
    view = build_view(make_result(), "en")
    assert view.forecasts is None
    assert forecast_charts(view) == ()


def charts(**changes: Any) -> list[dict[str, Any]]:
    return [asdict(chart) for chart in forecast_charts(build_view(raced_result(**changes), "en"))]


def named(chart: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in chart["data"] if trace.get("name") == name)


def test_the_chart_has_points_bands_target_and_crossing():
    lora, head, shots = charts()
    for name in ("95 % band", "80 % band", "forecast", "measured, 95 % interval", "overtakes, 80 % interval"):
        assert named(lora, name)
    goal = named(lora, "head on MiniLM embeddings + margin")
    score = named(lora, "head on MiniLM embeddings")
    assert {round(high - low, 6) for low, high in zip(score["y"], goal["y"])} == {2.0}
    crossing = named(lora, "overtakes, 80 % interval")
    assert crossing["x"] == [9420, 33104, 96300]
    near = min(zip(goal["x"], goal["y"]), key=lambda at: abs(math.log(at[0] / 33104)))
    assert crossing["y"][1] == pytest.approx(near[1], abs=0.2)
    assert "overtakes, 80 % interval" not in [trace.get("name") for trace in (*head["data"], *shots["data"])]
    assert named(lora, "measured, 95 % interval")["error_y"]["array"][0] > 0


def test_a_crossing_without_an_upper_end_points_beyond_the_page():
    (lora,) = charts(forecasts=[lora_forecast(crossing=make_crossing(high=None), target_grows=False)])
    crossing = named(lora, "overtakes, 80 % interval")
    assert crossing["marker"]["symbol"][-1] == "triangle-right"
    assert crossing["x"][-1] == pytest.approx(10 ** lora["layout"]["xaxis"]["range"][1])


def test_everything_drawn_lies_inside_the_axes():
    for chart in charts():
        low, high = chart["layout"]["xaxis"]["range"]
        bottom, top = chart["layout"]["yaxis"]["range"]
        for trace in chart["data"]:
            assert all(low <= math.log10(x) <= high for x in trace["x"])
            assert all(bottom <= y <= top for y in trace["y"])


def test_demonstrations_are_counted_from_none():
    axis = charts()[2]["layout"]["xaxis"]
    assert axis["ticktext"][:4] == ["0", "4", "8", "16"]
    assert axis["tickvals"][:4] == [1, 5, 9, 17]


def test_rows_have_plain_numbers():
    assert charts()[0]["layout"]["xaxis"]["ticktext"] == ["100", "1,000", "10,000", "100,000"]


def test_a_curve_that_cannot_be_told_is_drawn_as_measured():
    flat = lora_forecast(band=[], cannot_tell="no_trend", crossing=make_crossing(status="cannot_tell", n=None))
    (chart,) = charts(forecasts=[flat])
    assert "forecast" not in [trace.get("name") for trace in chart["data"]]
    assert len(named(chart, "measured, 95 % interval")["x"]) == 5


def test_a_band_with_a_hole_is_drawn_without_it():
    band = make_band(0.9, 3.0, 0.4, 62, 100_000, 1000)
    band[3] = band[3].model_copy(update={"high95": float("nan")})
    (chart,) = charts(forecasts=[lora_forecast(band=band, target_grows=False)])
    assert all(math.isfinite(y) for trace in chart["data"] for y in trace["y"])


def test_one_size_and_full_marks_can_be_drawn():
    one = Forecast(arm_id="head:c1", points=make_points([1000], [1.0], [200]), cannot_tell="too_few_sizes", margin=0.02)
    (chart,) = charts(forecasts=[one])
    low, high = chart["layout"]["xaxis"]["range"]
    assert low < 3 < high


def test_all_outcomes_are_known():
    assert set(get_args(CrossingStatus)) == {"already", "forecast", "not_within", "cannot_tell"}
