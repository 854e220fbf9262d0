import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from tuneworth.stats.curve_sampler import sample_posterior


@pytest.mark.parametrize("error", [1.0, 0.1, 0.003])
def test_a_normal_posterior_and_its_evidence_are_exact(error):
    seen = np.array([0.5, -1.0, 2.0])
    found = sample_posterior(lambda x: norm.logpdf(seen, x, error).sum(axis=1), 3, np.random.default_rng(0), 2000)
    shrink = 1 / (1 + error**2)
    assert found.draws.mean(axis=0) == pytest.approx(shrink * seen, abs=5 * error / np.sqrt(2000))
    assert found.draws.std(axis=0) == pytest.approx(np.full(3, np.sqrt(shrink) * error), rel=0.12)
    assert found.log_evidence == pytest.approx(norm.logpdf(seen, 0, np.sqrt(1 + error**2)).sum(), abs=0.35)


def test_a_ridge_is_followed():
    """Only the sum of two unknowns is seen: their difference keeps its prior."""
    found = sample_posterior(lambda x: norm.logpdf(x.sum(axis=1), 1.5, 0.01), 2, np.random.default_rng(1), 2000)
    assert found.draws.sum(axis=1).std() == pytest.approx(0.01, rel=0.15)
    assert (found.draws[:, 0] - found.draws[:, 1]).std() == pytest.approx(np.sqrt(2), rel=0.12)
    assert found.log_evidence == pytest.approx(norm.logpdf(1.5, 0, np.sqrt(2 + 1e-4)), abs=0.3)


def test_the_better_of_two_explanations_has_the_evidence_it_should():
    """log Bayes factor of a free mean against a mean of zero, which is known in closed form."""
    seen = np.array([0.4, 0.1, 0.6, 0.3])
    free = sample_posterior(lambda x: norm.logpdf(seen, x, 0.5).sum(axis=1), 1, np.random.default_rng(2))
    exact = multivariate_normal(np.zeros(4), 0.25 * np.eye(4) + 1).logpdf(seen)
    assert free.log_evidence == pytest.approx(exact, abs=0.15)


def test_no_information_leaves_the_prior():
    found = sample_posterior(lambda x: np.zeros(len(x)), 2, np.random.default_rng(3))
    assert found.log_evidence == pytest.approx(0)
    assert np.abs(found.draws.mean(axis=0)).max() < 0.12
