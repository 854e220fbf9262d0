"""``tuneworth cost``: what the arms of a finished run cost under other traffic and other prices."""

from __future__ import annotations

from pathlib import Path

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json


@opt.command(
    "Price a finished run: dollars a month at your volume, and when they turn; nothing is measured.",
    "为已完成的运行计算费用：按你的调用量每月要花多少钱，调用量到多少时哪个更省，不再测量。",
)
def cost(
    run: Path = typer.Argument(..., help=inline("Folder of a run.", "运行目录。")),
    calls: str | None = typer.Option(
        None, help=inline("Calls a month, a number or a range: 50k, 20k-50k, 2000/day.", "每月调用量，可写范围：5万、20k-50k、2000/天。")
    ),
    machine: str | None = typer.Option(
        None, help=inline("Price of an hour of the machine: 0.69/h, ¥5/h.", "机器每小时价格：0.69/h、¥5/h。")
    ),
    label: str | None = typer.Option(
        None, help=inline("Price of a labelled row: 0.20, 0.10-0.30.", "标注一条的价格：0.20、0.10-0.30。")
    ),
    wage: str | None = typer.Option(
        None, help=inline("Price of an hour of work.", "人工每小时价格。")
    ),
    hours: list[str] = typer.Option(
        [], help=inline("STRATEGY=HOURS of work to set it up, such as lora=16; may be given several times.", "方法=工时，例如 lora=16；可多次给出。")
    ),
    prices: Path | None = typer.Option(
        None, help=inline("A file with prices of your own (docs/cost.md).", "自备的价格文件（见 docs/cost.zh.md）。")
    ),
    log: Path | None = typer.Option(
        None, help=inline("A log of your own calls, JSONL or CSV, in place of --calls.", "你自己的调用日志，JSONL 或 CSV，代替 --calls。")
    ),
    as_json: opt.AsJson = False,
    lang: opt.Language = None,
) -> None:  # fmt: skip
    """Written into a folder of its own within that of the run, which stays as it is."""
    from tuneworth import api
    from tuneworth.cli.decide import keep_beside

    del lang
    asked = {"calls": calls, "machine": machine, "label": label, "wage": wage, "prices": prices, "log": log}
    asked = {name: value for name, value in asked.items() if value is not None}
    worked = _hours(hours)
    result = api.cost(run, **asked, hours=worked)
    settings = [f"{name}={Path(value).name if isinstance(value, Path) else value}" for name, value in asked.items()]
    folder = keep_beside(result, run / "priced", [*settings, *hours])
    if as_json:
        typer.echo(to_json(result.costs))
        return
    from rich.console import Console

    from tuneworth.report.terminal.cost import cost_summary

    Console(highlight=False).print(cost_summary(result, LANG, folder.report))
    if result.costs is not None and all(arm.n_groups <= 1 for arm in result.costs.arms):
        typer.echo(spoken("cli.cost.by_means"), err=True)
    if wage is not None and not worked:
        typer.echo(spoken("cli.cost.no_hours"), err=True)


def _hours(given: list[str]) -> dict[str, str]:
    """
    Raises:
        InputError: with a problem for each that is no STRATEGY=HOURS.
    """
    from tuneworth.errors import InputError, Problem
    from tuneworth.words.say import say

    parts = [each.partition("=") for each in given]
    problems = [
        Problem(f"--hours {each}", say("cli.cost.hours"))
        for each, (name, _, value) in zip(given, parts, strict=True)
        if not name.strip() or not value.strip()
    ]
    if problems:
        raise InputError(problems)
    return {name.strip(): value.strip() for name, _, value in parts}
