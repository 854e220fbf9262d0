"""Cleaning and cutting of strings, and line breaking for terminals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneworth.report.plain import clean, excerpt, one_line, shorten, width
from tuneworth.report.terminal.wrap import wrap


def test_clean_takes_out_what_moves_cursors_and_turns_text_around():
    assert clean("a\x1b[31m\x00\u202eb\x9b") == "a\ufffd[31m\ufffd\ufffdb\ufffd"


def test_clean_makes_any_string_encodable():
    assert clean("half \ud83d pair").encode() == "half \ufffd pair".encode()


def test_clean_keeps_lines_and_tabs():
    assert clean("a\r\nb\rc\td") == "a\nb\nc\td"


def test_one_line():
    assert one_line(" a\n\tb ") == "a b"


def test_shorten_counts_chinese_double():
    assert width("少样本 16") == 9
    assert shorten("少样本提示", 7) == "少样本…"
    assert shorten("abc", 3) == "abc"


def test_excerpt_says_how_much_is_missing():
    assert excerpt("x" * 1500, "en", 1000) == "x" * 1000 + "… (500 more characters not shown)"
    assert "余下 500 个字符未显示" in excerpt("x" * 1500, "zh", 1000)


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("these are a few words", 11, ["these are a", "few words"]),
        ("速度快十倍，而且不需要训练", 10, ["速度快十", "倍，而且不", "需要训练"]),
        ("选 LoRA 更好。", 10, ["选 LoRA 更", "好。"]),
        ("选 LoRA 好。", 10, ["选 LoRA", "好。"]),
        ("LoRA（秩 16）更好", 8, ["LoRA（秩", "16）更好"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("one\n\ntwo", 10, ["one", "", "two"]),
    ],
)
def test_wrap(text, columns, lines):
    assert wrap(text, columns) == lines


def test_wrap_hangs_following_lines():
    assert wrap("▸ head on embeddings", 10, hang=2) == ["▸ head on", "  embeddin", "  gs"]


@given(st.text(st.sampled_from("ab 中文，。（）“”+1%—"), max_size=80), st.integers(6, 40))
def test_wrap_loses_nothing_and_keeps_the_width(text, columns):
    lines = wrap(text, columns, hang=2)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= columns for line in lines)
