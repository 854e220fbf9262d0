"""What a plan says of arms and budgets, in both languages."""

from __future__ import annotations

from tuneworth.core.plan import Prospect
from tuneworth.core.text import Text
from tuneworth.words import numbers

_PROSPECTS: dict[Prospect, Text] = {
    "too_slow": Text(
        en="as a finalist it would take more than a quarter of the budget; a larger --budget measures it",
        zh="速度太慢，若入围会占去四分之一以上的预算；加大 --budget 即可测量",
    ),
    "no_time": Text(
        en="the budget would be spent before its turn; a larger --budget measures it",
        zh="轮到它之前预算就会用完；加大 --budget 即可测量",
    ),
}


def named(title: Text, model: str | None) -> Text:
    """An arm's title, with its model where there are several."""
    return title if model is None else Text(en=f"{title.en}, {model}", zh=f"{title.zh}，{model}")


def prospect(kind: Prospect, training_share: float | None, n_rows: int) -> Text | None:
    """Why an arm is not measured in full; ``None`` for one that is."""
    if kind == "in_part":
        return Text(
            en=f"unless others fall behind, the budget ends after {n_rows} of its dev rows; a larger --budget measures it in full",
            zh=f"除非其他方案落后，预算只够测它的前 {n_rows} 条开发集；加大 --budget 即可测完",
        )
    if kind == "cut" and training_share is not None:
        share = max(1, round(100 * training_share))
        return Text(
            en=f"the budget reaches for about {share} % of its training; a larger --budget trains it to the end",
            zh=f"预算大约只够完成训练的 {share}%；加大 --budget 即可训练完整",
        )
    return _PROSPECTS.get(kind)


def too_small_for_one(budget_seconds: float, enough: float | None) -> Text:
    have, would_do = _durations(budget_seconds), _would_do(enough)
    return Text(
        en=f"A budget of {have.en} is too small to measure a single arm within it; {would_do.en}. The run would say that it cannot tell.",
        zh=f"预算只有 {have.zh}，连一个方案都测不完；{would_do.zh}。按现在的预算，结论只能是“无法判断”。",
    )


def too_small_for_training(budget_seconds: float, enough: float | None) -> Text:
    have, would_do = _durations(budget_seconds), _would_do(enough)
    return Text(
        en=f"A budget of {have.en} does not reach for a training; {would_do.en}. Without one the run cannot tell whether "
        "fine-tuning pays.",
        zh=f"预算只有 {have.zh}，来不及微调；{would_do.zh}。不微调就无法判断微调是否值得。",
    )


def _would_do(enough: float | None) -> Text:
    if enough is None:
        return Text(en="not even a day would do", zh="给一整天也不够")
    option = as_option(enough)
    return Text(en=f"about {option} would do (--budget {option})", zh=f"大约需要 {option}（--budget {option}）")


def as_option(seconds: float) -> str:
    """Seconds as ``--budget`` takes them: ``50s``, ``12m``, ``1h30m``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")


def _durations(seconds: float) -> Text:
    return Text(en=numbers.duration(seconds).to("en"), zh=numbers.duration(seconds).to("zh"))
