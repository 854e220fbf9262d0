"""Plain text: paragraphs between blank lines, a form feed starts a new page."""

from __future__ import annotations

from tuneworth.data.documents.base import Parsed, Reading, SourceFile, decoded
from tuneworth.data.documents.blocks import paragraphs


class Plain:
    suffixes = (".txt", ".text", ".rst")

    def read(self, file: SourceFile) -> Reading:
        text, notes = decoded(file)
        return Reading([Parsed(paragraphs(text))], notes=notes)


PLUGIN = Plain()
