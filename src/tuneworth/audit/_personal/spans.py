"""What a finder returns, and how overlapping finds are settled."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "private_key",
    "api_key",
    "password",
    "email",
    "cn_id",
    "us_ssn",
    "uk_nino",
    "iban",
    "bank_card",
    "other_id",
    "cn_uscc",
    "phone",
    "ip",
    "address",
    "name",
]
"""Kinds of personal data and secrets, from the strongest evidence to the weakest."""
KINDS: tuple[Kind, ...] = get_args(Kind)
SECRETS: tuple[Kind, ...] = ("private_key", "api_key", "password")
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}

# Chinese texts write digits, brackets and signs in full width as well; one character stays one character.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: 0x2D, 0x2011: 0x2D}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of a text hold something of ``kind``."""

    kind: Kind
    start: int
    end: int


def narrow(text: str) -> str:
    """``text`` with full-width ASCII made narrow; positions stay the same."""
    return text if text.isascii() else text.translate(_NARROW)


def settle(found: Iterable[Span]) -> list[Span]:
    """The spans in the order of the text. Of two that overlap, the kind with the stronger evidence stays."""
    starts: list[int] = []
    kept: dict[int, Span] = {}
    for span in sorted(found, key=lambda span: (_RANK[span.kind], span.start - span.end)):
        place = bisect(starts, span.start)
        before_ends = place == 0 or kept[starts[place - 1]].end <= span.start
        if before_ends and (place == len(starts) or starts[place] >= span.end):
            starts.insert(place, span.start)
            kept[span.start] = span
    return [kept[start] for start in starts]
