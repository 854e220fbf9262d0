"""The folder of one run: what lies where."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tuneworth.core.files import sha256_of, write_atomic
from tuneworth.core.money import ArmMoney
from tuneworth.core.run import RunResult
from tuneworth.core.task import Split
from tuneworth.data.documents.find import find
from tuneworth.data.readers.excel import named_sheet
from tuneworth.data.sections import Documents
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.race.store import Store
from tuneworth.words.say import say


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
            InputError: files of somebody else have the names that this run would write.
        """
        foreign = [path for path in (self.split, self.report, self.path / "arms") if path.exists()]
        if foreign and not self.store.exists():
            raise InputError(Problem(str(foreign[0]), say("run.folder.foreign")))
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
                    say("run.folder.read_only", why=str(error.strerror)),
                )
            ) from error

    def finished(
        self,
        settings: str,
        budget_seconds: float | None = None,
        budget_usd: float | None = None,
        max_calls: int | None = None,
    ) -> RunResult | None:
        """The result, when the run is finished.

        Args:
            settings: what ``settings_digest`` says of the command that asks.
            budget_seconds: of the command that asks; a run under a smaller one is not finished yet.
            budget_usd, max_calls: the same, for a run that a smaller one has ended.

        Raises:
            InputError: it is the result of another command, or cannot be read.
        """
        if not self.result.exists():
            return None
        if self._recorded("settings") not in (settings, None):
            raise InputError(Problem(str(self.path), say("run.folder.other_settings")))
        result = read_result(self.result)
        if (paid := result.money) is not None and _is_spent(paid.total, budget_usd, max_calls):
            return result  # going on could ask nothing, and would put less in its place
        had, asked = result.budget_seconds, budget_seconds
        if had is not None and asked is not None and asked > had:
            return None
        if (money := result.money) is not None and money.reached:
            caps = ((money.budget_usd, budget_usd), (money.max_calls, max_calls))
            if any(had is not None and (asked is None or asked > had) for had, asked in caps):
                return None
        return result

    def clear(self) -> None:
        """Delete what a run writes, and nothing else: the folder may be one that holds the user's own files."""
        for path in (self.result, self.report, self.rejected, self.split):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.path / "arms", ignore_errors=True)
        # Last: until then this is the folder of a run.
        for path in self.path.glob("store.sqlite*"):
            path.unlink()

    def priced_as(self) -> str:
        """`costs_digest` of what the run was priced with."""
        return self._recorded("costs") or ""

    def set_priced_as(self, costs: str) -> None:
        content = json.loads(self.split.read_text(encoding="utf-8")) | {"costs": costs}
        write_atomic(self.split, json.dumps(content, ensure_ascii=False, indent=1))

    def _recorded(self, name: str) -> str | None:
        try:
            return json.loads(self.split.read_text(encoding="utf-8")).get(name)
        except (OSError, ValueError, AttributeError):
            return None

    def freeze(self, store: Store, split: Split, settings: str, costs: str = "") -> None:
        """Record the split, or see that it is the one recorded when the run began.

        Args:
            settings, costs: `settings_digest` and `costs_digest`.

        Raises:
            InputError: the rows have changed since.
        """
        known = store.fact("split")
        if known is not None and known != split.digest:
            raise InputError(Problem(str(self.path), say("run.folder.other_rows")))
        store.add_fact("split", split.digest)
        sides = {
            name: [[row.id, row.source, row.group] for row in getattr(split, name)] for name in ("train", "dev", "test")
        }
        content = {"digest": split.digest, "settings": settings, "costs": costs, **sides}
        write_atomic(self.split, json.dumps(content, ensure_ascii=False, indent=1))


def folder_for(base: Path, task_file: TaskFile) -> RunFolder:
    """The folder of the run with these settings: the same command finds the same folder again."""
    name = task_file.name or Path(task_file.train).stem
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    return RunFolder(base / f"{safe}-{settings_digest(task_file, documents=False)[:8]}")


COSTS = {"traffic", "costs", "usd_per_error"}
"""What no measurement hangs on: a finished run is priced again without being run again."""


def costs_digest(task_file: TaskFile) -> str:
    """SHA-256 over what is stated of `COSTS` and the contents of the files named there; empty where nothing is."""
    stated = task_file.model_dump(mode="json", include=COSTS, exclude_defaults=True)
    files = [_content(path) for path in (task_file.costs.prices, task_file.costs.log) if path]
    return hashlib.sha256(json.dumps([stated, files], sort_keys=True).encode()).hexdigest() if stated else ""


def settings_digest(task_file: TaskFile, *, documents: bool = True) -> str:
    """SHA-256 over all that a run is about: the settings and the contents of the files they name.

    The budget is not among them: a larger one goes on with the same run. Nor are prices: what was asked is not asked again
    because it costs something else now. Nor are services: where an arm's model is asked is in the arm's own key. Batches are: what their answers
    cost, and that none took any time, is in the outcomes.

    Args:
        documents: with the contents of the documents. Without, the digest stays when documents change: an update finds
            the folder, and the index in it, again.
    """
    settings = task_file.model_dump(
        mode="json", exclude={"description", "lang", "budget", "max_calls", "prices", "services", *COSTS}
    )
    if not task_file.batch:
        del settings["batch"]
    if task_file.documents is None:
        del settings["documents"]
    elif documents:
        settings["contents"] = [[str(path), _content(str(path))] for path in document_files(task_file.documents)]
    metric = (task_file.metric or "").rpartition(":")[0]
    database = task_file.metric_settings.get("database")
    files = {path: _content(path) for path in (task_file.train, task_file.test, metric, database) if path}
    for field in ("train", "test"):
        settings[field] = files.get(settings[field]) or settings[field]
    text = json.dumps(
        [settings, files.get(metric), *([files[database]] if database else [])], ensure_ascii=False, sort_keys=True
    )
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def document_files(documents: Documents) -> list[Path]:
    """The files that ``documents`` names, in a fixed order; none for a source that is not there (loading it says so)."""
    found: set[Path] = set()
    for source in documents.sources:
        try:
            found.update(file.path for file in find(source).files)
        except InputError:
            continue
    return sorted(found)


def _content(path: str) -> str | None:
    """Digest of a file's content; ``None`` for what is no file that can be read (loading it says why)."""
    file, sheet = named_sheet(path)
    try:
        return sha256_of(Path(file)) + (f"#{sheet}" if sheet else "") if Path(file).is_file() else None
    except (OSError, ValueError):
        return None


def read_result(path: Path) -> RunResult:
    """A saved ``result.json``.

    Raises:
        InputError: no such file, or not a result of a version that this tuneworth reads.
    """
    try:
        return RunResult.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(Problem(str(path.parent), say("run.folder.not_finished"))) from error
    except (OSError, ValueError) as error:
        first = " ".join(line.strip() for line in str(error).splitlines()[:3])
        raise InputError(Problem(str(path), say("run.folder.unreadable", first=first))) from error


def _is_spent(paid: ArmMoney, budget_usd: float | None, max_calls: int | None) -> bool:
    """Whether what was paid for reaches one of these caps already."""
    in_money = budget_usd is not None and paid.usd is not None and paid.usd > 0 and paid.usd >= budget_usd
    return in_money or (max_calls is not None and paid.n_calls >= max_calls)
