"""Signs that an answer was cut off, that a model declines in it, or that it is in another language than most.

**Cut off.** Nothing here counts by itself: it counts against what the other answers do. Where answers often end in a comma
or leave a bracket open, that is their format. Four signs, from the surest: many answers of exactly the
greatest length; an end on a word or mark that announces more; a bracket or code fence left open; a long answer
without a final mark where nearly all have one. All but the first need answers that usually end with a mark: names,
commands and code have no end to miss.

**Refusals.** Such rows come from data that another model wrote. Only the start of an answer counts, and "sorry" alone
never does: a support desk apologises all day. The phrases are closed lists: a refusal in other words is
missed, which costs less than an honest answer called one.

**Another language.** The script decides where it can (Han, kana, Latin, Arabic, …). Among languages in Latin letters only English is
told apart: an answer is not English when it has none of its function words but several of another language's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.text import Text
from tuneworth.words.say import say, table

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
_OPENING_CHARS = 240
_OPENING = r"^[\s\"'“‘「*_#>\-]*"
_I_EN = r"i(?:['’]m| am)"
_CANNOT_EN = (
    rf"(?:i (?:can['’]?t|cannot|can not|won['’]t|will not|am not able to|am unable to)|{_I_EN} (?:unable|not able) to)"
)
_HELP_EN = (
    r"(?:assist|help(?: you)? with (?:that|this)|help with (?:that|this)|provide (?:that|this|you with|any|medical|legal"
    r"|financial|information)|fulfil+|comply|answer (?:that|this)|generate|create (?:that|this|content)|engage in"
    r"|participate in|support (?:that|this|the creation)|do that|discuss that|continue with (?:that|this))"
)
_SORRY_EN = rf"(?:(?:{_I_EN} )?(?:(?:really|very|so|truly) )?sorry|i apologi[sz]e|my apologies|unfortunately)"
_ENGLISH = (
    r"as (?:an? )?(?:\w+ )?(?:ai|artificial intelligence)(?: language)?(?: model| assistant| chatbot| system)?\b",
    r"as an? (?:large )?language model\b",
    rf"(?:{_SORRY_EN}[,.!;:]? *(?:but )?(?:as an? [\w ]{{2,30}}, *)?)?{_CANNOT_EN} (?:\w+ )?{_HELP_EN}",
    rf"(?:{_SORRY_EN}[,.!;:]? *(?:but )?)(?:as an? (?:ai|large language model|language model)\b|{_I_EN} (?:just |only )?an ai\b)",
    rf"{_I_EN} (?:just |only )?an? (?:ai|large language model|language model|artificial intelligence)\b",
    r"i do(?:n['’]t| not) have (?:personal (?:opinions|feelings|experiences|beliefs)|access to real-?time)",
)
_AI_ZH = r"(?:AI|人工智能|大?语言模型|智能助手|聊天机器人|虚拟助手)"
_SORRY_ZH = r"(?:(?:我)?(?:很|非常|十分|深感|真的)?(?:抱歉|对不起|不好意思|遗憾))"
_CANNOT_ZH = r"(?:无法|不能|没办法|没有办法|不可以|不便)"
_HELP_ZH = r"(?:为您|为你|给您|给你|向您|向你|直接|继续)?(?:回答|提供|协助|帮助|帮您|帮你|满足|生成|讨论|参与|完成(?:您|你|这)|回应|执行(?:您|你|这))"
_CHINESE = (
    rf"作为(?:一个|一名|一款|一种|一位)?[^，。,.]{{0,8}}?{_AI_ZH}",
    rf"我(?:是|只是|仅是)(?:一个|一名|一款|一种)?[^，。,.]{{0,6}}?{_AI_ZH}",
    rf"{_SORRY_ZH}[，,。！!；;]? *(?:但是?|不过)?(?:作为[^，,]{{1,20}}[，,])? *我?(?:目前|暂时|现在|还)?{_CANNOT_ZH}{_HELP_ZH}",
    rf"我(?:目前|暂时|现在|还)?{_CANNOT_ZH}{_HELP_ZH}(?:您|你|这|该|此|任何|相关)",
)
_REFUSAL = re.compile(_OPENING + "(?:" + "|".join((*_ENGLISH, *_CHINESE)) + ")", re.IGNORECASE)
MIN_LETTERS = 8
"""Fewer letters are names, codes and units, which every language borrows."""
_MOST = 0.8
_LOOKED_AT = 600
_ENGLISH_TEXT = """
the and to of that for it you with this not from have can by at be was is i will he she they we has are on an or if my
your its his her their our do does there which who what when where how but all
"""
_ELSEWHERE = """
de la le les des et est un une pas que qui pour dans der die das und ist nicht ein eine mit von el los las y en por con
para il di che per non sono della os da em uma het een van niet dat voor och att det som jest nie
"""
_ENGLISH_WORDS = frozenset(_ENGLISH_TEXT.split())
_OTHER_WORDS = frozenset(_ELSEWHERE.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LONG_WORDS = 12
_OTHER_SHARE = 0.1


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


def is_refusal(output: str) -> bool:
    """Whether an answer starts as a model's refusal or as a model's word about itself."""
    return _REFUSAL.match(output[:_OPENING_CHARS]) is not None


def name_of(script: str) -> Text:
    """How readers call a script."""
    known = table("audit.outputs.script").get(script)
    return known or say("audit.outputs.other_script", script=script.title())


def odd_ones(outputs: Sequence[str]) -> tuple[str, dict[int, str]]:
    """The usual script, and position → script of the answers in another one.

    Nothing is odd when no script has four fifths of the answers: then the mix is the task (translation).
    """
    scripts = [script_of(output[:_LOOKED_AT]) for output in outputs]
    counts = Counter(script for script in scripts if script)
    if not counts:
        return "", {}
    usual, n_usual = counts.most_common(1)[0]
    if n_usual < _MOST * counts.total():
        return "", {}
    odd = {at: script for at, script in enumerate(scripts) if script and script != usual}
    if usual == "LATIN":
        odd |= _not_english(outputs, scripts)
    return usual, dict(sorted(odd.items()))


def script_of(text: str) -> str:
    """The script of most letters of ``text``; empty when there are too few letters or none has most.

    A Han character weighs three letters: it carries about as much as a short word, so a Chinese sentence with
    English names stays Chinese. Japanese is told by its kana.
    """
    letters = [char for char in text if char.isalpha()]
    counts = Counter(_script(char) for char in letters)
    if counts["KANA"] >= 0.1 * (counts["KANA"] + counts["HAN"]) and counts["KANA"]:
        counts["KANA"] += counts.pop("HAN", 0)
    for dense in ("HAN", "KANA", "HANGUL"):
        counts[dense] *= 3
    total = counts.total()
    if total < MIN_LETTERS:
        return ""
    script, n = counts.most_common(1)[0]
    return script if n > 0.6 * total else ""


def _not_english(outputs: Sequence[str], scripts: Sequence[str]) -> dict[int, str]:
    """Long answers in another language, where nearly all long answers in Latin letters are English."""
    words = {
        at: found
        for at, script in enumerate(scripts)
        if script == "LATIN" and len(found := _WORD.findall(outputs[at][:_LOOKED_AT].lower())) >= _LONG_WORDS
    }
    without = [at for at, found in words.items() if not any(word in _ENGLISH_WORDS for word in found)]
    if len(without) > 0.1 * len(words):
        return {}  # another language, or no sentences at all
    odd = [at for at in without if _foreign_words(words[at]) >= max(2, _OTHER_SHARE * len(words[at]))]
    return dict.fromkeys(odd, "LATIN-OTHER")


def _foreign_words(words: Sequence[str]) -> int:
    return sum(word in _OTHER_WORDS for word in words)


@lru_cache(maxsize=8_192)
def _script(char: str) -> str:
    name = unicodedata.name(char, "")
    if name.startswith(("CJK", "IDEOGRAPHIC")):
        return "HAN"
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")):
        return "KANA"
    return name.removeprefix("FULLWIDTH ").partition(" ")[0]
