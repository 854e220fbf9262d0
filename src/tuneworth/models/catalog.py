"""Which models there are, by name: embedded ones, local folders, the hub. Imports no engine until one is opened."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.api.services import LOOPBACK, endpoint_of
from tuneworth.models.base import Encoder, Model
from tuneworth.models.local.cache import is_intact, models_home
from tuneworth.models.local.fetch import fetch
from tuneworth.models.local.hub import fetch_hub
from tuneworth.models.local.sources import EMBEDDED, MINILM, SMOLLM2, Progress

DEFAULT_MODEL = SMOLLM2.name
NameKind = Literal["embedded", "folder", "hub", "api", "unknown"]

# Service names in front of a slash, as the common clients write them. Organisations of the hub that
# share a service's name (google, mistralai, deepseek-ai, …) are not here.
_SERVICES = frozenset(
    [
        "openai",
        "anthropic",
        "gemini",
        "deepseek",
        "openrouter",
        "azure",
        "bedrock",
        "vertex_ai",
        "groq",
        "together_ai",
        "fireworks_ai",
        "dashscope",
        "moonshot",
        "zhipu",
        "volcengine",
        "mistral",
        "cohere",
        "xai",
        "perplexity",
        "ollama",
    ]
)
_OPEN_WEIGHTS = re.compile(r"openai/(gpt-oss|gpt2|privacy)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ENGINE = ("torch", "transformers", "llguidance")
_PRIVATE = Text(
    en="the task is private: rows may not leave this machine; use a local model",
    zh="任务设置了 private：数据不得离开本机；请使用本地模型",
)


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


def name_kind(name: str) -> NameKind:
    """What ``name`` names; looks at the disk but not at the network."""
    if name in EMBEDDED:
        return "embedded"
    if name and Path(name).expanduser().exists():
        return "folder"
    if name.startswith((".", "/", "~")):
        return "folder"
    if ":" in name or (name.split("/")[0] in _SERVICES and "/" in name and not _OPEN_WEIGHTS.match(name)):
        return "api"
    return "hub" if _HUB_ID.fullmatch(name) else "unknown"


def check_names(names: Sequence[str], *, private: bool = False) -> None:
    """Refuse names that can never be opened, before any work is done. Loads and fetches nothing.

    Raises:
        InputError: with every problem of every name.
    """
    problems = [problem for name in names if (problem := _problem(name, private=private)) is not None]
    if problems:
        raise InputError(problems)


def open_model(name: str, *, private: bool = False, progress: Progress | None = None) -> Model:
    """The language model ``name``, fetched if need be and loaded.

    Args:
        private: rows may not leave this machine; a model elsewhere is then refused.
        progress: ``progress(done, total, "bytes")`` during a download.

    Raises:
        InputError: the name is not that of a language model that can be opened.
        EnvironmentProblem: a model to be fetched cannot be, or the local engine is not installed.
    """
    check_names([name], private=private)
    _need_engine()
    from tuneworth.models.local.load import open_local

    return open_local(_folder(name, progress), model_id=name)


def open_encoder(name: str = MINILM.name, *, progress: Progress | None = None) -> Encoder:
    """A sentence encoder: the embedded one, a local folder, one of the hub by ``owner/name``, or a service's by ``service/model``.

    Raises:
        InputError: there is no such folder or service, or the folder holds no sentence encoder.
        EnvironmentProblem: it cannot be fetched, the service's key is not set, or the local engine or the SDK is not installed.
    """
    if name_kind(name) == "api":
        from tuneworth.models.api.embeddings import open_api_encoder

        return open_api_encoder(name)
    _need_engine()
    from tuneworth.models.local.encoder import open_encoder_folder

    if name == MINILM.name:
        return open_encoder_folder(fetch(name, progress=progress))
    return open_encoder_folder(_folder(name, progress), model_id=name)


def is_elsewhere(encoder: str) -> bool:
    """Whether texts leave this machine to be embedded by ``encoder``.

    Raises:
        InputError: it names a service that there is not.
    """
    return name_kind(encoder) == "api" and not endpoint_of(encoder).is_here


def check_encoder(name: str, *, private: bool) -> None:
    """Refuse a service's sentence encoder that cannot be used, before any work is done. Sends nothing.

    Raises:
        InputError: there is no such service, or texts may not go there.
        EnvironmentProblem: its key is not set.
    """
    if is_elsewhere(name):
        if private:
            raise InputError(Problem(name, _PRIVATE))
        endpoint_of(name).key()


def pull(name: str, *, progress: Progress | None = None) -> Path:
    """Fetch a model without loading it; returns its folder."""
    if name != MINILM.name:
        check_names([name])
    return _folder(name, progress)


def _need_engine() -> None:
    missing = [library for library in _ENGINE if find_spec(library) is None]
    if missing:
        text = Text(
            en=f"running a model here needs {', '.join(missing)}: pip install 'tuneworth[local]'",
            zh=f"在本机运行模型需要 {'、'.join(missing)}：pip install 'tuneworth[local]'",
        )
        raise EnvironmentProblem(Problem("", text))


def _folder(name: str, progress: Progress | None) -> Path:
    kind = name_kind(name)
    if kind == "embedded":
        return fetch(name, progress=progress)
    return Path(name).expanduser().resolve() if kind == "folder" else fetch_hub(name, progress=progress)


def _problem(name: str, *, private: bool) -> Problem | None:
    kind = name_kind(name)
    if kind == "api":
        return Problem(name, _why_no_api(name, private=private))
    if kind == "folder":
        return _folder_problem(name)
    if kind == "unknown":
        return Problem(name, _why_unknown(name))
    if name == MINILM.name:
        text = Text(
            en=f"is a sentence encoder, not a language model; try {DEFAULT_MODEL}",
            zh=f"是句向量模型，不是语言模型；可以改用 {DEFAULT_MODEL}",
        )
        return Problem(name, text)
    return None


def _why_no_api(name: str, *, private: bool) -> Text:
    if private and urlsplit(name).hostname not in LOOPBACK:
        return _PRIVATE
    return Text(
        en="API models are not supported by this version; use an embedded model, a local folder or a hub id owner/name",
        zh="当前版本不支持 API 模型；请使用内置模型、本地模型目录，或 owner/name 形式的 Hub 模型",
    )


def _folder_problem(name: str) -> Problem | None:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return Problem(name, Text(en="there is no such folder", zh="没有这个目录"))
    if not (folder / "config.json").is_file():
        text = Text(
            en="has no config.json; a model folder has config.json, *.safetensors and a tokenizer",
            zh="目录中没有 config.json；模型目录应包含 config.json、*.safetensors 和分词器文件",
        )
        return Problem(name, text)
    if not any(folder.glob("*.safetensors")):
        text = Text(
            en="has no *.safetensors; other weight formats can carry code and are not loaded",
            zh="目录中没有 *.safetensors；其他权重格式可能夹带代码，不予加载",
        )
        return Problem(name, text)
    return None


def _why_unknown(name: str) -> Text:
    known = [model.name for model in EMBEDDED.values() if model is not MINILM]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    listed = ", ".join(known)
    meant_en, meant_zh = (f"; did you mean {near[0]}?", f"；是否想用 {near[0]}？") if near else ("", "")
    return Text(
        en=f"no such model; there is {listed}, any local model folder, or a hub id owner/name{meant_en}",
        zh=f"没有这个模型；可用的有 {listed}、任意本地模型目录，或 owner/name 形式的 Hub 模型{meant_zh}",
    )
