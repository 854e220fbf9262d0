"""A sentence as a value: it does not change, compares by its words, and is stored by language."""

from __future__ import annotations

import copy
import pickle

import pytest
from pydantic import TypeAdapter

from tuneworth.core.text import Text

STORED = {"en": "yes", "zh": "是"}


def test_it_is_stored_by_language_and_read_back():
    adapter = TypeAdapter(Text)
    assert adapter.dump_python(Text(**STORED)) == STORED
    assert adapter.validate_python(STORED) == adapter.validate_json('{"en": "yes", "zh": "是"}') == Text(**STORED)
    assert adapter.validate_python({**STORED, "xx": "sey"}).to("xx") == "sey"
    with pytest.raises(ValueError, match="zh"):
        adapter.validate_python({"en": "yes"})


def test_it_compares_by_its_words_and_does_not_change():
    text = Text(**STORED)
    assert {text, Text(zh="是", en="yes")} == {text}
    assert text != Text(en="yes", zh="对")
    assert text != "yes"
    with pytest.raises(AttributeError, match="does not change"):
        text.by_lang = {}
    assert copy.deepcopy(text) == pickle.loads(pickle.dumps(text)) == text
