"""``tuneworth compare``: results that others measured, judged."""

from __future__ import annotations

from pathlib import Path

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, to_json


@opt.command(
    "Judge results that others measured: rows with scores, or logs of lm-evaluation-harness, Inspect, promptfoo, DeepEval.",
    "评判别人测出的结果：带得分的数据，或 lm-evaluation-harness、Inspect、promptfoo、DeepEval 的日志。",
)
def compare(
    files: list[str] = typer.Argument(
        ..., help=inline("Files, one or more systems in each.", "文件，每个含一个或多个系统。")
    ),
    metric: str | None = typer.Option(
        None,
        help=inline(
            "Metrics, comma-separated; the first decides (default: all that every file has).",
            "指标，用逗号分隔，以第一个为准（默认：所有文件共有的全部指标）。",
        ),
    ),
    group: str | None = typer.Option(
        None,
        help=inline(
            "Field whose equal values mark rows that belong together, or none.",
            "字段名，取值相同的数据彼此关联；none 表示不分组。",
        ),
    ),
    margin: float = typer.Option(
        0.02,
        help=inline(
            "Smallest difference that matters, as a fraction of the metric.",
            "界限：值得在意的最小差异（0.02 即 2 个百分点）。",
        ),
    ),
    scale: str | None = typer.Option(
        None,
        help=inline(
            "Worst and best score, where scores are not from 0 to 1: 1:5.",
            "得分不在 0 到 1 之间时，写明最差和最好的分数：1:5。",
        ),
    ),
    out: Path | None = typer.Option(
        None, help=inline("Folder for comparison.json and report.html.", "存放 comparison.json 和 report.html 的目录。")
    ),
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Read, pair, compare, show; write where asked to."""
    from tuneworth import api

    del lang  # read before options are parsed, see cli/language.py
    result = api.compare(files, metrics=opt.names(metric) or (), group=group, margin=margin, scale=scale)
    page = None
    if out is not None:
        from tuneworth.data.files import write_text
        from tuneworth.report.html import write_compared

        page = out / "report.html"
        write_text(out / "comparison.json", result.model_dump_json(indent=2))
        write_compared(result, page, lang=LANG)
    if as_json:
        typer.echo(to_json(result))
        return
    from rich.console import Console

    from tuneworth.report.terminal.compared import compared_summary

    Console(highlight=False).print(compared_summary(result, LANG, page))
