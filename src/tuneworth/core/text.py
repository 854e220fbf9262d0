"""Sentences in the two languages a reader may choose."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Lang = Literal["en", "zh"]


class Text(BaseModel):
    """One sentence (or title) in English and in Chinese.

    Everything a user reads is a ``Text`` until the moment it is shown, so that a saved run can be
    read in either language.
    """

    model_config = ConfigDict(frozen=True)

    en: str
    zh: str

    def to(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        return self.en
