"""Outputs that are several labels at once, found among lists and among texts with separators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.labelsets import SEPARATORS
from tuneworth.data.values import parse_structure

NEARLY_ALL = 0.95
SEVERAL_SHARE = 0.02
"""Of the rows, at least, with more than one label."""
COMBINED_SHARE = 0.8
REPEATED_SHARE = 0.95
MAX_LABELS_PER_ROW = 0.5
MAX_CHARS = 60
MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class LabelSets:
    """What outputs are made of.

    Attributes:
        separator: which of ``SEPARATORS`` stands between labels; ``None`` where outputs are lists.
        n_several: outputs with more than one label.
    """

    labels: tuple[str, ...]
    separator: str | None
    n_several: int


def cut(output: str, separator: str | None) -> list[str]:
    """The labels of an output."""
    if separator is not None:
        return [part for piece in re.split(SEPARATORS[separator], output) if (part := piece.strip())]
    value = parse_structure(output)
    return [str(item).strip() for item in value] if isinstance(value, list) else [output]


def find_label_sets(outputs: Sequence[str]) -> LabelSets | None:
    """The label sets that ``outputs`` are, or ``None``.

    Lists must hold short texts that come again in other rows, none twice in a list. In a text a separator is one only if
    what it separates is combined anew in other rows: the parts of "Paris, France" or of the label "Arts, Crafts" are not.
    """
    lists = sum(_is_list(output) for output in outputs)
    values = map(parse_structure, outputs)
    if lists < sum(isinstance(value, dict | list) for value in values) >= SEVERAL_SHARE * len(outputs):
        return None  # the commas of objects separate no labels
    for separator in [None] if lists >= NEARLY_ALL * len(outputs) else list(SEPARATORS):
        if separator is not None and _n_with(separator, outputs) < SEVERAL_SHARE * len(outputs):
            continue
        sets = [cut(output, separator) for output in outputs]
        if (found := _label_sets(sets, separator)) is not None:
            return found
    return None


def labels_in(outputs: Sequence[str]) -> tuple[str, ...]:
    """All labels of ``outputs`` of which the user says that they are label sets."""
    if (found := find_label_sets(outputs)) is not None:
        return found.labels
    used = [sign for sign in SEPARATORS if _n_with(sign, outputs) >= SEVERAL_SHARE * len(outputs)]
    separator = None if all(map(_is_list, outputs)) or not used else used[0]
    return tuple(sorted({label for output in outputs for label in cut(output, separator)}))


def _n_with(separator: str, outputs: Sequence[str]) -> int:
    pattern = re.compile(SEPARATORS[separator])
    return sum(pattern.search(output) is not None for output in outputs)


def _label_sets(sets: Sequence[list[str]], separator: str | None) -> LabelSets | None:
    n, several = len(sets), [labels for labels in sets if len(labels) > 1]
    uneven = any(len(labels) != 1 for labels in sets)
    counts = Counter(label for labels in sets for label in set(labels))
    if not uneven or len(several) < max(2, SEVERAL_SHARE * n) or len(counts) > MAX_LABELS_PER_ROW * n:
        return None
    repeated = sum(times for times in counts.values() if times > 1)
    twice = sum(len(set(labels)) < len(labels) for labels in sets)
    short = all(label and len(label) <= MAX_CHARS and len(label.split()) <= MAX_WORDS for label in counts)
    if repeated < REPEATED_SHARE * counts.total() or twice > SEVERAL_SHARE * n or not short:
        return None
    combinations = {frozenset(labels) for labels in sets}
    together = Counter(label for labels in combinations for label in labels)
    parts = [label for labels in several for label in labels]
    if sum(together[label] > 1 for label in parts) < COMBINED_SHARE * len(parts):
        return None
    return LabelSets(tuple(sorted(counts)), separator, len(several))


def _is_list(output: str) -> bool:
    value = parse_structure(output)
    return isinstance(value, list) and all(isinstance(item, str | int) for item in value)
