"""Do all texts share one voice? Judged on features that do not depend on the topic, by the two halves of each text.

The features are what every sentence has whatever it is about: function words and particles of English, modern and classical Chinese,
punctuation, capitals, contractions, pronouns of address. Stylometry has relied on them since Mosteller & Wallace
(1964), "Inference and Disputed Authorship: The Federalist"; for Chinese, particles and punctuation play that part.
Content words, names and digits are not looked at.

No author is known. But whatever distinguishes the voice of a text shows in both of its halves, and what is chance
does not. So: the directions of style in which the halves of a text go together are learnt on half of the texts,
two groups are made along them, and on the other texts it is counted how often both halves fall into one group.

Cohen's kappa of the two halves is 0 where a half says nothing about the other, which is what one even voice gives,
and near 1 where the texts fall into two voices. ``1 - kappa`` is called consistency.

What it is not: it does not say whether the voice is a special one, or good. Texts of one author in two registers
(letters and adverts) count as two voices. Under some 30 words a text hides its voice, and the consistency comes out
too high; the same texts cut shorter look more alike. Compare sets of like length only.

Source: the split-half idea is Spearman's (1910), British J. of Psychology 3:271; kappa is Cohen's (1960).
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.record import Interval

Floats = NDArray[np.float64]

_TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?:['’][^\W\d_]+)*|[^\w\s]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")

_ENGLISH_WORDS = """
the a an and or but so because if that which who this these it its they them their he she his her i me my we us our
you your is are was were be been has have had do does did not no can could will would should may might must of to in
on at by for with from as than then there here very just also only about into over
"""
_ENGLISH = tuple(_ENGLISH_WORDS.split())
_CHINESE = tuple(
    "的了着过是在和与而之乎者也矣焉哉其以于则乃若所吗呢吧啊呀嘛您你我他她它们这那就都还很不没把被给对从为因但如果请会能要可曰吾汝尔此何夫盖遂"
)
_SIGNS = tuple(",.;:!?()-'\"…—，。；：！？、（）“”《》~")
_SHAPES = ("contraction", "capital", "all_caps", "short_word", "long_word")

NAMES = (*_ENGLISH, *_CHINESE, *_SIGNS, *_SHAPES)
_FUNCTION_WORDS = frozenset((*_ENGLISH, *_CHINESE))
_PLACE = {name: at for at, name in enumerate((*_ENGLISH, *_CHINESE, *_SIGNS))}
_FIRST_SHAPE = len(_PLACE)
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
MIN_TOKENS, MAX_TOKENS = 16, 80
"""Shorter texts have no style to measure; of longer ones the first 80 tokens count, so that lengths stay alike."""
_DIRECTIONS = 3
_SHRINK = 0.3
_COMMON = 0.03
_REPEATS = 3
_STARTS = 3
_DRAWS = 500


def tokens(text: str) -> list[str]:
    """Words, Han characters and signs, in order; digits are left out."""
    return _TOKEN.findall(text)


def style_vector(parts: Sequence[str]) -> Floats:
    """Square roots of the rates of all features among tokens ``parts``, shape ``(len(NAMES),)``.

    The square root evens out the spread of counts: common and rare words then weigh alike.
    """
    counts = np.zeros(len(NAMES))
    for token, n in Counter(parts).items():
        at = _PLACE.get(token.lower())
        if at is not None:
            counts[at] += n
        if token[0].isalpha() and not _HAN.match(token):
            counts[_FIRST_SHAPE:] += n * _shapes(token)
    return np.sqrt(counts / max(len(parts), 1))


def function_word_share(parts: Sequence[str]) -> float:
    """Share of function words among tokens: about 0.2 to 0.5 in prose, hardly any in code, lists and names."""
    return sum(token.lower() in _FUNCTION_WORDS for token in parts) / max(len(parts), 1)


def _shapes(word: str) -> Floats:
    return np.array(
        [
            "'" in word or "’" in word,
            word[0].isupper() and not word.isupper(),
            len(word) > 1 and word.isupper(),
            len(word) <= 3,
            len(word) >= 8,
        ],
        dtype=np.float64,
    )


@dataclass(frozen=True, slots=True)
class Halves:
    """Style vectors of the halves of texts, each of shape ``(texts, features)``.

    Attributes:
        of_text: which of the given texts each row is of; texts that are too short are left out.
    """

    first: Floats
    second: Floats
    of_text: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """``value`` in [0, 1], 1 where halves of a text have no more in common than halves of two texts.

    Attributes:
        minority: share of the smaller of the two groups.
        group: 1 for texts of the smaller group, else 0, per row of the halves.
    """

    value: float
    interval: Interval
    minority: float
    group: Ints


def halves_of(texts: Sequence[str]) -> Halves:
    """The halves of all texts that are long enough."""
    cut = [
        (at, found[:MAX_TOKENS]) for at, text in enumerate(texts) if len(found := tokens(text[:2_000])) >= MIN_TOKENS
    ]
    first = [style_vector(found[: len(found) // 2]) for _, found in cut]
    second = [style_vector(found[len(found) // 2 :]) for _, found in cut]
    return Halves(np.array(first), np.array(second), tuple(at for at, _ in cut))


def consistency(halves: Halves, rng: np.random.Generator) -> Consistency:
    """How much the texts sound like one voice. The interval is a bootstrap over texts, at 95 %."""
    n = len(halves.of_text)
    pairs: list[tuple[Ints, Ints, Ints]] = []
    for _ in range(_REPEATS):
        order = rng.permutation(n)
        for learnt, judged in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
            pairs.append((judged, *_groups(halves, learnt, judged, rng)))
    rows, first, second = (np.concatenate(part) for part in zip(*pairs))
    value = 1 - max(0.0, _kappa(first, second))
    draws = [_resampled(rows, first, second, n, rng) for _ in range(_DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    together = np.bincount(rows, weights=first + second, minlength=n) > _REPEATS
    interval = Interval(low=min(float(low), value), high=max(float(high), value))
    return Consistency(value, interval, float(together.mean()), together.astype(np.intp))


def _groups(halves: Halves, learnt: Ints, judged: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Group of the first and of the second half of each judged text; group 1 is the smaller among the learnt."""
    a, b = halves.first[learnt], halves.second[learnt]
    centre_a, centre_b = a.mean(axis=0), b.mean(axis=0)  # each half by itself: beginnings are not endings
    a, b = a - centre_a, b - centre_b
    used, directions = _directions(a, b, halves, learnt)
    if not used.any():
        return np.zeros(len(judged), dtype=np.intp), np.zeros(len(judged), dtype=np.intp)
    centres = _two_centres((a + b)[:, used] @ directions / 2, rng)
    first = _nearest((halves.first[judged] - centre_a)[:, used] @ directions, centres) == 1
    second = _nearest((halves.second[judged] - centre_b)[:, used] @ directions, centres) == 1
    return first.astype(np.intp), second.astype(np.intp)


def _two_centres(points: Floats, rng: np.random.Generator) -> Floats:
    """Centres of two groups by k-means, shape ``(2, directions)``, the larger group's first."""
    from scipy.cluster.vq import kmeans2

    best, least = np.zeros((2, points.shape[1])), np.inf
    for _ in range(_STARTS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a group may stay empty where few texts differ
            centres, groups = kmeans2(points, 2, minit="++", rng=rng)
        spread = float(np.sum((points - centres[groups]) ** 2))
        if spread < least:
            best, least = centres[np.argsort(-np.bincount(groups, minlength=2), kind="stable")], spread
    return best


def _nearest(points: Floats, centres: Floats) -> Ints:
    distances = np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
    return distances.argmin(axis=1)


def _directions(a: Floats, b: Floats, halves: Halves, learnt: Ints) -> tuple[NDArray[np.bool_], Floats]:
    """The features used, and the directions in which halves agree most against how they differ."""
    from scipy.linalg import eigh

    used = ((halves.first[learnt] > 0) | (halves.second[learnt] > 0)).mean(axis=0) >= _COMMON
    a, b = a[:, used], b[:, used]
    if a.shape[1] == 0 or not np.any(a - b):
        return np.zeros_like(used), np.zeros((0, 0))
    shared = (a.T @ b + b.T @ a) / (2 * len(a))
    differing = (a - b).T @ (a - b) / (2 * len(a))
    noise = (1 - _SHRINK) * differing + _SHRINK * np.diag(np.diag(differing)) + 1e-6 * np.eye(a.shape[1])
    vectors = np.asarray(eigh(shared, noise)[1], dtype=np.float64)
    return used, vectors[:, ::-1][:, :_DIRECTIONS]


def _kappa(first: Ints, second: Ints, weights: Floats | None = None) -> float:
    """Cohen's kappa of two 0/1 columns with one margin for both; 0 where only one group occurs."""
    agree = float(np.average(first == second, weights=weights))
    share = float(np.average((first + second) / 2, weights=weights))
    by_chance = share**2 + (1 - share) ** 2
    return (agree - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def _resampled(rows: Ints, first: Ints, second: Ints, n: int, rng: np.random.Generator) -> float:
    times = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
    return 1 - max(0.0, _kappa(first, second, times[rows]))
