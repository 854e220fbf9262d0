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

from tuneworth.cli.language import LANG, say, to_json


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    fix: str = ""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="doctor", help=say("Check this machine.", "检查本机环境。"))(doctor)


def doctor(
    as_json: bool = typer.Option(False, "--json", help=say("Print as JSON.", "以 JSON 打印。")),
    lang: str = typer.Option(LANG, help=say("Language: en or zh.", "语言：en 或 zh。")),
) -> None:
    """Exit code 2 when something that a run needs is missing."""
    del lang
    findings = [check() for check in CHECKS]
    if as_json:
        typer.echo(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            mark = say("ok  ", "正常") if finding.ok else say("FIX ", "待修")
            typer.echo(f"{mark}  {finding.name}: {finding.found}")
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
        say("install Python 3.11 or newer", "请安装 Python 3.11 或更新版本"),
    )


def _engine() -> Finding:
    missing = [name for name in ("torch", "transformers", "peft", "llguidance", "sklearn") if not find_spec(name)]
    found = say("complete", "齐全") if not missing else say("missing: ", "缺少：") + ", ".join(missing)
    return Finding(say("local engine", "本地引擎"), not missing, found, "pip install 'tuneworth[local]'")


def _accelerator() -> Finding:
    name = say("processor", "处理器")
    if not find_spec("torch"):
        return Finding(name, True, say(f"{os.cpu_count()} cores", f"{os.cpu_count()} 核"))
    import torch

    if torch.cuda.is_available():
        return Finding(name, True, torch.cuda.get_device_name(0))
    return Finding(
        name,
        True,
        say(
            f"{torch.get_num_threads()} CPU threads, no GPU (not needed)",
            f"{torch.get_num_threads()} 个 CPU 线程，无 GPU（不是必需）",
        ),
    )


def _memory() -> Finding:
    from tuneworth.core.provenance import machine

    total = machine()["memory_gb"]
    return Finding(
        say("memory", "内存"),
        total >= 4,
        f"{total} GB",
        say("4 GB are needed for the embedded model", "内置模型需要 4 GB 内存"),
    )


def _cache() -> Finding:
    from tuneworth.models.local.cache import models_home

    folder = models_home()
    name = say("model cache", "模型缓存")
    fix = say(
        "set TUNEWORTH_HOME to a folder that can be written, with 2 GB free",
        "请把 TUNEWORTH_HOME 设为可写且有 2 GB 空闲空间的目录",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        return Finding(name, False, f"{folder} ({error.strerror})", fix)
    return Finding(name, free >= 2, say(f"{folder}, {free:.0f} GB free", f"{folder}，剩余 {free:.0f} GB"), fix)


def _models() -> Finding:
    from tuneworth.models.catalog import list_models

    waiting = [info.id for info in list_models() if not info.cached]
    found = (
        say("all here", "都已就绪")
        if not waiting
        else say("fetched on first use: ", "首次使用时获取：") + ", ".join(waiting)
    )
    return Finding(say("embedded models", "内置模型"), True, found)


def _here() -> Finding:
    writable = os.access(Path.cwd(), os.W_OK)
    return Finding(
        say("this folder", "当前目录"),
        writable,
        str(Path.cwd()),
        say(
            "runs are written here; go to a folder that can be written, or use --out",
            "运行结果写在当前目录；请换一个可写的目录，或使用 --out",
        ),
    )


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _engine, _accelerator, _memory, _cache, _models, _here)
