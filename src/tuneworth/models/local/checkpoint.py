"""Checkpoints of a training: written whole or not at all, read without running code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from tuneworth.models.local.cache import disk_problems, sync


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
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("key") == key else None
