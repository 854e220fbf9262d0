"""The text of a file of text, refused where it is none."""

from __future__ import annotations

import re

from tuneworth.core.text import Text
from tuneworth.data.documents.base import SourceFile, Unreadable
from tuneworth.data.encoding import decode
from tuneworth.errors import InputError

_BROKEN = re.compile("[\ud800-\udfff]")


def decoded(file: SourceFile, *, declared: str = "") -> tuple[str, list[Text]]:
    """The text of ``file`` and what was assumed about its encoding.

    Args:
        declared: the encoding that the file itself names; believed only where it fits all bytes.

    Raises:
        Unreadable: neither UTF-8, UTF-16 nor GB18030, or not text at all.
    """
    data = file.read()
    named = _as_declared(data, declared)
    if named is not None:
        return named, []
    try:
        found = decode(data, file.name)
    except InputError as error:
        raise Unreadable(error.problems[0].message) from None
    if "\x00" in found.text:
        raise Unreadable(
            Text(
                en="holds NUL bytes: it is no text, or UTF-16 without a mark; save it as UTF-8",
                zh="含有 NUL 字节：它不是文本，或是缺少标记的 UTF-16；请另存为 UTF-8",
            )
        )
    if broken := _BROKEN.search(found.text):
        raise Unreadable(_neither(found.text, broken.start()))
    return found.text, [found.note] if found.note else []


def _neither(text: str, at: int) -> Text:
    line = text.count("\n", 0, at) + 1
    return Text(
        en=f"is neither UTF-8 nor GB18030, first at line {line}; save it as UTF-8",
        zh=f"既不是 UTF-8 也不是 GB18030，最早出现在第 {line} 行；请另存为 UTF-8",
    )


def _as_declared(data: bytes, declared: str) -> str | None:
    """``data`` by the encoding it names, unless it is UTF-8, whatever it says: then the name is a leftover.

    GB2312 and GBK are written for GB18030, which holds both.
    """
    name = declared.strip().lower()
    if not name or name.startswith("utf") or _is_utf8(data):
        return None
    try:
        text = data.decode("gb18030" if name in ("gb2312", "gbk", "gb_2312-80") else name)
    except (LookupError, ValueError):
        return None
    return text if "\x00" not in text else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
