"""Reading a file whole, as bytes or text, and writing one whole or not at all.

Text is UTF-8, UTF-16, GB18030 or Windows-1252. Strict decoding decides, not statistics: UTF-8 first, because text in
another encoding is almost never valid UTF-8; GB18030 next, and only if what comes out is mostly the everyday
characters of GB2312, because GB18030 accepts a good deal of Latin-1 as rare characters; Windows-1252 where few letters are beyond ASCII. What is left is read as UTF-8
with its broken bytes kept as marks, so that the rows that hold them can be set aside by line.
"""

from __future__ import annotations

import codecs
import hashlib
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
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _utf16(data, name, "utf-16")
    if (bare := _bare_utf16(data)) is not None:
        return _utf16(data, name, bare)
    try:
        # A mark within: files with one each were put one behind the other.
        return Decoded(data.decode("utf-8-sig").replace("\n\ufeff", "\n"))
    except UnicodeDecodeError as error:
        first_bad = error
    patched = data.decode("utf-8-sig", "surrogateescape")
    if not _mostly_utf8(patched):
        chinese = _gb18030(data)
        if chinese is not None:
            return Decoded(chinese, say("rows.file.gb18030", name=name))
        western = _western(data, patched)
        if western is not None:
            return Decoded(western, say("reading.western", name=name))
    line = data.count(b"\n", 0, first_bad.start) + 1
    note = say("rows.file.broken_bytes", name=name, line=str(line), byte=f"{data[first_bad.start]:02X}")
    return Decoded(patched, note)


def _bare_utf16(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark, whose ASCII characters have a NUL on one side and never on the other."""
    head = data[:_SAMPLE_BYTES]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < 0.4 * len(head) / 2 or min(even, odd) > 0.02 * len(head) / 2:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _utf16(data: bytes, name: str, encoding: str) -> Decoded:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(Problem(name, say("rows.file.broken_utf16", start=str(error.start)))) from None
    return Decoded(text, say("rows.file.utf16", name=name))


def _mostly_utf8(patched: str) -> bool:
    """Whether valid characters beyond ASCII outnumber broken bytes in a patched decoding."""
    broken = sum("\udc80" <= char <= "\udcff" for char in patched)
    beyond_ascii = sum(char > "\x7f" for char in patched)
    return beyond_ascii - broken > broken


def _gb18030(data: bytes) -> str | None:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    sample = [char for char in text[:_SAMPLE_CHARS] if char > "\x7f"] or [char for char in text if char > "\x7f"]
    common = sum(_in_gb2312(char) for char in sample)
    return text if sample and common >= _COMMON_SHARE * len(sample) else None


def _western(data: bytes, patched: str) -> str | None:
    """``data`` as Windows-1252, if that makes words: its letters beyond ASCII are few, and no valid UTF-8 is among them."""
    if any(char > "\x7f" and not "\udc80" <= char <= "\udcff" for char in patched):
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
