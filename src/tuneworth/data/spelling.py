"""Answers that are one label though files write them differently: ``3``, ``"3"`` and ``3.0``; ``Billing`` and ``billing``.

Numbers are the same by their value: which of them a file holds depends on the program that wrote it. Case is meant at
times, so it is asked about, and ``output: {ignore_case: true}`` is the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def whole_numbers(outputs: Sequence[str]) -> dict[str, str]:
    """``3.0`` → ``3`` where all answers are whole numbers; nothing where one has a fraction or is no number."""
    distinct = set(outputs)
    if not all(_WHOLE.fullmatch(output) or (_NUMBER.fullmatch(output) and "." not in output) for output in distinct):
        return {}
    return {output: match[1] for output in distinct if (match := _WHOLE.fullmatch(output))}


def usual_case(outputs: Sequence[str], labels: Sequence[str] = ()) -> dict[str, str]:
    """Every answer → the way in which most rows write it, of those that differ only in case or in their spaces.

    Args:
        labels: the classes that the user listed, whose spelling counts.
    """
    spelled: dict[str, Counter[str]] = {}
    for output in outputs:
        spelled.setdefault(without_case(output), Counter())[output] += 1
    given = {without_case(label): label for label in labels}
    usual = {key: given.get(key, found.most_common(1)[0][0]) for key, found in spelled.items()}
    return {output: usual[key] for key, found in spelled.items() for output in found if output != usual[key]}


def without_case(label: str) -> str:
    return " ".join(label.split()).casefold()
