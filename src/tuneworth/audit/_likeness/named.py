"""Whether the one span in which two rows differ is a name: of a person, a place, a firm.

Three signs, each asked of both spans. Latin: every word has a capital and is a name as the data write it.
Chinese: a surname and one or two more characters, or what ends like the name of a place or a firm ("…市",
"…公司"). Without capitals: words that hardly any row has; then the rows must have much more in common.

This is a judgement by form. It takes "Visa" and "Mastercard" for names, and misses a name written like a
common word ("may", "高山").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tuneworth.audit._likeness.forms import Names, is_number, letters
from tuneworth.audit._likeness.frames import Lines

_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧阮柯柳蓝"
)
_PLACE_ENDS = (*"市省县区镇乡村州国岛山江河湖港路街厂院校", "公司", "集团", "大学", "银行", "酒店", "酒楼", "餐厅")
_HAN_ONLY = re.compile("[\u3400-\u9fff\uf900-\ufaff]+")
_RARE = 2
_RARE_LETTERS, _RARE_SHARE = 30, 0.75


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
