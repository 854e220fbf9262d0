"""What a finder returns, how overlapping finds are settled, and what stands before a number: it often says more than its digits."""

from __future__ import annotations

import re
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
_LOOK_BACK = 28
_OTHER_NUMBER = re.compile(
    r"(?:(?<![A-Za-z])(?:order|invoice|tracking|parcel|reference|ref|serial|ticket|transaction|isbn|issn|doi|sku|upc|ean|imei|model|"
    r"part|batch|lot|version|build|commit|timestamp|receipt|case|grant|trial|pmid)|"
    r"订单|单号|运单|流水|快递|物流|编号|型号|批号|序列|条码|课题|项目|基金|版本|合同|发票|交易|时间戳|设备|商品)"
    r"[\s.:#=(\"'-]{0,4}(?:no|nr|num|number|id|code|号|号码|码)?[\s.:#=(\"'-]{0,4}(?:is|was|为|是)?[\s:#\"']{0,3}$",
    re.IGNORECASE,
)
_SAYS_PHONE = re.compile(
    r"(?:(?<![A-Za-z])(?:tel|telephone|phone|call|calling|mobile|mob|cell|fax|text|txt|contact|whatsapp|dial|ring|sms)|"
    r"电话|手机|联系|联系方式|致电|拨打|热线|传真|来电|微信)"
    r"(?:[\s.:#=(\"'-]{0,4}(?:no|nr|num|number|me|us|at|on|or|now|号|号码|码|为|是|我|:)){0,3}[\s.:#=(\"'-]{0,4}$",
    re.IGNORECASE,
)


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


def numbers_something_else(text: str, start: int) -> bool:
    """Whether the words before ``start`` say that this is an order, a serial, a version …"""
    return _OTHER_NUMBER.search(text, max(0, start - _LOOK_BACK), start) is not None


def asks_for_a_phone(text: str, start: int) -> bool:
    """Whether the words before ``start`` announce a telephone number."""
    return _SAYS_PHONE.search(text, max(0, start - _LOOK_BACK), start) is not None
