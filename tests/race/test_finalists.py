# pyright: reportArgumentType=false, reportOptionalMemberAccess=false

import pytest

from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmCost, ArmResult, Counts, Interval, Score
from tuneworth.core.task import Limits
from tuneworth.core.text import Text
from tuneworth.race.results import best_untuned, choose_finalists, untested
from tuneworth.race.runner import Entry


def arm(
    name, value, effort, *, tuned=False, yardstick=False, state="measured", p95=None, usd=None, failed=0, n_rows=50
):
    score = Score(value=value, interval=Interval(low=0, high=1), n_rows=n_rows - failed)
    return ArmResult(
        arm_id=name,
        strategy=name,
        model="m",
        config={},
        title=Text(en=name, zh=name),
        effort=effort,
        tuned=tuned,
        yardstick=yardstick,
        state=state,  # pyright: ignore[reportArgumentType]
        dev={"accuracy": score} if state == "measured" else {},
        dev_counts=Counts(scored=n_rows - failed, failed=failed),
        cost=ArmCost(latency_p95_ms=p95, usd_per_1k_rows=usd),
    )


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        pytest.param(
            [arm("prompt", 0.1, 0), arm("few", 0.5, 1), arm("lora", 0.8, 5, tuned=True)],
            ["prompt", "few", "lora"],
            id="simplest, best untuned, best tuned",
        ),
        pytest.param(
            [arm("prompt", 0.6, 0), arm("few", 0.5, 1), arm("lora", 0.8, 5, tuned=True)],
            ["prompt", "lora"],
            id="the simplest is the best untuned",
        ),
        pytest.param(
            [arm("prompt", 0.6, 0), arm("few", 0.6, 1)],
            ["prompt"],
            id="of equals, the simpler",
        ),
        pytest.param(
            [arm("majority", 0.9, 0, yardstick=True), arm("prompt", 0.1, 0)],
            ["prompt"],
            id="a yardstick is never a finalist",
        ),
        pytest.param(
            [
                arm("prompt", 0.1, 0),
                arm("lora", 0.8, 5, tuned=True, state="failed"),
                arm("few", 0.2, 1, state="skipped"),
            ],
            ["prompt"],
            id="only measured arms",
        ),
        pytest.param([], [], id="nothing measured"),
    ],
)
def test_finalists(arms, expected):
    assert choose_finalists(arms, "accuracy", Limits()) == expected


def test_an_arm_over_the_limits_gives_way():
    slow, quick = arm("few", 0.9, 1, p95=500), arm("prompt", 0.5, 0, p95=50)
    dear = arm("head", 0.95, 2, p95=10, usd=9.0)
    assert choose_finalists([slow, quick, dear], "accuracy", Limits(p95_ms=100, max_usd_per_1k=1)) == ["prompt"]


def test_when_all_break_a_limit_they_are_measured_all_the_same():
    assert choose_finalists([arm("few", 0.9, 1, p95=500)], "accuracy", Limits(p95_ms=100)) == ["few"]


def test_a_kind_that_breaks_a_limit_is_measured_all_the_same():
    """Else its loss would be told as "not measured"."""
    arms = [arm("prompt", 0.5, 0, p95=50), arm("lora", 0.9, 5, tuned=True, p95=500)]
    assert choose_finalists(arms, "accuracy", Limits(p95_ms=100)) == ["prompt", "lora"]


def test_an_arm_that_leaves_rows_unscored_gives_way():
    """Its score is that of the rows it could answer."""
    arms = [arm("prompt", 0.5, 0), arm("few", 1.0, 1, failed=40), arm("head", 0.7, 4)]
    assert choose_finalists(arms, "accuracy", Limits()) == ["prompt", "head"]


def test_arms_that_left_the_race_are_passed_over_and_the_surely_worse_also_as_the_simplest():
    arms = [arm("prompt", 0.1, 0), arm("few", 0.9, 1), arm("head", 0.5, 4), arm("lora", 0.8, 5, tuned=True)]
    assert choose_finalists(arms, "accuracy", Limits(), {"few": "little_to_gain"}) == ["prompt", "head", "lora"]
    assert choose_finalists(arms, "accuracy", Limits(), {"prompt": "eliminated"}) == ["few", "lora"]
    assert choose_finalists(arms, "accuracy", Limits(), {"lora": "eliminated"}) == ["prompt", "few", "lora"], (
        "the only one of its kind still meets the test rows"
    )


def test_with_documents_the_best_of_four_kinds():
    reading = [
        arm("rag", 0.5, 2).model_copy(update={"reads_documents": True}),
        arm("rag5", 0.6, 2).model_copy(update={"reads_documents": True}),
        arm("lora_rag", 0.4, 6, tuned=True).model_copy(update={"reads_documents": True}),
    ]
    closed = [arm("prompt", 0.1, 0), arm("few", 0.2, 1), arm("lora", 0.9, 5, tuned=True)]
    assert choose_finalists([*reading, *closed], "accuracy", Limits()) == ["few", "rag5", "lora", "lora_rag"]
    assert choose_finalists([*reading[:2], *closed[:2]], "accuracy", Limits()) == ["prompt", "few", "rag5"]


def test_ties_do_not_hang_on_measured_seconds():
    arms = [arm("a", 0.5, 1), arm("b", 0.5, 1), arm("c", 0.5, 1)]
    for fastest in arms:
        timed = [
            one.model_copy(update={"cost": ArmCost(seconds_per_1k_rows=1.0 if one is fastest else 9.0)}) for one in arms
        ]
        assert choose_finalists(timed, "accuracy", Limits()) == ["a"]


def test_of_equals_the_one_that_reads_less_is_tested():
    long, short = (
        arm(name, 0.5, 1).model_copy(update={"cost": ArmCost(prompt_tokens_per_row=tokens)})
        for name, tokens in (("a-long", 900.0), ("b-short", 80.0))
    )
    assert choose_finalists([long, short], "accuracy", Limits()) == ["b-short"]


def entry(name, right, n):
    """A fit that is right on the first ``right`` of ``n`` dev rows, in an order that mixes them."""
    dev = [
        Outcome(
            arm_id=name, row_id=f"r{at}", stage="dev", status="scored", scores={"accuracy": float(at * 37 % n < right)}
        )
        for at in range(n)
    ]
    return Entry(None, None, None, dev=dev)


@pytest.mark.parametrize(("right", "chosen"), [(4, ["few", "lora"]), (28, ["prompt", "few", "lora"])])
def test_a_simplest_arm_that_is_surely_behind_is_no_finalist(right, chosen):
    arms = [arm("prompt", right / 64, 0), arm("few", 0.5, 1), arm("lora", 0.8, 5, tuned=True)]
    entries = {"prompt": entry("prompt", right, 64), "few": entry("few", 32, 64), "lora": entry("lora", 33, 64)}
    assert choose_finalists(arms, "accuracy", Limits(), entries=entries, margin=0.02) == chosen


def test_an_arm_that_time_stopped_early_is_held_against_the_others_on_the_rows_that_both_saw():
    """It scored .75 on 32 rows, of which the other got .53; on all its rows that one scored .5."""
    arms = [arm("one", 0.5, 1), arm("sixteen", 0.75, 1), arm("lora", 0.5, 5, tuned=True)]
    entries = {"one": entry("one", 60, 120), "sixteen": entry("sixteen", 24, 32), "lora": entry("lora", 60, 120)}
    stopped = {"sixteen": "budget"}
    assert "sixteen" in choose_finalists(arms, "accuracy", Limits(), stopped, entries=entries, margin=0.02)
    slow = choose_finalists(arms, "accuracy", Limits(), stopped, entries=entries, margin=0.02, too_slow=["sixteen"])
    assert slow == ["one", "lora"]
    [missed] = untested(arms, slow, entries, "accuracy")
    assert (missed.arm_id, missed.tested, missed.n_rows) == ("sixteen", "one", 32)
    assert 0 < missed.difference < missed.interval.high


@pytest.mark.parametrize(
    ("ahead", "chosen"), [(0, ["head", "lora"]), (3, ["sixteen", "head", "lora"]), (13, ["sixteen", "lora"])]
)
def test_a_lead_on_few_rows_does_not_leave_untested_what_was_asked_them_all(ahead, chosen):
    """Of the 32 rows that both saw it has so many more right; "one" is surely behind the arm with all rows."""
    head, lora = entry("head", 90, 150), entry("lora", 60, 150)
    sixteen = entry("sixteen", 32, 32)
    wrong = [done for done, other in zip(sixteen.dev, head.dev, strict=False) if not other.scores["accuracy"]]
    for done in wrong[ahead:]:
        done.scores["accuracy"] = 0.0
    right = sum(done.scores["accuracy"] for done in sixteen.dev)
    arms = [
        arm("one", 0.2, 1, n_rows=150),
        arm("sixteen", right / 32, 2, n_rows=32),
        arm("head", 0.6, 4, n_rows=150),
        arm("lora", 0.4, 5, tuned=True, n_rows=150),
    ]
    entries = {"one": entry("one", 30, 150), "sixteen": sixteen, "head": head, "lora": lora}
    found = choose_finalists(arms, "accuracy", Limits(), {"sixteen": "budget"}, entries=entries, margin=0.02)
    assert found == chosen


def test_a_row_without_a_score_is_a_row_that_was_asked():
    arms = [
        arm("simple", 0.79, 0, n_rows=100, failed=1),
        arm("best", 0.9, 1, n_rows=100, failed=1),
        arm("other", 0.7, 1, n_rows=100),
        arm("tuned", 0.95, 5, tuned=True, n_rows=100),
    ]
    assert choose_finalists(arms, "accuracy", Limits()) == ["simple", "best", "tuned"]
    assert best_untuned(arms, "accuracy").arm_id == "best"
