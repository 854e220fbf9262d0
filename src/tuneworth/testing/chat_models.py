"""Conformance of models behind an API: what they must do when all is well, and with every failure.

    from tuneworth.testing.chat_models import check_chat_model
    check_chat_model(lambda server: MyModel(server.address))

runs every check against a server on this machine; ``CHAT_CHECKS`` lets a test suite show them one by one. A check raises
``AssertionError`` with what was seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from tuneworth.core.task import Message
from tuneworth.errors import EnvironmentProblem, InputError, TuneworthError
from tuneworth.models.base import Completion, Constraint, Model, Request, is_metered
from tuneworth.testing.chat_server import (
    HUGE_CHARS,
    Asked,
    ChatServer,
    Fault,
    FaultRule,
    Support,
    always,
    at_first,
)

Opener = Callable[[ChatServer], Model]
LABELS = ("bug", "billing", "praise")
SYSTEM = Message("system", "Sort what the customer writes.")
KEY = "sk-not-to-be-seen"
PASSING: tuple[Fault, ...] = ("rate_limit", "server_error", "overloaded", "cut", "truncated", "html", "empty")


def sorts(asked: Asked) -> str:
    """What the row asks about, whatever was said since."""
    row = next(turn.content for turn in asked.messages if turn.role == "user")
    return next((label for label in LABELS if label in row), "nothing")


def asking(n: int, constraint: Constraint | None = None, **more: object) -> list[Request]:
    """Rows about the labels in turn."""
    return [
        Request((SYSTEM, Message("user", f"row {at} {LABELS[at % 3]}")), constraint, n_shared=1, **more)  # type: ignore[arg-type]
        for at in range(n)
    ]


def held(n: int, **more: object) -> list[Request]:
    return asking(n, Constraint(labels=LABELS), **more)


def _ask(model: Model, requests: Sequence[Request]) -> list[Completion]:
    return model.generate(requests, max_new_tokens=16)


def answers_come_in_order(open_: Opener) -> None:
    with ChatServer(latency_ms=5) as server:
        told = _ask(open_(server), asking(20))
    assert [done.text for done in told] == [request.messages[-1].content for request in asking(20)], told
    assert all(done.usage.prompt_tokens and done.usage.completion_tokens for done in told), told


def requests_are_under_way_side_by_side(open_: Opener) -> None:
    with ChatServer(latency_ms=50) as server:
        model, started = open_(server), time.perf_counter()
        told = _ask(model, asking(32))
        seconds = time.perf_counter() - started
    assert server.most_at_once >= 8, server.most_at_once
    assert abs(sum(done.latency_ms for done in told) / 1000 - seconds) < 0.2 * seconds, (
        "shares do not add up to the time"
    )


def answers_are_held_by_every_means(open_: Opener) -> None:
    by_one: tuple[tuple[Support, ...], ...] = (("strict",), ("tools",), ("json_mode",), ())
    for supports in by_one:
        with ChatServer(answer=sorts, supports=frozenset(supports)) as server:
            told = _ask(open_(server), held(6))
        assert [done.text for done in told] == [*LABELS, *LABELS], f"{supports}: {told}"
        assert all(done.usd is None or done.usd >= 0 for done in told)


def what_is_refused_once_is_not_tried_again(open_: Opener) -> None:
    with ChatServer(answer=sorts, supports=frozenset()) as server:
        model = open_(server)
        _ask(model, held(1))
        before = server.received.total()
        _ask(model, held(9)[3:])
    assert server.received.total() == before + 6, f"{server.received.total() - before} calls for 6 rows"


def json_is_checked_against_the_schema(open_: Opener) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": list(LABELS)}, "note": {"type": "string"}},
        "required": ["kind"],
    }
    answers = ['{"kind": "bug", "note": null}', '{"kind": "rain"}', '{"kind": "billing", "note": "x"}']
    with ChatServer(answer=lambda asked: answers[int(sorts_row(asked))]) as server:
        told = _ask(open_(server), asking(3, Constraint(json_schema=schema)))
    assert json.loads(told[0].text) == {"kind": "bug"}, f"a key that may be missing was null: {told[0]}"
    assert told[1].finish_reason == "error", f"not in the schema, but taken: {told[1]}"
    assert not told[1].may_pass, told[1]
    assert json.loads(told[2].text) == {"kind": "billing", "note": "x"}, told[2]


def sorts_row(asked: Asked) -> str:
    return next(turn.content for turn in asked.messages if turn.role == "user").split()[1]


def patterns_are_checked(open_: Opener) -> None:
    with ChatServer(answer=lambda asked: "12" if sorts_row(asked) == "0" else "many") as server:
        good, bad = _ask(open_(server), asking(2, Constraint(regex="[0-9]{1,3}")))
    assert (good.text, good.finish_reason) == ("12", "stop"), good
    assert bad.finish_reason == "error", bad


def _ignores_at_first(*means: str) -> FaultRule:
    """Asked by one of ``means``, the service takes no notice of it until it is told so."""
    return lambda asked: "ignores_schema" if asked.means in means and len(asked.messages) == 2 else None


def an_answer_that_is_not_allowed_fails(open_: Opener) -> None:
    """… though it names an allowed one: nothing is mapped to what is near."""
    with ChatServer(answer=sorts, faults=always("ignores_schema")) as server:
        told = _ask(open_(server), held(9))
    assert {done.finish_reason for done in told} == {"error"}, told
    assert not any(done.may_pass for done in told), told
    assert not any(done.text for done in told), told


def it_is_asked_for_once_more(open_: Opener) -> None:
    with ChatServer(answer=sorts, faults=_ignores_at_first("strict", "tool", "json_mode", "")) as server:
        [done] = _ask(open_(server), held(1))
    assert (done.text, done.finish_reason) == ("bug", "stop"), done
    assert server.received.total() == 2, server.received
    assert done.usage.completion_tokens > 5, f"both answers are paid for: {done.usage}"


def a_service_that_ignores_schemas_is_asked_in_another_way(open_: Opener) -> None:
    with ChatServer(answer=sorts, faults=_ignores_at_first("strict", "tool")) as server:
        model = open_(server)
        first, later = _ask(model, held(30)), _ask(model, held(60)[30:])
    assert {done.finish_reason for done in first + later} == {"stop"}, "not all were repaired"
    assert {asked.means for asked in server.asked[-30:]} <= {"json_mode", ""}, server.asked[-1].means


def passing_failures_are_tried_again(open_: Opener) -> None:
    for fault in PASSING:
        with ChatServer(answer=sorts, faults=at_first(1, fault)) as server:
            told = _ask(open_(server), held(3))
        assert [done.text for done in told] == list(LABELS), f"{fault}: {told}"
        assert server.received.total() == 6, f"{fault}: {server.received}"


def what_goes_on_failing_may_pass(open_: Opener) -> None:
    with ChatServer(faults=always("rate_limit"), retry_after_seconds=1000) as server:
        started = time.perf_counter()
        told = _ask(open_(server), held(2))
    assert all(done.may_pass and done.finish_reason == "error" for done in told), told
    assert time.perf_counter() - started < 5, "waited longer than anybody would"


def retry_after_is_obeyed(open_: Opener) -> None:
    with ChatServer(answer=sorts, faults=at_first(1, "rate_limit"), retry_after_seconds=0.4) as server:
        started = time.perf_counter()
        _ask(open_(server), held(1))
    assert time.perf_counter() - started >= 0.4, "asked again too early"


def the_pace_adapts(open_: Opener) -> None:
    with ChatServer(answer=sorts, latency_ms=10, at_once=3, retry_after_seconds=0.01) as server:
        told = _ask(open_(server), held(40))
    assert {done.finish_reason for done in told} == {"stop"}, told
    turned_away = server.received.total() - server.charged.total()
    assert turned_away <= 40, f"{turned_away} calls were turned away for 40 that were not"


def refusals_are_told(open_: Opener) -> None:
    faults: tuple[Fault, ...] = ("filter", "refusal")
    for fault in faults:
        with ChatServer(faults=always(fault)) as server:
            [done] = _ask(open_(server), held(1))
        assert done.finish_reason == "refused", f"{fault}: {done}"
        assert done.usage.prompt_tokens, f"{fault} is paid for: {done}"


def what_is_no_answer_fails(open_: Opener) -> None:
    """Nothing at all may not happen again; it is paid for each time. What stops in the middle would stop there again."""
    faults: tuple[Fault, ...] = ("empty", "length")
    for fault in faults:
        with ChatServer(answer=sorts, faults=always(fault)) as server:
            [done] = _ask(open_(server), held(1))
        assert (done.finish_reason, done.may_pass) == ("error", fault == "empty"), f"{fault}: {done}"
        if fault == "empty":
            assert 2 <= server.received.total() <= 10, f"asked {server.received.total()} times"
            n_read = sum(len(turn.content.split()) for asked in server.asked for turn in asked.messages)
            assert done.usage.prompt_tokens == n_read, f"not all tries were counted: {done.usage}"


def a_prompt_that_is_too_long_is_told(open_: Opener) -> None:
    with ChatServer(faults=always("too_long")) as server:
        [done] = _ask(open_(server), held(1))
    assert done.finish_reason == "over_context", done


def _ends(open_: Opener, server: ChatServer, kind: type[TuneworthError]) -> str:
    try:
        told = _ask(open_(server), held(20))
    except kind as error:
        return " ".join(problem.to(lang) for problem in error.problems for lang in ("en", "zh"))
    raise AssertionError(f"no {kind.__name__}, but {told[0]}")


def what_nothing_can_mend_ends_the_run(open_: Opener) -> None:
    for fault, kind in (
        ("wrong_key", EnvironmentProblem),
        ("no_quota", EnvironmentProblem),
        ("unknown_model", InputError),
    ):
        with ChatServer(faults=always(fault)) as server:  # type: ignore[arg-type]
            said = _ends(open_, server, kind)
        assert server.received.total() <= 8, f"{fault}: {server.received.total()} calls to find that out"
        assert KEY not in said, f"{fault}: tells the key"
        assert fault == "unknown_model" or "_KEY" in said, f"{fault}: names no variable: {said}"


def a_redirect_is_not_followed(open_: Opener) -> None:
    with ChatServer() as elsewhere, ChatServer(faults=always("redirect"), redirect_to=elsewhere.root) as server:
        said = _ends(open_, server, EnvironmentProblem)
    assert elsewhere.root in said, said
    assert not elsewhere.asked, "went to another address"


def what_steers_a_terminal_is_taken_out(open_: Opener) -> None:
    with ChatServer(faults=always("control")) as server:
        [done] = _ask(open_(server), asking(1))
    assert "\x1b" not in done.text, repr(done.text)
    assert "\x00" not in done.text, repr(done.text)
    assert "row 0 bug" in done.text, repr(done.text)


def an_endless_answer_is_cut_off(open_: Opener) -> None:
    with ChatServer(faults=always("huge")) as server:
        [done] = _ask(open_(server), held(1))
    assert done.finish_reason == "error", done.text[:80]
    assert len(done.error or "") < HUGE_CHARS / 1000, "the error holds the answer"


def usage_that_cannot_be_is_not_counted(open_: Opener) -> None:
    faults: tuple[Fault, ...] = ("no_usage", "negative_usage")
    for fault in faults:
        with ChatServer(answer=sorts, faults=always(fault)) as server:
            model = open_(server)
            [done] = _ask(model, held(1))
        assert done.text == "bug", f"{fault}: {done}"
        assert done.usage.prompt_tokens == 0, f"{fault}: {done}"
        assert done.usd is None, f"{fault}: {done}"
        assert model.describe()["warnings"], f"{fault}: nobody is told"


def a_model_that_changes_is_told(open_: Opener) -> None:
    with ChatServer(faults=lambda asked: "renamed" if sorts_row(asked) == "1" else None) as server:
        model = open_(server)
        _ask(model, asking(3))
    assert len(model.describe()["answered_by"]) == 2, model.describe()
    assert model.describe()["warnings"], "nobody is told"


def shared_prompts_are_read_from_the_cache(open_: Opener) -> None:
    long = Message("system", "Sort what the customer writes. " * 1000)
    requests = [Request((long, Message("user", f"row {at}")), n_shared=1) for at in range(20)]
    with ChatServer() as server:
        model = open_(server)
        told = _ask(model, requests)
    from_cache = sum(done.usage.cached_tokens for done in told) / sum(done.usage.prompt_tokens for done in told)
    assert from_cache > 0.9, f"{from_cache:.2f} of the prompts came from the cache"
    assert abs(model.describe()["cache_hit_rate"] - from_cache) < 1e-9, model.describe()


def effort_is_a_setting(open_: Opener) -> None:
    with ChatServer(answer=sorts) as server:
        model = open_(server)
        [little], [none] = _ask(model, held(1, reasoning="low")), _ask(model, held(1, reasoning="none"))
    assert little.usage.reasoning_tokens > 0, little
    assert little.usage.completion_tokens > little.usage.reasoning_tokens, little
    assert none.usage.reasoning_tokens == 0, none


def the_end_of_a_model_is_told(open_: Opener) -> None:
    names = [f"m{at}" for at in range(3)]
    with ChatServer(models=names, shutdown_dates=dict.fromkeys(names, "2027-01-14")) as server:
        described = open_(server).describe()
    assert described["shutdown_date"] == "2027-01-14", described


def every_call_goes_through_the_meter(open_: Opener) -> None:
    class Counting:
        def __init__(self) -> None:
            self.aside, self.settled = list[str](), list[str]()

        def kept(self, call: str) -> Completion | None:
            return None

        def set_aside(self, call: str, most_usd: float | None) -> None:
            self.aside.append(call)

        def settle(self, call: str, usd: float | None, completion: Completion | None = None) -> None:
            self.settled.append(call)

    with ChatServer(answer=sorts, faults=at_first(1, "server_error"), supports=frozenset({"json_mode"})) as server:
        model, meter = open_(server), Counting()
        assert is_metered(model), f"{model.id}: calls cannot be limited"
        model.attach(meter)
        _ask(model, held(5))
    assert len(meter.aside) == server.received.total(), (
        f"{len(meter.aside)} set aside, {server.received.total()} received"
    )
    assert sorted(meter.aside) == sorted(meter.settled), "not all were settled"


CHAT_CHECKS: tuple[Callable[[Opener], None], ...] = (
    answers_come_in_order,
    requests_are_under_way_side_by_side,
    answers_are_held_by_every_means,
    what_is_refused_once_is_not_tried_again,
    json_is_checked_against_the_schema,
    patterns_are_checked,
    an_answer_that_is_not_allowed_fails,
    it_is_asked_for_once_more,
    a_service_that_ignores_schemas_is_asked_in_another_way,
    passing_failures_are_tried_again,
    what_goes_on_failing_may_pass,
    retry_after_is_obeyed,
    the_pace_adapts,
    refusals_are_told,
    what_is_no_answer_fails,
    a_prompt_that_is_too_long_is_told,
    what_nothing_can_mend_ends_the_run,
    a_redirect_is_not_followed,
    what_steers_a_terminal_is_taken_out,
    an_endless_answer_is_cut_off,
    usage_that_cannot_be_is_not_counted,
    a_model_that_changes_is_told,
    shared_prompts_are_read_from_the_cache,
    effort_is_a_setting,
    the_end_of_a_model_is_told,
    every_call_goes_through_the_meter,
)


def check_chat_model(open_: Opener) -> None:
    """Every check, each on a model of its own; a model named ``m0`` is what ``open_`` has to ask for, with ``KEY`` as its key."""
    for check in CHAT_CHECKS:
        check(open_)
