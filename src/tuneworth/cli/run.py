"""``tuneworth run``: measure, decide, report; ``tuneworth plan``: what that would take, before anything is spent."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, spoken, to_json
from tuneworth.core.text import Lang, Text
from tuneworth.errors import Interrupted, Problem
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.core.run import RunResult
    from tuneworth.data.taskfile import TaskFile
    from tuneworth.pipeline import Start
    from tuneworth.race.folder import RunFolder
    from tuneworth.race.privacy import Leaving, Treatment

RUNS = Path("runs")


@opt.command(
    "Measure every way of adapting a model on your rows, and decide. SOURCE is a data file or a task.yaml.",
    "在你的数据上实测各种适配方式并给出结论。SOURCE 是数据文件或 task.yaml。",
    options=opt.OF_A_TASK,
)
def run(
    source: opt.Source,
    *,
    out: opt.Out = None,
    fresh: opt.Fresh = False,
    watch: opt.Watch = False,
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
    yes: opt.Yes = False,
    **options: Any,
) -> None:
    """Run the main job and show its summary."""
    from tuneworth.cli.watch import watcher_for
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.pipeline import run as run_pipeline

    task_file = task_file_of(source, **opt.of_run(**options))
    folder = _folder(task_file, out, fresh)
    report_lang = LANG if lang else task_file.lang or LANG  # before parsing, see cli/language.py
    with watcher_for(LANG, watch=watch) as watcher:
        try:
            result = run_pipeline(
                task_file,
                folder,
                watcher,
                command=shlex.join(["tuneworth", *sys.argv[1:]]),
                lang=report_lang,
                agree=lambda start: _agree(start, watcher, exhaustive=task_file.exhaustive, sure=yes or as_json),
                ask_about_personal_data=_asker(watcher, sure=yes or as_json),
            )
        except (KeyboardInterrupt, typer.Abort):  # the second is what a prompt makes of it
            command = shlex.join(["tuneworth", *(word for word in sys.argv[1:] if word != "--fresh")])
            stopped = say("cli.run.stopped", command=command, batches=_batches_under_way(folder))
            raise Interrupted(Problem(str(folder.path), stopped)) from None
    if result is not None:
        show(result, folder, as_json=as_json, lang=report_lang)


@opt.command(
    "What a run would take and what its rows can show, before anything is spent. SOURCE is a data file or a task.yaml.",
    "运行之前先看：各方案要花多少时间，这些数据能分辨多大的差异。SOURCE 是数据文件或 task.yaml。",
    options=opt.OF_A_TASK,
)
def plan(source: opt.Source, *, lang: opt.Language = None, as_json: opt.AsJson = False, **options: Any) -> None:
    """Get ready as a run does, count, and show."""
    from tuneworth.cli.watch import watcher_for
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.pipeline import DEFAULT_BUDGET_SECONDS
    from tuneworth.race.prepare import ready
    from tuneworth.race.preview import preview

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(source, **opt.of_run(**options))
    with watcher_for(LANG, watch=False) as watcher:
        planned = preview(ready(task_file, watcher), task_file.budget_seconds or DEFAULT_BUDGET_SECONDS)
    if as_json:
        typer.echo(to_json(planned))
        return
    from rich.console import Console

    from tuneworth.report.terminal.plan import plan_summary

    Console(highlight=False).print(plan_summary(planned, LANG))


def show(result: RunResult, folder: RunFolder, *, as_json: bool, lang: Lang = LANG) -> None:
    """The result on stdout: for people, or as JSON."""
    if as_json:
        typer.echo(to_json(result))
        return
    from rich.console import Console

    from tuneworth.report.terminal import summary

    Console(highlight=False).print(summary(result, lang, folder.report))


def _batches_under_way(folder: RunFolder) -> Text | str:
    from tuneworth.race.store import Store

    if not folder.store.exists():
        return ""
    with Store(folder.store) as store:
        ids = [job.id or job.name for job in store.jobs() if job.state in ("creating", "created") and job.open_calls]
    return say("cli.run.batches_go_on", ids=", ".join(ids)) if ids else ""


def _folder(task_file: TaskFile, out: Path | None, fresh: bool) -> RunFolder:
    from tuneworth.race.folder import RunFolder, folder_for

    folder = RunFolder(out) if out is not None else folder_for(RUNS, task_file)
    if fresh and folder.store.exists():
        folder.clear()
    return folder


def _agree(start: Start, watcher: TerminalWatcher, *, exhaustive: bool, sure: bool) -> bool:
    """Says what was inferred and what will be done, and asks where somebody can answer."""
    from tuneworth.cli.progress import interactive
    from tuneworth.words.numbers import duration

    data, task = start.prepared.summary, start.prepared.task
    counts = {"train": str(data.n_train), "dev": str(data.n_dev), "test": str(data.n_test)}
    budget, folder = duration(start.budget_seconds), str(start.folder.path)
    for line in (
        *data.inferred,
        *data.warnings,
        say("cli.run.rows", **counts, metric=task.metric, margin=f"{task.margin:g}"),
        say("cli.run.arms", n=str(start.n_arms), budget=budget, folder=folder),
        *([say("cli.run.exhaustive")] if exhaustive else []),
        *start.remarks,
    ):
        watcher.say(line)
    if sure or not interactive():
        return True
    with watcher.asking():
        return typer.confirm(spoken("cli.run.start"), default=True, err=True)


def _asker(watcher: TerminalWatcher, *, sure: bool) -> Callable[[Leaving], Treatment | None] | None:
    """Asks what becomes of personal data that would be sent, where somebody can answer; a yes to all is no answer to that."""
    from tuneworth.cli.progress import interactive

    if sure or not interactive():
        return None

    def ask(found: Leaving) -> Treatment | None:
        watcher.say(found.what)
        answers: dict[str, Treatment | None] = {"m": "mask", "s": "send", "n": None}
        with watcher.asking():
            while (choice := typer.prompt(spoken("privacy.ask"), default="n", err=True).strip().lower()) not in answers:
                pass
        return answers[choice]

    return ask
