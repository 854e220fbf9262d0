"""Options of the commands that take a task, declared once: what they are called and how they are explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
DocumentSources = Annotated[
    list[str] | None,
    typer.Option(
        "--documents",
        help=say(
            "Documents to look answers up in: folder, file or glob; may be given several times.",
            "供检索的文档：目录、文件或通配符，可多次给出。",
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
LabelPrice = Annotated[
    float | None,
    typer.Option(
        "--usd-per-label",
        help=say("Price of labelling one more row, for the forecast.", "多标注一条数据的价格（美元），用于预测。"),
    ),
]
KnowledgeDays = Annotated[
    float | None,
    typer.Option(
        "--knowledge-every-days", help=say("Days between two changes of the documents.", "文档多少天更新一次。")
    ),
]
Private = Annotated[
    bool | None, typer.Option("--private", help=say("Rows must not leave this machine.", "数据不得离开本机。"))
]
P95 = Annotated[
    float | None,
    typer.Option(
        "--p95-ms",
        help=say("Limit: 95 % of single rows answered within so many ms.", "限制：95% 的单条回答须在多少毫秒内完成。"),
    ),
]
MaxPrice = Annotated[
    float | None,
    typer.Option("--max-usd-per-1k", help=say("Limit: most that 1,000 rows may cost.", "限制：每千条最多花多少美元。")),
]
MinQuality = Annotated[
    float | None,
    typer.Option(
        "--min-quality",
        help=say("Limit: least value of the metric on the test rows.", "限制：指标在测试集上的最低值。"),
    ),
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


def of_run(
    *,
    test: str | None,
    documents: list[str] | None,
    models: str | None,
    strategies: str | None,
    private: bool | None,
    p95_ms: float | None,
    max_usd_per_1k: float | None,
    min_quality: float | None,
    knowledge_every_days: float | None,
    **plain: Any,
) -> dict[str, Any]:
    """What ``run`` and ``plan`` were given, as the keys of a task file.

    Args:
        plain: options that are called and written as the key they set.
    """
    limits = {
        "private": private or None,
        "p95_ms": p95_ms,
        "max_usd_per_1k": max_usd_per_1k,
        "min_quality": min_quality,
    }
    return {
        "test": test,
        "documents": documents_section(documents),
        "models": names(models),
        "strategies": names(strategies),
        "limits": _given(limits),
        "updates": _given({"knowledge_every_days": knowledge_every_days}),
        **plain,
    }


def _given(section: dict[str, Any]) -> dict[str, Any] | None:
    """What was given of a section; ``None`` when nothing was."""
    return {name: value for name, value in section.items() if value is not None} or None


def documents_section(sources: list[str] | None) -> dict[str, Any] | None:
    """The task file's section for documents that were named on the command line."""
    return {"source": sources[0] if len(sources) == 1 else sources} if sources else None


def names(text: str | None) -> list[str] | None:
    """The parts of ``a, b``; ``None`` for an option that was not given."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
