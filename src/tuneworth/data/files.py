"""Reading a file whole and writing one whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tuneworth.core.files import write_atomic
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem


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
        raise InputError(
            Problem(str(path), Text(en="no such file; check the path", zh="找不到这个文件，请检查路径"))
        ) from None
    except IsADirectoryError:
        message = Text(en="is a folder; name one file of rows", zh="这是一个目录，请指定一个数据文件")
        raise InputError(Problem(str(path), message)) from None
    except OSError as error:
        message = Text(en=f"cannot be read: {error.strerror or error}", zh=f"无法读取：{error.strerror or error}")
        raise EnvironmentProblem(Problem(str(path), message)) from error
    if not data.strip():
        message = Text(en="the file is empty; it must hold one row per example", zh="文件是空的；每条数据应占一行")
        raise InputError(Problem(name, message))
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
        message = Text(
            en=f"cannot be written: {reason}; nothing was changed", zh=f"无法写入：{reason}；没有改动任何内容"
        )
        raise EnvironmentProblem(Problem(str(path), message)) from error
