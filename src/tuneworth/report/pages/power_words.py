"""What the rows of a run can show, in a sentence."""

from __future__ import annotations

from tuneworth.core.race import Power
from tuneworth.core.text import Text
from tuneworth.words import numbers

CHANCE = 0.8
"""Probability with which the differences of ``Power`` are found."""


def power_sentence(power: Power) -> Text:
    """The smallest difference that the rows show, the rows that the margin takes, and what that assumes."""
    test, dev, margin = (
        _both(difference) for difference in (power.test_difference, power.dev_difference, power.margin)
    )
    return Text(
        en=f"What these rows can show: two arms that truly differ by {test.en} are told apart on the {power.n_test:,} test rows "
        f"with {numbers.percent(CHANCE, 0).to('en')} probability ({dev.en} on the {power.n_dev:,} dev rows). {_needed(power, margin).en} "
        f"This assumes that two arms differ on {numbers.percent(power.share_different, 0).to('en')} of the rows.",
        zh=f"这些数据能分辨多大的差异：两个方案若真实相差 {test.zh}，用 {power.n_test:,} 条测试数据有 "
        f"{numbers.percent(CHANCE, 0).to('zh')} 的把握分出高下（用 {power.n_dev:,} 条开发集数据则要相差 {dev.zh}）。"
        f"{_needed(power, margin).zh}这里假定两个方案在 {numbers.percent(power.share_different, 0).to('zh')} 的数据上表现不同。",
    )


def _needed(power: Power, margin: Text) -> Text:
    if power.rows_for_margin is None:
        return Text(
            en=f"A difference of the margin, {margin.en}, would take more than 100,000 test rows.",
            zh=f"要分辨一个界限（{margin.zh}）的差异，需要 100,000 条以上的测试数据。",
        )
    if power.rows_for_margin <= power.n_test:
        return Text(
            en=f"That includes a difference of the margin, {margin.en}.",
            zh=f"一个界限（{margin.zh}）的差异也能分辨出来。",
        )
    rows = numbers.about(power.rows_for_margin).to("en")
    return Text(
        en=f"A difference of the margin, {margin.en}, would take about {rows} test rows.",
        zh=f"要分辨一个界限（{margin.zh}）的差异，约需 {rows} 条测试数据。",
    )


def _both(difference: float) -> Text:
    return Text(en=numbers.points(difference).to("en"), zh=numbers.points(difference).to("zh"))
