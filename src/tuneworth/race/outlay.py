"""What a run would pay to services, before anything is sent: calls, tokens and dollars of each arm, and where rows would go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from tuneworth.core.outcome import Usage
from tuneworth.core.plan import Outlay
from tuneworth.core.text import Text
from tuneworth.models.api.batches import LEAST_ROWS
from tuneworth.models.base import is_metered
from tuneworth.race.arms import Arm, Plan, kind_of, training_sizes
from tuneworth.race.estimate import Estimator
from tuneworth.race.prepare import Ready, max_new_tokens
from tuneworth.race.privacy import destinations_of
from tuneworth.race.runner import LATENCY_ROWS, LIMITED_ROWS
from tuneworth.race.schedule.board import FIRST_ROWS
from tuneworth.words import numbers
from tuneworth.words.names import hosts_named
from tuneworth.words.say import say

ROUGHLY = 1.3
"""Nobody but the service has its tokenizer: prompts may have so many times the tokens that were estimated."""
MOST_FINALISTS = 3
SINGLES = 4
"""Calls of an arm asked in batches that go by themselves all the same, beside rows asked alone: the first of a stage, and one to warm up."""


def outlays(ready: Ready, plan: Plan, estimator: Estimator, dev_rows: Mapping[str, int]) -> dict[str, Outlay]:
    """Arm id → what it is expected to take, of arms whose model is paid for by call.

    Args:
        dev_rows: arm id → dev rows that a race gives it in which all arms turn out equally good.
    """
    return {
        arm.arm_id: _outlay(ready, arm, estimator, min(FIRST_ROWS, dev_rows.get(arm.arm_id, 0)))
        for arm in plan.arms
        if arm.is_metered
    }


def _outlay(ready: Ready, arm: Arm, estimator: Estimator, n_least: int) -> Outlay:
    assert arm.model is not None
    n_train, n_dev, _ = ready.n_rows
    n_fit = estimator.asked_in_fit(arm.arm_id) if n_least else 0
    n_least += n_fit
    n_most = n_fit + n_dev * len(training_sizes(arm, n_train)) + _final_rows(ready, arm)
    counted = estimator.usage(arm.arm_id, cached=True)
    n_written = counted.completion_tokens - counted.reasoning_tokens
    least = counted.model_copy(update={"completion_tokens": n_written, "reasoning_tokens": 0})
    longest = max(n_written, max_new_tokens(ready.models, ready.split.train)) + arm.room_to_think
    most = Usage(prompt_tokens=round(ROUGHLY * counted.prompt_tokens), completion_tokens=longest)
    usd, batch = None, arm.is_batched
    if arm.price is not None:
        single = n_alone(ready) + SINGLES if batch else 0
        dearest = (n_most - single) * arm.price.usd(most, batch=batch) + single * arm.price.usd(most)
        usd = (n_least * arm.price.usd(least, batch=batch), dearest)
    address = str(arm.model.describe().get("address", ""))
    return Outlay(
        host=urlsplit(address).hostname or "",
        calls=(n_least, n_most),
        tokens=(n_least * _tokens(least), n_most * _tokens(most)),
        usd=usd,
        thinking=arm.room_to_think,
    )


def n_alone(ready: Ready) -> int:
    """Rows that a finalist is asked one at a time."""
    return LATENCY_ROWS if ready.task.limits.p95_ms is None else LIMITED_ROWS


def _final_rows(ready: Ready, arm: Arm) -> int:
    """Rows that a finalist is asked at most: the test rows, rows alone, and some of all again."""
    _, n_dev, n_test = ready.n_rows
    repeats = ready.task_file.repeats
    steady = arm.model is None or arm.model.capabilities.deterministic
    again = 0 if steady else (repeats.answers - 1) * (min(repeats.rows, n_dev) + min(repeats.rows, n_test))
    return n_test + n_alone(ready) + 1 + again


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.completion_tokens


def lines(ready: Ready, arms: Sequence[Arm], found: Mapping[str, Outlay], titles: Mapping[str, Text]) -> list[Text]:
    """One for each arm, one for all of them, and one that says where rows would go; none when no model is paid for."""
    if not found:
        return []
    told = [_line(titles[arm_id], outlay) for arm_id, outlay in found.items()]
    told.append(_line(say("plan.outlay.all"), _all(ready, arms, found), capped=ready.task_file.budget_usd))
    destinations = destinations_of(ready.models, ready.shelf)
    goes = say("plan.outlay.stays") if not destinations else say("plan.outlay.goes", where=hosts_named(destinations))
    return [*told, *([_batches(ready)] if ready.task_file.batch else []), goes]


def _batches(ready: Ready) -> Text:
    """What batches mean for time and money, and which models have no price of their own for them."""
    unknown = [model.id for model in ready.models if is_metered(model) and model.price and model.price.batch is None]
    same = say("plan.outlay.batch_same", models=", ".join(unknown)) if unknown else ""
    return say("plan.outlay.batch", least=LEAST_ROWS, n=n_alone(ready), same=same)


def _all(ready: Ready, arms: Sequence[Arm], found: Mapping[str, Outlay]) -> Outlay:
    """All arms on the dev rows, and the dearest of them as finalists; of arms that ask alike the one that asks most."""
    paid = sorted((arm for arm in arms if arm.arm_id in found), key=lambda arm: found[arm.arm_id].calls)
    asking = {kind_of(arm) if arm.strategy.asks_alike else arm.arm_id: arm for arm in paid}.values()
    finals_share = {arm.arm_id: _final_rows(ready, arm) / found[arm.arm_id].calls[1] for arm in asking}
    found = {arm_id: found[arm_id] for arm_id in finals_share}

    def most(of: Mapping[str, float]) -> float:
        finals = sorted((of[arm_id] * finals_share[arm_id] for arm_id in of), reverse=True)
        return sum(of.values()) - sum(finals[MOST_FINALISTS:])

    every = list(found.values())
    usd = None
    if all(outlay.usd is not None for outlay in every):
        low = sum(outlay.usd[0] for outlay in every if outlay.usd is not None)
        usd = (low, most({arm_id: outlay.usd[1] for arm_id, outlay in found.items() if outlay.usd is not None}))
    calls = most({arm_id: outlay.calls[1] for arm_id, outlay in found.items()})
    tokens = most({arm_id: outlay.tokens[1] for arm_id, outlay in found.items()})
    return Outlay(
        host="",
        calls=(sum(outlay.calls[0] for outlay in every), round(calls)),
        tokens=(sum(outlay.tokens[0] for outlay in every), round(tokens)),
        usd=usd,
    )


def _line(title: Text, outlay: Outlay, capped: float | None = None) -> Text:
    usd = say("plan.outlay.unknown")
    if outlay.usd is not None:
        usd = say("plan.outlay.between", low=_about(outlay.usd[0]), high=_about(outlay.usd[1]))
    cap = "" if capped is None else say("plan.outlay.cap", usd=numbers.usd_sign(capped))
    calls, tokens = (
        say("plan.outlay.between", low=numbers.about(low), high=numbers.about(high))
        for low, high in (outlay.calls, outlay.tokens)
    )
    host = say("plan.outlay.to", host=outlay.host) if outlay.host else ""
    thinks = say("plan.outlay.thinks", most=numbers.count(outlay.thinking)) if outlay.thinking else ""
    return say("plan.outlay.line", title=title, calls=calls, tokens=tokens, thinks=thinks, usd=usd, host=host, cap=cap)


def _about(usd: float) -> Text:
    """With the sign in both languages."""
    return numbers.plain(numbers.about_usd(usd).en)
