"""What a model that is trained on the rows says of them: vectors, folds, a classifier, and how sure a ranking is.

The classifier never saw the row that it judges: no row meets its own repetition, since groups of rows stay in one fold.

What a classifier that never saw a row says about it.

Linear discriminant analysis with a shrunken covariance: fitted in closed form, so that five folds at three sizes
cost seconds even with a hundred classes, and on sentence embeddings as accurate as logistic regression. Its
probabilities are far too sure of themselves; one temperature, fitted to the held-out rows, calibrates them.

Sources: Ledoit & Wolf (2004), J. Portfolio Management 30:110; Guo et al. (2017), ICML, temperature scaling.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit import Embed, Tick, no_tick
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.language import han_share
from tuneworth.data.neardup import plain
from tuneworth.words.say import say

_PACKAGES = {"sklearn": "scikit-learn", "cleanlab": "cleanlab"}
Floats = NDArray[np.float64]
MAX_EMBEDDED = 5_000
"""Texts that a sentence encoder reads: some 90 s on two cores where they have 200 characters."""
MAX_COUNTED = 20_000
"""Texts whose n-grams are counted: some 15 s."""
_CHARS = 1_500
_MAX_NGRAMS = 30_000
_DIMENSIONS = 256
_BATCH = 256
_GROUP_CHARS = 2_000
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_UNSEEN = 5.0
"""How far below the least likely class a class stands that a fold did not see, in log-odds."""
Floats = NDArray[np.float64]


def why_no_classifier(*more: str) -> Text | None:
    """Why scikit-learn (and modules ``more``) cannot be used here, or ``None``."""
    missing = [_PACKAGES[name] for name in ("sklearn", *more) if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    names = ", ".join(missing)
    return say("audit.learned.not_installed", names=names)


@dataclass(frozen=True, slots=True)
class Vectors:
    """One row of ``values`` a text, shape ``(texts, dimensions)``."""

    values: Floats
    kind: Literal["embedding", "tfidf"]

    @property
    def name(self) -> Text:
        if self.kind == "embedding":
            return say("audit.learned.embeddings")
        return say("audit.learned.ngrams")


def most_texts(embed: Embed | None) -> int:
    """How many texts ``vectors`` is meant for; callers sample beyond it."""
    return MAX_COUNTED if embed is None else MAX_EMBEDDED


def vectors(texts: Sequence[str], embed: Embed | None, seed: int, tick: Tick = no_tick) -> Vectors:
    """``texts`` by ``embed``, or without one by TF-IDF of character n-grams cut down to 256 dimensions.

    Only the first 1,500 characters count: encoders read little more, and one text of a megabyte must not
    cost what 500 rows do. No label is looked at, so fitting on all texts tells a classifier nothing it should
    not know.
    """
    starts = [text[:_CHARS] for text in texts]
    if embed is None:
        return Vectors(_tfidf(starts, seed), "tfidf")
    parts: list[Any] = []
    for start in range(0, len(starts), _BATCH):
        parts.append(embed(starts[start : start + _BATCH]))
        tick(min(start + _BATCH, len(starts)), len(starts))
    return Vectors(np.concatenate(parts).astype(np.float64), "embedding")


def _tfidf(texts: Sequence[str], seed: int) -> Floats:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    chinese = han_share("".join(text[:200] for text in texts[:2_000])) >= 0.2
    analyzer, ngrams = ("char", (1, 2)) if chinese else ("char_wb", (2, 4))
    settings: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32, "max_features": _MAX_NGRAMS}
    counter = TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, min_df=2 if len(texts) >= 500 else 1, **settings)
    try:
        counted = counter.fit_transform(text or " " for text in texts)
    except ValueError:  # texts of spaces only have no n-grams
        return np.zeros((len(texts), 1))
    if counted.shape[1] <= _DIMENSIONS:
        return np.asarray(counted.toarray(), dtype=np.float64)
    svd = TruncatedSVD(min(_DIMENSIONS, len(texts) - 1), n_iter=2, random_state=seed)
    return np.asarray(svd.fit_transform(counted), dtype=np.float64)


def group_names(rows: Sequence[Example]) -> list[str]:
    """A name that rows of one group share: the user's group, else the text without case, marks and numbers."""
    return [f"group {row.group}" if row.group else plain(row.query.text[:_GROUP_CHARS]) for row in rows]


def grouped_folds(
    groups: Sequence[str], labels: NDArray[np.intp], n_folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Fold of every row, shape ``(rows,)``: groups whole, labels dealt evenly.

    A group counts under the label of its first row, which is exact where groups agree on their label.
    """
    first: dict[str, int] = {}
    of_row = np.array([first.setdefault(name, len(first)) for name in groups], dtype=np.intp)
    first_rows = np.unique(of_row, return_index=True)[1]
    order = np.lexsort((rng.random(len(first)), labels[first_rows]))
    fold_of_group = np.empty(len(first), dtype=np.intp)
    fold_of_group[order] = np.arange(len(first)) % n_folds
    return fold_of_group[of_row]


def held_out_scores(
    x: Floats, labels: Ints, n_classes: int, folds: Ints, *, share: float = 1.0, rng: np.random.Generator
) -> Floats:
    """Log-odds of every row from the folds it is not in, shape ``(rows, classes)``.

    Args:
        share: of the other folds' rows, how many are fitted on.
    """
    scores = np.zeros((len(labels), n_classes))
    for fold in range(int(folds.max()) + 1):
        held = np.flatnonzero(folds == fold)
        fitted = rng.permutation(np.flatnonzero(folds != fold))
        fitted = fitted[: max(2, round(share * len(fitted)))]
        scores[held] = _fit_and_score(x[fitted], labels[fitted], x[held], n_classes)
    return scores


def probabilities(scores: Floats, labels: Ints) -> Floats:
    """Calibrated probabilities, rows summing to 1: a softmax at the temperature that fits the labels best."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_scale: float) -> float:
        return -float(np.mean(np.log(np.maximum(_softmax(scores * np.exp(log_scale))[rows, labels], 1e-9))))

    best: Any = minimize_scalar(loss, bounds=(-4.0, 2.0), method="bounded", options={"xatol": 1e-2})
    return _softmax(scores * np.exp(best.x))


def _fit_and_score(x: Floats, labels: Ints, held: Floats, n_classes: int) -> Floats:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    seen = np.unique(labels)
    scores = np.zeros((len(held), n_classes))
    if seen.size == 0:  # all rows are one group
        return scores
    if seen.size > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant columns and classes of one row only shrink more
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, labels)
            found = np.asarray(model.decision_function(held), dtype=np.float64)
        scores[:, seen] = found if found.ndim == 2 else np.stack([-found / 2, found / 2], axis=1)
    unseen = np.setdiff1d(np.arange(n_classes), seen)
    scores[:, unseen] = scores[:, seen].min(axis=1, keepdims=True) - _UNSEEN
    return np.nan_to_num(scores, nan=0.0, posinf=50.0, neginf=-50.0)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Auc:
    """Chance that a score of the first kind is above one of the second; ties count half.

    Attributes:
        p_value: one-sided, of no difference (Mann & Whitney 1947).
    """

    value: float
    interval: Interval
    p_value: float


def auc(above: Floats, below: Floats) -> Auc:
    """AUC of scores ``above`` against ``below``, both of shape ``(n,)`` and not empty.

    The interval is DeLong's (1988, Biometrics 44:837) and never of zero width: rows not seen may be ranked wrongly.
    """
    from scipy.stats import mannwhitneyu, rankdata

    n, m = above.size, below.size
    ranks = np.asarray(rankdata(np.concatenate([above, below])))
    own_above, own_below = np.asarray(rankdata(above)), np.asarray(rankdata(below))
    by_above = (ranks[:n] - own_above) / m
    by_below = 1 - (ranks[n:] - own_below) / n
    value = float(by_above.mean())
    variance = _variance(by_above) / n + _variance(by_below) / m
    half = NormalDist().inv_cdf(0.975) * max(variance**0.5, 0.5 / min(n, m) / 2)
    interval = Interval(low=max(0.0, value - half), high=min(1.0, value + half))
    p_value = float(mannwhitneyu(above, below, alternative="greater").pvalue)
    return Auc(value, interval, p_value)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.25
