"""Nothing useless is recommended: arms are held against yardsticks on the same test rows."""

from __future__ import annotations

import numpy as np
import pytest
from decide_builders import METRIC, all_text, arm, compared, rows_of, score, task

from tuneworth.core.run import ArmCost, ArmResult, Decision
from tuneworth.core.text import Text
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.words.numbers import about


def yardstick(name: str, right: int, n: int, *, fallback: bool = False) -> ArmResult:
    made = arm("majority", right, n, finalist=False, fallback=fallback)
    return made.model_copy(update={"arm_id": name, "title": Text(en=name, zh=f"参照{name}")})


def judged(scores: dict[str, np.ndarray], *, the_task=None, fallbacks=("nearest", "rules"), **more) -> Decision:
    """Decide on arms by their right/wrong rows; names that are no strategies are yardsticks."""
    the_task = the_task or task()
    n = len(next(iter(scores.values())))
    rows = {name: {f"r{at}": float(value) for at, value in enumerate(right)} for name, right in scores.items()}
    arms = {
        name: arm(name, int(right.sum()), n)
        if name in ("lora", "head", "fewshot", "prompt")
        else yardstick(name, int(right.sum()), n, fallback=name in fallbacks)
        for name, right in scores.items()
    }
    finalists = [name for name, one in arms.items() if not one.yardstick]
    against = compare_finalists(
        [*finalists, *(name for name, one in arms.items() if one.fallback)],
        rows,
        metric=METRIC,
        binary=True,
        margin=the_task.margin,
        rng=np.random.default_rng(0),
        against=[name for name, one in arms.items() if one.yardstick],
    )
    pairs = compared({name: rows[name] for name in finalists}, the_task.margin)
    return decide(
        the_task, list(arms.values()), pairs, primary_metric=METRIC, n_train=200, against_yardsticks=against, **more
    )


def right(share: float, n: int, seed: int) -> np.ndarray:
    """Independent right answers, exactly this share of them."""
    values = np.zeros(n)
    values[: round(share * n)] = 1
    return np.random.default_rng(seed).permutation(values)


def test_a_head_at_the_share_of_the_largest_class_is_not_recommended():
    """A head at 55.0 % was to be used meanwhile, where 55 % of the rows have one label."""
    majority = right(0.55, 300, 0)
    decision = judged({"lora": right(0.54, 300, 1), "head": majority.copy(), "majority": majority})
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("cant_tell", None, None)
    assert decision.codes[0] in ("useless.nothing_works", "useless.not_shown")
    assert "Nothing works yet" in decision.headline.en
    assert "目前没有可用的方案" in decision.headline.zh
    assert "eanwhile" not in decision.headline.en
    told = " ".join(text.en for text in decision.would_change)
    assert all(word in told for word in ("Look at the rows first", "larger model", "More rows"))


def test_arms_at_zero_are_not_recommended_whatever_was_measured_beside_them():
    decision = judged({"lora": np.zeros(300), "fewshot": np.zeros(300)})
    assert (decision.verdict, decision.recommended) == ("cant_tell", None)
    assert decision.headline.en.startswith("Nothing works yet: “")
    assert "not surely above zero" in decision.headline.en
    with_one = judged({"lora": np.zeros(300), "fewshot": np.zeros(300), "majority": np.zeros(300)})
    assert (with_one.verdict, with_one.recommended) == ("cant_tell", None)


def test_few_rows_that_do_not_show_it_are_told_apart_from_many_that_rule_it_out():
    few = judged({"head": right(0.68, 60, 1), "lora": right(0.6, 60, 2), "majority": right(0.55, 60, 3)})
    assert few.codes[0] == "useless.not_shown"
    assert few.recommended is None
    assert few.rows is not None
    assert f"Label about {about(few.rows).en}" in few.headline.en
    many = judged({"head": right(0.55, 20_000, 1), "lora": right(0.54, 20_000, 2), "majority": right(0.55, 20_000, 3)})
    assert (many.codes[0], many.rows) == ("useless.nothing_works", None)


def test_a_yardstick_that_may_be_used_stands_in_while_nothing_works():
    """The nearest row's answer at .384 where the best untuned arm has .162."""
    n = 400
    decision = judged(
        {
            "fewshot": right(0.162, n, 1),
            "lora": right(0.15, n, 2),
            "majority": right(0.16, n, 3),
            "nearest": right(0.384, n, 4),
        }
    )
    assert (decision.verdict, decision.recommended) == ("cant_tell", "nearest")
    assert "Meanwhile use “nearest”." in decision.headline.en
    assert any("although it is a yardstick" in reason.en for reason in decision.reasons)


def test_copying_is_never_recommended_and_rules_are_where_they_work():
    n = 400
    scores = {"fewshot": right(0.355, n, 1), "lora": right(0.34, n, 2), "copy": right(0.35, n, 3)}
    assert judged(scores).recommended is None
    assert judged({**scores, "rules": right(0.7, n, 4)}).recommended == "rules"


def test_a_tuned_arm_that_gains_what_looking_up_has_as_well_is_not_worth_it_yet():
    n = 400
    scores = {"fewshot": right(0.162, n, 1), "lora": right(0.40, n, 2), "majority": right(0.1, n, 3)}
    assert judged(scores).verdict == "fine_tune"
    decision = judged({**scores, "nearest": right(0.384, n, 4)})
    assert (decision.verdict, decision.recommended, decision.codes[0]) == (
        "cant_tell",
        "nearest",
        "useless.near_yardstick",
    )
    assert decision.rows is not None
    clear = judged({**scores, "lora": right(0.6, n, 2), "nearest": right(0.384, n, 4)})
    assert (clear.verdict, clear.recommended) == ("fine_tune", "lora")


@pytest.mark.parametrize(("nearest", "recommended"), [(0.795, "nearest"), (0.76, "head"), (0.5, "head")])
def test_of_a_settled_verdict_the_simpler_wins_ties_also_where_it_is_a_yardstick(nearest, recommended):
    n = 400
    scores = {"head": right(0.8, n, 1), "lora": right(0.6, n, 2), "majority": right(0.3, n, 3)}
    decision = judged({**scores, "nearest": right(nearest, n, 4)})
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", recommended)
    cautions = [text.en for text in decision.reasons if text.en.startswith("Mind that “nearest”, a yardstick")]
    assert len(cautions) == (nearest == 0.76)  # ahead by more than the margin as seen, but not surely


def test_while_a_verdict_is_open_only_what_is_surely_above_all_yardsticks_is_recommended():
    n = 200
    scores = {"head": right(0.75, n, 1), "lora": right(0.78, n, 2), "majority": right(0.3, n, 3)}
    assert judged(scores).recommended == "head"
    assert judged({**scores, "nearest": right(0.70, n, 4)}).recommended == "nearest"
    assert judged({**scores, "nearest": right(0.45, n, 4)}).recommended == "head"


def test_a_fallback_keeps_the_limits_too():
    n = 400
    scores = {"head": right(0.5, n, 1), "lora": right(0.5, n, 2), "majority": right(0.49, n, 3)}
    scores["nearest"] = right(0.6, n, 4)
    assert judged(scores).recommended == "nearest"
    assert judged(scores, the_task=task(min_quality=0.45)).recommended == "nearest"
    strict = judged(scores, the_task=task(p95_ms=100.0))
    assert strict.recommended is None  # nobody measured how long it takes


@pytest.mark.parametrize("n", [8, 19])
def test_from_fewer_rows_than_anything_can_be_said_of_nothing_is_said_to_be_useless(n):
    decision = judged({"head": np.ones(n), "lora": np.ones(n), "majority": np.zeros(n)})
    assert decision.verdict == "cant_tell"
    assert not decision.codes[0].startswith("useless.")
    assert decision.recommended is None


def test_a_run_without_yardsticks_is_decided_as_before():
    tuned, untuned = rows_of(90, 10, 150, 50)
    arms = [arm("lora", 240, 300), arm("fewshot", 160, 300)]
    pairs = compared({"lora": tuned, "fewshot": untuned})
    decision = decide(task(), arms, pairs, primary_metric=METRIC, n_train=200)
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("fine_tune", "lora", "fewshot")
    assert score(1, 2).n_rows == 2


@pytest.mark.parametrize("seed", range(30))
def test_what_is_recommended_is_surely_above_zero_and_above_what_nobody_would_use(seed):
    """Any scores at all: no sentence fails, and nothing useless gets through."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([10, 25, 80, 400]))
    names = ["lora", "head", "fewshot", "prompt"][: int(rng.integers(1, 5))]
    scores = {
        name: right(rng.choice([0, 0.3, 0.5, 0.52, 0.9, 1.0]), n, seed * 10 + at) for at, name in enumerate(names)
    }
    for name in ("majority", "nearest", "copy")[: int(rng.integers(0, 4))]:
        scores[name] = right(rng.choice([0, 0.3, 0.5, 0.88]), n, seed + 99)
    decision = judged(scores)
    for text in all_text(decision):
        assert "{" not in text.en + text.zh
    if decision.recommended is not None:
        assert decision.recommended not in ("majority", "copy")
        mine = scores[decision.recommended].sum()
        assert mine > max([0, *(scores[name].sum() for name in ("majority", "copy") if name in scores)])
    if decision.verdict == "fine_tune":
        assert decision.recommended == "lora"
    if decision.verdict == "dont_fine_tune":
        assert decision.recommended not in (None, "lora")


@pytest.mark.parametrize(
    ("cost", "recommended", "said"),
    [
        ({"latency_p95_ms": 80.0, "latency_p95_high_ms": 95.0, "latency_rows": 60}, "head", None),
        ({"latency_p95_ms": 80.0, "latency_p95_high_ms": 140.0, "latency_rows": 60}, None, "may be up to 140"),
        ({"latency_p95_ms": 120.0, "latency_p95_high_ms": 140.0, "latency_rows": 60}, None, "the limit is 100"),
        ({"latency_p95_ms": 80.0, "latency_rows": 40}, "head", "is not shown: only 40 single rows were timed"),
        ({"latency_p95_ms": 80.0}, "head", None),
    ],
    ids=["kept", "may break", "broken", "too few rows", "version 0.1"],
)
def test_a_limit_on_p95_is_held_against_its_bound(cost, recommended, said):
    arms = [arm("head", 280, 300).model_copy(update={"cost": ArmCost(**cost)})]
    decision = decide(task(p95_ms=100.0), arms, [], primary_metric=METRIC, n_train=200)
    assert decision.recommended == recommended
    told = " ".join(text.en for text in (decision.headline, *decision.reasons, *decision.would_change)).replace(
        "\u00a0", " "
    )
    assert (said or "") in told
    assert ("not shown" in told) == (said is not None and "limit is" not in said)
