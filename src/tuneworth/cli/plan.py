"""``tuneworth plan``: what a run would do and cost, and what its rows can show, before anything is spent."""

from __future__ import annotations

import typer

from tuneworth.cli import taskoptions as opt
from tuneworth.cli.language import LANG, say


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="plan",
        help=say(
            "What a run would take and what its rows can show, before anything is spent. "
            "SOURCE is a data file or a task.yaml.",
            "运行之前先看：各方案要花多少时间，这些数据能分辨多大的差异。SOURCE 是数据文件或 task.yaml。",
        ),
    )(plan)


def plan(
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
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Get ready as a run does, count, and show."""
    from tuneworth.cli.run import task_file_of
    from tuneworth.cli.watch import watcher_for
    from tuneworth.pipeline import DEFAULT_BUDGET_SECONDS
    from tuneworth.race.prepare import ready
    from tuneworth.race.preview import preview

    del lang  # read before options are parsed, see cli/language.py
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
    with watcher_for(LANG, watch=False, as_json=as_json) as watcher:
        planned = preview(ready(task_file, watcher), task_file.budget_seconds or DEFAULT_BUDGET_SECONDS)
    if as_json:
        typer.echo(planned.model_dump_json(indent=1))
        return
    from rich.console import Console

    from tuneworth.report.terminal.plan import plan_summary

    Console(highlight=False).print(plan_summary(planned, LANG))
