"""Reading a file whole, as bytes or text, and writing one whole or not at all.

Text is UTF-8, UTF-16, UTF-32, GB18030, Big5, CP949, CP932, CP1251 or Windows-1252. Strict decoding decides, not statistics: UTF-8
first, because text in another encoding is almost never valid UTF-8; then those whose text is all of one script; GB18030 only if what
comes out is mostly the everyday characters of GB2312, because it accepts a good deal of Latin-1 as rare characters;
Windows-1252 where few letters are beyond ASCII. What is left, and what is partly UTF-8, is read as UTF-8 with its broken bytes
kept as marks, so that the rows that hold them can be set aside by line.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

_SAMPLE_CHARS = 50_000
_SAMPLE_BYTES = 4_000
_WESTERN_MARKS = "“”‘’‚„…–—€£§°«»·´\xa0¿¡•™®©²³½¼¾ªº"
_WESTERN_SHARE = (
    0.25  # French and Vietnamese stay below; Cyrillic or Greek read as Western letters are nearly all beyond ASCII
)
_UTF8_SHARE = 0.1
_SCRIPTS = {
    "euc_kr": (re.compile(r"[\uac00-\ud7a3]"), 0.98, 25),  # of Chinese text half would be other characters
    "cp932": (re.compile(r"[\u3041-\u30ff]"), 0.4, 12),
    "big5": (re.compile(r"[\u4e00-\u9fff]"), 0.98, 12),
    "cp1251": (re.compile(r"[а-яё]"), 0.8, 15),
}
"""Encoding → the letters of its texts, their share of all letters beyond ASCII, and how many different ones at least."""
_SURE_SHARE = 0.95
_COMMON_SHARE = 0.5  # traditional characters are outside GB2312, so a Chinese text may have many of them


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path, name: str) -> bytes:
    """The contents of ``path``.

    Raises:
        InputError: there is no such file, it is a folder, or it is empty.
        EnvironmentProblem: the system does not let us read it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(Problem(str(path), say("rows.file.missing"))) from None
    except IsADirectoryError:
        raise InputError(Problem(str(path), say("rows.file.folder"))) from None
    except OSError as error:
        raise EnvironmentProblem(
            Problem(str(path), say("rows.file.unreadable", reason=error.strerror or str(error)))
        ) from error
    if not data.strip():
        raise InputError(Problem(name, say("rows.file.empty")))
    return data


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that ``path`` holds either its old contents or all of the new.

    Half a surrogate pair, which UTF-8 cannot hold, is written as ``\\udXXX``.

    Raises:
        EnvironmentProblem: the disk is full, or the folder cannot be written to.
    """
    try:
        write_atomic(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentProblem(Problem(str(path), say("rows.file.unwritable", reason=reason))) from error


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text of a file; ``note`` says so when it was not plain UTF-8."""

    text: str
    note: Text | None = None


def decode(data: bytes, name: str) -> Decoded:
    """The text of ``data``. Bytes that are no text become lone surrogates, which rows reject.

    Raises:
        InputError: the file is not text at all.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # before UTF-16, whose mark it begins with
        return _wide(data, name, "utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _wide(data, name, "utf-16")
    if (bare := _bare_utf16(data)) is not None:
        return _wide(data, name, bare)
    try:
        # A mark within: files with one each were put one behind the other.
        return Decoded(data.decode("utf-8-sig").replace("\n\ufeff", "\n"))
    except UnicodeDecodeError as error:
        first_bad = error
    if not _has_utf8_lines(data):
        other, common = _by_script(data), _gb2312_share(data)
        if other is not None and (common < _SURE_SHARE or other[0] == "euc_kr"):
            return Decoded(other[1], say("reading.encoding", name=name, encoding=other[0].upper()))
        if common >= _COMMON_SHARE:
            return Decoded(data.decode("gb18030"), say("rows.file.gb18030", name=name))
        western = _western(data)
        if western is not None:
            return Decoded(western, say("reading.western", name=name))
    line = data.count(b"\n", 0, first_bad.start) + 1
    note = say("rows.file.broken_bytes", name=name, line=str(line), byte=f"{data[first_bad.start]:02X}")
    return Decoded(data.decode("utf-8-sig", "surrogateescape"), note)


def _bare_utf16(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark, whose ASCII characters have a NUL on one side and never on the other."""
    head = data[:_SAMPLE_BYTES]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < 0.4 * len(head) / 2 or min(even, odd) > 0.02 * len(head) / 2:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _wide(data: bytes, name: str, encoding: str) -> Decoded:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(Problem(name, say("rows.file.broken_utf16", start=str(error.start)))) from None
    return Decoded(text, say("rows.file.utf16", name=name, encoding=encoding[:6].upper()))


def _has_utf8_lines(data: bytes) -> bool:
    """Whether so many lines are UTF-8 beyond two-byte letters, which other encodings make by chance, that the file is meant so."""
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    return sum(map(_is_utf8, lines)) >= _UTF8_SHARE * len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        return max(line.decode()) >= "\u0800"
    except UnicodeDecodeError:
        return False


def _by_script(data: bytes) -> tuple[str, str] | None:
    """Encoding and text, where one of the others gives nearly nothing but letters of its own script, and many different ones."""
    for encoding, (script, share, least) in _SCRIPTS.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = Counter(char for char in text[:_SAMPLE_CHARS] if char > "\x7f" and char.isalpha())
        own = [char for char in letters if script.match(char)]
        if len(own) >= least and sum(letters[char] for char in own) >= share * letters.total():
            return encoding, text
    return None


def _gb2312_share(data: bytes) -> float:
    """Share of GB2312's everyday characters in ``data`` as GB18030; 0 where it is none."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return 0.0
    sample = [char for char in text[:_SAMPLE_CHARS] if char > "\x7f"] or [char for char in text if char > "\x7f"]
    return sum(map(_in_gb2312, sample)) / len(sample) if sample else 0.0


def _western(data: bytes) -> str | None:
    """``data`` as Windows-1252, if that makes words: its letters beyond ASCII are few, and no valid UTF-8 is among them."""
    if any(char > "\x7f" and not "\udc80" <= char <= "\udcff" for char in data.decode("utf-8-sig", "surrogateescape")):
        return None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    beyond = [char for char in text if char > "\x7f"]
    letters = sum(char.isalpha() for char in text)
    are_words = all(char.isalpha() or char in _WESTERN_MARKS for char in beyond)
    return text if are_words and len(beyond) <= _WESTERN_SHARE * letters else None


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
