"""Sentences in the two languages a reader may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence (or title) in English and in Chinese.

    Everything a user reads is a ``Text`` until the moment it is shown, so that a saved run can be
    read in either language. A plain dataclass: the command line starts without pydantic.
    """

    en: str
    zh: str

    def to(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        return self.en
