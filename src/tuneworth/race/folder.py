"""The folder of one run: what lies where."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneworth.core.files import write_atomic
from tuneworth.core.run import RunResult
from tuneworth.core.task import Split
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.race.store import Store


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run. ``result.json`` exists exactly when the run is finished."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / "store.sqlite"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def rejected(self) -> Path:
        return self.path / "rejected.jsonl"

    @property
    def split(self) -> Path:
        return self.path / "split.json"

    def create(self) -> None:
        """Make the folder and see that it can be written.

        Raises:
            EnvironmentProblem: it cannot.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as file:
                file.write(b"\0" * 65536)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise EnvironmentProblem(
                Problem(
                    str(self.path),
                    Text(
                        en=f"cannot write here ({error.strerror}); give another folder with --out",
                        zh=f"无法写入这个目录（{error.strerror}）；请用 --out 指定别的目录",
                    ),
                )
            ) from error

    def finished(self) -> RunResult | None:
        """The result, when the run is finished."""
        return read_result(self.result) if self.result.exists() else None

    def freeze(self, store: Store, split: Split) -> None:
        """Record the split, or see that it is the one recorded when the run began.

        Raises:
            InputError: the rows have changed since.
        """
        known = store.fact("split")
        if known is not None and known != split.digest:
            raise InputError(
                Problem(
                    str(self.path),
                    Text(
                        en="this folder holds a run on other rows; give another folder with --out, or delete this one",
                        zh="这个目录里是另一批数据的运行；请用 --out 指定别的目录，或删除它",
                    ),
                )
            )
        store.add_fact("split", split.digest)
        sides = {name: [[row.id, row.source] for row in getattr(split, name)] for name in ("train", "dev", "test")}
        write_atomic(self.split, json.dumps({"digest": split.digest, **sides}, ensure_ascii=False, indent=1))


def folder_for(base: Path, name: str, settings: Mapping[str, Any]) -> RunFolder:
    """The folder of the run with these settings: the same command finds the same folder again."""
    text = json.dumps(settings, ensure_ascii=False, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    return RunFolder(base / f"{safe}-{digest}")


def read_result(path: Path) -> RunResult:
    """A saved ``result.json``.

    Raises:
        InputError: no such file, or not a result of a version that this tuneworth reads.
    """
    try:
        return RunResult.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            Problem(
                str(path.parent),
                Text(
                    en="no finished run here (no result.json); `tuneworth runs` lists the runs",
                    zh="这里没有已完成的运行（缺少 result.json）；用 `tuneworth runs` 查看所有运行",
                ),
            )
        ) from error
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise InputError(
            Problem(str(path), Text(en=f"not a readable result: {first}", zh=f"无法读取的结果文件：{first}"))
        ) from error
