"""Options that several commands take, declared once: what they are called and how they are explained."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from tuneworth.cli.language import inline
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

Source = Annotated[
    str,
    typer.Argument(
        help=inline(
            "Data file (JSONL, JSON, CSV, Parquet, hf://…) or task.yaml.",
            "数据文件（JSONL、JSON、CSV、Parquet、hf://…）或 task.yaml。",
        )
    ),
]
TestFile = Annotated[str | None, typer.Option("--test", help=inline("Your own test rows.", "自带的测试集文件。"))]
DocumentSources = Annotated[
    list[str] | None,
    typer.Option(
        "--documents",
        help=inline(
            "Documents to look answers up in: folder, file or glob; may be given several times.",
            "供检索的文档：目录、文件或通配符，可多次给出。",
        ),
    ),
]
Language = Annotated[str | None, typer.Option("--lang", help=inline("Language: en or zh.", "语言：en 或 zh。"))]
AsJson = Annotated[
    bool, typer.Option("--json", help=inline("Print the result as JSON on stdout.", "在标准输出打印 JSON 结果。"))
]
ListAsJson = Annotated[bool, typer.Option("--json", help=inline("Print as JSON.", "以 JSON 打印。"))]
ShownLanguage = Annotated[str, typer.Option("--lang", help=inline("Language: en or zh.", "语言：en 或 zh。"))]
"""As `Language`, for a command that shows which one is meant without it."""
Out = Annotated[
    Path | None,
    typer.Option(help=inline("Folder of the run (default: runs/NAME-DIGEST).", "运行目录（默认 runs/名称-摘要）。")),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help=inline("Forget an earlier run of the same command.", "丢弃同一命令以前的运行结果，从头开始。"),
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch/--no-watch",
        help=inline(
            "Show the race live: every arm, its rows, score and distance to the leader.",
            "实时显示筛选过程：每个方案测了多少条、得分、与领先者的差距。",
        ),
    ),
]
Mask = Annotated[
    bool,
    typer.Option(
        "--mask",
        help=inline(
            "Mask personal data and secrets in all that is sent to models elsewhere.",
            "发送到外部模型的内容先对个人信息和密钥脱敏。",
        ),
    ),
]
SendPersonalData = Annotated[
    bool,
    typer.Option(
        "--send-personal-data",
        help=inline(
            "Send personal data and secrets as they are, without asking.", "个人信息和密钥原样发送，不再询问。"
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=inline("Do not ask before starting.", "开始前不再询问。"))]


def _option(kind: Any, en: str, zh: str, *spelled: str) -> Any:
    return Annotated[kind | None, typer.Option(*spelled, help=inline(en, zh))]


OF_A_TASK: dict[str, Any] = {
    "test": TestFile,
    "documents": DocumentSources,
    "models": _option(str, "Candidate models, comma-separated.", "候选模型，用逗号分隔。"),
    "strategies": _option(str, "Only these strategies, comma-separated.", "只测这些策略，用逗号分隔。"),
    "metric": _option(str, "Metric id, or file.py:function.", "指标名，或 file.py:函数名。"),
    "instruction": _option(str, "What the model is asked to do.", "给模型的任务说明。"),
    "budget": _option(
        str,
        "Time for the whole run, money, or both: 10m, '$2', '20m,$2'.",
        "整次运行的预算，时间、金额或两者：10m、'$2'、'20m,$2'。",
    ),
    "max_calls": _option(
        int,
        "Most calls to services; needed where what they charge is not known.",
        "最多调用 API 多少次；价格未知时必须给出。",
    ),
    "batch": _option(
        bool,
        "Ask models behind an API in batches: about half the price, and answers may take a day.",
        "用批处理接口调用 API 模型：价格约为一半，结果可能要等一天。",
        "--batch/--no-batch",
    ),
    "margin": _option(
        float,
        "Smallest difference that matters, as a fraction of the metric.",
        "界限：值得在意的最小差异（0.02 即 2 个百分点）。",
    ),
    "precision": _option(
        float,
        "Share right that an arm must reach on the rows it answers alone (default 0.95).",
        "方案独立回答的数据须达到的正确率（默认 0.95）。",
    ),
    "seed": _option(int, "Seed of the split and of every random choice.", "随机种子，决定数据划分和所有随机选择。"),
    "exhaustive": _option(
        bool,
        "Measure every arm in full; stop none early.",
        "完整测量每个方案，不提前淘汰。",
        "--exhaustive/--no-exhaustive",
    ),
    "machine_usd_per_hour": _option(
        float, "Price of this machine, for cost per 1,000 rows.", "这台机器每小时的价格（美元），用于计算每千条费用。"
    ),
    "usd_per_label": _option(
        float, "Price of labelling one more row, for the forecast.", "多标注一条数据的价格（美元），用于预测。"
    ),
    "knowledge_every_days": _option(float, "Days between two changes of the documents.", "文档多少天更新一次。"),
    "private": _option(bool, "Rows must not leave this machine.", "数据不得离开本机。", "--private"),
    "mask": Mask,
    "send_personal_data": SendPersonalData,
    "p95_ms": _option(
        float, "Limit: 95 % of single rows answered within so many ms.", "限制：95% 的单条回答须在多少毫秒内完成。"
    ),
    "max_usd_per_1k": _option(float, "Limit: most that 1,000 rows may cost.", "限制：每千条最多花多少美元。"),
    "min_quality": _option(
        float, "Limit: least value of the metric on the test rows.", "限制：指标在测试集上的最低值。"
    ),
}
"""What a user may say about a task beside its file: ``run`` and ``plan`` take all of it."""


@dataclass(frozen=True)
class Command:
    """A function that is a command of its own name.

    Attributes:
        options: name → annotation; they take the place of the function's ``**`` argument as far as typer can see, which
            reads options from a signature: a written one would repeat their table. They stand before what the function
            takes by keyword only, and are ``None`` when not given.
    """

    function: Callable[..., None]
    help: str
    options: Mapping[str, Any]
    cls: type[TyperCommand] | None

    def add_to(self, app: typer.Typer) -> None:
        keyword = inspect.Parameter.KEYWORD_ONLY
        own = inspect.signature(self.function, eval_str=True).parameters.values()
        made = [inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in self.options.items()]
        before = [parameter for parameter in own if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        after = [parameter for parameter in own if parameter.kind is keyword]
        shown = [parameter.replace(kind=keyword) for parameter in (*before, *made, *after)]

        def call(**values: Any) -> None:
            self.function(**values)

        call.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportFunctionMemberAccess]
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
        app.command(name=self.function.__name__, help=self.help, cls=self.cls)(call)


def command(
    en: str, zh: str, *, options: Mapping[str, Any] | None = None, cls: type[TyperCommand] | None = None
) -> Callable[[Callable[..., None]], Command]:
    """Makes a command of a function; the texts are its help."""
    return lambda function: Command(function, inline(en, zh), options or {}, cls)


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
    mask: bool | None = None,
    send_personal_data: bool | None = None,
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
        "personal_data": personal_data(mask, send_personal_data),
        **plain,
    }


def personal_data(mask: bool | None, send: bool | None) -> str | None:
    """The key of a task file that both options set."""
    if mask and send:
        raise InputError(Problem("--mask", say("privacy.both")))
    return "mask" if mask else "send" if send else None


def _given(section: dict[str, Any]) -> dict[str, Any] | None:
    """What was given of a section; ``None`` when nothing was."""
    return {name: value for name, value in section.items() if value is not None} or None


def documents_section(sources: list[str] | None) -> dict[str, Any] | None:
    """The task file's section for documents that were named on the command line."""
    return {"source": sources[0] if len(sources) == 1 else sources} if sources else None


def names(text: str | None) -> list[str] | None:
    """The parts of ``a, b``; ``None`` for an option that was not given."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
