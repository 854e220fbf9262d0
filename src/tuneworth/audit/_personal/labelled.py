"""Names behind a label, and postal addresses that go down to a home.

Names in running prose are not looked for: without a model, patterns such as "Mr" + capital or surname +
title mostly find public figures in news and characters in stories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneworth.audit._personal.spans import Span

_WORD = r"[A-Z][A-Za-z'’-]{1,20}"
_NAME_EN = re.compile(
    r"(?i:\b(?:full|first|last|patient|customer|client|employee|applicant|cardholder|account holder|contact|"
    r"recipient|passenger|guest)(?:'s)?[ _]?name|\bsurname|\brecipient|\bcardholder|\battn)\s{0,2}[:=]\s{0,2}[\"']?"
    rf"({_WORD}(?: (?:[A-Z]\.|{_WORD})){{0,3}})"
)
_MY_NAME = re.compile(rf"\b(?i:my (?:full )?name is)\s+({_WORD}(?: {_WORD}){{0,2}})(?![A-Za-z])")
_NAME_ZH = re.compile(
    r"(?:姓名|联系人|收件人|收货人|持卡人|投保人|被保险人|申请人|患者|户主|真实姓名|客户名)\s{0,2}[:=]\s{0,2}"
    r"([\u4e00-\u9fff]{2,4}(?:·[\u4e00-\u9fff]{1,8})?)(?![\u4e00-\u9fff])"
)
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Way|Terrace|Ter|Close|"
    r"Crescent|Square|Sq|Parkway|Pkwy|Circle|Cir)"
)
_ADDRESS_EN = re.compile(
    rf"(?<![\w.])\d{{1,5}}[A-Z]?,? (?:[NSEW]\.? )?(?:{_WORD} |\d{{1,3}}(?:st|nd|rd|th) ){{1,3}}{_STREET}\b\.?"
    r"(?:,? (?:Apt|Apartment|Unit|Suite|Ste|Flat|#)\.? ?[\w-]{1,6})?"
    rf"(?:,? {_WORD}(?: {_WORD}){{0,2}})?"
    r",? (?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})\b"
)
_UNIT_EN = re.compile(
    rf"(?<![\w.])\d{{1,5}} (?:{_WORD} ){{1,3}}{_STREET}\b\.?,? (?:Apt|Apartment|Unit|Flat|#)\.? ?\d[\w-]{{0,5}}\b"
)
_ADDRESS_ZH = re.compile(
    r"(?:[\u4e00-\u9fff]{2,8}(?:省|自治区))?(?:[\u4e00-\u9fff]{2,7}[市州盟])?(?:[\u4e00-\u9fff]{1,7}[区县旗镇乡])?"
    r"[\u4e00-\u9fff]{1,10}(?:路|街|大道|巷|弄|胡同|道|小区|花园|村|苑)\s?(?:\d{1,5}(?:号|弄)(?:院)?)?"
    r"[\u4e00-\u9fff]{0,8}\s?(?:\d{1,3}\s?(?:号楼|栋|幢|座)\s?)?(?:\d{1,2}\s?单元\s?)?(?:\d{2,5}\s?(?:室|号房|户))"
)
_LEAD = re.compile(r"[\u4e00-\u9fff]{0,3}?[在到至往是于]")  # "we live in", "send to"
_ANY_DIGIT = re.compile(r"\d")


def names(text: str) -> Iterator[Span]:
    """Names behind a label such as "patient name:" or "收件人：", or "my name is"."""
    for pattern in (_NAME_EN, _MY_NAME, _NAME_ZH):
        for match in pattern.finditer(text):
            yield Span("name", match.start(1), match.end(1))


def homes(text: str) -> Iterator[Span]:
    """Addresses with a room, a flat or a postcode; a street alone may be anybody's."""
    if _ANY_DIGIT.search(text) is None:
        return
    patterns = (_ADDRESS_EN, _UNIT_EN) if text.isascii() else (_ADDRESS_EN, _UNIT_EN, _ADDRESS_ZH)
    for pattern in patterns:
        for match in pattern.finditer(text):
            lead = _LEAD.match(text, match.start(), match.end())
            yield Span("address", lead.end() if lead else match.start(), match.end())
