"""Answers that were cut off before their end.

Nothing here counts by itself: it counts against what the other answers do. Where answers often end in a comma
or leave a bracket open, that is their format. Four signs, from the surest: many answers of exactly the
greatest length; an end on a word or mark that announces more; a bracket or code fence left open; a long answer
without a final mark where nearly all have one. All but the first need answers that usually end with a mark: names,
commands and code have no end to miss.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Sign = Literal["limit", "announces", "open", "no_end"]

MIN_CHARS = 20
"""Shorter answers are labels, names and numbers; they have no end to miss."""
_PILE_MIN_ROWS = 5
_PILE_FACTOR, _PILE_SIGMAS = 3.0, 5.0
_UNUSUAL = 0.02
_SENTENCES, _ENDS_USUALLY, _ENDS_ALWAYS = 0.8, 0.97, 0.995
_MIN_LONG_ROWS = 50
_QUITE_LONG = 0.75

_END = re.compile(r"[.!?。！？…．｡؟।;；:：)\]}）】》」』\"'”’`~>*_|♪\d]$|[^\w\s]$")
_ANNOUNCES = re.compile(
    r"[,，、]$|(?<![-–])[-–]$"
    r"|\b(?:the|a|an|and|or|but|nor|of|to|from|with|by|for|into|because|although|whereas|that|which|if|than|as|is"
    r"|are|was|were|has|have|had|will|would|can|could|should|their|its|our|my|your)$"
    r"|(?:因为|由于|以及|并且|而且|但是|或者|如果|虽然|例如|包括|对于|关于|和|与|及|或|把|被|将)$",
    re.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "》": "《", "」": "「", "』": "『", "”": "“"}
_OPENERS = frozenset(_PAIRS.values())


def cut_off(outputs: Sequence[str]) -> dict[int, list[Sign]]:
    """Position of every answer that looks cut off → its signs. Ordered, the surest first."""
    ends = [output.rstrip() for output in outputs]
    long = np.array([len(end) >= MIN_CHARS for end in ends])
    if not long.any():
        return {}
    at_limit = _at_limit(np.array([len(output) for output in outputs]))
    marked = np.array([_END.search(end[-1:]) is not None for end in ends])
    ended = float(marked[long].mean())
    prose = long if ended >= _SENTENCES else np.zeros_like(long)
    announces = _if_unusual(prose & np.array([_ANNOUNCES.search(end[-20:]) is not None for end in ends]), long)
    # A final mark closes the sentence; what it forgot to close before is a slip, not a cut.
    open_ = _if_unusual(prose & ~marked & np.array([_left_open(end) for end in ends]), long)
    no_end = ~marked & _end_is_missed(ends, long, ended)
    signs: list[tuple[Sign, NDArray[np.bool_]]] = [
        ("limit", at_limit & ~marked),
        ("announces", announces),
        ("open", open_),
        ("no_end", no_end),
    ]
    found: dict[int, list[Sign]] = {
        int(at): [sign for sign, flags in signs if flags[at]] for at in np.flatnonzero(_any(signs))
    }
    order = [sign for sign, _ in signs]
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1][0]), -len(item[1]), item[0])))


def common_limit(outputs: Sequence[str]) -> int | None:
    """The length in characters at which answers pile up, as an export with a limit leaves them."""
    sizes = np.array([len(output) for output in outputs])
    return int(sizes.max()) if _at_limit(sizes).any() else None


def _any(signs: Sequence[tuple[Sign, NDArray[np.bool_]]]) -> NDArray[np.bool_]:
    return np.logical_or.reduce([flags for _, flags in signs])


def _at_limit(sizes: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Answers within a character of the greatest length, when far more than the lengths just below suggest."""
    top = int(sizes.max())
    at_top = sizes >= top - 1  # a stripped space makes an answer one shorter
    below = int(np.sum((sizes >= 0.8 * top) & ~at_top))
    lengths_below = max(top - 1 - int(0.8 * top), 1)
    expected = 2 * below / lengths_below
    many = max(_PILE_MIN_ROWS, _PILE_FACTOR * expected, expected + _PILE_SIGMAS * expected**0.5)
    piled = at_top.sum() >= many and top >= MIN_CHARS
    varied = np.unique(sizes).size > 5  # answers all of one length are codes
    return at_top if piled and varied else np.zeros(len(sizes), dtype=np.bool_)


def _if_unusual(flags: NDArray[np.bool_], long: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``flags``, or nothing when so many long answers have them that it is how they are written."""
    return flags if flags.sum() <= max(_UNUSUAL * long.sum(), 1) else np.zeros_like(flags)


def _end_is_missed(ends: Sequence[str], long: NDArray[np.bool_], ended: float) -> NDArray[np.bool_]:
    """Where a missing final mark says something: everywhere if hardly any answer lacks one, else in the longest.

    A limit cuts the longest answers; a slip of the pen hits any.
    """
    if long.sum() < _MIN_LONG_ROWS or ended < _ENDS_USUALLY:
        return np.zeros_like(long)
    sizes = np.array([len(end) for end in ends])
    return long if ended >= _ENDS_ALWAYS else long & (sizes >= np.quantile(sizes[long], _QUITE_LONG))


def _left_open(text: str) -> bool:
    """Whether the last bracket that opens never closes, or a code fence does not."""
    if text.count("```") % 2:
        return True
    waiting: list[str] = []
    for char in text[-2_000:]:
        if char in _OPENERS:
            waiting.append(char)
        elif char in _PAIRS and waiting and waiting[-1] == _PAIRS[char]:
            waiting.pop()
    return bool(waiting)
