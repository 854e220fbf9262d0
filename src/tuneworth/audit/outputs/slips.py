"""Slips of the pen: labels that are one label written in two ways, and JSON answers that do not fit the schema of nearly all.

``data.schema`` infers a schema that accepts every row it sees, so wrong rows would vote for themselves. Here
rows with something rare in their form (a type, a missing or a lone key, a value one slip away from a usual one)
are set aside first, the schema is inferred from the others, and a row set aside counts as a violation only if
that schema refuses it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuneworth.audit._personal.mask import mask
from tuneworth.core.text import Text
from tuneworth.data.rows import BadRow
from tuneworth.data.schema import ENUM_MAX_CHARS, ENUM_MAX_VALUES, ENUM_MIN_USES, Schema, infer_schema, schema_check
from tuneworth.words.names import listed
from tuneworth.words.say import say

Difference = Literal["writing", "plural", "typo"]

# Edits in short words make other words ("cat", "car"), and rare means by far the smaller class.
_TYPO_MIN_CHARS = 5
_RARE_RATIO = 10
_RARE_SHARE = 0.01
_MOST_LABELS = 2_000

_JOINED = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
_SPACES = re.compile(r"\s+")
RARE = 0.02
"""A type or an absence that fewer than this share of the objects at a place have is rare."""
MIN_SEEN = 50
_LONE_KEYS = 0.005
Path = tuple[str, ...]
Judge = Callable[[Path, Any, str], Iterator[Text]]
"""Faults of the value at a place, given the question."""


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


@dataclass(frozen=True, slots=True)
class JsonForm:
    """What the answers look like as JSON.

    Attributes:
        schema: inferred from the usual answers.
        violations: position of an answer → what is wrong with it.
    """

    schema: Schema
    violations: dict[int, Text]


@dataclass(slots=True)
class _Seen:
    """Counts over all answers."""

    types: defaultdict[Path, Counter[str]]
    keys: defaultdict[Path, Counter[str]]
    strings: defaultdict[Path, Counter[str]]

    def n_objects(self, path: Path) -> int:
        return self.types[path]["object"]


def json_form(values: Sequence[Any], inputs: Sequence[str]) -> JsonForm:
    """The usual schema of ``values`` and which of them break it.

    Args:
        inputs: the question of each answer; a value copied from it is no slip of the pen.
    """
    seen = _count(values)
    judges = (_type_judge(seen), _key_judge(seen), _value_judge(seen))
    faults: dict[int, list[Text]] = {}
    for at, (value, question) in enumerate(zip(values, inputs, strict=True)):
        if found := [fault for path, item in _walk(value) for judge in judges for fault in judge(path, item, question)]:
            faults[at] = found
    schema = infer_schema([value for at, value in enumerate(values) if at not in faults])
    check = schema_check(schema, "output")  # what it says is not shown
    refused = {at: found for at, found in faults.items() if _refuses(check, values[at])}
    return JsonForm(schema, {at: listed(found[:3]) for at, found in refused.items()})


def shown(path: Path) -> str:
    """A place in a JSON value as people write it: ``slots.city``, ``items[].price``."""
    return ".".join(path).replace(".[]", "[]") or "$"


def type_of(value: Any) -> str:
    """The JSON type; integers count as numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _walk(value: Any) -> Iterator[tuple[Path, Any]]:
    """Every value inside ``value`` with its place. A stack, for depths that recursion cannot go."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        yield path, item
        if isinstance(item, dict):
            waiting += [((*path, str(key)), inner) for key, inner in item.items()]
        elif isinstance(item, list):
            waiting += [((*path, "[]"), inner) for inner in item]


def _count(values: Sequence[Any]) -> _Seen:
    seen = _Seen(defaultdict(Counter), defaultdict(Counter), defaultdict(Counter))
    for value in values:
        for path, item in _walk(value):
            seen.types[path][type_of(item)] += 1
            if isinstance(item, dict):
                seen.keys[path].update(map(str, item))
            elif isinstance(item, str) and len(item) <= ENUM_MAX_CHARS:
                seen.strings[path][item] += 1
    return seen


def _type_judge(seen: _Seen) -> Judge:
    def judge(path: Path, item: Any, question: str) -> Iterator[Text]:
        counts, name = seen.types[path], type_of(item)
        total = counts.total()
        if total >= MIN_SEEN and counts[name] < RARE * total:
            usual = counts.most_common(1)[0][0]
            yield say("audit.outputs.slip.type", place=mask(shown(path)), name=name, usual=usual)

    return judge


def _key_judge(seen: _Seen) -> Judge:
    """Required keys that are missing, and keys that only one object has where keys are a closed set."""
    needed: dict[Path, list[str]] = {}
    lone: dict[Path, dict[str, str]] = {}
    for path, counts in seen.keys.items():
        n = seen.n_objects(path)
        if n < MIN_SEEN:
            continue
        needed[path] = [key for key, k in counts.items() if (1 - RARE) * n <= k < n]
        once = {key for key, k in counts.items() if k == 1}
        slips = {near.label: near.usual for near in near_misses(counts) if near.difference != "plural"}
        lone[path] = {**(dict.fromkeys(once, "") if len(once) <= _LONE_KEYS * n else {}), **slips}

    def judge(path: Path, item: Any, question: str) -> Iterator[Text]:
        if not isinstance(item, dict):
            return
        for key in needed.get(path, ()):
            if key not in item:
                place = shown((*path, key))
                yield say("audit.outputs.slip.missing", place=place)
        for key in item:
            if key in lone.get(path, ()):
                yield _lone_key(shown((*path, key)), lone[path][key])

    return judge


def _lone_key(place: str, usual: str) -> Text:
    place = mask(place)
    if usual:
        return say("audit.outputs.slip.key", place=place, usual=usual)
    return say("audit.outputs.slip.lone_key", place=place)


def _value_judge(seen: _Seen) -> Judge:
    """Values that look like a slip of another value, where values are a closed set."""
    slips: dict[Path, dict[str, str]] = {}
    for path, counts in seen.strings.items():
        if counts.total() >= MIN_SEEN and len(counts) <= min(ENUM_MAX_VALUES, counts.total() / ENUM_MIN_USES):
            slips[path] = {near.label: near.usual for near in near_misses(counts) if near.difference != "plural"}

    def judge(path: Path, item: Any, question: str) -> Iterator[Text]:
        usual = slips.get(path, {}).get(item) if isinstance(item, str) else None
        if usual is not None and item.casefold() not in question.casefold():
            place = shown(path)
            yield say("audit.outputs.slip.value", place=place, item=repr(mask(item)), usual=repr(mask(usual)))

    return judge


def _refuses(check: Callable[[Any], None], value: Any) -> bool:
    try:
        check(value)
    except BadRow:
        return True
    return False
