"""The catalogue: complete, used, and open to a further language."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
import yaml

import tuneworth
from tuneworth.core.text import Text
from tuneworth.words.numbers import percent
from tuneworth.words.say import CATALOGUE, Catalogue, say

SRC = Path(tuneworth.__file__).parent
SILENT = ("compared", "decide", "findings", "race", "report", "serve")
"""Rooms whose sentences all stand in the catalogue."""
KEYS = [f"{page}.{place}" for page in CATALOGUE.pages() for place in CATALOGUE.columns(page)]


def templates(key: str) -> dict[str, str]:
    page, _, place = key.partition(".")
    return dict(CATALOGUE.columns(page)[place])


def parts_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_is_in_both_languages_with_the_same_parts(key):
    columns = templates(key)
    assert set(columns) == {"en", "zh"}
    assert parts_of(columns["en"]) == parts_of(columns["zh"])
    assert all(name.isidentifier() for name in parts_of(columns["en"])), (
        "a number is formatted before it becomes a part"
    )


def said_in_source() -> tuple[set[str], tuple[str, ...]]:
    """Keys that stand in the source, and what keys begin with that are put together or read as a table."""
    whole, begun = set[str](), set[str]()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "table":
                begun |= {f"{arg.value}." for arg in node.args if isinstance(arg, ast.Constant)}
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
    return whole, tuple(start for start in begun if start.partition(".")[0] in CATALOGUE.pages() and "." in start)


def test_every_sentence_is_said_somewhere():
    whole, begun = said_in_source()
    assert [key for key in KEYS if key not in whole and not key.startswith(begun)] == []


def sentences_in(path: Path) -> list[int]:
    """Lines with a sentence of their own: a `Text` with words in it, or Chinese outside a docstring."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), list[int]()
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Text":
            given = [*node.args, *(word.value for word in node.keywords)]
            texts = [part for arg in given for part in (arg.values if isinstance(arg, ast.JoinedStr) else [arg])]
        else:
            texts = [node] if re.search("[\u4e00-\u9fff]", str(getattr(node, "value", ""))) else []
        found += [
            text.lineno
            for text in texts
            if isinstance(text, ast.Constant) and str(text.value).strip() and id(text) not in docs
        ]
    return found


@pytest.mark.parametrize("room", SILENT)
def test_no_sentence_stands_in_the_code(room):
    paths = sorted((SRC / room).rglob("*.py"))
    assert paths
    assert [f"{path.relative_to(SRC)}:{line}" for path in paths for line in sentences_in(path)] == []


def test_a_sentence_in_the_code_is_noticed(tmp_path):
    path = tmp_path / "spoken.py"
    path.write_text(
        '"""说明"""\nText(en="so", zh=f"{n} 条")\ncore.Text("so", zh)\nx = f"{n} 条"\nText(en=f"{n:,}", zh=n)\n"条"\n',
        encoding="utf-8",
    )
    assert sorted(set(sentences_in(path))) == [2, 3, 4]


def test_a_further_language_is_one_more_column(tmp_path):
    (tmp_path / "made.yaml").write_text(
        "up: {en: 'up by {n}', zh: '提升 {n}', xx: '{n} pu'}\nhalf: {en: only here, zh: 只在这里}\n", encoding="utf-8"
    )
    catalogue = Catalogue(tmp_path)
    up = catalogue.say("made.up", n=percent(0.5))
    assert up.to("xx") == "50.0\u00a0% pu", "a part that lacks the language is said in English"
    assert (up.en, up.zh) == ("up by 50.0\u00a0%", "提升 50.0%")
    assert catalogue.say("made.half").to("xx") == "only here"


def test_a_sentence_that_is_missing_or_lacks_a_part_is_an_error():
    with pytest.raises(KeyError, match="no sentence"):
        say("units.nowhere")
    with pytest.raises(KeyError, match="n"):
        say("units.percent")


def test_whole_numbers_get_separators_and_characters_stand_together():
    assert say("units.points", n=1200) == Text(en="1,200 points", zh="1,200 个百分点")
    between = Text(en="x", zh="某")
    assert say("units.range", low=between, high=between).zh == "某到某"
    assert say("units.names.quoted", name="张 三").zh == "“张 三”", "what a part says is left as it is"


@pytest.mark.parametrize("page", CATALOGUE.pages())
def test_a_page_reads_the_same_without_libyaml(page):
    text = (CATALOGUE.folder / f"{page}.yaml").read_text(encoding="utf-8")
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert yaml.safe_load(text) == yaml.load(text, Loader=fast)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("value", ["a\ue000b\ue001", "\ue001", "图 \ue000 表", " 空 格 "])
def test_every_character_of_a_value_is_said(tmp_path, lang, value):
    (tmp_path / "page.yaml").write_text("said: {en: 'file {name} is {what}', zh: '文件 {name} 属于 {what} 一类'}")
    told = Catalogue(tmp_path).say("page.said", name=value, what=Text(en=value, zh=value))
    assert told.to(lang).count(value) == 2
    assert told.zh.startswith("文件")
    assert told.zh.endswith("一类")
