"""Names and clauses in a row."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.text import Text
from tuneworth.words.say import say


def few(texts: Sequence[Text], most: int = 4) -> Text:
    """Names of arms in a row; of many only the first, and how many more."""
    more = len(texts) - most
    if more <= 1:
        return joined(texts, say("units.names.between"))
    counted = Text(en=f"{more:,}", zh=f"{len(texts):,}")  # English counts the rest, Chinese all
    return say("units.names.and_more", shown=few(texts[:most], most), n=counted)


def listed(texts: Sequence[Text]) -> Text:
    """Clauses in a row."""
    return joined(texts, say("units.names.between_clauses"))


def joined(texts: Sequence[Text], between: Text | str = "") -> Text:
    """The texts one after the other, ``between`` them what is given."""
    langs = dict.fromkeys(lang for text in (Text(en="", zh=""), *texts) for lang in text.by_lang)
    glue = between if isinstance(between, Text) else Text(en=between, zh=between)
    return Text(**{lang: glue.to(lang).join(text.to(lang) for text in texts) for lang in langs})


def quoted(name: Text | str) -> Text:
    return say("units.names.quoted", name=name)
