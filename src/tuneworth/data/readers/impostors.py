"""Files that are not what they seem: each is named for what it is, with the command that helps. Told by their first bytes.

Nothing here is loaded that could run code: a pickle is refused unread.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

from tuneworth.data.readers.unpack import office_kind
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_POINTER = b"version https://git-lfs.github.com/spec/"
_SIZE = re.compile(rb"^size (\d+)\s*$", re.MULTILINE)
_MARKUP = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(rb"<title[^>]*>(.{1,120}?)</title>", re.IGNORECASE | re.DOTALL)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
    (b"\x93NUMPY", "pickle"),
    (b"\x89HDF", "hdf"),
    (b"Obj\x01", "avro"),
    (b"ORC", "avro"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "rar"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"{\\rtf", "rtf"),
    (b"<?xml", "xml"),
)
_CONTAINERS = {".docx": "pdf", ".pptx": "pdf", ".epub": "pdf", ".ods": "ods", ".npz": "pickle"}


def check(data: bytes, path: Path, name: str) -> None:
    """
    Raises:
        InputError: ``data`` is no file of rows; the message says what it is and what to do.
    """
    head = data[:1024]
    if head.startswith(_POINTER):
        size = _SIZE.search(head)
        mb = f"{int(size[1]) / 2**20:,.1f} MB" if size else "?"
        raise InputError(Problem(name, say("reading.is.lfs", size=mb, file=path.name)))
    if b"/annex/objects/" in head and len(data) < 1024:
        raise InputError(Problem(name, say("reading.is.annex", file=path.name)))
    if _MARKUP.match(data[:4096]):
        title = _TITLE.search(data[:65536])
        shown = title[1].decode("utf-8", "replace").strip() if title else ""
        raise InputError(
            Problem(name, say("reading.is.page", title=repr(shown)) if shown else say("reading.is.page_bare"))
        )
    if head.startswith(b"SQLite format 3\x00"):
        raise InputError(Problem(name, _sqlite(path)))
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and data[-1:] == b".":
        raise InputError(Problem(name, say("reading.is.pickle")))
    kind = next((kind for magic, kind in _MAGIC if head.lstrip(b"\xef\xbb\xbf").startswith(magic)), None)
    kind = kind or _CONTAINERS.get(office_kind(data) or "")
    if kind is not None:
        raise InputError(Problem(name, say(f"reading.is.{kind}")))


def _sqlite(path: Path):
    """Which table to export; the file is opened for reading only."""
    try:
        with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as base:
            found = base.execute("select name from sqlite_master where type in ('table', 'view') order by rowid")
            tables = [row[0] for row in found if not row[0].startswith("sqlite_")]
    except sqlite3.Error:
        tables = []
    shown = ", ".join(tables[:8]) or "?"
    command = (
        f'sqlite3 -header -csv {shlex.quote(path.name)} "select * from {tables[0] if tables else "TABLE"}" > rows.csv'
    )
    return say("reading.is.sqlite", tables=shown, command=command)
