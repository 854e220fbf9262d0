"""Rows that are the same but for one short span: "refund for Anna" and "refund for Peter Ng".

What is left of a row when a span of one to four tokens is cut out is its frame. Two rows with a common frame
differ in that span only, whatever stands in it: no list of names is needed, and it works without capitals and
in Chinese. A frame is the hash of what stands before the span and of what stands after it, so all frames of
all rows come from two running sums; a row of 40 tokens has about 150.

Frames that leave too little of a row are not made: less than ``forms.ENOUGH_LETTERS``, or less than a share
(``keep``) of what the row says.

Here it is judged as well whether the one span in which two rows differ is a name: of a person, a place, a firm. Three
signs, each asked of both spans. Latin: every word has a capital and is a name as the data write it.
Chinese: a surname and one or two more characters, or what ends like the name of a place or a firm ("…市",
"…公司"). Without capitals: words that hardly any row has; then the rows must have much more in common.

This is a judgement by form. It takes "Visa" and "Mastercard" for names, and misses a name written like a
common word ("may", "高山").
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit._likeness.forms import ENOUGH_LETTERS, NUMBER, Names, is_number, letters, tokens

MAX_SPAN = 4
_CHUNK_TOKENS = 200_000
_TABLE_BITS = 26
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xFF51AFD7ED558CCD)

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧阮柯柳蓝"
)
_PLACE_ENDS = (*"市省县区镇乡村州国岛山江河湖港路街厂院校", "公司", "集团", "大学", "银行", "酒店", "酒楼", "餐厅")
_HAN_ONLY = re.compile("[\u3400-\u9fff\uf900-\ufaff]+")
_RARE = 2
_RARE_LETTERS, _RARE_SHARE = 30, 0.75


class _Numbered(dict[str, int]):
    """Numbers words in the order in which they are first asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts as rows of words, one after another.

    Attributes:
        ids: number of each token's word.
        ends: shape ``(rows + 1)``, where each row begins and the last one ends.
        words: the distinct words.
        hashes, weights: of each word; numbers are one word, and case does not matter.
    """

    ids: NDArray[np.int32]
    ends: Ints
    words: list[str]
    hashes: Hashes
    weights: Ints

    @classmethod
    def of(cls, texts: Iterable[str]) -> Lines:
        numbered = _Numbered()
        rows = [np.fromiter(map(numbered.__getitem__, tokens(text)), np.int32) for text in texts]
        words = list(numbered)
        return cls(
            np.concatenate([np.zeros(0, np.int32), *rows]),
            np.cumsum([0, *map(len, rows)]),
            words,
            np.fromiter(map(_hash, words), np.uint64, len(words)),
            np.fromiter(map(letters, words), np.int64, len(words)),
        )

    def __len__(self) -> int:
        return len(self.ends) - 1

    def row(self, at: int) -> list[str]:
        return [self.words[word] for word in self.ids[self.ends[at] : self.ends[at + 1]].tolist()]

    def unordered(self) -> Hashes:
        """A key for each row that does not depend on the order of its words; 0 for a row without any."""
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(self.hashes)[self.ids], dtype=np.uint64)])
        return sums[self.ends[1:]] - sums[self.ends[:-1]]

    def letters(self) -> Ints:
        """How much each row says, see ``forms.letters``."""
        sums = np.concatenate([[0], np.cumsum(self.weights[self.ids])])
        return sums[self.ends[1:]] - sums[self.ends[:-1]]

    def take(self, rows: Sequence[int]) -> Lines:
        """Some of the rows, in the order given."""
        parts = [self.ids[self.ends[at] : self.ends[at + 1]] for at in rows]
        ids, ends = np.concatenate([np.zeros(0, np.int32), *parts]), np.cumsum([0, *map(len, parts)])
        return Lines(ids, ends, self.words, self.hashes, self.weights)


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of rows: cutting tokens ``start`` to ``stop`` out of ``row`` leaves ``key``."""

    row: Ints
    start: Ints
    stop: Ints
    key: Hashes

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """(row, start, stop) of every frame."""
        return zip(self.row.tolist(), self.start.tolist(), self.stop.tolist())

    def take(self, where: NDArray[np.bool_] | Ints | slice) -> Frames:
        return Frames(self.row[where], self.start[where], self.stop[where], self.key[where])


def frames(lines: Lines, keep: float, *, given: int = 0, whole: bool = False) -> Iterator[Frames]:
    """Frames of all rows, some thousand rows at a time.

    Args:
        keep: least share of a row's letters that is left.
        given: letters of an instruction that all rows share; they count for nothing.
        whole: the row with nothing cut out is a frame too.
    """
    first = 0
    while first < len(lines):
        last = int(np.searchsorted(lines.ends, lines.ends[first] + _CHUNK_TOKENS, side="right")) - 1
        last = min(max(last, first + 1), len(lines))
        yield _of_chunk(lines, first, last, keep, given, whole)
        first = last


def shared_frames(lines: Lines, keep: float) -> Frames:
    """The frames, whole rows among them, that at least two rows have in common, sorted by key.

    Two passes: the first only counts in a small table, so that the frames of 100,000 rows, most of them seen
    once, are never all in memory.
    """
    once = np.zeros(1 << _TABLE_BITS, np.bool_)
    twice = np.zeros(1 << _TABLE_BITS, np.bool_)
    for part in frames(lines, keep, whole=True):
        slots = np.sort(_slots(part.key))
        twice[slots[1:][slots[1:] == slots[:-1]]] = True
        twice[slots[once[slots]]] = True
        once[slots] = True
    kept = _joined(part.take(twice[_slots(part.key)]) for part in frames(lines, keep, whole=True))
    kept = kept.take(np.lexsort((kept.row, kept.key)))
    same = kept.key[1:] == kept.key[:-1]
    return kept.take(np.append(same, False) | np.insert(same, 0, False) if len(kept.key) else slice(0))


def common_frames(lines: Lines, others: Lines, keep: float, *, given: int = 0, most: int = 8) -> tuple[Frames, Frames]:
    """Pairs of a row and another with a common frame, at most ``most`` others for a frame.

    Returns:
        Two tables of equal length; line i of the one and of the other have the same key.
    """
    mine = _joined(frames(lines, keep, given=given))
    mine = mine.take(np.argsort(mine.key, kind="stable"))
    table = np.zeros(1 << _TABLE_BITS, np.bool_)
    table[_slots(mine.key)] = True
    theirs = _joined(part.take(table[_slots(part.key)]) for part in frames(others, keep, given=given))
    theirs = theirs.take(np.argsort(theirs.key, kind="stable"))
    low = np.searchsorted(theirs.key, mine.key)
    counts = np.minimum(np.searchsorted(theirs.key, mine.key, side="right") - low, most)
    steps = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return mine.take(np.repeat(np.arange(len(counts)), counts)), theirs.take(np.repeat(low, counts) + steps)


def _of_chunk(lines: Lines, first: int, last: int, keep: float, given: int, whole: bool) -> Frames:
    ends = lines.ends[first : last + 1] - lines.ends[first]
    starts, sizes = ends[:-1], np.diff(ends)
    ids = lines.ids[lines.ends[first] : lines.ends[last]]
    row_of = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(ids)) - starts[row_of]
    before, after = _sums(lines.hashes[ids], place, starts, sizes)
    said = np.concatenate([[0], np.cumsum(lines.weights[ids])])
    total = said[ends[1:]] - said[starts] - given
    parts: list[Frames] = []
    for span in range(0 if whole else 1, MAX_SPAN + 1):
        # Nothing is cut out once a row, at its start; other spans wherever they fit.
        at = np.flatnonzero(place == 0 if span == 0 else place + span <= sizes[row_of])
        row = row_of[at]
        left = total[row] - (said[at + span] - said[at])
        enough = (left >= ENOUGH_LETTERS) & (left >= keep * total[row])
        at, row = at[enough], row[enough]
        # Row number r has one more sum than tokens, hence the shift by r.
        # A whole row is only like another whole row, not like one with a word more at its start.
        key = _mixed(before[at + row] * _MIX ^ after[at + span + row] ^ np.uint64(span == 0))
        parts.append(Frames(row + first, place[at], place[at] + span, key))
    return _joined(parts)


def _sums(hashes: Hashes, place: Ints, starts: Ints, sizes: Ints) -> tuple[Hashes, Hashes]:
    """For every row with t tokens, t + 1 hashes of what is before, and as many of what is from there on."""
    most = int(sizes.max()) if len(sizes) else 0
    powers = np.cumprod(np.concatenate([[np.uint64(1)], np.full(most, _BASE)]), dtype=np.uint64)
    length = np.repeat(sizes, sizes)
    none = np.zeros(1, np.uint64)
    forward = np.concatenate([none, np.cumsum(hashes * powers[place], dtype=np.uint64)])
    backward = np.concatenate([none, np.cumsum(hashes * powers[length - 1 - place], dtype=np.uint64)])
    at = np.arange(len(hashes) + len(sizes)) - np.repeat(np.arange(len(sizes)), sizes + 1)
    first, last = np.repeat(starts, sizes + 1), np.repeat(starts + sizes, sizes + 1)
    return forward[at] - forward[first], backward[last] - backward[at]


def _hash(word: str) -> int:
    """Not Python's own ``hash``: that differs from one process to the next, and so would the families of an audit."""
    folded = NUMBER if is_number(word) else word.casefold()
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _mixed(key: Hashes) -> Hashes:
    key = (key ^ (key >> np.uint64(33))) * _MIX
    return key ^ (key >> np.uint64(29))


def _slots(key: Hashes) -> Ints:
    return (key >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)


def _joined(parts: Iterable[Frames]) -> Frames:
    none = np.zeros(0, np.int64)
    empty = Frames(none, none, none, np.zeros(0, np.uint64))
    columns = zip(*((part.row, part.start, part.stop, part.key) for part in chain([empty], parts)))
    return Frames(*map(np.concatenate, columns))


class NameSpans:
    """Judges spans by how the data write and use their words.

    Args:
        names: capitals in the data.
        files: all rows; they say which words are rare.
    """

    def __init__(self, names: Names, *files: Lines):
        self._names, self._uses = names, Counter[str]()
        for lines in files:
            counts = np.bincount(lines.ids, minlength=len(lines.words)).tolist()
            for word, n in zip(lines.words, counts):
                self._uses[word.casefold()] += n

    def differ(self, row: Sequence[str], span: tuple[int, int], other: Sequence[str], place: tuple[int, int]) -> bool:
        """Whether ``span`` of ``row`` and ``place`` of ``other``, all else being the same, are two names."""
        span, place = _narrowed(row, span, other, place)
        mine, theirs = row[slice(*span)], other[slice(*place)]
        if not mine or not theirs:
            return False
        if all(map(is_number, (*mine, *theirs))):
            return True  # numbers that the masks did not see as one: "3" and "3 and 4"
        first = span[0] == 0
        capitals = all(
            self._names.is_name(token, first=first and at == 0)
            for part in (mine, theirs)
            for at, token in enumerate(part)
        )
        return capitals or _chinese(row, span, other, place) or self._rare(row, mine, theirs)

    def _rare(self, row: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> bool:
        """Words that occur at most twice, in rows with much else in common."""
        total, own = letters("".join(row)), letters("".join(mine))
        if total - own < _RARE_LETTERS or total - own < _RARE_SHARE * total:
            return False
        words = [token for token in (*mine, *theirs) if not is_number(token)]
        return all(
            word.isalpha() and not _HAN_ONLY.match(word) and self._uses[word.casefold()] <= _RARE for word in words
        )


def _narrowed(
    row: Sequence[str], span: tuple[int, int], other: Sequence[str], place: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The spans without the tokens that both begin or end with."""
    (a, b), (c, d) = span, place
    while a < b and c < d and row[a].casefold() == other[c].casefold():
        a, c = a + 1, c + 1
    while a < b and c < d and row[b - 1].casefold() == other[d - 1].casefold():
        b, d = b - 1, d - 1
    return (a, b), (c, d)


def _chinese(row: Sequence[str], span: tuple[int, int], other: Sequence[str], place: tuple[int, int]) -> bool:
    """Two Chinese names, of which the differing spans may be a part: 王[小]明, 王[大]明."""
    mine, theirs = "".join(row[slice(*span)]), "".join(other[slice(*place)])
    if not (_HAN_ONLY.fullmatch(mine) and _HAN_ONLY.fullmatch(theirs)):
        return False
    before, after = "".join(row[max(span[0] - 1, 0) : span[0]]), "".join(row[span[1] : span[1] + 2])
    if mine[0] in _SURNAMES and theirs[0] in _SURNAMES and len(mine + after[:1]) >= 2 and len(theirs) <= 4:
        return True
    if before in _SURNAMES and max(len(mine), len(theirs)) == 2:
        return True
    return min(len(mine), len(theirs)) >= 2 and any(_is_place(text, after) for text in (mine, theirs))


def _is_place(text: str, after: str) -> bool:
    return text.endswith(_PLACE_ENDS) or after.startswith(_PLACE_ENDS)
