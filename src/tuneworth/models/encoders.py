"""The embedded sentence encoders by name, and which texts each is for."""

from __future__ import annotations

MINILM = "minilm"
E5 = "multilingual-e5-small"


def encoder_for(language: str) -> str:
    """MiniLM reads English only; texts in several languages are not English."""
    return MINILM if language == "en" else E5
