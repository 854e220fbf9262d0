"""Finding a metric and trying it before any model runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric, score_row
from tuneworth.metrics._parts.custom import load_custom

_DEFAULTS: dict[OutputKind, tuple[str, ...]] = {
    "label": ("accuracy", "macro_f1"),
    "choice": ("accuracy",),
    "json": ("json_slot_f1", "json_exact", "json_valid"),
    "text": ("chrf", "rouge_l", "token_f1", "exact_match"),
}
_TRIED_ROWS = 3


def default_metrics(kind: OutputKind) -> list[str]:
    """Ids of the metrics reported for ``kind``, the most telling first."""
    return list(_DEFAULTS[kind])


def load_metric(spec: str, base_folder: str | Path, labels: Sequence[str] = ()) -> Metric:
    """The metric with this id, or the user's own function.

    Args:
        spec: an id, or ``file.py:function`` with the file relative to ``base_folder``.
        labels: the task's labels (for kind ``choice``, every choice of every row), so that a free
            answer can be read as one of them.

    Raises:
        InputError: there is no such metric.
    """
    if ":" in spec:
        return load_custom(spec, Path(base_folder))
    if spec.endswith(".py"):
        message = Text(en=f"name the function as well: {spec}:my_metric", zh=f"还须写出函数名，如 {spec}:my_metric")
        raise InputError(Problem(spec, message))
    return load_plugin("tuneworth.metrics", spec).with_labels(labels)


def check(metric: Metric, kind: OutputKind, examples: Sequence[Example]) -> list[Text]:
    """Try ``metric`` on a few training rows: right, wrong and empty answers, each twice.

    Returns:
        What a reader should know although the metric works.

    Raises:
        InputError: it is not for this kind of output, it failed on a row, or it gave one answer
            two different scores.
    """
    if kind not in metric.kinds:
        kinds = ", ".join(sorted(metric.kinds))
        raise InputError(
            Problem(
                metric.id,
                Text(
                    en=f"this metric is for outputs of kind {kinds}; the outputs of this task are of kind {kind}",
                    zh=f"该指标适用于 {kinds} 类型的输出，而本任务的输出类型为 {kind}",
                ),
            )
        )
    rows = list(examples[:_TRIED_ROWS])
    for row in rows:
        for answer in ("", *(other.output for other in rows)):
            _same_twice(metric, answer, row)
    if rows and not any(score_row(metric, row.output, row) for row in rows):
        return [
            Text(
                en=f"{metric.id} gives 0 to the right answers of the first {len(rows)} training rows; check it",
                zh=f"{metric.id} 给前 {len(rows)} 条训练数据的标准答案都打了 0 分，请检查该指标",
            )
        ]
    return []


def _same_twice(metric: Metric, answer: str, row: Example) -> None:
    first, second = score_row(metric, answer, row), score_row(metric, answer, row)
    if first != second:
        raise InputError(
            Problem(
                metric.id,
                Text(
                    en=f"row {row.source or row.id}: two calls with one answer gave {first} and {second}; "
                    "a metric must be deterministic",
                    zh=f"数据行 {row.source or row.id}：对同一回答调用两次，得分分别为 {first} 和 {second}；"
                    "指标必须是确定性的",
                ),
            )
        )
