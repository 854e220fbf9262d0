import numpy as np
from decide_builders import METRIC, arm, compared, task
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.core.task import Limits
from tuneworth.decide.decision import decide
from tuneworth.decide.limits import breaches

NAMES = ("prompt", "fewshot", "head", "lora")


@st.composite
def runs(draw):
    """Arms with random rows, costs, failures and limits, all consistent with one another."""
    n = draw(st.sampled_from([5, 19, 20, 60, 300, 2000]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    base = rng.random(n)
    rows, arms = {}, []
    for name in names:
        ability = draw(st.sampled_from([0.05, 0.6, 0.7, 0.72, 0.8, 1.0]))
        luck = np.where(rng.random(n) < 0.2, rng.random(n), base)
        rows[name] = {f"r{i}": float(value < ability) for i, value in enumerate(luck)}
        cost = {"p95": draw(st.sampled_from([None, 10.0, 90.0])), "usd": draw(st.sampled_from([None, 0.01, 5.0]))}
        failed = draw(st.sampled_from([0, 0, n // 5]))
        local = draw(st.sampled_from([True, False, None]))
        arms.append(arm(name, int(sum(rows[name].values())), n, failed=failed, local=local, **cost))
    arms.append(arm("majority", n, n, finalist=True))
    limits = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "p95_ms": st.just(50.0),
                "max_usd_per_1k": st.just(1.0),
                "private": st.just(True),
                "min_quality": st.sampled_from([0.5, 0.75]),
            },
        )
    )
    return task(margin=draw(st.sampled_from([0.005, 0.02, 0.1])), **limits), arms, rows


def _decide(the_task, arms, comparisons):
    return decide(the_task, arms, comparisons, primary_metric=METRIC, n_train=500)


@settings(max_examples=150, deadline=None)
@given(runs())
def test_what_always_holds(run):
    the_task, arms, rows = run
    comparisons = compared(rows, the_task.margin)
    decision = _decide(the_task, arms, comparisons)
    by_id = {item.arm_id: item for item in arms}
    eligible = {name for name in rows if not breaches(by_id[name], the_task.limits, METRIC)}

    assert decision.verdict != "not_yet"
    working = {name for name in eligible if by_id[name].test[METRIC].interval.low > 0}
    assert (decision.verdict == "none_meets_limits") == (not eligible)
    assert (decision.recommended is None) == (not working)
    assert {decision.recommended, decision.runner_up} - {None} <= working
    assert {decision.recommended, decision.runner_up} - {None} <= eligible
    assert decision.recommended != decision.runner_up or decision.recommended is None
    if decision.verdict == "fine_tune":
        assert by_id[decision.recommended].tuned
        best = max((n for n in eligible if n != "lora"), key=lambda n: by_id[n].test[METRIC].value, default=None)
        if best is not None:
            pair = next(c for c in comparisons if {c.a, c.b} == {"lora", best})
            low = pair.interval.low if pair.a == "lora" else -pair.interval.high
            assert low > 0
            assert pair.p_adjusted <= 0.05
    if decision.verdict == "dont_fine_tune":
        assert not by_id[decision.recommended].tuned
    assert decision.rows is None or (decision.verdict == "cant_tell" and decision.rows > 0)
    assert decision.reasons or not eligible


@settings(max_examples=100, deadline=None)
@given(runs(), st.randoms(use_true_random=False))
def test_order_does_not_matter(run, random):
    the_task, arms, rows = run
    names = list(rows)
    random.shuffle(names)
    shuffled = random.sample(arms, len(arms))
    one = _decide(the_task, arms, compared(rows, the_task.margin))
    other = _decide(the_task, shuffled, compared({name: rows[name] for name in names}, the_task.margin))
    assert one.model_dump(exclude={"headline", "reasons", "would_change", "seed_rows"}) == other.model_dump(
        exclude={"headline", "reasons", "would_change", "seed_rows"}
    )
    assert one.headline == other.headline
    assert one.reasons == other.reasons
    assert one.would_change == other.would_change
    assert one.seed_rows == other.seed_rows


@settings(max_examples=60, deadline=None)
@given(runs())
def test_without_limits_there_is_still_something_to_recommend(run):
    the_task, arms, rows = run
    comparisons = compared(rows, the_task.margin)
    looser = the_task.model_copy(update={"limits": Limits()})
    if _decide(the_task, arms, comparisons).recommended is not None:  # what works does so without limits
        assert _decide(looser, arms, comparisons).recommended is not None
