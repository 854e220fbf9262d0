"""Expected gain: the normal formula against simulation, and what few rows and the last row say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneworth.stats.final_gap import PRIOR_SD, FinalGap, Paired, final_gap, paired


def pairs(differences):
    return paired(np.asarray(differences, dtype=float))


class TestFinalGap:
    @pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.1), (-0.2, 0.1), (-0.02, 0.05)])
    def test_gain_is_the_mean_of_the_positive_part(self, mean, sd):
        draws = np.random.default_rng(0).normal(mean, sd, 2_000_000)
        assert FinalGap(mean, sd).gain() == pytest.approx(np.maximum(draws, 0).mean(), abs=3e-4)

    def test_without_rows_it_is_the_prior(self):
        found = final_gap(Paired(), 10_000)
        assert found.mean == 0.0
        assert found.sd == pytest.approx(PRIOR_SD, rel=0.01)

    def test_with_all_rows_nothing_is_open(self):
        found = final_gap(pairs([-1.0, 0.0, 1.0, -1.0]), 4)
        assert (found.mean, found.sd, found.gain()) == (-0.25, 0.0, 0.0)
        assert FinalGap(0.25, 0.0).gain() == 0.25

    def test_rows_without_a_score_are_not_waited_for(self):
        found = final_gap(Paired(seen=100, n=60, mean=-0.1, spread=29.4), 100)
        assert (found.mean, found.sd) == (pytest.approx(-0.1), 0.0)

    def test_arms_that_agreed_so_far_are_not_taken_for_the_same(self):
        found = final_gap(pairs([0.0] * 32), 1_000)
        assert found.gain() > 0.005
        assert final_gap(pairs([0.0] * 500), 1_000).gain() < found.gain()

    @pytest.mark.parametrize("n", [32, 64, 128])
    def test_the_end_lies_in_the_interval_as_often_as_it_says(self, n):
        """For arms whose differences are drawn from the prior."""
        rng, inside = np.random.default_rng(1), 0
        for _ in range(2_000):
            lead = np.clip(rng.normal(0, PRIOR_SD), -0.5, 0.5)
            chances = [(0.6 - lead) / 2, (0.6 + lead) / 2, 0.4]
            values = rng.choice([-1.0, 1.0, 0.0], 300, p=chances)
            low, high = final_gap(pairs(values[:n]), 300).interval(0.9)
            inside += low <= values.mean() <= high
        assert 0.87 <= inside / 2_000 <= 0.95

    @given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), max_size=60), st.integers(60, 500))
    def test_gain_is_never_negative_and_grows_with_what_is_added(self, values, n_dev):
        found = final_gap(pairs(values), n_dev)
        assert 0 <= found.gain() <= found.moved(0.02, 0.0).gain()
        low, high = found.interval()
        assert low <= found.mean <= high
        assert 0 <= found.below(0.0) <= 1
