"""Any model of the hub, in the hub library's own cache (``HF_HOME``), its code and pickles left behind; and the hub's manners."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tuneworth.core.offline import may_fetch
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.base import Progress
from tuneworth.words.say import say

HUB_TIMEOUT_S = 5.0
_FOR_SOCKS = {"socksio": "socksio", "Missing dependencies for SOCKS": "PySocks"}
"""In the words of httpx2, and of requests, which pip brings along."""
# Weights as safetensors only: the other formats of the hub can carry code.
PATTERNS = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model"]


def fetch_hub(hub_id: str, *, progress: Progress | None = None) -> Path:
    """The folder of ``owner/name``: from the hub, or the copy an earlier download left.

    Raises:
        EnvironmentProblem: the hub does not answer, or may not be asked, and there is no copy.
        InputError: the hub has no such model, or the model has no safetensors weights.
    """
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if not may_fetch():
        return _earlier_copy(hub_id, None)
    try:
        with quiet_hub():
            info = huggingface_hub.HfApi().model_info(hub_id, timeout=HUB_TIMEOUT_S, files_metadata=True)
            sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
            if not any(name.endswith(".safetensors") for name in sizes):
                raise InputError(Problem(hub_id, say("models.hub.no_weights")))
            cache = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"
            total = sum(size for name, size in sizes.items() if name.endswith(".safetensors"))
            with watched(cache, total, progress):
                return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=PATTERNS))
    except GatedRepoError as error:
        raise InputError(Problem(hub_id, say("models.hub.gated"))) from error
    except RepositoryNotFoundError as error:
        raise InputError(Problem(hub_id, say("models.hub.unknown"))) from error
    except hub_errors() as error:
        return _earlier_copy(hub_id, first_line(error))


def not_fetched(name: str) -> EnvironmentProblem:
    """The task is private, and the model is not on this machine."""
    return EnvironmentProblem(Problem(name, say("models.private_fetch")), say("models.private_fetch_step", name=name))


def _earlier_copy(hub_id: str, reason: str | None) -> Path:
    """The copy that an earlier download left; ``reason``: why the hub was of no use, or ``None`` where it may not be asked."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=PATTERNS, local_files_only=True))
    except LocalEntryNotFoundError as error:
        if reason is None:
            raise not_fetched(hub_id) from error
        message = say("models.hub.silent", reason=reason)
        raise EnvironmentProblem(Problem(hub_id, message), say("models.hub.silent_step")) from error


def hub_errors() -> tuple[type[Exception], ...]:
    """The exceptions that mean "the hub did not give it": no network, offline mode, no such revision, …"""
    from huggingface_hub import errors

    # HTTPError is the one of httpx or httpx2, whichever this version of the library speaks through
    names = ("HTTPError", "HfHubHTTPError", "LocalEntryNotFoundError", "RevisionResolutionError", "XetDownloadError")
    return (ConnectionError, TimeoutError, *(getattr(errors, name) for name in names if hasattr(errors, name)))


def first_line(error: BaseException | str) -> str:
    """What went wrong, in a line; of a SOCKS proxy in the environment, what is missing for it."""
    text = str(error).strip() or type(error).__name__
    package = next((package for sign, package in _FOR_SOCKS.items() if sign in text), None)
    return text.splitlines()[0] if package is None else f"a SOCKS proxy is set, which needs: pip install {package}"


@contextlib.contextmanager
def quiet_hub() -> Iterator[None]:
    """No progress bars and no hints of huggingface_hub on the terminal meanwhile; a proxy that cannot be used is no answer."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    level, bars_were_off = logging.get_verbosity(), are_progress_bars_disabled()
    logging.set_verbosity_error()
    disable_progress_bars()
    try:
        yield
    except (ImportError, ValueError) as error:
        if "proxy" not in str(error):
            raise
        raise ConnectionError(first_line(error)) from error
    finally:
        logging.set_verbosity(level)
        if not bars_were_off:
            enable_progress_bars()


@contextlib.contextmanager
def watched(folder: Path, total: int, progress: Progress | None) -> Iterator[None]:
    """Report how many bytes ``folder`` holds, twice a second, until the block ends."""
    if progress is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            progress(min(_bytes_in(folder), total), total, "bytes")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # files come and go while a download runs
            total += path.stat().st_size
    return total
