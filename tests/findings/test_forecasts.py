import math

import numpy as np
import pytest

from tuneworth.core.race import ForecastPoint
from tuneworth.core.run import ArmResult, Interval, Score
from tuneworth.core.text import Text
from tuneworth.findings.forecasts import forecast, shot_forecasts, standard_error
from tuneworth.stats.intervals import wilson

SIZES = (31, 62, 125, 250, 500, 1000)


def point(n, score, n_rows=2_000, repeat=0):
    right = round(score * n_rows)
    return ForecastPoint(n=n, score=right / n_rows, interval=wilson(right, n_rows), n_rows=n_rows, repeat=repeat)


def rising(n):
    return 0.9 - 1.4 * n**-0.35


def score(value, n_rows=2_000):
    return Score(value=value, interval=wilson(round(value * n_rows), n_rows), n_rows=n_rows)


HEAD = ("head", score(0.85))


def told(points, target=HEAD, **more):
    settings = {"margin": 0.01, "chance": 0.01, "binary": True, "rng": np.random.default_rng(0), **more}
    return forecast("lora", points, target=target, **settings)


def test_a_rising_curve_is_carried_on_and_meets_its_target():
    found = told([point(n, rising(n)) for n in reversed(SIZES)])
    truth = (1.4 / (0.9 - 0.86)) ** (1 / 0.35)
    assert (found.arm_id, found.axis, found.target, found.target_score) == ("lora", "rows", "head", 0.85)
    assert [p.n for p in found.points] == list(SIZES)
    assert found.cannot_tell is None
    assert math.isclose(sum(found.weights.values()), 1)
    assert found.crossing.status == "forecast"
    assert found.crossing.low <= truth <= (found.crossing.high or math.inf)
    assert found.crossing.probability > 0.5


def test_rows_that_belong_together_make_a_wider_band():
    points = [point(n, rising(n)) for n in SIZES]
    grouped = [one.model_copy(update={"n_effective": 100.0}) for one in points]
    wide, wider = (max(b.high95 - b.low95 for b in told(made).band) for made in (points, grouped))
    assert wider > 1.3 * wide


def test_the_band_reaches_a_hundred_times_the_largest_size_in_even_steps():
    band = told([point(n, rising(n)) for n in SIZES]).band
    assert (band[0].n, band[-1].n) == (31, 100_000)
    assert 35 <= len(band) <= 40
    steps = np.diff(np.log([b.n for b in band]))
    assert steps.max() < 1.3 * steps.min()
    for b in band:
        assert 0 <= b.low95 <= b.low80 <= b.value <= b.high80 <= b.high95 <= 1
    inside = next(b for b in band if b.n >= 1000)
    assert inside.low95 <= rising(inside.n) <= inside.high95


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([point(n, rising(n)) for n in SIZES[-3:]], "too_few_sizes"),
        ([point(n, 0.5 + 0.002 * (-1) ** i) for i, n in enumerate(SIZES)], "no_trend"),
        ([point(n, 0.8 - 0.06 * i) for i, n in enumerate(SIZES)], "falling"),
    ],
)
def test_what_cannot_be_told_has_no_band_and_no_number(points, reason):
    found = told(points)
    assert (found.cannot_tell, found.band, found.weights) == (reason, [], {})
    assert (found.crossing.status, found.crossing.n, found.crossing.probability) == ("cannot_tell", None, None)


def test_nothing_to_overtake_no_crossing():
    found = told([point(n, rising(n)) for n in SIZES], target=None)
    assert (found.target, found.target_score, found.crossing) == (None, None, None)
    assert found.band


def test_out_of_reach_is_said():
    found = told([point(n, 0.6 - 0.9 * n**-0.5) for n in SIZES])
    assert (found.crossing.status, found.crossing.n) == ("not_within", None)


def test_further_trainings_of_a_size_count():
    once = [point(n, rising(n), 300) for n in SIZES]
    again = [*once, *(point(n, rising(n), 300, repeat=r) for n in SIZES for r in (1, 2))]
    width = [told(points).band[20].high80 - told(points).band[20].low80 for points in (once, again)]
    assert width[1] < width[0]


def test_a_graded_score_with_a_narrow_interval_is_believed_more():
    points = [point(n, rising(n), 100) for n in SIZES]
    narrow = [p.model_copy(update={"interval": Interval(low=p.score - 0.01, high=p.score + 0.01)}) for p in points]
    assert standard_error(narrow[0].interval) == pytest.approx(0.0051, abs=1e-4)
    width = [
        told(some, binary=False).band[5].high95 - told(some, binary=False).band[5].low95 for some in (points, narrow)
    ]
    assert width[1] < 0.6 * width[0]


def test_a_target_that_learns_is_overtaken_later():
    points, rival = [point(n, rising(n)) for n in SIZES], [point(n, 0.87 - 0.5 * n**-0.4) for n in SIZES]
    still = told(points, ("head", score(0.84)))
    grows = told(points, ("head", score(0.84)), target_points=rival)
    assert (still.target_grows, grows.target_grows) == (False, True)
    assert grows.crossing.probability < still.crossing.probability
    few = told(points, ("head", score(0.84)), target_points=rival[:2])
    assert (few.target_grows, few.crossing.status) == (False, still.crossing.status)


def test_a_score_outside_its_range_is_refused():
    bad = [point(n, rising(n)) for n in SIZES[:3]]
    bad.append(bad[0].model_copy(update={"n": 400, "score": 1.2}))
    with pytest.raises(ValueError, match=r"score at n = 400 is 1.2, must be in \[0, 1\]"):
        told(bad)


def shot(k, value, *, selection="nearest", model="tiny", constrained=True, **more):
    config = {"constrained": constrained} | ({"k": k, "selection": selection} if k else {})
    fields = {
        "arm_id": f"k={k},{selection},{model},{constrained}",
        "strategy": "fewshot" if k else "prompt",
        "model": model,
        "config": config,
        "title": Text(en="t", zh="t"),
        "effort": 1,
        "state": "measured",
        "dev": {"accuracy": score(value)},
    }
    return ArmResult.model_validate({**fields, **more})


def shots(arms):
    return shot_forecasts(arms, "accuracy", margin=0.02, chance=0.1, binary=True, rng=np.random.default_rng(0))


def test_shots_start_from_the_prompt_that_shows_none():
    arms = [shot(16, 0.7), shot(0, 0.3), shot(1, 0.45), shot(4, 0.6), shot(0, 0.2, constrained=False)]
    (found,) = shots(arms)
    assert (found.axis, found.arm_id, found.crossing) == ("shots", "k=16,nearest,tiny,True", None)
    assert [(p.n, p.score) for p in found.points] == [(1, 0.3), (2, 0.45), (5, 0.6), (17, 0.7)]
    assert (found.band[0].n, found.band[-1].n) == (1, 68)


def test_every_way_of_choosing_and_every_model_has_its_own_curve():
    arms = [shot(k, 0.3 + 0.02 * k, selection=s, model=m) for k in (1, 4) for s in ("nearest", "random") for m in "ab"]
    arms += [shot(0, 0.2, model="a"), shot(16, 0.9, selection="balanced", model="a")]
    found = shots(arms)
    assert sorted((f.arm_id, len(f.points)) for f in found) == [
        ("k=4,nearest,a,True", 3),
        ("k=4,nearest,b,True", 2),
        ("k=4,random,a,True", 3),
        ("k=4,random,b,True", 2),
    ]
    assert {f.cannot_tell for f in found} == {"too_few_sizes"}


def test_shots_that_were_not_measured_make_no_point():
    arms = [shot(1, 0.4), shot(4, 0.5, state="skipped"), shot(16, 0.6, dev={})]
    assert shots(arms) == []
