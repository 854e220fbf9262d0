"""SQL as text: the query in an answer, the tables that a text declares, and whether a query sorts."""

from __future__ import annotations

import re

MAX_STATEMENTS = 200
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\w+|\s+|.", re.DOTALL)
_DECLARES = re.compile(r"\b(?:CREATE\s+(?:TEMP(?:ORARY)?\s+)?TABLE|INSERT\s+INTO)\b", re.IGNORECASE)
MAX_CHARS = 100_000


def one_query(answer: str) -> str:
    """The query in ``answer``: without a code fence around it and without semicolons at its end."""
    text = answer.strip()[:MAX_CHARS]
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text.partition("\n")[2].removesuffix("```")
    return text.strip().rstrip(";").rstrip()


def plain_sql(query: str) -> str:
    """``query`` in lower case and with single spaces, except inside quotes; comments are left out."""
    parts: list[str] = []
    for token in _tokens(query):
        if not token.isspace():
            parts.append(token if token[0] in "'\"`" else token.lower())
        elif parts and parts[-1] != " ":
            parts.append(" ")
    return "".join(parts).strip()


def has_order(query: str) -> bool:
    """Whether the rows of the whole query are sorted: ``ORDER BY`` outside of brackets."""
    depth, before = 0, ""
    for token in _tokens(query):
        if token.isspace():
            continue
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and before == "order" and token.lower() == "by":
            return True
        before = token.lower()
    return False


def declared_tables(text: str) -> tuple[str, ...]:
    """The statements in ``text`` that make tables and fill them, in their order; the text may say other things too."""
    found: list[str] = []
    at = 0
    while len(found) < MAX_STATEMENTS and (match := _DECLARES.search(text, at)) is not None:
        statement = _statement(
            text[match.start() : match.start() + MAX_CHARS], insert=match[0].lower().startswith("insert")
        )
        if not statement:
            break  # it never ends, so nothing behind it is a statement of its own
        found.append(statement)
        at = match.start() + len(statement)
    return tuple(found)


def _statement(text: str, *, insert: bool) -> str:
    """Up to the semicolon; without one, up to the bracket that closes the columns, or the last row of values."""
    depth, length, end = 0, 0, 0
    for token in _TOKEN.findall(text):
        length += len(token)
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == ";" and depth == 0:
            return text[:length]
        if token == ")" and depth == 0:
            end = length
            following = text[length : length + 200].lstrip().lower()
            if not (
                following.startswith((",", ";", "values", "without", "strict")) if insert else following.startswith(";")
            ):
                break
    return text[:end]


def _tokens(query: str) -> list[str]:
    return [token for token in _TOKEN.findall(query) if not token.startswith(("--", "/*"))]
