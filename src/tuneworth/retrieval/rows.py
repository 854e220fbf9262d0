"""Passages as rows of the index's table, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.retrieval.filters import tag
from tuneworth.retrieval.fulltext import clean_utf8, searched_text

if TYPE_CHECKING:
    import pyarrow as pa

PASSAGE_COLUMNS = (
    "id",
    "document_id",
    "title",
    "text",
    "digest",
    "headings",
    "page",
    "changed",
    "doc_set",
    "metadata",
)


def table_schema(dimension: int | None, identity: str) -> pa.Schema:
    """Columns of the table; ``dimension`` is ``None`` for an index without vectors."""
    import pyarrow as pa

    text = pa.string()
    columns = {
        **dict.fromkeys(("id", "document_id", "title", "text", "digest", "stamp", "searched", "metadata"), text),
        "doc_set": text,
        "headings": pa.list_(text),
        "tags": pa.list_(text),
        "page": pa.int32(),
        "changed": pa.date32(),
    }
    if dimension is not None:
        columns["vector"] = pa.list_(pa.float32(), dimension)
    return pa.schema(list(columns.items()), metadata={"tuneworth": identity})


def to_table(passages: Sequence[Passage], vectors: NDArray[np.float32] | None, schema: pa.Schema) -> pa.Table:
    """``vectors`` has shape ``(len(passages), dimension)``, or is ``None`` when the schema has no vectors."""
    import pyarrow as pa

    rows = [_row(passage) for passage in passages]
    arrays: list[Any] = []
    for column in schema:
        if column.name == "vector":
            assert vectors is not None
            flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        else:
            arrays.append(pa.array([row[column.name] for row in rows], type=column.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def from_row(row: dict[str, Any]) -> Passage:
    """The passage of a row that has ``PASSAGE_COLUMNS``."""
    fields = {name: row[name] for name in PASSAGE_COLUMNS}
    fields["headings"] = tuple(row["headings"])
    fields["metadata"] = json.loads(row["metadata"])
    return Passage(**fields)


def stamp(passage: Passage) -> str:
    """SHA-256 of everything that is stored of a passage, metadata included."""
    return hashlib.sha256(json.dumps(_stored(passage), sort_keys=True, default=str).encode()).hexdigest()


def _row(passage: Passage) -> dict[str, Any]:
    return {
        **_stored(passage),
        "stamp": stamp(passage),
        "searched": searched_text(passage),
        "tags": [clean_utf8(tag(key, value)) for key, value in passage.metadata.items()],
    }


def _stored(passage: Passage) -> dict[str, Any]:
    return {
        "id": clean_utf8(passage.id),
        "document_id": clean_utf8(passage.document_id),
        "title": clean_utf8(passage.title),
        "text": clean_utf8(passage.text),
        "digest": passage.digest,
        "headings": [clean_utf8(heading) for heading in passage.headings],
        "page": passage.page,
        "changed": passage.changed,
        "doc_set": None if passage.doc_set is None else clean_utf8(passage.doc_set),
        "metadata": json.dumps(passage.metadata, sort_keys=True),
    }
