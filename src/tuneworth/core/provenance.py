"""Where a result came from: versions, machine, memory."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tuneworth import __version__
from tuneworth.core.run import Provenance

_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "transformers",
    "peft",
    "llguidance",
    "sentence-transformers",
    "openai",
    "anthropic",
)


def provenance(command: str, seed: int, models: dict[str, dict[str, Any]]) -> Provenance:
    """Everything that is needed to run this again, as of now."""
    return Provenance(
        version=__version__,
        git=_git_revision(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        seed=seed,
        machine=machine(),
        libraries=_library_versions(),
        models=models,
    )


def day_of(made: Provenance) -> date | None:
    """The day of a run; ``None`` where the record does not say."""
    try:
        return date.fromisoformat(made.created[:10])
    except ValueError:
        return None


def machine() -> dict[str, Any]:
    """Processor, cores, memory in GB, system and Python version."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def peak_memory_mb() -> float:
    """Largest resident size of this process so far, in MB (2**20 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _library_versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git_revision() -> str | None:
    """Revision of the folder the user works in, with ``+`` when it has uncommitted changes."""
    revision = _git("rev-parse", "HEAD")
    return None if revision is None else revision + ("+" if _git("status", "--porcelain") else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
