"""The advice in a sentence. It is a prior and says so; only a measured gain speaks plainly."""

from __future__ import annotations

from tuneworth.advisor.approaches import TUNED, in_sentence
from tuneworth.advisor.conditions import Values
from tuneworth.advisor.ranking import NEAR, Outcome, outcome, scores_of
from tuneworth.advisor.rules import MEASURED_WEIGHT, Rule
from tuneworth.advisor.words import fill
from tuneworth.core.advice import RankedApproach
from tuneworth.core.text import Text


def headline(values: Values, rules: list[Rule], ranked: list[RankedApproach], found: Outcome) -> Text:
    """The advice in a sentence or two.

    Args:
        rules: those that fired.
        ranked: the ranking they make, best first.
        found: what the ranking comes to.
    """
    if found.expected is None:
        return Text(
            "Nothing known so far speaks for any approach. Start with a prompt, collect rows, and measure.",
            "就目前所知，还没有理由偏向任何方案。先从提示词做起，积累数据，再做实测。",
        )
    measured = next((rule for rule in rules if rule.weight == MEASURED_WEIGHT), None)
    if measured is not None:
        return _measured(values, measured, in_sentence(found.expected))
    rival = _rival(ranked, found)
    if rival is not None:
        return _close(in_sentence(found.expected), in_sentence(rival.approach))
    sentence = _prior(found, in_sentence(found.expected))
    if not _rests_on_row_count(values, rules, found):
        return sentence
    return Text(
        f"{sentence.en} This rests on the number of rows alone, and no count settles that for every task.",
        f"{sentence.zh}不过这只是看数据条数得出的，而条数的门槛因任务而异。",
    )


def _measured(values: Values, rule: Rule, title: Text) -> Text:
    if rule.stance == "for":
        text = Text(
            f"Measured: fine-tuning gains {{gain_interval}}. Use {title.en}.",
            f"实测结论：微调增益为 {{gain_interval}}，建议采用{title.zh}。",
        )
    else:
        text = Text(
            f"Measured: fine-tuning gains {{measured_gain_high}} at most, within the margin. Use {title.en}.",
            f"实测结论：微调增益最多 {{measured_gain_high}}，没有超出界限，建议采用{title.zh}。",
        )
    return fill(text, values)


def _rival(ranked: list[RankedApproach], found: Outcome) -> RankedApproach | None:
    """The best approach of the other camp, tuned or not, if it is near."""
    others = (item for item in ranked if (item.approach in TUNED) != found.fine_tune and item.ruled_out is None)
    rival = next(others, None)
    return rival if rival is not None and ranked[0].score - rival.score < NEAR else None


def _close(first: Text, second: Text) -> Text:
    return Text(
        f"A close call by rules of thumb: {first.en} just ahead of {second.en}. Only a measurement can tell.",
        f"仅凭经验难分高下：{first.zh}略优于{second.zh}，要实测才能定。",
    )


def _prior(found: Outcome, title: Text) -> Text:
    if found.fine_tune:
        return Text(
            f"By rules of thumb, before any measurement: {title.en} is expected to win, so fine-tuning is worth measuring.",
            f"尚未实测，按经验预计{title.zh}胜出，微调值得一测。",
        )
    return Text(
        f"By rules of thumb, before any measurement: {title.en} is expected to win; fine-tuning is not expected to pay.",
        f"尚未实测，按经验预计{title.zh}胜出，微调大概不划算。",
    )


def _rests_on_row_count(values: Values, rules: list[Rule], found: Outcome) -> bool:
    """Whether the advice would turn without the rules about how many rows there are (X4)."""
    others = [rule for rule in rules if "X4" not in rule.seed_rows]
    if len(others) == len(rules):
        return False
    without = outcome(values, scores_of(others))
    return without.expected is None or without.fine_tune != found.fine_tune
