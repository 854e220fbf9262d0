"""Made learning curves of shapes that are not fitted, and their measurement on one set of rows."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from tuneworth.stats.curve import CurvePoint


def two_powers(rng):
    limit, a, b, p, q = rng.uniform((0, 0.2, 0.1, 0.2, 0.8), (0.3, 0.5, 0.3, 0.5, 1.3))
    start = rng.uniform(30, 100)
    return lambda n: 1 - np.minimum(limit + a * (n / start) ** -p + b * (n / start) ** -q, 0.99)


def probit_line(rng):
    top, middle, slope = rng.uniform(0.7, 1.0), np.exp(rng.uniform(3.4, 7.6)), rng.uniform(0.25, 1.0)
    return lambda n: top * norm.cdf(slope * np.log(n / middle))


def shifted_power(rng):
    limit, shift, p = rng.uniform((0, 20, 0.3), (0.4, 500, 1.2))
    gain = rng.uniform(0.4, 0.9) * (1 - limit)
    return lambda n: 1 - limit - gain * (n / shift + 1) ** -p


def log_line(rng):
    start, slope = rng.uniform(0.1, 0.5), rng.uniform(0.03, 0.09)
    return lambda n: np.clip(start + slope * np.log(n / 50), 0.01, 0.97)


def broken_power(rng):
    """A power law that bends once (Caballero et al. 2023, arXiv 2210.14891)."""
    limit, height, p, sharp = rng.uniform((0, 0.5, 0.1, 0.1), (0.2, 0.9, 0.4, 0.5))
    later, bend = p * rng.uniform(0.3, 3), np.exp(rng.uniform(4.6, 8.0))
    return lambda n: (
        1 - np.minimum(limit + height * (n / 30) ** -p * (1 + (n / bend) ** (1 / sharp)) ** ((p - later) * sharp), 0.99)
    )


def gompertz(rng):
    top, middle, slope = rng.uniform(0.6, 0.98), np.exp(rng.uniform(3.4, 6.7)), rng.uniform(0.4, 1.3)
    return lambda n: top * np.exp(-np.exp(-slope * np.log(n / middle)))


def inverse_log(rng):
    height, limit = rng.uniform(1.2, 3.0), rng.uniform(-0.2, 0.1)
    return lambda n: np.clip(1 - limit - height / np.log(n + 3), 0.01, 0.98)


def classes_seen(rng):
    """A class is told only once rows of it were seen, and then the better the more there are."""
    k = int(np.exp(rng.uniform(np.log(3), np.log(150))))
    shares = rng.dirichlet(np.full(k, rng.uniform(0.3, 5)))
    top, enough, p = rng.uniform((0.7, 1, 0.6), (1.0, 12, 1.2))

    def score(n):
        rows = np.asarray(n, dtype=float)[:, None] * shares
        return top * (shares * (1 - np.exp(-rows)) / (1 + (rows / enough) ** -p)).sum(axis=1)

    return score


def late_start(rng):
    """Level at first, then a rise, then level."""
    start = rng.uniform(0.05, 0.6)
    top = start + (1 - start) * rng.uniform(0.4, 1)
    middle, slope = np.exp(rng.uniform(3.4, 6.7)), rng.uniform(0.8, 2.0)
    return lambda n: start + (top - start) / (1 + (n / middle) ** -slope)


TRUTHS = (
    two_powers,
    probit_line,
    shifted_power,
    log_line,
    broken_power,
    gompertz,
    inverse_log,
    classes_seen,
    late_start,
)


def measure(scores, rng, n_rows=300, shared=0.55, training=0.012):
    """Right/wrong scores at every size on the same rows; ``shared`` is the correlation between two sizes."""
    row = rng.standard_normal(n_rows)
    own = rng.standard_normal((len(scores), n_rows))
    z = np.arcsin(np.sqrt(scores)) + training * rng.standard_normal(len(scores))
    real = np.sin(np.clip(z, 0, np.pi / 2)) ** 2
    return (np.sqrt(shared) * row + np.sqrt(1 - shared) * own < norm.ppf(real)[:, None]).mean(axis=1)


def made_curve(truth, rng, n_sizes, ahead=4):
    """Points at doubling sizes, and what came at ``ahead`` times the largest on the same rows."""
    scores, largest = truth(rng), int(np.exp(rng.uniform(4.2, 7.6)))
    sizes = np.array([largest // 2**step for step in reversed(range(n_sizes))] + [ahead * largest])
    training = np.exp(rng.normal(np.log(0.012), 0.5)) * (sizes / largest) ** -rng.uniform(0, 0.5)
    seen = measure(scores(sizes.astype(float)), rng, shared=rng.uniform(0.3, 0.8), training=training)
    return [CurvePoint(int(n), float(s), 300) for n, s in zip(sizes[:-1], seen[:-1])], float(seen[-1])
