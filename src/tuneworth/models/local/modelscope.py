"""Models of ModelScope, for those whom the hub does not reach: ``modelscope://owner/name``.

Its own light client (``modelscope-hub``) goes on with half a file, checks the SHA-256 that the listing states, and keeps models
in its own cache (``MODELSCOPE_CACHE``). Only what the hub's models are taken in comes along: no code, no pickles. A copy is used
without the network only if it was whole once; what that means is kept beside it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tuneworth.core.files import write_atomic
from tuneworth.core.offline import may_fetch
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.base import Progress
from tuneworth.models.local.hub import PATTERNS, first_line, not_fetched
from tuneworth.words.say import say

PREFIX = "modelscope://"
WHOLE_FILE = ".tuneworth-whole.json"
"""Names and sizes of the files of a finished download, in its folder."""
_KIND = "model"


def fetch_modelscope(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of ``modelscope://owner/name``: from ModelScope, or the copy an earlier download left.

    Raises:
        EnvironmentProblem: the client is not installed; or ModelScope does not answer, or sends other bytes than it announces,
            and there is no whole copy.
        InputError: there is no such model, it wants a token, or it has no safetensors weights.
    """
    try:
        from modelscope_hub import HubApi
        from modelscope_hub.errors import AuthenticationError, HubError, NotExistError, PermissionDeniedError
        from requests import RequestException
    except ImportError as error:
        raise EnvironmentProblem(Problem(name, say("models.modelscope.no_client"))) from error
    api, model_id = HubApi(), name.removeprefix(PREFIX)
    if not may_fetch():
        return _earlier_copy(api, model_id, name, None)
    try:
        with _quiet():
            return _fetched(api, model_id, name, progress)
    except NotExistError as error:
        raise InputError(Problem(name, say("models.modelscope.unknown"))) from error
    except (AuthenticationError, PermissionDeniedError) as error:
        raise InputError(Problem(name, say("models.modelscope.forbidden"))) from error
    except (HubError, RequestException, OSError) as error:
        return _earlier_copy(api, model_id, name, first_line(error))


def _fetched(api: Any, model_id: str, name: str, progress: Progress | None) -> Path:
    files = [file for file in api.list_repo_files(model_id, _KIND) if any(fnmatchcase(file.path, p) for p in PATTERNS)]
    if not any(file.path.endswith(".safetensors") for file in files):
        raise InputError(Problem(name, say("models.hub.no_weights")))
    counted = _counting(sum(file.size for file in files), progress)
    folder = Path()
    for file in files:
        digest, size = file.sha256, file.size or None
        path = api.downloader.download_file(
            model_id, _KIND, file.path, expected_sha256=digest, file_size=size, progress_callbacks=[counted]
        )
        folder = Path(path).parents[file.path.count("/")]
    write_atomic(folder / WHOLE_FILE, json.dumps({file.path: file.size for file in files}))
    return folder


def _counting(total: int, progress: Progress | None) -> type:
    """A class of the client's progress callbacks, one object a file, that adds up the bytes of all."""
    from modelscope_hub import ProgressCallback

    lock = threading.Lock()
    done = 0

    class Counted(ProgressCallback):
        def update(self, size: int) -> None:
            nonlocal done
            with lock:  # parts of a large file come at the same time
                done = min(done + size, total)
                if progress is not None:
                    progress(done, total, "bytes")

    return Counted


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The client says nothing on the terminal meanwhile. Its progress bars have no switch."""
    downloads: Any = import_module("modelscope_hub._download")
    logger = logging.getLogger("modelscope_hub")
    level, bar = logger.level, downloads.tqdm
    logger.setLevel(logging.CRITICAL + 1)
    downloads.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        logger.setLevel(level)
        downloads.tqdm = bar


def _earlier_copy(api: Any, model_id: str, name: str, reason: str | None) -> Path:
    """What an earlier download left; ``reason``: why ModelScope was of no use, or ``None`` where it may not be asked."""
    from modelscope_hub.errors import HubError

    with contextlib.suppress(HubError, OSError, ValueError):
        note = Path(api.download_file(model_id, _KIND, WHOLE_FILE, local_files_only=True))
        sizes: dict[str, int] = json.loads(note.read_text(encoding="utf-8"))
        if all((note.parent / path).stat().st_size == size for path, size in sizes.items()):
            return note.parent
    if reason is None:
        raise not_fetched(name)
    raise EnvironmentProblem(
        Problem(name, say("models.modelscope.silent", reason=reason)), say("models.modelscope.silent_step")
    )
