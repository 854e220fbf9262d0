"""Templates with several slots: "refund of order 12 for the kettle to the office", "… 7 for the lamp to the school".

A span is a slot where the two tokens before and the two after it are seen with at least five different spans
between them, none of which makes up half. Masking a slot makes the contexts of its neighbours alike, so slots are
looked for in rounds: single tokens twice, then spans of two to four tokens that touch no slot. In running text
some spans pass for slots as well ("the … of"); what makes rows a family is that all that is left is the same and is
enough to recognise them by, see ``templates``.

The contexts are learnt from a sample of the rows and applied to all. The idea is that of log parsers, which group
lines by their constant tokens: He et al. 2017, "Drain: An Online Log Parsing Approach with Fixed Depth Tree".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit._likeness.frames import Hashes, Ints, Lines

LEAST_FILLERS = 5
MOST_COMMON = 0.5
_ROUNDS = (1, 1, 2, 3, 4)  # length of the spans looked at
_SAMPLE_TOKENS, _CHUNK_ROWS = 1_000_000, 5_000
_EDGE, _SLOT = np.uint64(0x51ED270B), np.uint64(0xB5297A4D)  # stand for the end of a row and for a slot
_MIX = np.uint64(0xFF51AFD7ED558CCD)


@dataclass(frozen=True, slots=True)
class Skeletons:
    """What is left of each row without its slots.

    Attributes:
        key: equal for rows that differ in their slots only.
        letters: how much is left, see ``forms.letters``.
        share: of what the row says, the share that is left.
    """

    key: Hashes
    letters: Ints
    share: NDArray[np.float64]


@dataclass(slots=True)
class _Part:
    """Some rows with two edges before and after each.

    Attributes:
        words: hash of each token, edge or slot.
        row, weights: of each of them.
    """

    words: Hashes
    row: Ints
    weights: Ints

    @property
    def free(self) -> NDArray[np.bool_]:
        return (self.words != _EDGE) & (self.words != _SLOT)


def skeletons(lines: Lines, rng: np.random.Generator) -> Skeletons:
    """Rows without what passes for a slot in the file."""
    part = _part(lines, _sample(lines, rng))
    learnt: list[Hashes] = []
    for length in _ROUNDS:
        contexts = _slot_contexts(part, length)
        _mask(part, length, contexts)
        learnt.append(contexts)
    found = [_left(part, len(rows)) for rows, part in _masked_parts(lines, learnt)]
    if not found:
        return Skeletons(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0))
    return Skeletons(*(np.concatenate(column) for column in zip(*((one.key, one.letters, one.share) for one in found))))


def _sample(lines: Lines, rng: np.random.Generator) -> Ints:
    """Rows with about a million tokens in all: all rows, or one in some."""
    order = rng.permutation(len(lines))
    taken = np.cumsum(np.diff(lines.ends)[order]) <= _SAMPLE_TOKENS
    return np.sort(order[: max(int(taken.sum()), 1)])


def _masked_parts(lines: Lines, learnt: list[Hashes]) -> Iterator[tuple[Ints, _Part]]:
    for first in range(0, len(lines), _CHUNK_ROWS):
        rows = np.arange(first, min(first + _CHUNK_ROWS, len(lines)))
        part = _part(lines, rows)
        for length, contexts in zip(_ROUNDS, learnt):
            _mask(part, length, contexts)
        yield rows, part


def _part(lines: Lines, rows: Ints) -> _Part:
    some = lines.take(rows.tolist())
    sizes = np.diff(some.ends)
    row = np.repeat(np.arange(len(rows)), sizes + 4)
    place = np.arange(len(row)) - np.repeat(np.cumsum(sizes + 4) - sizes - 4, sizes + 4)
    inner = (place >= 2) & (place < np.repeat(sizes + 2, sizes + 4))
    words, weights = np.full(len(row), _EDGE), np.zeros(len(row), np.int64)
    words[inner], weights[inner] = some.hashes[some.ids], some.weights[some.ids]
    return _Part(words, row, weights)


def _spans(part: _Part, length: int) -> tuple[Ints, Hashes, Hashes]:
    """(begin, hash of the context, hash of the span) of the spans of ``length`` tokens that hold no slot."""
    free = part.free
    open_ = free[2 : len(free) - 1 - length].copy()
    for step in range(1, length):
        open_ &= free[2 + step : 2 + step + len(open_)]
    at = np.flatnonzero(open_) + 2
    words = part.words
    context = _hashed(words[at - 2], words[at - 1], words[at + length], words[at + length + 1])
    return at, context, _hashed(*(words[at + step] for step in range(length)))


def _slot_contexts(part: _Part, length: int) -> Hashes:
    """Sorted contexts with many different spans, none of them in the majority."""
    _, context, span = _spans(part, length)
    order = np.lexsort((span, context))
    context, span = context[order], span[order]
    if not len(context):
        return context
    new_context = np.append(True, context[1:] != context[:-1])
    new_span = new_context | np.append(True, span[1:] != span[:-1])
    begins = np.flatnonzero(new_context)
    uses = np.diff(np.append(np.flatnonzero(new_span), len(span)))  # of each span in its context
    first_use = np.cumsum(new_span)[begins] - 1
    n_fillers = np.diff(np.append(first_use, len(uses)))
    most = np.maximum.reduceat(uses, first_use)
    total = np.add.reduceat(uses, first_use)
    return context[begins][(n_fillers >= LEAST_FILLERS) & (most < MOST_COMMON * total)]


def _mask(part: _Part, length: int, contexts: Hashes) -> None:
    at, context, _ = _spans(part, length)
    if not len(contexts) or not len(at):
        return
    near = np.minimum(np.searchsorted(contexts, context), len(contexts) - 1)
    chosen = at[contexts[near] == context]
    for step in range(length):
        part.words[chosen + step] = _SLOT


def _left(part: _Part, n_rows: int) -> Skeletons:
    said = np.bincount(part.row, part.weights, n_rows)
    kept = part.words != _SLOT
    letters = np.bincount(part.row[kept], part.weights[kept], n_rows)
    whole = kept | np.append(True, kept[:-1])  # of a run of slots only the first stays
    words, row = part.words[whole], part.row[whole]
    begins = np.searchsorted(row, np.arange(n_rows))
    place = np.arange(len(words)) - begins[row]
    powers = np.cumprod(np.full(int(place.max(initial=0)) + 1, _MIX), dtype=np.uint64)
    key = np.add.reduceat(words * powers[place], begins)
    return Skeletons(key, letters.astype(np.int64), letters / np.maximum(said, 1))


def _hashed(*columns: Hashes) -> Hashes:
    found = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        found = (found ^ column) * _MIX
        found ^= found >> np.uint64(32)
    return found
