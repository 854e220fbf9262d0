"""JSON answers that do not fit the schema that nearly all of them fit.

``data.schema`` infers a schema that accepts every row it sees, so wrong rows would vote for themselves. Here
rows with something rare in their form (a type, a missing or a lone key, a value one slip away from a usual one)
are set aside first, the schema is inferred from the others, and a row set aside counts as a violation only if
that schema refuses it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.audit._personal.mask import mask
from tuneworth.audit.outputs.labels import near_misses
from tuneworth.core.text import Text
from tuneworth.data.rows import BadRow
from tuneworth.data.schema import ENUM_MAX_CHARS, ENUM_MAX_VALUES, ENUM_MIN_USES, Schema, infer_schema, schema_check

RARE = 0.02
"""A type or an absence that fewer than this share of the objects at a place have is rare."""
MIN_SEEN = 50
_LONE_KEYS = 0.005

Path = tuple[str, ...]


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
        if found := _faults(value, question, judges):
            faults[at] = found
    schema = infer_schema([value for at, value in enumerate(values) if at not in faults])
    check = schema_check(schema)
    refused = {at: found for at, found in faults.items() if _refuses(check, values[at])}
    return JsonForm(schema, {at: _joined(found) for at, found in refused.items()})


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


Judge = Callable[[Path, Any, str], Iterator[Text]]
"""Faults of the value at a place, given the question."""


def _faults(value: Any, question: str, judges: Sequence[Judge]) -> list[Text]:
    return [fault for path, item in _walk(value) for judge in judges for fault in judge(path, item, question)]


def _type_judge(seen: _Seen) -> Judge:
    def judge(path: Path, item: Any, question: str) -> Iterator[Text]:
        counts, name = seen.types[path], type_of(item)
        total = counts.total()
        if total >= MIN_SEEN and counts[name] < RARE * total:
            usual = counts.most_common(1)[0][0]
            yield Text(
                en=f"`{mask(shown(path))}` is {name}, usually {usual}",
                zh=f"`{mask(shown(path))}` 是 {name}，通常是 {usual}",
            )

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
                yield Text(en=f"`{place}` is missing", zh=f"缺少 `{place}`")
        for key in item:
            if key in lone.get(path, ()):
                yield _lone_key(shown((*path, key)), lone[path][key])

    return judge


def _lone_key(place: str, usual: str) -> Text:
    place = mask(place)
    if usual:
        return Text(en=f"key `{place}`, probably `{usual}`", zh=f"键 `{place}` 疑似应为 `{usual}`")
    return Text(en=f"no other answer has the key `{place}`", zh=f"其他答案都没有键 `{place}`")


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
            yield Text(
                en=f"`{place}` is {mask(item)!r}, probably {mask(usual)!r}",
                zh=f"`{place}` 的值是 {mask(item)!r}，疑似应为 {mask(usual)!r}",
            )

    return judge


def _refuses(check: Callable[[Any], None], value: Any) -> bool:
    try:
        check(value)
    except BadRow:
        return True
    return False


def _joined(faults: Sequence[Text]) -> Text:
    first = faults[:3]
    return Text(en="; ".join(fault.en for fault in first), zh="；".join(fault.zh for fault in first))
