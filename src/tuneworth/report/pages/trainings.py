"""An arm that was trained more than once: how much its scores depend on the seed."""

from __future__ import annotations

from tuneworth.core.run import ArmResult
from tuneworth.core.text import Lang, Text
from tuneworth.words import numbers


def scores(arm: ArmResult, metric: str) -> list[float]:
    """Test scores of every training, the one handed over first; empty where there was only one."""
    first = arm.test.get(metric)
    known = [score.value for score in (first, *arm.repeats) if score is not None and numbers.is_known(score.value)]
    return known if first is not None and len(known) > 1 else []


def in_short(arm: ArmResult, metric: str, lang: Lang) -> str:
    """``3 trainings: 84.9–86.3``; empty for one training."""
    found = scores(arm, metric)
    if not found:
        return ""
    between = f"{100 * min(found):.1f}–{100 * max(found):.1f}"
    return Text(en=f"{len(found)} trainings: {between}", zh=f"{len(found)} 次训练：{between}").to(lang)


def in_full(arm: ArmResult, metric: str, lang: Lang) -> str:
    """Every score and how far they are apart; empty for one training."""
    found = scores(arm, metric)
    if not found:
        return ""
    each = ("、" if lang == "zh" else ", ").join(numbers.percent(score).to(lang) for score in found)
    apart = numbers.points(max(found) - min(found)).to(lang)
    return Text(
        en=f"Trained {len(found)} times with different seeds: {each} on the test rows, {apart} apart. "
        "The model handed over is the first.",
        zh=f"换随机种子训练了 {len(found)} 次，测试集得分为 {each}，相差 {apart}；交付的是第一次训练出的模型。",
    ).to(lang)
