"""All finders together."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from tuneworth.audit._personal.contact import addresses_of_machines, emails, phones
from tuneworth.audit._personal.labelled import homes, names
from tuneworth.audit._personal.papers import papers
from tuneworth.audit._personal.secret import secrets
from tuneworth.audit._personal.spans import Span, narrow, settle

LIBRARIES = {"phonenumbers": "phonenumbers", "stdnum": "python-stdnum", "detect_secrets": "detect-secrets"}
"""Modules that the finders need → the packages that hold them."""
_FINDERS = (secrets, emails, papers, phones, addresses_of_machines, homes, names)


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
