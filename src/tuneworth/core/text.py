"""Sentences in the languages a reader may choose."""

from __future__ import annotations

from typing import Any, Literal

Lang = Literal["en", "zh"]
"""The languages that everything is written in. A catalogue may hold further ones; what lacks one is shown in English."""


class Text:
    """One sentence (or title) in every language.

    Everything a user reads is a ``Text`` until the moment it is shown, so that a saved run can be read in any of them.
    It is stored as ``{"en": …, "zh": …}``. Not a pydantic model: the command line starts without pydantic.

    Attributes:
        by_lang: language → sentence, English first.
    """

    __slots__ = ("by_lang",)
    by_lang: dict[str, str]

    def __init__(self, en: str, zh: str, **others: str):
        object.__setattr__(self, "by_lang", {"en": en, "zh": zh, **others})

    @property
    def en(self) -> str:
        return self.by_lang["en"]

    @property
    def zh(self) -> str:
        return self.by_lang["zh"]

    def to(self, lang: str) -> str:
        return self.by_lang.get(lang, self.en)

    def __str__(self) -> str:
        return self.en

    def __repr__(self) -> str:
        return f"Text({', '.join(f'{lang}={said!r}' for lang, said in self.by_lang.items())})"

    def __eq__(self, other: object) -> bool:
        return self.by_lang == other.by_lang if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.by_lang.items()))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Text does not change: {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _read, (self.by_lang,)

    def __deepcopy__(self, memo: object) -> Text:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        from pydantic_core import core_schema as schema

        words = schema.typed_dict_schema(
            {lang: schema.typed_dict_field(schema.str_schema()) for lang in ("en", "zh")},
            extras_schema=schema.str_schema(),
            extra_behavior="allow",
        )
        return schema.json_or_python_schema(
            json_schema=schema.no_info_after_validator_function(_read, words),
            python_schema=schema.union_schema(
                [schema.is_instance_schema(cls), schema.no_info_after_validator_function(_read, words)]
            ),
            serialization=schema.plain_serializer_function_ser_schema(lambda text: text.by_lang),
        )


def _read(by_lang: dict[str, str]) -> Text:
    return Text(**by_lang)
