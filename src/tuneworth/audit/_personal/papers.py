"""Numbers of identity papers, bank cards and accounts: those with a checksum or a strict form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module

from tuneworth.audit._personal.spans import Kind, Span, numbers_something_else

_BEFORE = r"(?<![A-Za-z0-9_#.$€£¥￥-])(?<![^\d\s]/)"
_AFTER = r"(?![A-Za-z0-9_]|[.-]\d|,\d{3}(?!\d)|%)"
# A UK number has no checksum; the form is HMRC's: two letters from a set without some pairs, A–D at the end.
_NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
_CARD = (
    r"(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3528|35[3-8]\d|6011|6[45]\d{2}|62\d{2})"
    r"(?:([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{12,15})"
)
_AMEX = r"3[47]\d{2}(?:([ -])\d{6}\1\d{5}|\d{11})"
_HINT = re.compile(r"\d(?:[ .-]?\d){5}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A numbered paper.

    Attributes:
        module: the module of python-stdnum that checks it; empty where the form is all there is.
        label: must stand before the number, for papers whose form is a common one.
    """

    kind: Kind
    pattern: re.Pattern[str]
    module: str = ""
    label: re.Pattern[str] | None = None


def _paper(kind: Kind, body: str, module: str = "", label: str = "") -> Paper:
    return Paper(
        kind,
        re.compile(f"{_BEFORE}(?:{body}){_AFTER}"),
        module,
        re.compile(rf"(?:{label})[^\d]{{0,15}}$", re.IGNORECASE) if label else None,
    )


PAPERS = (
    _paper(
        "cn_id",
        r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123]|91)\d{4}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]",
    ),
    _paper("cn_uscc", r"[159ANY][1239]\d{6}[0-9A-HJ-NPQRTUWXY]{10}", "cn.uscc"),
    _paper("us_ssn", r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _paper("us_ssn", r"\d{9}|\d{3} \d{2} \d{4}", "us.ssn", r"\bssn|social security"),
    _paper("uk_nino", _NINO),
    _paper("other_id", r"\d{3} ?\d{3} ?\d{4}", "gb.nhs", r"\bnhs"),
    _paper("other_id", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    _paper("other_id", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    _paper("other_id", r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),
    _paper("other_id", r"\d{8}-?[A-HJ-NP-TV-Z]", "es.dni"),
    _paper("other_id", r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    _paper("other_id", r"\d{6}-[1-4]\d{6}", "kr.rrn"),
    _paper("other_id", r"[2-9]\d{3} \d{4} \d{4}", "in_.aadhaar"),
    _paper("other_id", r"[A-Z]{1,2}\d{7,8}", "", "passport|护照"),
    _paper("iban", r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?", "iban"),
    _paper("bank_card", _CARD, "luhn"),
    _paper("bank_card", _AMEX, "luhn"),
)


def papers(text: str) -> Iterator[Span]:
    """Numbers whose form and checksum are right."""
    if _HINT.search(text) is None:
        return
    for paper in PAPERS:
        for match in paper.pattern.finditer(text):
            if _holds(paper, match, text):
                yield Span(paper.kind, match.start(), match.end())


def _holds(paper: Paper, match: re.Match[str], text: str) -> bool:
    if paper.label is not None and paper.label.search(text, max(0, match.start() - 40), match.start()) is None:
        return False
    if paper.kind != "iban" and numbers_something_else(text, match.start()):
        return False
    if paper.kind == "bank_card" and not _is_card_length(match[0]):
        return False
    number = match[0].replace(" ", "").upper()
    if paper.kind == "cn_id":
        return _is_cn_id(number)
    if paper.kind == "cn_uscc" and PAPERS[0].pattern.fullmatch(number):
        return False  # the form of an identity number, of which one in 31 has a company's check digit
    return not paper.module or import_module(f"stdnum.{paper.module}").is_valid(number)


def _is_cn_id(number: str) -> bool:
    """Check digit and birth date.

    python-stdnum also asks whether the district existed in the year of birth. People keep numbers of districts
    that are younger than they are, so that would let real numbers through.
    """
    from stdnum.cn import ric

    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return ric.calc_check_digit(number) == number[-1]


def _is_card_length(written: str) -> bool:
    """UnionPay cards have 16 to 19 digits, the others 15, 16 or (Visa, Discover, JCB, rarely) 19."""
    digits = sum(char.isdigit() for char in written)
    return len(set(written) - {" ", "-"}) > 1 and (
        16 <= digits <= 19 if written.startswith("62") else digits in (15, 16)
    )
