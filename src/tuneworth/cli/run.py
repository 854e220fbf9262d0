"""``tuneworth run``: measure, decide, report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli.language import LANG, say
from tuneworth.core.text import Lang, Text
from tuneworth.errors import Interrupted, Problem

if TYPE_CHECKING:
    from tuneworth.core.run import RunResult
    from tuneworth.data.taskfile import TaskFile
    from tuneworth.pipeline import Start
    from tuneworth.race.folder import RunFolder

RUNS = Path("runs")


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
    source: str = typer.Argument(
        ...,
        help=say(
            "Data file (JSONL, JSON, CSV, Parquet, hf://…) or task.yaml.",
            "数据文件（JSONL、JSON、CSV、Parquet、hf://…）或 task.yaml。",
        ),
    ),
    test: str | None = typer.Option(None, help=say("Your own test rows.", "自带的测试集文件。")),
    models: str | None = typer.Option(None, help=say("Candidate models, comma-separated.", "候选模型，用逗号分隔。")),
    strategies: str | None = typer.Option(
        None, help=say("Only these strategies, comma-separated.", "只测这些策略，用逗号分隔。")
    ),
    metric: str | None = typer.Option(None, help=say("Metric id, or file.py:function.", "指标名，或 file.py:函数名。")),
    instruction: str | None = typer.Option(None, help=say("What the model is asked to do.", "给模型的任务说明。")),
    budget: str | None = typer.Option(
        None, help=say("Time for the whole run: 10m, 90s, 1h.", "整次运行的时间预算：10m、90s、1h。")
    ),
    margin: float | None = typer.Option(
        None,
        help=say(
            "Smallest difference that matters, as a fraction of the metric.",
            "界限：值得在意的最小差异（0.02 即 2 个百分点）。",
        ),
    ),
    seed: int | None = typer.Option(
        None, help=say("Seed of the split and of every random choice.", "随机种子，决定数据划分和所有随机选择。")
    ),
    machine_usd_per_hour: float | None = typer.Option(
        None,
        help=say(
            "Price of this machine, for cost per 1,000 rows.", "这台机器每小时的价格（美元），用于计算每千条费用。"
        ),
    ),
    private: bool | None = typer.Option(
        None, "--private", help=say("Rows must not leave this machine.", "数据不得离开本机。")
    ),
    out: Path | None = typer.Option(
        None, help=say("Folder of the run (default: runs/NAME-DIGEST).", "运行目录（默认 runs/名称-摘要）。")
    ),
    fresh: bool = typer.Option(
        False,
        "--fresh",
        help=say("Forget an earlier run of the same command.", "丢弃同一命令以前的运行结果，从头开始。"),
    ),
    lang: str | None = typer.Option(None, help=say("Language: en or zh.", "语言：en 或 zh。")),
    as_json: bool = typer.Option(
        False, "--json", help=say("Print the result as JSON on stdout.", "在标准输出打印 JSON 结果。")
    ),
    yes: bool = typer.Option(False, "--yes", "-y", help=say("Do not ask before starting.", "开始前不再询问。")),
) -> None:
    """Run the main job and show its summary."""
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.pipeline import run as run_pipeline

    options = {
        "test": test,
        "models": _names(models),
        "strategies": _names(strategies),
        "metric": metric,
        "instruction": instruction,
        "budget": budget,
        "margin": margin,
        "seed": seed,
        "machine_usd_per_hour": machine_usd_per_hour,
        "limits": {"private": True} if private else None,
    }
    task_file = task_file_of(source, {name: value for name, value in options.items() if value is not None})
    folder = _folder(task_file, out, fresh)
    command = shlex.join(["tuneworth", *sys.argv[1:]])
    report_lang = LANG if lang else task_file.lang or LANG  # before parsing, see cli/language.py
    with TerminalWatcher(LANG, quiet=as_json and not sys.stderr.isatty()) as watcher:
        try:
            result = run_pipeline(
                task_file,
                folder,
                watcher,
                command=command,
                lang=report_lang,
                agree=lambda start: _agree(start, watcher, yes or as_json),
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
    """The task file at ``source``, or one for the data there, with options on top."""
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


def _agree(start: Start, watcher: Any, sure: bool) -> bool:
    from tuneworth.cli.progress import interactive

    for line in describe_start(start):
        watcher.say(line)
    if sure or not interactive():
        return True
    return typer.confirm(say("Start?", "开始吗？"), default=True, err=True)


def describe_start(start: Start) -> list[Text]:
    """What was inferred and what will be done."""
    data = start.prepared.summary
    budget = start.budget_seconds
    minutes = f"{budget / 60:g}"
    return [
        *data.inferred,
        *data.warnings,
        Text(
            en=f"{data.n_train} train, {data.n_dev} dev, {data.n_test} test rows; metric {start.prepared.task.metric}, margin {start.prepared.task.margin:g}",
            zh=f"训练集 {data.n_train} 条，开发集 {data.n_dev} 条，测试集 {data.n_test} 条；指标 {start.prepared.task.metric}，界限 {start.prepared.task.margin:g}",
        ),
        Text(
            en=f"{start.n_arms} arms, time budget {minutes} min, folder {start.folder.path}",
            zh=f"共 {start.n_arms} 个候选方案，时间预算 {minutes} 分钟，目录 {start.folder.path}",
        ),
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


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
