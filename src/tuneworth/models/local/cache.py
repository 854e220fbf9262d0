"""The folder models live in: ``$TUNEWORTH_HOME``, else the user's cache folder.

A model's folder appears whole or not at all: it is built in a temporary folder beside it, synced and
renamed. ``source.json`` in it names where the model came from and the size and SHA-256 of each file.
Sizes are compared at every use. Digests are compared again only after a file's size or time changed;
a bit that flips on the disk without touching either is NOT noticed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.words.say import say

SOURCE_FILE = "source.json"
CHECKED_FILE = ".checked.json"
_CHUNK = 1 << 20


def cache_home() -> Path:
    """``$TUNEWORTH_HOME`` or the user's cache folder; not created."""
    given = os.environ.get("TUNEWORTH_HOME")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("tuneworth", appauthor=False)


def models_home() -> Path:
    return cache_home() / "models"


def sha256_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_source(folder: Path) -> dict[str, Any] | None:
    """What ``source.json`` says, or ``None`` when it is missing or damaged."""
    try:
        source = json.loads((folder / SOURCE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = source.get("files") if isinstance(source, dict) else None
    return source if isinstance(files, dict) and files else None


def is_intact(folder: Path) -> bool:
    """True when every file is there, has its size, and had its SHA-256 since it last changed."""
    source = read_source(folder)
    if source is None:
        return False
    try:
        stats = {name: (folder / name).stat() for name in source["files"]}
    except OSError:
        return False
    if any(stat.st_size != source["files"][name]["size"] for name, stat in stats.items()):
        return False
    marks = {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}
    checked = _read_marks(folder)
    stale = [name for name, mark in marks.items() if checked.get(name) != mark]
    if any(sha256_file(folder / name) != source["files"][name]["sha256"] for name in stale):
        return False
    if stale:
        # A cache that may only be read still works; it is then hashed at every start.
        with contextlib.suppress(OSError):
            (folder / CHECKED_FILE).write_text(json.dumps(marks), encoding="utf-8")
    return True


def _read_marks(folder: Path) -> dict[str, Any]:
    try:
        marks = json.loads((folder / CHECKED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marks if isinstance(marks, dict) else {}


def ensure(folder: Path, build: Callable[[Path], dict[str, Any]], *, need_mb: int) -> Path:
    """``folder`` if it is intact, else built again.

    Args:
        folder: the model's final place.
        build: fills an empty folder and returns what ``source.json`` says besides the files.
        need_mb: free disk space that ``build`` needs, in MB.

    Raises:
        EnvironmentProblem: the place cannot be written or is full.
    """
    if is_intact(folder):
        return folder
    with disk_problems(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            if not is_intact(folder):  # another process may have built it while we waited
                _remove_leftovers(folder)
                _require_space(folder.parent, need_mb)
                _install(folder, build)
    return folder


def _install(folder: Path, build: Callable[[Path], dict[str, Any]]) -> None:
    work = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    try:
        source = build(work)
        names = sorted(path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file())
        source["files"] = {
            name: {"size": (work / name).stat().st_size, "sha256": sha256_file(work / name)} for name in names
        }
        (work / SOURCE_FILE).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
        for path in work.rglob("*"):
            sync(path)
        _open_to_readers(work)
        if folder.exists():
            folder.rename(work.with_name(work.name + ".old"))
        work.rename(folder)
        sync(folder.parent)
    finally:
        _remove_leftovers(folder)


def _open_to_readers(work: Path) -> None:
    # mkdtemp makes 0700 and safetensors 0600, but a shared TUNEWORTH_HOME is read by others
    for path in (work, *work.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prefix(folder: Path) -> str:
    return f".{folder.name}.tmp-"


def _remove_leftovers(folder: Path) -> None:
    # Called under the lock: whatever carries the prefix belongs to a process that died.
    for path in folder.parent.glob(_prefix(folder) + "*"):
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(folder.parent / f".{folder.name}.lock"):
        yield


def _require_space(folder: Path, need_mb: int) -> None:
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < need_mb:
        raise _full(folder, say("models.cache.room", free=str(free_mb), need=str(need_mb)))


def _full(folder: Path, reason: Text | str) -> EnvironmentProblem:
    message = say("models.cache.full", reason=reason)
    return EnvironmentProblem(Problem(str(folder), message), say("models.cache.step"))


@contextlib.contextmanager
def disk_problems(folder: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into an ``EnvironmentProblem`` that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, str(error)) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            message = say("models.cache.forbidden", reason=str(error.strerror))
            raise EnvironmentProblem(Problem(str(folder), message), say("models.cache.step")) from error
        raise
    except Exception as error:
        # safetensors reports a full disk in an exception of its own, with the number in the text
        if "os error 28" in str(error):
            raise _full(folder, say("models.cache.no_room")) from error
        raise
