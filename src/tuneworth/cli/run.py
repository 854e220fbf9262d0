"""``tuneworth run``: measure, decide, report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli import taskoptions as opt
from tuneworth.cli.language import LANG, say
from tuneworth.core.text import Lang, Text
from tuneworth.errors import Interrupted, Problem

if TYPE_CHECKING:
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.core.run import RunResult
    from tuneworth.data.taskfile import TaskFile
    from tuneworth.pipeline import Start
    from tuneworth.race.folder import RunFolder

RUNS = Path("runs")

_EXHAUSTIVE = Text(
    en="exhaustive: every arm is measured at every training size on all dev rows; none is stopped early",
    zh="完整测量：每个方案的每种训练量都在整个开发集上测量，不提前淘汰",
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="run",
        help=say(
            "Measure every way of adapting a model on your rows, and decide. SOURCE is a data file or a task.yaml.",
            "在你的数据上实测各种适配方式并给出结论。SOURCE 是数据文件或 task.yaml。",
        ),
    )(run)


def run(
    source: opt.Source,
    test: opt.TestFile = None,
    documents: opt.DocumentSources = None,
    models: opt.Models = None,
    strategies: opt.Strategies = None,
    metric: opt.MetricName = None,
    instruction: opt.Instruction = None,
    budget: opt.BudgetText = None,
    margin: opt.Margin = None,
    seed: opt.Seed = None,
    exhaustive: opt.Exhaustive = None,
    machine_usd_per_hour: opt.MachinePrice = None,
    usd_per_label: opt.LabelPrice = None,
    knowledge_every_days: opt.KnowledgeDays = None,
    private: opt.Private = None,
    p95_ms: opt.P95 = None,
    max_usd_per_1k: opt.MaxPrice = None,
    min_quality: opt.MinQuality = None,
    out: opt.Out = None,
    fresh: opt.Fresh = False,
    watch: opt.Watch = False,
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
    yes: opt.Yes = False,
) -> None:
    """Run the main job and show its summary."""
    from tuneworth.cli.watch import watcher_for
    from tuneworth.pipeline import run as run_pipeline

    options = opt.of_run(
        test=test,
        documents=documents,
        models=models,
        strategies=strategies,
        metric=metric,
        instruction=instruction,
        budget=budget,
        margin=margin,
        seed=seed,
        exhaustive=exhaustive,
        machine_usd_per_hour=machine_usd_per_hour,
        usd_per_label=usd_per_label,
        knowledge_every_days=knowledge_every_days,
        private=private,
        p95_ms=p95_ms,
        max_usd_per_1k=max_usd_per_1k,
        min_quality=min_quality,
    )
    task_file = task_file_of(source, options)
    folder = _folder(task_file, out, fresh)
    report_lang = LANG if lang else task_file.lang or LANG  # before parsing, see cli/language.py
    with watcher_for(LANG, watch=watch, as_json=as_json) as watcher:
        try:
            result = run_pipeline(
                task_file,
                folder,
                watcher,
                command=shlex.join(["tuneworth", *sys.argv[1:]]),
                lang=report_lang,
                agree=lambda start: _agree(start, task_file, watcher, yes or as_json),
            )
        except (KeyboardInterrupt, typer.Abort):  # the second is what a prompt makes of it
            raise _interrupted(folder) from None
    if result is not None:
        show(result, folder, as_json=as_json, lang=report_lang)


def show(result: RunResult, folder: RunFolder, *, as_json: bool, lang: Lang = LANG) -> None:
    """The result on stdout: for people, or as JSON."""
    if as_json:
        typer.echo(result.model_dump_json(indent=1))
        return
    from rich.console import Console

    from tuneworth.report.terminal import summary

    Console(highlight=False).print(summary(result, lang, folder.report))


def task_file_of(source: str, options: dict[str, Any]) -> TaskFile:
    """The task file at ``source``, or one for the data there, with options on top (``None``: not given)."""
    from tuneworth.data.taskfile import load_task_file, task_file_for, with_options

    if Path(source).suffix.lower() in (".yaml", ".yml"):
        return with_options(load_task_file(Path(source)), **options)
    return task_file_for(source, **options)


def _folder(task_file: TaskFile, out: Path | None, fresh: bool) -> RunFolder:
    from tuneworth.race.folder import RunFolder, folder_for

    folder = RunFolder(out) if out is not None else folder_for(RUNS, task_file)
    if fresh and folder.store.exists():
        folder.clear()
    return folder


def _agree(start: Start, task_file: TaskFile, watcher: TerminalWatcher, sure: bool) -> bool:
    from tuneworth.cli.progress import interactive

    for line in describe_start(start, exhaustive=task_file.exhaustive):
        watcher.say(line)
    if sure or not interactive():
        return True
    with watcher.asking():
        return typer.confirm(say("Start?", "开始吗？"), default=True, err=True)


def describe_start(start: Start, *, exhaustive: bool = False) -> list[Text]:
    """What was inferred and what will be done."""
    from tuneworth.words import numbers

    data = start.prepared.summary
    budget = {lang: numbers.duration(start.budget_seconds).to(lang) for lang in ("en", "zh")}
    return [
        *data.inferred,
        *data.warnings,
        Text(
            en=f"{data.n_train} train, {data.n_dev} dev, {data.n_test} test rows; metric {start.prepared.task.metric}, margin {start.prepared.task.margin:g}",
            zh=f"训练集 {data.n_train} 条，开发集 {data.n_dev} 条，测试集 {data.n_test} 条；指标 {start.prepared.task.metric}，界限 {start.prepared.task.margin:g}",
        ),
        Text(
            en=f"{start.n_arms} arms, time budget {budget['en']}, folder {start.folder.path}",
            zh=f"共 {start.n_arms} 个候选方案，时间预算 {budget['zh']}，目录 {start.folder.path}",
        ),
        *([_EXHAUSTIVE] if exhaustive else []),
        *start.remarks,
    ]


def _interrupted(folder: RunFolder) -> Interrupted:
    command = shlex.join(["tuneworth", *(word for word in sys.argv[1:] if word != "--fresh")])
    return Interrupted(
        Problem(
            str(folder.path),
            Text(
                en=f"stopped; everything measured so far is kept. To go on: {command}",
                zh=f"已停止，测完的部分都已保存。继续运行：{command}",
            ),
        )
    )
