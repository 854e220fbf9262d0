"""Whatever a forecast says, it may only turn "don't" or "can't tell" into "not yet", and only with a number to stand by."""

from decide_builders import METRIC, compared, duel, task
from hypothesis import given, settings
from hypothesis import strategies as st
from outlook_builders import forecast, race, stop

from tuneworth.decide.decision import decide


@st.composite
def forecasts(draw):
    status = draw(st.sampled_from(["already", "forecast", "not_within", "cannot_tell"]))
    n = draw(st.integers(60, 80_000))
    low = draw(st.integers(50, n))
    high = draw(st.one_of(st.none(), st.integers(n, 80_000)))
    probability = draw(st.floats(0, 1))
    return forecast(
        status, n=n, low=low, high=high, probability=probability, target_score=draw(st.floats(0.5, 1)),
        margin=draw(st.sampled_from([0.02, 0.05])), target_grows=draw(st.booleans()),
    )  # fmt: skip


counts = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 300), st.integers(1, 100))
stops = st.sampled_from([None, "forecast", "no_rise", "budget", "little_to_gain", "eliminated"])


@settings(max_examples=200, deadline=None)
@given(counts, forecasts(), stops, st.sampled_from([None, 200]), st.sampled_from([None, 0.05]))
def test_a_forecast_only_ever_puts_off(rows_of_duel, found, reason, part, usd):
    arms, rows = duel(*rows_of_duel, untuned="head")
    arms = [arm.model_copy(update={"n_train": part}) if arm.tuned else arm for arm in arms]
    ran = race(*([stop("lora", reason, forecast_high=0.6)] if reason else []), trained_on=(part,))
    pairs = compared(rows)

    def decided(**more):
        return decide(task(), arms, pairs, primary_metric=METRIC, n_train=800, race=ran, usd_per_label=usd, **more)

    without, decision = decided(), decided(forecasts=[found])
    if without.verdict in ("fine_tune", "none_meets_limits"):
        assert decision.verdict == without.verdict
    if decision.verdict == "fine_tune":
        assert without.verdict == "fine_tune"
    if decision.verdict == "not_yet":
        met = found.crossing
        assert (met.status, found.margin) == ("forecast", 0.02)
        assert decision.rows == met.n - 800 > 0
        assert met.high is not None
        assert decision.recommended == "head"
    for text in (
        decision.headline,
        *decision.reasons,
        *decision.would_change,
        *(row.why for row in decision.seed_rows),
    ):
        assert text.en.strip()
        assert "{" not in text.en + text.zh
        assert not any(ending in text.zh for ending in (" 。", "；。", "。。"))
