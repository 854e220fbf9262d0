"""``tuneworth init``: a commented task file that says what was inferred."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneworth.core.text import Lang, Text
from tuneworth.data.files import write_text
from tuneworth.data.formats import PREFIX
from tuneworth.data.load import Loaded
from tuneworth.errors import InputError, Problem

_MAX_LABELS_SHOWN = 200
_HEAD = Text(
    en="A task for tuneworth. Every key is explained in docs/task.md. Run it: tuneworth run <this file>",
    zh="tuneworth 任务文件。每个键的说明见 docs/task.zh.md。运行：tuneworth run <本文件>",
)
_INSTRUCTION = Text(
    en="What a model is told to do with every input. One or two sentences; worth writing well.",
    zh="告诉模型如何处理每条输入。一两句话即可，但值得用心写。",
)
_DATA = Text(
    en="Rows: .jsonl, .json, .csv, .parquet, or hf://owner/name. Paths are relative to this file.",
    zh="数据：.jsonl、.json、.csv、.parquet 或 hf://owner/name。路径相对于本文件。",
)
_TEST = Text(en="left out: cut from train", zh="不写则从 train 中划出")
_DOCUMENTS = Text(en="folder, file or glob to look answers up in", zh="供检索的文档：目录、文件或通配符")
_UPDATES = Text(en="days between two changes of the documents", zh="文档多少天更新一次")
_MARGIN = Text(
    en="Smallest difference of the metric that matters to you: 0.02 is two points.",
    zh="界限：值得在意的最小差异，0.02 即两个百分点。",
)
_CANDIDATES = Text(
    en="Candidate models: ids of `tuneworth models list`, local folders, or hub ids.",
    zh="候选模型：`tuneworth models list` 中的 id、本地目录或 Hub 上的 id。",
)
_STRATEGIES = Text(en="left out: all", zh="不写则全部尝试")
_SETTINGS = Text(
    en="values to try instead of our own choice; several race each other",
    zh="指定要试的参数值，代替自动选择；写多个值时会相互比较",
)
_LIMITS = Text(
    en="Hard limits: an arm that breaks one is never recommended.", zh="硬性限制：违反任何一条的方案都不会被推荐。"
)
_P95 = Text(en="95th percentile of the time for one row, milliseconds", zh="单条用时的第 95 百分位数，毫秒")
_USD = Text(en="most that 1,000 rows may cost, US dollars", zh="每千条的最高费用，美元")
_QUALITY = Text(en="least value of the metric on the test rows", zh="测试集上指标的最低要求")
_SITUATION = Text(
    en="what you know about the situation, for the advice; facts: docs/advice.md",
    zh="你对所处情况的了解，供建议使用；可写的项目见 docs/advice.zh.md",
)
_BUDGET = Text(
    en="most a run may take: 90s, 10m, 1h30m, or with a machine price $2 or 10m,$2",
    zh="整次运行的预算：90s、10m、1h30m；填了机器价格后也可写 $2 或 10m,$2",
)
_EXHAUSTIVE = Text(
    en="measure every arm in full; left out: arms that cannot win are stopped early",
    zh="完整测量每个方案；不写则提前停测没有希望的方案",
)
_PRICE = Text(en="price of this machine, for costs", zh="本机每小时价格（美元），用于计算费用")
_LABEL = Text(en="price of one more labelled row, US dollars", zh="再标注一条数据的价格（美元）")
_ROWS = Text(en="most rows of each side", zh="各部分的条数上限")


def write_task_file(
    path: Path,
    data_path: str | Path,
    loaded: Loaded,
    *,
    lang: Lang = "en",
    test: str | Path | None = None,
    documents: Sequence[str] = (),
    force: bool = False,
) -> None:
    """Write a task file for ``data_path`` to ``path``, comments in ``lang``.

    What was inferred is written down, so that it can be changed; what is left out keeps its default.

    Raises:
        InputError: ``path`` is there already and ``force`` is not set.
        EnvironmentProblem: it cannot be written.
    """
    if path.exists() and not force:
        message = Text(
            en="is there already; name another file, or overwrite it with --force",
            zh="文件已存在；请换一个文件名，或用 --force 覆盖",
        )
        raise InputError(Problem(str(path), message))
    write_text(path, task_file_text(path.parent, data_path, loaded, lang=lang, test=test, documents=documents))


def task_file_text(
    folder: Path,
    data_path: str | Path,
    loaded: Loaded,
    *,
    lang: Lang,
    test: str | Path | None = None,
    documents: Sequence[str] = (),
) -> str:
    """The text of a task file that stands in ``folder``."""
    task, comments = loaded.task, _Comments(lang)
    lines = [comments.line(_HEAD), f"name: {_scalar(task.name)}", ""]
    lines += [comments.line(_INSTRUCTION), f"instruction: {_scalar(task.instruction)}", ""]
    lines += [comments.line(_DATA), f"train: {_scalar(_relative(data_path, folder))}"]
    lines += [
        f"test: {_scalar(_relative(test, folder))}" if test is not None else comments.off("test: test.jsonl", _TEST),
        f"documents: {_scalar(places if len(places) > 1 else places[0])}"
        if (places := [_relative(source, folder) for source in documents])
        else comments.off("documents: docs/", _DOCUMENTS),
    ]
    lines += ["", *(f"# {sentence.to(lang)}" for sentence in loaded.inferred), *_fields(loaded, comments)]
    lines += ["output:", f"  kind: {task.kind}"]
    if task.kind == "label" and len(task.labels) <= _MAX_LABELS_SHOWN:
        lines += ["  labels:", *(f"    - {_scalar(label)}" for label in task.labels)]
    lines += [f"metric: {task.metric}", "", comments.line(_MARGIN), f"margin: {task.margin}", ""]
    lines += [comments.line(_CANDIDATES), "models: [smollm2-135m]"]
    lines += [comments.off("strategies: [prompt, fewshot, head, lora]", _STRATEGIES)]
    lines += [comments.off("settings: {lora: {rank: [8, 32], learning_rate: [2e-4, 1e-3]}}", _SETTINGS), ""]
    lines += [comments.line(_LIMITS), "limits:", f"  private: {_scalar(task.limits.private)}"]
    lines += [comments.off("  p95_ms: 500", _P95), comments.off("  max_usd_per_1k: 0.50", _USD)]
    lines += [comments.off("  min_quality: 0.80", _QUALITY), ""]
    lines += [comments.off("situation: {calls_per_day: 1000, knowledge_changes: never}", _SITUATION)]
    lines += [comments.off("updates: {knowledge_every_days: 7}", _UPDATES)]
    lines += [comments.off("budget: 10m", _BUDGET), comments.off("exhaustive: true", _EXHAUSTIVE)]
    lines += [comments.off("machine_usd_per_hour: 0.10", _PRICE), comments.off("usd_per_label: 0.05", _LABEL)]
    lines += [comments.off("rows: {train: 2000, dev: 150, test: 300}", _ROWS), "seed: 0", f"lang: {lang}"]
    return "\n".join(lines) + "\n"


class _Comments:
    def __init__(self, lang: Lang):
        self.lang: Lang = lang

    def line(self, text: Text) -> str:
        return f"# {text.to(self.lang)}"

    def off(self, setting: str, text: Text) -> str:
        """A setting that is commented out, with what it is for."""
        indent = " " * (len(setting) - len(setting.lstrip()))
        return f"{indent}# {setting.strip()}  # {text.to(self.lang)}"


def _fields(loaded: Loaded, comments: _Comments) -> list[str]:
    """The fields that were read, where the shape has names that can be given."""
    shape = loaded.shape
    if shape is None or shape.name not in ("pair", "mapped"):
        return []
    *inputs, output = shape.used
    names: dict[str, Any] = {"input": inputs[0] if len(inputs) == 1 else inputs, "output": output}
    names.update(shape.extras.names())
    return ["fields:", *(f"  {key}: {_scalar(value)}" for key, value in names.items())]


def _relative(source: str | Path, folder: Path) -> str:
    """A path as the task file must say it; forward slashes on every system."""
    if str(source).startswith(PREFIX):
        return str(source)
    return Path(os.path.relpath(source, folder)).as_posix()


def _scalar(value: Any) -> str:
    """JSON is YAML, and its quotes keep `yes`, `1.0` and `a: b` text."""
    return json.dumps(value, ensure_ascii=False)
