"""Documents: read from files of many kinds, and cut into passages."""

from tuneworth.data.documents.cutting import MAX_TOKENS, OVERLAP_SHARE, cut
from tuneworth.data.documents.load import MAX_FILE_BYTES, LoadedDocuments, load_documents, read_documents, texts_of

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_TOKENS",
    "OVERLAP_SHARE",
    "LoadedDocuments",
    "cut",
    "load_documents",
    "read_documents",
    "texts_of",
]
