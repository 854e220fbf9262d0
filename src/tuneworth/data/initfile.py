"""``tuneworth init``: a commented task file that says what was inferred."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneworth.core.task import LABELLED
from tuneworth.core.text import Lang
from tuneworth.data.files import write_text
from tuneworth.data.formats import PREFIX
from tuneworth.data.load import Loaded
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_MAX_LABELS_SHOWN = 200


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
        raise InputError(Problem(str(path), say("task.init.exists")))
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
    lines = [comments.line("head"), f"name: {_scalar(task.name)}", ""]
    lines += [comments.line("instruction"), f"instruction: {_scalar(task.instruction)}", ""]
    lines += [comments.line("data"), f"train: {_scalar(_relative(data_path, folder))}"]
    lines += [
        f"test: {_scalar(_relative(test, folder))}" if test is not None else comments.off("test: test.jsonl", "test"),
        f"documents: {_scalar(places if len(places) > 1 else places[0])}"
        if (places := [_relative(source, folder) for source in documents])
        else comments.off("documents: docs/", "documents"),
    ]
    lines += ["", *(f"# {sentence.to(lang)}" for sentence in loaded.inferred), *_fields(loaded, comments)]
    lines += ["output:", f"  kind: {task.kind}"]
    if task.kind in LABELLED and len(task.labels) <= _MAX_LABELS_SHOWN:
        lines += ["  labels:", *(f"    - {_scalar(label)}" for label in task.labels)]
    lines += [
        f"metric: {task.metric}",
        comments.off('metric_settings: {pattern: "Total: (.*)"}', "metric_settings"),
        "",
    ]
    lines += [comments.line("margin"), f"margin: {task.margin}", comments.off("precision: 0.95", "precision"), ""]
    lines += [comments.line("candidates"), "models: [smollm2-135m]"]
    lines += [comments.off("strategies: [prompt, fewshot, head, lora]", "strategies")]
    lines += [comments.off("settings: {lora: {rank: [8, 32], learning_rate: [2e-4, 1e-3]}}", "settings"), ""]
    lines += [comments.line("limits"), "limits:", f"  private: {_scalar(task.limits.private)}"]
    lines += [comments.off("  p95_ms: 500", "p95"), comments.off("  max_usd_per_1k: 0.50", "usd")]
    lines += [comments.off("  min_quality: 0.80", "quality"), ""]
    lines += [comments.off("personal_data: mask", "personal_data")]
    lines += [comments.off("situation: {calls_per_day: 1000, knowledge_changes: never}", "situation")]
    lines += [comments.off("updates: {knowledge_every_days: 7}", "updates")]
    lines += [comments.off("budget: 10m", "budget"), comments.off("max_calls: 5000", "max_calls")]
    lines.append(comments.off("batch: true", "batch"))
    lines += [comments.off("exhaustive: true", "exhaustive")]
    lines += [comments.off("machine_usd_per_hour: 0.10", "price"), comments.off("usd_per_label: 0.05", "label")]
    lines += [comments.off("usd_per_error: 0.5-2", "error"), comments.off("traffic: {calls_per_month: 50k}", "traffic")]
    lines.append(comments.off("costs: {wage: 60, hours: {lora: 16}}", "costs"))
    lines += [comments.off("services: {corp: {address: 'https://llm.example.com/v1'}}", "services")]
    lines += [comments.off("prices: {openai/my-model: {input: 0.10, output: 0.50}}", "prices")]
    lines += [
        comments.off("split: {by: date}", "split"),
        comments.off("rows: {train: 2000, dev: 150, test: 300}", "rows"),
        comments.off("repeats: {answers: 3, rows: 60}", "repeats"),
        "seed: 0",
        f"lang: {lang}",
    ]
    return "\n".join(lines) + "\n"


class _Comments:
    def __init__(self, lang: Lang):
        self.lang: Lang = lang

    def line(self, key: str) -> str:
        return f"# {say(f'task.init.{key}').to(self.lang)}"

    def off(self, setting: str, key: str) -> str:
        """A setting that is commented out, with what it is for."""
        indent = " " * (len(setting) - len(setting.lstrip()))
        return f"{indent}# {setting.strip()}  # {say(f'task.init.{key}').to(self.lang)}"


def _fields(loaded: Loaded, comments: _Comments) -> list[str]:
    """The fields that were read, where the shape has names that can be given."""
    shape = loaded.shape
    if shape is None or shape.name not in ("pair", "mapped"):
        return []
    *inputs, output = shape.used
    names: dict[str, Any] = {"input": inputs[0] if len(inputs) == 1 else inputs, "output": output}
    names.update((what, name) for what, name in shape.extras.names().items() if name not in shape.used)
    return ["fields:", *(f"  {key}: {_scalar(value)}" for key, value in names.items())]


def _relative(source: str | Path, folder: Path) -> str:
    """A path as the task file must say it; forward slashes on every system."""
    if str(source).startswith(PREFIX):
        return str(source)
    return Path(os.path.relpath(source, folder)).as_posix()


def _scalar(value: Any) -> str:
    """JSON is YAML, and its quotes keep `yes`, `1.0` and `a: b` text."""
    return json.dumps(value, ensure_ascii=False)
