"""Options of the commands that take a task, declared once: what they are called and how they are explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuneworth.cli.language import say

Source = Annotated[
    str,
    typer.Argument(
        help=say(
            "Data file (JSONL, JSON, CSV, Parquet, hf://…) or task.yaml.",
            "数据文件（JSONL、JSON、CSV、Parquet、hf://…）或 task.yaml。",
        )
    ),
]
TestFile = Annotated[str | None, typer.Option("--test", help=say("Your own test rows.", "自带的测试集文件。"))]
DocumentSource = Annotated[
    str | None,
    typer.Option(
        "--documents",
        help=say(
            "Documents to look answers up in: folder, file or glob.",
            "供检索的文档：目录、文件或通配符。",
        ),
    ),
]
Models = Annotated[str | None, typer.Option(help=say("Candidate models, comma-separated.", "候选模型，用逗号分隔。"))]
Strategies = Annotated[
    str | None, typer.Option(help=say("Only these strategies, comma-separated.", "只测这些策略，用逗号分隔。"))
]
MetricName = Annotated[
    str | None, typer.Option(help=say("Metric id, or file.py:function.", "指标名，或 file.py:函数名。"))
]
Instruction = Annotated[str | None, typer.Option(help=say("What the model is asked to do.", "给模型的任务说明。"))]
BudgetText = Annotated[
    str | None,
    typer.Option(
        help=say(
            "Time for the whole run, money, or both: 10m, '$2', '20m,$2'.",
            "整次运行的预算，时间、金额或两者：10m、'$2'、'20m,$2'。",
        )
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        help=say(
            "Smallest difference that matters, as a fraction of the metric.",
            "界限：值得在意的最小差异（0.02 即 2 个百分点）。",
        )
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(help=say("Seed of the split and of every random choice.", "随机种子，决定数据划分和所有随机选择。")),
]
Exhaustive = Annotated[
    bool | None,
    typer.Option(
        "--exhaustive/--no-exhaustive",
        help=say(
            "Measure every arm in full; stop none early.",
            "完整测量每个方案，不提前淘汰。",
        ),
    ),
]
MachinePrice = Annotated[
    float | None,
    typer.Option(
        "--machine-usd-per-hour",
        help=say(
            "Price of this machine, for cost per 1,000 rows.", "这台机器每小时的价格（美元），用于计算每千条费用。"
        ),
    ),
]
Private = Annotated[
    bool | None, typer.Option("--private", help=say("Rows must not leave this machine.", "数据不得离开本机。"))
]
Language = Annotated[str | None, typer.Option("--lang", help=say("Language: en or zh.", "语言：en 或 zh。"))]
AsJson = Annotated[
    bool, typer.Option("--json", help=say("Print the result as JSON on stdout.", "在标准输出打印 JSON 结果。"))
]
Out = Annotated[
    Path | None,
    typer.Option(help=say("Folder of the run (default: runs/NAME-DIGEST).", "运行目录（默认 runs/名称-摘要）。")),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help=say("Forget an earlier run of the same command.", "丢弃同一命令以前的运行结果，从头开始。"),
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch/--no-watch",
        help=say(
            "Show the race live: every arm, its rows, score and distance to the leader.",
            "实时显示筛选过程：每个方案测了多少条、得分、与领先者的差距。",
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=say("Do not ask before starting.", "开始前不再询问。"))]


def names(text: str | None) -> list[str] | None:
    """The parts of ``a, b``; ``None`` for an option that was not given."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
