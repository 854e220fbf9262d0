"""What the pages have in common: templates, assets inside the file, and a policy that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuneworth.core.text import Lang

TEMPLATES = Path(__file__).parent / "templates"
TAGS: dict[Lang, str] = {"en": "en", "zh": "zh-CN"}


def languages(first: Lang) -> list[Lang]:
    """Both languages, the one shown first in front."""
    return [first, *(other for other in get_args(Lang) if other != first)]


@cache
def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def embed(value: Any) -> Markup:
    """``value`` as JSON that can stand in a ``<script>`` element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def policy(scripts: list[Markup]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    # Plotly writes its own style elements, so styles cannot be pinned by hash.
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
