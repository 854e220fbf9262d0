"""How to reach a person: e-mail, telephone and Internet addresses, names behind a label, and postal addresses that go
down to a home.

Names in running prose are not looked for: without a model, patterns such as "Mr" + capital or surname +
title mostly find public figures in news and characters in stories.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tuneworth.audit._personal.spans import Span, asks_for_a_phone, numbers_something_else

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9_](?:[A-Za-z0-9._%+-]{0,63})@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,6}"
    r"(?:[a-z]{2,24}|[A-Z]{2,24})(?![A-Za-z0-9-]|\.[a-z0-9]|:[/~\w])"
)
_SEVEN_DIGITS = re.compile(r"(?:\d[ .()/-]{0,3}){7}")
# Not inside a word, a longer number, a path, a price or a numbered thing.
_BEFORE = r"(?<![A-Za-z0-9_#.$€£¥￥-])(?<![^\d\s]/)"
_AFTER = r"(?![A-Za-z0-9_]|[.:]\d|,\d{3}(?!\d)|-\d|%)"
_IPV4 = re.compile(r"(?<![\w.-])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\w-]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])", re.ASCII)
_SAYS_IP = re.compile(r"\bip\b[^.\d]{0,12}$|地址\D{0,4}$", re.IGNORECASE | re.ASCII)
_SAYS_VERSION = re.compile(r"(?:\bv|version|release|section|chapter|版本|章节|第)[\s.:]{0,2}$", re.IGNORECASE)
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """A way of writing numbers, and the numbering plans it is checked against.

    Attributes:
        announced: digits in this form are common, so a word must announce them.
    """

    pattern: re.Pattern[str]
    regions: tuple[str | None, ...]
    announced: bool = False


def _plan(body: str, *regions: str | None, announced: bool = False) -> _Plan:
    return _Plan(re.compile(f"{_BEFORE}{body}{_AFTER}"), regions, announced)


_PLANS = (
    _plan(r"\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}", None),
    _plan(r"00[1-9]\d{0,2}(?:[ .-]?\(?\d{2,5}\)?){2,5}", "GB", "CN"),
    _plan(r"(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", "CN"),
    _plan(r"\(?0\d{2,3}[) -]{1,2}\d{4}[ -]?\d{3,4}(?:(?:-|转)\d{1,6})?", "CN", "GB"),
    _plan(r"(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])[2-9]\d{2}[ .-]\d{4}", "US", "CN"),
    _plan(r"[48]00-\d{4}-\d{3}", "CN"),
    _plan(r"\(?0\d{2,4}[) -]{0,2}\d{3,4}[ -]?\d{3,4}", "GB", "CN"),
    _plan(r"\(?\d{2,5}\)?(?:[ .-]?\d{2,5}){1,5}", "US", "GB", "CN", "IN", "DE", "FR", "AU", "SG", announced=True),
)


def emails(text: str) -> Iterator[Span]:
    """Addresses with a domain; ``git@host:path`` and other shell targets are none."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Span("email", match.start(), match.end())


def phones(text: str) -> Iterator[Span]:
    """Numbers that are valid in the numbering plan of the way they are written.

    International form of every country; national form of mainland China, the USA, Canada and the UK; other
    national forms only behind a word such as "call" or "电话". Short codes are not personal and left out.
    """
    if _SEVEN_DIGITS.search(text) is None:
        return
    for plan in _PLANS:
        for match in plan.pattern.finditer(text):
            start = match.start()
            if plan.announced and not asks_for_a_phone(text, start):
                continue
            if not plan.announced and match[0][0] != "+" and numbers_something_else(text, start):
                continue
            length = _valid_length(match[0], plan.regions)
            if length:
                yield Span("phone", start, start + length)


def _valid_length(written: str, regions: tuple[str | None, ...]) -> int:
    """Characters of ``written`` that are a number; its last groups may belong to what follows. 0 for none."""
    import phonenumbers

    end = len(written)
    while end > 6:
        for region in regions:
            try:
                number = phonenumbers.parse(written[:end], region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return end
        end = max(written.rfind(mark, 0, end) for mark in " .-(")
    return 0


def addresses_of_machines(text: str) -> Iterator[Span]:
    """Public IP addresses; private, loopback and reserved ones lead to nobody."""
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            if _is_address(match, text):
                yield Span("ip", match.start(), match.end())
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if _is_global(match[0]):
                yield Span("ip", match.start(), match.end())


def _is_address(match: re.Match[str], text: str) -> bool:
    """Four numbers with dots are also a version or a section: those have small numbers or say so."""
    before = text[max(0, match.start() - 20) : match.start()]
    if _SAYS_VERSION.search(before) is not None or not _is_global(match[0]):
        return False
    return sum(len(part) >= 2 for part in match.groups()) >= 2 or _SAYS_IP.search(before) is not None


def _is_global(written: str) -> bool:
    try:
        return ipaddress.ip_address(written).is_global
    except ValueError:
        return False


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
