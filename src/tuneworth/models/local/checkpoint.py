"""What a training leaves on the disk: checkpoints, then its result. Written whole or not at all, read without running code."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tuneworth.models.base import TrainResult
from tuneworth.models.local.cache import disk_problems, sync

RESULT = "training.json"


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint at ``path``.

    Raises:
        EnvironmentProblem: the disk is full or cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with disk_problems(path):
        torch.save(state, part)
        sync(part)
        part.replace(path)
        sync(path.parent)


def read_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    """The state saved under ``key`` (what the training is about), or ``None``: absent, damaged, of another training."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch reads a damaged file to its own surprise: KeyError, EOFError, IndexError, …
        return None
    return state if isinstance(state, dict) and state.get("key") == key else None


def write_result(folder: Path, key: str, result: TrainResult) -> None:
    part = folder / "training.part"
    part.write_text(json.dumps({"key": key, "result": asdict(result)}, indent=2), encoding="utf-8")
    part.replace(folder / RESULT)


def read_result(folder: Path, key: str) -> TrainResult | None:
    """The result of the training ``key`` if it was finished in ``folder``."""
    try:
        saved = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if saved.get("key") != key:
        return None
    result = saved["result"]
    result["dev_losses"] = tuple((step, loss) for step, loss in result["dev_losses"])
    return TrainResult(**result)
