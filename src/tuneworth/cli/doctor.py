"""``tuneworth doctor``: what this machine can do, and what is in the way."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, spoken, to_json


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    fix: str = ""


@opt.command("Check this machine.", "检查本机环境。")
def doctor(as_json: opt.ListAsJson = False, lang: opt.ShownLanguage = LANG) -> None:
    """Exit code 2 when something that a run needs is missing."""
    del lang
    findings = [check() for check in CHECKS]
    if as_json:
        typer.echo(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            typer.echo(
                f"{spoken('cli.doctor.ok' if finding.ok else 'cli.doctor.broken')}  {finding.name}: {finding.found}"
            )
            if not finding.ok:
                typer.echo(f"      {finding.fix}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(2)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        found,
        spoken("cli.doctor.install_python"),
    )


def _engine() -> Finding:
    missing = [name for name in ("torch", "transformers", "peft", "llguidance", "sklearn") if not find_spec(name)]
    found = spoken("cli.doctor.missing", names=", ".join(missing)) if missing else spoken("cli.doctor.complete")
    return Finding(spoken("cli.doctor.engine"), not missing, found, "pip install 'tuneworth[local]'")


def _accelerator() -> Finding:
    name = spoken("cli.doctor.processor")
    if not find_spec("torch"):
        return Finding(name, True, spoken("cli.doctor.cores", n=str(os.cpu_count())))
    import torch

    if torch.cuda.is_available():
        return Finding(name, True, torch.cuda.get_device_name(0))
    return Finding(name, True, spoken("cli.doctor.threads", n=torch.get_num_threads()))


def _memory() -> Finding:
    from tuneworth.core.provenance import machine

    total = machine()["memory_gb"]
    return Finding(
        spoken("cli.doctor.memory"),
        total >= 4,
        f"{total} GB",
        spoken("cli.doctor.more_memory"),
    )


def _cache() -> Finding:
    from tuneworth.models.local.cache import models_home

    folder = models_home()
    name = spoken("cli.doctor.cache")
    fix = spoken("cli.doctor.set_home")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        return Finding(name, False, f"{folder} ({error.strerror})", fix)
    return Finding(name, free >= 2, spoken("cli.doctor.free", folder=str(folder), gb=f"{free:.0f}"), fix)


def _models() -> Finding:
    from tuneworth.models.catalog import list_models

    waiting = [info.id for info in list_models() if not info.cached]
    found = spoken("cli.doctor.fetched", names=", ".join(waiting)) if waiting else spoken("cli.doctor.all_here")
    return Finding(spoken("cli.doctor.models"), True, found)


def _best() -> Finding:
    from tuneworth.models.suggest import suggestions

    found = suggestions([LANG]).models
    named = found[0].model.name if found else spoken("cli.models.none_fits")
    return Finding(spoken("cli.doctor.best"), True, spoken("cli.doctor.suggested", name=named))


def _here() -> Finding:
    writable = os.access(Path.cwd(), os.W_OK)
    return Finding(
        spoken("cli.doctor.folder"),
        writable,
        str(Path.cwd()),
        spoken("cli.doctor.go_elsewhere"),
    )


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _engine, _accelerator, _memory, _cache, _models, _best, _here)
