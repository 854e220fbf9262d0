"""All finders together, and showing a row without showing whom it is about: excerpts, masks and placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from itertools import count

from tuneworth.audit._personal.contact import addresses_of_machines, emails, homes, names, phones
from tuneworth.audit._personal.papers import papers
from tuneworth.audit._personal.secret import secrets
from tuneworth.audit._personal.spans import SECRETS, Kind, Span, narrow, settle

LIBRARIES = {"phonenumbers": "phonenumbers", "stdnum": "python-stdnum", "detect_secrets": "detect-secrets"}
"""Modules that the finders need → the packages that hold them."""
_FINDERS = (secrets, emails, papers, phones, addresses_of_machines, homes, names)
_NOT_DIGIT = re.compile(r"\D")
_SPACE = re.compile(r"\s+")
# Something that begins inside an excerpt must be seen far enough to be recognised.
_LOOK_AHEAD = 1_000
_SUSPICIOUS = re.compile(r"\d(?:[ .()/-]{0,2}\d){4,}|[A-Za-z0-9_+/=-]{16,}|\S+@\S+|(?<=:)\S{4,}")


@cache
def missing_libraries() -> tuple[str, ...]:
    """Packages that are not installed here."""
    return tuple(package for module, package in LIBRARIES.items() if find_spec(module) is None)


def find(text: str) -> list[Span]:
    """Personal data and secrets in ``text``, in order, without overlaps.

    Raises:
        ImportError: one of ``LIBRARIES`` is not installed.
    """
    plain = narrow(text)
    return settle(span for finder in _FINDERS for span in finder(plain))


def excerpt(text: str, limit: int = 200) -> str:
    """The beginning of ``text`` on one line of at most ``limit`` characters, with ``mask`` applied."""
    start = _SPACE.sub(" ", text[: 4 * limit + _LOOK_AHEAD]).strip()
    masked = mask(start[: limit + _LOOK_AHEAD])
    whole = len(masked) <= limit and len(text) <= 4 * limit + _LOOK_AHEAD
    return masked if whole else masked[: limit - 1].rstrip() + "…"


def mask(text: str) -> str:
    """``text`` with personal data and secrets cut down to their kind and at most four characters.

    Where a library that recognises them is missing, everything that could be one is blotted out.
    """
    if missing_libraries():
        return _SUSPICIOUS.sub("***", narrow(text))
    return replace(text, ((span, _shown(span.kind, text[span.start : span.end])) for span in find(text)))


def replace(text: str, changes: Iterable[tuple[Span, str]]) -> str:
    """``text`` with each span replaced; the spans are in order and do not overlap."""
    parts, at = [], 0
    for span, new in changes:
        parts += [text[at : span.start], new]
        at = span.end
    return "".join((*parts, text[at:]))


def _shown(kind: Kind, value: str) -> str:
    if kind == "email":
        return f"{value[0]}***@***.{value.rpartition('.')[2]}"
    if kind == "phone":
        value = _NOT_DIGIT.sub("", narrow(value))
    if kind in SECRETS or kind in ("address", "ip"):
        return f"[{kind} {value[:2] if kind in ('api_key', 'ip') else ''}***]"
    return f"[{kind} {value[0]}***]" if kind == "name" else f"[{kind} {value[:2]}***{value[-2:]}]"


class Placeholders:
    """Replaces what is personal in the texts of one row by ``[PHONE]``, ``[EMAIL_2]`` …

    The same value gets the same placeholder everywhere in the row, so an answer that repeats a number of its
    question still does, and two numbers stay two.

    Attributes:
        originals: placeholder → the value as it was written where it came first.
    """

    def __init__(self, taken: str = "") -> None:
        """No placeholder is given that the text ``taken`` has of its own."""
        self._names: dict[tuple[Kind, str], str] = {}
        self._taken = taken
        self.originals: dict[str, str] = {}

    def apply(self, text: str, spans: Iterable[Span] | None = None) -> str:
        """``text`` with placeholders, for ``spans`` or for all that is found."""
        found = find(text) if spans is None else spans
        return replace(text, [(span, self.name(span.kind, text[span.start : span.end])) for span in found])

    def name(self, kind: Kind, value: str) -> str:
        """The placeholder of a value."""
        key = (kind, _SPACE.sub("", narrow(value)).casefold())
        if key not in self._names:
            forms = (f"[{kind.upper()}{f'_{number}' if number > 1 else ''}]" for number in count(1))
            name = next(name for name in forms if name not in self.originals and name not in self._taken)
            self._names[key] = name
            self.originals[name] = value
        return self._names[key]
