"""Dates as files and rows write them."""

from __future__ import annotations

import re
from datetime import date, datetime

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_CHINESE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_PDF = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")


def read_date(value: object) -> date | None:
    """The day that ``value`` names, or ``None`` where it names none for certain.

    Read are dates and times as objects, ISO 8601, ``2024/3/5``, ``2024.3.5``, ``20240305`` and ``2024年3月5日``,
    a time of day behind them is ignored. Not read: ``03/05/2024``, whose month depends on who wrote it, and numbers
    of seconds.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    for form in (_ISO, _CHINESE, _COMPACT):
        if match := form.match(text):
            return _day(*match.groups())
    match = _SLASHED.match(text)
    return _day(match[1], match[3], match[4]) if match else None


def read_pdf_date(value: str) -> date | None:
    """The day of a PDF date, ``D:YYYYMMDDHHmmSS`` (ISO 32000-1, 7.9.4); a missing month or day is the first."""
    match = _PDF.match(value.strip())
    return _day(match[1], match[2] or "1", match[3] or "1") if match else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
