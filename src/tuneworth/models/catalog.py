"""Which models there are, by name: embedded ones, local folders, the hub, ModelScope. Imports no engine until one is opened."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from tuneworth.core.text import Text
from tuneworth.costs.prices import Rates
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.api.services import Stated, endpoint_of, is_service
from tuneworth.models.base import Encoder, Meter, Model, Progress
from tuneworth.models.encoders import encoder_for
from tuneworth.models.local.cache import is_intact, models_home, read_source
from tuneworth.models.local.hub import fetch_hub
from tuneworth.models.local.modelscope import PREFIX, fetch_modelscope
from tuneworth.models.local.sources import EMBEDDED, ENCODERS, MINILM, SMOLLM2, fetch
from tuneworth.words.say import say

DEFAULT_MODEL = SMOLLM2.name
NameKind = Literal["embedded", "folder", "hub", "modelscope", "api", "unknown"]

_NO_SERVICES = re.compile("(vertex_ai|cohere|perplexity)/")
"""As common clients write services that we do not know: not ids of the hub."""
_OPEN_WEIGHTS = re.compile(r"openai/(gpt-oss|gpt2|privacy)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ENCODING = ("torch", "transformers")
_ENGINE = (*_ENCODING, "llguidance")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of ``tuneworth models list``. ``folder`` is where the model is, or would be, kept."""

    id: str
    title: Text
    kind: str
    cached: bool
    size_mb: int
    licence: str
    folder: Path


def list_models() -> list[ModelInfo]:
    """The embedded models."""
    found: list[ModelInfo] = []
    for model in EMBEDDED.values():
        folder = models_home() / model.name
        found.append(
            ModelInfo(model.name, model.title, model.kind, is_intact(folder), model.size_mb, model.licence, folder)
        )
    return found


def name_kind(name: str, services: Stated | None = None) -> NameKind:
    """What ``name`` names; looks at the disk but not at the network. ``services``: those of a task file."""
    if name in EMBEDDED:
        return "embedded"
    if name and Path(name).expanduser().exists():
        return "folder"
    if name.startswith((".", "/", "~")):
        return "folder"
    if name.startswith(PREFIX):
        return "modelscope" if _HUB_ID.fullmatch(name.removeprefix(PREFIX)) else "unknown"
    serves = is_service(name, services) or _NO_SERVICES.match(name)
    if ":" in name or (serves and not _OPEN_WEIGHTS.match(name)):
        return "api"
    return "hub" if _HUB_ID.fullmatch(name) else "unknown"


def check_names(names: Sequence[str], *, private: bool = False, services: Stated | None = None) -> None:
    """Refuse names that can never be opened, before any work is done. Loads and fetches nothing, and asks no service.

    Args:
        services: what a task file says of services.

    Raises:
        InputError: with every problem of every name.
    """
    problems = [problem for name in names if (problem := _problem(name, private, services)) is not None]
    if problems:
        raise InputError(problems)


def open_model(
    name: str,
    *,
    private: bool = False,
    progress: Progress | None = None,
    stated: Mapping[str, Rates] | None = None,
    services: Stated | None = None,
    batch: bool = False,
) -> Model:
    """The language model ``name``, fetched if need be and loaded, or reached.


    Args:
        private: rows may not leave this machine; a model elsewhere is then refused.
        progress: ``progress(done, total, "bytes")`` during a download.
        stated: prices of models behind an API that the user states, by name.
        services: what a task file says of services.
        batch: have a service asked in batches.

    Raises:
        InputError: the name is not that of a language model that can be opened.
        EnvironmentProblem: a model to be fetched cannot be, the local engine is not installed, a service cannot be reached or
            refuses the key.
    """
    check_names([name], private=private, services=services)
    if name_kind(name, services) == "api":
        from tuneworth.models.api.opening import open_chat_model

        return open_chat_model(name, stated, services, batch=batch)
    _need_engine()
    from tuneworth.models.local.load import open_local

    return open_local(_folder(name, progress), model_id=name)


def open_encoder(
    name: str = MINILM.name,
    *,
    progress: Progress | None = None,
    stated: Mapping[str, Rates] | None = None,
    meter: Meter | None = None,
    services: Stated | None = None,
) -> Encoder:
    """A sentence encoder: an embedded one, a local folder, one of the hub by ``owner/name`` or of ModelScope, or a service's by ``service/model``.

    Args:
        stated: prices of a service's models that the user states, by name; ``meter``: what its calls go through.
        services: what a task file says of services.

    Raises:
        InputError: there is no such folder or service, or the folder holds no sentence encoder.
        EnvironmentProblem: it cannot be fetched, the service's key is not set, or the local engine or the SDK is not installed.
    """
    if name_kind(name, services) == "api":
        from tuneworth.models.api.embeddings import open_api_encoder

        return open_api_encoder(name, stated, meter, services)
    _need_engine(*_ENCODING)
    from tuneworth.models.local.encoder import open_encoder_folder

    if name in ENCODERS:
        return open_encoder_folder(fetch(name, progress=progress))
    return open_encoder_folder(_folder(name, progress), model_id=name)


def encoder_at_hand(language: str, *, mixed: bool = False) -> str | None:
    """Name of the embedded sentence encoder for texts in ``language``; ``None`` where the engine is not installed. Fetches nothing.

    Args:
        mixed: some of the texts are in another language.
    """
    if any(find_spec(library) is None for library in _ENCODING):
        return None
    return encoder_for("other" if mixed else language)


def encoder_sha256(name: str, *, progress: Progress | None = None) -> str:
    """SHA-256 of the weights of an embedded encoder, fetched if need be: its two sources do not give the same vectors.

    Raises:
        EnvironmentProblem: it cannot be fetched.
    """
    source = read_source(fetch(name, progress=progress))
    return source["files"]["model.safetensors"]["sha256"] if source is not None else ""


def is_elsewhere(name: str, services: Stated | None = None) -> bool:
    """Whether what is sent to the model ``name`` leaves this machine. ``services``: those of a task file.

    Raises:
        InputError: it names a service that there is not.
    """
    return name_kind(name, services) == "api" and not endpoint_of(name, services).is_here


def check_encoder(name: str, *, private: bool, services: Stated | None = None) -> None:
    """Refuse a service's sentence encoder that cannot be used, before any work is done. Sends nothing.

    Args:
        services: what a task file says of services.

    Raises:
        InputError: there is no such service, or texts may not go there.
        EnvironmentProblem: its key is not set.
    """
    if is_elsewhere(name, services):
        if private:
            raise InputError(Problem(name, say("models.name.private")))
        endpoint_of(name, services).key()


def pull(name: str, *, progress: Progress | None = None) -> Path:
    """Fetch a model without loading it; returns its folder."""
    if name not in ENCODERS:
        check_names([name])
    return _folder(name, progress)


def _need_engine(*libraries: str) -> None:
    missing = [library for library in libraries or _ENGINE if find_spec(library) is None]
    if missing:
        listed = Text(en=", ".join(missing), zh="、".join(missing))
        raise EnvironmentProblem(Problem("", say("models.needs_engine", missing=listed)))


def _folder(name: str, progress: Progress | None) -> Path:
    kind = name_kind(name)
    if kind == "embedded":
        return fetch(name, progress=progress)
    if kind == "folder":
        return Path(name).expanduser().resolve()
    return (fetch_modelscope if kind == "modelscope" else fetch_hub)(name, progress=progress)


def _problem(name: str, private: bool, services: Stated | None) -> Problem | None:
    kind = name_kind(name, services)
    if kind == "api":
        return _api_problem(name, private, services)
    if kind == "folder":
        return _folder_problem(name)
    if kind == "unknown":
        return Problem(name, _why_unknown(name))
    if name in ENCODERS:
        return Problem(name, say("models.name.encoder", default=DEFAULT_MODEL))
    return None


def _api_problem(name: str, private: bool, services: Stated | None) -> Problem | None:
    """What the name, the address or the key have wrong with them; of a private task, first that rows would leave."""
    try:
        endpoint = endpoint_of(name, services)
        if private and not endpoint.is_here:
            return Problem(name, say("models.name.private"))
        endpoint.key()
    except InputError as error:
        return Problem(name, say("models.name.private")) if private else error.problems[0]
    except EnvironmentProblem as error:
        return error.problems[0]
    return None


def _folder_problem(name: str) -> Problem | None:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return Problem(name, say("models.name.no_folder"))
    if not (folder / "config.json").is_file():
        return Problem(name, say("models.name.no_config"))
    if not any(folder.glob("*.safetensors")):
        return Problem(name, say("models.name.no_weights"))
    return None


def _why_unknown(name: str) -> Text:
    known = [model.name for model in EMBEDDED.values() if model.name not in ENCODERS]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    meant = say("models.name.meant", near=near[0]) if near else ""
    return say("models.name.unknown", known=", ".join(known), meant=meant)
