"""What a compressed file holds: gzip, Zstandard, bzip2, xz, and a zip or tar archive with one file of rows.

Told by the first bytes, not by the name. Nothing is written to disk, and unpacking stops at a limit: a few kilobytes
can unpack to more than the memory holds.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from shlex import quote
from typing import Any

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

MAX_UNPACKED_BYTES = 2**30
"""Most bytes a file may unpack to: its rows take several times as much in memory."""
_ZIP_ZSTANDARD, _LOCAL_HEADER, _LOCAL_NAMES = 93, 30, 26
"""Of the zip format (APPNOTE 4.4.5 and 4.3.7): the method, the bytes of a file's header, and where in it two lengths stand."""
_SHOWN = 6
_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lzma", ".zip", ".tar", ".tgz")
_NO_DATA = ("readme", "license", "licence", "changelog", "manifest")
_BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Contents with the name they have inside.

    Attributes:
        steps: what was undone, for a person to read; empty for a file that is not compressed.
    """

    name: str
    data: bytes
    steps: tuple[str, ...] = ()


def unpack(data: bytes, name: str, *, most: int | None = None) -> Unpacked:
    """The contents of a compressed file, of one in it, and so on; other files as they are.

    Args:
        most: bytes it may unpack to; ``MAX_UNPACKED_BYTES`` unless given.

    Raises:
        InputError: it is broken, locked, too large, or an archive that has not just one file of rows.
        EnvironmentProblem: Zstandard needs pyarrow.
    """
    found, limit = Unpacked(PurePosixPath(name).name, data), most or MAX_UNPACKED_BYTES
    while len(found.steps) < 4:
        try:
            inner = _once(found, name, limit)
        except _BROKEN as error:
            raise InputError(Problem(name, say("reading.packed.broken", reason=str(error)[:120]))) from error
        if inner is None:
            return found
        found = Unpacked(inner.name, inner.data, (*found.steps, *inner.steps))
    return found


def is_zip_of_rows(data: bytes) -> bool:
    """Whether a zip file is an archive, and not a workbook, a document or a model in zip's clothes."""
    return data.startswith(b"PK\x03\x04") and office_kind(data) is None


def office_kind(data: bytes) -> str | None:
    """The suffix of the format that a zip file is the container of, where it is one that we know."""
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return None
    signs = {
        "xl/": ".xlsx",
        "word/": ".docx",
        "ppt/": ".pptx",
        "META-INF/container.xml": ".epub",
        "content.xml": ".ods",
        "header.json": ".eval",
        "_journal/": ".eval",
    }
    found = next((kind for sign, kind in signs.items() if any(name.startswith(sign) for name in names)), None)
    if found is None and any(name.endswith(("data.pkl", ".npy")) for name in names):
        return ".npz"
    return found


def members(data: bytes, folder: str, name: str, *, suffix: str = "") -> list[bytes]:
    """The contents of the files below ``folder`` of a zip file, in the order of their names; a folder may be a file's own name.

    Zstandard is among the ways to pack them: Inspect uses it, and Python knows it from 3.14 on.

    Raises:
        InputError: they are too large, or broken.
        EnvironmentProblem: Zstandard needs pyarrow.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = sorted(archive.infolist(), key=lambda info: info.filename)
            wanted = [one for one in there if one.filename.startswith(folder) and one.filename.endswith(suffix)]
            wanted = [one for one in wanted if not one.is_dir()]
            if sum(info.file_size for info in wanted) > MAX_UNPACKED_BYTES:
                raise _too_large(name, MAX_UNPACKED_BYTES)
            return [_member(archive, data, info, name) for info in wanted]
    except (NotImplementedError, struct.error, *_BROKEN) as error:
        raise InputError(Problem(name, say("reading.packed.broken", reason=str(error)[:120]))) from error


def _member(archive: zipfile.ZipFile, data: bytes, info: zipfile.ZipInfo, name: str) -> bytes:
    if info.compress_type != _ZIP_ZSTANDARD or hasattr(zipfile, "ZIP_ZSTANDARD"):
        return archive.read(info)
    # The name and the extra field stand once more in front of the contents, the latter with a length of its own.
    names = sum(struct.unpack_from("<HH", data, info.header_offset + _LOCAL_NAMES))
    start = info.header_offset + _LOCAL_HEADER + names
    return _read(_zstandard(data[start : start + info.compress_size], name), name, MAX_UNPACKED_BYTES)


def _once(found: Unpacked, name: str, limit: int) -> Unpacked | None:
    data, inner = found.data, _inner_name(found.name)
    if data.startswith(b"\x1f\x8b"):
        return Unpacked(inner, _read(gzip.GzipFile(fileobj=io.BytesIO(data)), name, limit), ("gzip",))
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return Unpacked(inner, _read(_zstandard(data, name), name, limit), ("zstd",))
    if data.startswith(b"BZh"):
        return Unpacked(inner, _read(bz2.BZ2File(io.BytesIO(data)), name, limit), ("bzip2",))
    if data.startswith(b"\xfd7zXZ\x00"):
        return Unpacked(inner, _read(lzma.LZMAFile(io.BytesIO(data)), name, limit), ("xz",))
    if is_zip_of_rows(data):
        return _from_zip(data, name, limit)
    if data[257:262] == b"ustar":
        return _from_tar(data, name, limit)
    return None


def _inner_name(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _SUFFIXES else name


def _zstandard(data: bytes, name: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise EnvironmentProblem(Problem(name, say("reading.packed.needs_pyarrow"))) from None
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd")


def _read(stream: Any, name: str, limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise _too_large(name, limit)
    return bytes(data)


def _too_large(name: str, limit: int) -> InputError:
    return InputError(Problem(name, say("reading.packed.too_large", limit=f"{limit / 2**20:,.0f} MB")))


def _from_zip(data: bytes, name: str, limit: int) -> Unpacked:
    archive = zipfile.ZipFile(io.BytesIO(data))
    member = _only([info.filename for info in archive.infolist() if not info.is_dir()], name, "unzip -p")
    if archive.getinfo(member).flag_bits & 1:
        raise InputError(Problem(name, say("reading.packed.locked", member=member)))
    with archive.open(member) as stream:
        return Unpacked(PurePosixPath(member).name, _read(stream, name, limit), ("zip",))


def _from_tar(data: bytes, name: str, limit: int) -> Unpacked:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = _only([info.name for info in archive.getmembers() if info.isfile()], name, "tar -xOf")
        stream = archive.extractfile(member)
        return Unpacked(PurePosixPath(member).name, _read(stream, name, limit), ("tar",))


def _only(members: Sequence[str], name: str, command: str) -> str:
    """The one member that can hold rows.

    Raises:
        InputError: there is none, or there are several; the message has the command that takes one out.
    """
    data = [member for member in members if _may_hold_rows(member)]
    if len(data) == 1:
        return data[0]
    if not data:
        raise InputError(Problem(name, say("reading.packed.nothing")))
    parts: dict[str, Text | str | int] = {
        "n": len(data),
        "names": ", ".join(data[:_SHOWN]) + (", …" if len(data) > _SHOWN else ""),
        "command": f"{command} {quote(name)} {quote(data[0])} > {quote(PurePosixPath(data[0]).name)}",
    }
    raise InputError(Problem(name, say("reading.packed.several", **parts)))


def _may_hold_rows(member: str) -> bool:
    path = PurePosixPath(member)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not is_hidden and not path.name.lower().startswith(_NO_DATA) and path.suffix.lower() not in (".md", ".pdf")
