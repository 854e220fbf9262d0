"""Answers that are several labels at once: how they are written, and how they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from tuneworth.core.answers import fold

NO_LABEL = "none"
"""How an answer says that no label applies."""
SEPARATORS = {
    **{sign: re.escape(sign) for sign in "|;；\n、"},
    "and": r",?\s+(?:and|und|et|y)\s+|[，,、]?[和及与]|[，,]",
    **{sign: re.escape(sign) for sign in "，,/+&"},
}
"""Name → pattern of what stands between labels, those that stand in labels too behind the others."""
MAX_PIECES = 200
"""Of an answer; nobody gives that many labels, and a broken model may repeat itself."""
_LONGEST = 6
"""Pieces that one label is cut into at most, if it holds separators itself."""
_BETWEEN = re.compile("|".join(SEPARATORS.values()))
_NONE = frozenset({"", "none", "[]", "{}", "无"})


def joiner(labels: Collection[str]) -> str:
    """What stands between labels: a sign that is in none of them."""
    return next((sign for sign in (", ", "; ", " | ") if not any(sign.strip() in label for label in labels)), " | ")


def written(labels: Iterable[str], known: Collection[str]) -> str:
    """The one way a set of labels is written: in the order of the alphabet, with the ``joiner`` of the ``known`` ones."""
    return joiner(known).join(sorted(set(labels))) or NO_LABEL


def read_labels(answer: str, known: Sequence[str]) -> frozenset[str]:
    """The labels that ``answer`` names, each as it stands in ``known``; what is no known label stays as it is.

    Read are a JSON list, and labels with one of the ``SEPARATORS`` between; case, width, quotes and bullets do not matter.
    """
    by_form = _forms(tuple(known))
    items = _listed(answer)
    if items is not None:
        return frozenset(by_form.get(fold(item), item.strip()) for item in items[:MAX_PIECES])
    if fold(answer) in by_form:
        return frozenset({by_form[fold(answer)]})
    if fold(answer) in _NONE:
        return frozenset()
    spans = _pieces(answer[:20_000])[:MAX_PIECES]
    found, at = set[str](), 0
    while at < len(spans):
        for end in range(min(at + _LONGEST, len(spans)), at, -1):
            form = fold(_unbulleted(answer[spans[at][0] : spans[end - 1][1]]))
            if form in by_form or end == at + 1:
                found.add(by_form.get(form, form))
                at = end
                break
    return frozenset(found)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Where the texts between separators begin and end."""
    gaps = [(0, 0), *(found.span() for found in _BETWEEN.finditer(text)), (len(text), len(text))]
    pieces = ((before, after) for (_, before), (after, _) in pairwise(gaps))
    return [(start, end) for start, end in pieces if text[start:end].strip()]


@lru_cache(maxsize=16)
def _forms(known: tuple[str, ...]) -> dict[str, str]:
    return {fold(label): label for label in known}


def _listed(answer: str) -> list[str] | None:
    """The items of a JSON list of texts."""
    if not answer.strip().startswith("["):
        return None
    try:
        value: list[object] = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return [str(item) for item in value] if all(isinstance(item, str | int) for item in value) else None


def _unbulleted(text: str) -> str:
    return re.sub(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", "", text)
