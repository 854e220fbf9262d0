"""How sure the arms are, as a reader sees it."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from report_samples import make_result, score
from rich.console import Console

from tuneworth.core.calibration import ArmCalibration, Calibration, ReliabilityBin, SureEnough
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.charts.reliability import reliability_chart
from tuneworth.report.html import render_html
from tuneworth.report.pages.decisions import DecisionsSection
from tuneworth.report.terminal import summary
from tuneworth.report.view import build_view


def calibration(error: float, n_rows: int = 200) -> Calibration:
    bins = [
        ReliabilityBin(confidence=at, accuracy=max(0.0, at - error), n_rows=n_rows // 5)
        for at in (0.2, 0.4, 0.6, 0.8, 0.95)
    ]
    return Calibration(
        n_rows=n_rows,
        accuracy=score(0.8, 0.05, n_rows),
        confidence=0.8 + error,
        brier=Score(value=0.312, interval=Interval(low=0.27, high=0.36), n_rows=n_rows),
        error=error,
        error_interval=Interval(low=max(0.0, error - 0.03), high=error + 0.04),
        uncorrected_error=error + 0.02,
        bins=bins,
    )


def sure(share: float | None = 0.71, right: float | None = 0.953) -> SureEnough:
    return SureEnough(
        precision=0.95,
        n_dev=200,
        threshold=None if share is None else 0.834,
        share=None if share is None else score(share, 0.05, 300),
        right=None if right is None else score(right, 0.03, 213),
    )


def made(known: dict[str, ArmCalibration]) -> RunResult:
    result = make_result()
    arms = [arm.model_copy(update={"calibration": known.get(arm.arm_id)}) for arm in result.arms]
    return result.model_copy(update={"arms": arms})


FULL = {
    "prompt:a1": ArmCalibration(dev=calibration(0.214)),
    "head:c1": ArmCalibration(dev=calibration(0.05), test=calibration(0.031, 300), sure=sure()),
    "fewshot:b1": ArmCalibration(dev=calibration(0.3), test=calibration(0.288, 300), sure=sure(share=None, right=None)),
}


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def section(known: dict[str, ArmCalibration], lang: Lang = "en") -> DecisionsSection:
    found = build_view(made(known), lang).decisions
    assert found is not None
    return found


def test_a_run_without_probabilities_has_no_such_part() -> None:
    view = build_view(make_result(), "en")
    assert view.decisions is None
    assert reliability_chart(view) is None
    assert 'id="en-decisions"' not in render_html(make_result(), lang="en")


def test_the_table() -> None:
    rows = {row.arm.arm_id: row for row in section(FULL).rows}
    assert [row.arm.number for row in rows.values()] == sorted(row.arm.number for row in rows.values())
    head = rows["head:c1"]
    assert (head.rows, head.error, head.error_interval, head.brier) == ("test, 300", "3.1", "0.1–7.1", "0.312")
    assert plain(head.alone) == "71 % of the rows, 95.3 % (92.3–98.3) of them right"
    assert plain(head.alone_note) == "from a confidence of 83.4 % on"
    assert rows["prompt:a1"].rows == "dev, 200"
    assert rows["prompt:a1"].alone == "not on the test rows"
    assert plain(rows["fewshot:b1"].alone) == "none: 200 dev rows do not show 95 % right at any confidence"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (
            sure(),
            "sure enough for 71.0 % (66.0–76.0) of the test rows: of these it answered 95.3 % (92.3–98.3) right (95 %",
        ),
        (sure(share=0.0, right=None), "is sure enough for none of the test rows (95 % was asked for)"),
        (sure(share=None, right=None), "is never sure enough: its dev rows do not show 95 % right"),
    ],
)
def test_the_answer_is_that_of_the_recommended_arm(known: SureEnough, said: str) -> None:
    found = section({**FULL, "head:c1": FULL["head:c1"].model_copy(update={"sure": known})})
    assert said in plain(found.answer)
    assert found.answer.startswith("Head on MiniLM embeddings")
    assert section({"prompt:a1": FULL["prompt:a1"]}).answer == ""


def test_the_chart_draws_bins_as_they_are() -> None:
    chart = reliability_chart(build_view(made(FULL), "en"))
    assert chart is not None
    diagonal, *curves = chart.data
    assert diagonal["x"] == diagonal["y"] == [0, 100]
    assert len(curves) == 3
    assert curves[0]["x"] == pytest.approx([20, 40, 60, 80, 95])
    assert curves[0]["y"] == pytest.approx([16.9, 36.9, 56.9, 76.9, 91.9])
    assert "60 rows with a mean confidence of 20.0 %, 16.9 % right" in plain(curves[0]["hovertext"][0])
    assert "calibration error 3.1 points" in chart.alt


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            "head on MiniLM embeddings: Brier score 0.312, calibration error 3.1 points (test, 300), sure enough for 71 % of the rows"
            " at 95 % right, measured 95.3 % (92.3–98.3)",
        ),
        (
            "en",
            "few-shot, 16 nearest: Brier score 0.312, calibration error 28.8 points (test, 300), never sure enough for 95 % right",
        ),
        ("en", ": Brier score 0.312, calibration error 21.4 points (dev, 200)"),
        (
            "zh",
            "Brier 分数 0.312，校准误差 3.1 个百分点（测试集，300 条），要求 95% 正确时可独立回答 71% 的数据，实测 95.3%（92.3–98.3）",
        ),
    ],
)
def test_the_terminal_has_a_line_for_each_arm(lang: Lang, said: str) -> None:
    out = io.StringIO()
    Console(file=out, width=220).print(summary(made(FULL), lang))
    assert said in plain(out.getvalue())


@pytest.mark.parametrize("lang", get_args(Lang))
def test_both_languages_are_in_the_page(lang: Lang) -> None:
    page = render_html(made(FULL), lang=lang)
    for each in get_args(Lang):
        assert f'id="{each}-decisions"' in page
        assert f'id="{each}-chart-reliability"' in page
    assert "可独立回答" in page
