"""``Where`` as the condition that LanceDB filters by before it searches."""

from __future__ import annotations

from collections.abc import Iterable

from tuneworth.retrieval.fulltext import clean_utf8
from tuneworth.retrieval.hits import Where


def condition(where: Where | None) -> str | None:
    """SQL for LanceDB, or ``None`` when every passage may be found. All values are quoted."""
    if where is None:
        return None
    parts: list[str] = []
    if where.doc_sets:
        parts.append(is_in("doc_set", where.doc_sets))
    if where.document_ids:
        parts.append(is_in("document_id", where.document_ids))
    if where.changed_from is not None:
        parts.append(f"changed >= date '{where.changed_from.isoformat()}'")
    if where.changed_until is not None:
        parts.append(f"changed <= date '{where.changed_until.isoformat()}'")
    parts += [f"array_has(tags, {_quoted(tag(key, value))})" for key, value in where.metadata.items()]
    return " AND ".join(parts) or None


def is_in(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(map(_quoted, values))})"


def tag(key: str, value: str) -> str:
    """One entry of the column ``tags``; the separator cannot be typed, so ``a=b`` and ``c`` stay apart."""
    return f"{key}\x1f{value}"


def _quoted(value: str) -> str:
    return "'" + clean_utf8(value).replace("'", "''") + "'"
