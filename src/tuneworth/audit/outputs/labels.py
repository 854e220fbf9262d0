"""Labels that are probably one label written in two ways."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Difference = Literal["writing", "plural", "typo"]

# Edits in short words make other words ("cat", "car"), and rare means by far the smaller class.
_TYPO_MIN_CHARS = 5
_RARE_RATIO = 10
_RARE_SHARE = 0.01
_MOST_LABELS = 2_000

_JOINED = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class NearMiss:
    """``label`` is probably meant to be ``usual``.

    Attributes:
        difference: ``writing`` is case, spacing, joining marks or width only; the others are guesses.
    """

    label: str
    usual: str
    difference: Difference


def near_misses(counts: Mapping[str, int]) -> list[NearMiss]:
    """Labels that look like variants of a more frequent one, the surest first.

    Args:
        counts: rows by label.
    """
    order = sorted(counts, key=lambda label: (-counts[label], label))
    usual_of: dict[str, str] = {}
    found: list[NearMiss] = []
    for label in order:
        usual = usual_of.setdefault(written(label), label)
        if usual != label:
            found.append(NearMiss(label, usual, "writing"))
    kept = Counter({label: counts[label] for label in usual_of.values()})
    if len(kept) <= _MOST_LABELS:  # pairs are compared; more labels than that are no label set
        found += _guesses(kept)
    return found


def written(label: str) -> str:
    """``label`` without case, width and the marks that join words; what is left tells labels apart.

    Signs and the spaces between digits stay: "A+" is not "A-", "1-0" is not "10".
    """
    narrow = "".join(
        unicodedata.normalize("NFKC", char) if unicodedata.east_asian_width(char) in "FH" or char.isspace() else char
        for char in label
    )
    return _JOINED.sub("", _SPACES.sub(" ", narrow).strip()).casefold()


def _guesses(counts: Counter[str]) -> list[NearMiss]:
    by_key = {written(label): label for label in counts}
    found: list[NearMiss] = []
    for key, label in by_key.items():
        partner = next((by_key[other] for other in _singulars(key) if other in by_key), None)
        if partner is not None:
            rare, usual = sorted((label, partner), key=lambda name: counts[name])
            found.append(NearMiss(rare, usual, "plural"))
            continue
        usual = _misspelt(key, label, by_key, counts)
        if usual is not None:
            found.append(NearMiss(label, usual, "typo"))
    return found


def _singulars(key: str) -> Iterator[str]:
    """Forms of which ``key`` would be the plural, or that a Chinese suffix for "class" was added to."""
    if key.endswith("ies") and len(key) > 4:
        yield key[:-3] + "y"
    if key.endswith("es") and len(key) > 4:
        yield key[:-2]
    if key.endswith("s") and not key.endswith("ss") and len(key) > 3:
        yield key[:-1]
    for suffix in ("类别", "类"):
        if key.endswith(suffix) and len(key) > len(suffix) + 1:
            yield key.removesuffix(suffix)


def _misspelt(key: str, label: str, by_key: Mapping[str, str], counts: Counter[str]) -> str | None:
    """The frequent label that rare ``label`` is one slip of the keys away from."""
    total = counts.total()
    if len(key) < _TYPO_MIN_CHARS or counts[label] > max(1, _RARE_SHARE * total):
        return None
    for other, usual in by_key.items():
        if counts[usual] >= _RARE_RATIO * counts[label] and len(other) >= _TYPO_MIN_CHARS and one_slip(key, other):
            return usual
    return None


def one_slip(a: str, b: str) -> bool:
    """Whether ``a`` is ``b`` with one Latin letter changed, missing, too many, or swapped with the next.

    Digits and Han characters do not count: "type1" and "type2", 理学 and 工学 are different labels.
    """
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    if start == 0:
        return False  # a slip in the first letter is rare, and prefixes make opposites: "moral", "amoral"
    touched = rest_a[:2] + rest_b[:2] if len(a) == len(b) else max(rest_a, rest_b, key=len)[:1]
    if not all("a" <= char <= "z" for char in touched[:1]):
        return False
    if len(a) != len(b):
        longer, shorter = (rest_a, rest_b) if len(a) > len(b) else (rest_b, rest_a)
        return longer[1:] == shorter
    swapped = len(rest_a) > 1 and rest_a[0] == rest_b[1] and rest_a[1] == rest_b[0] and rest_a[2:] == rest_b[2:]
    return swapped or ("a" <= rest_b[0] <= "z" and rest_a[1:] == rest_b[1:])
