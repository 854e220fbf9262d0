"""Rows of a data set on the Hugging Face hub: ``hf://owner/name[:config][/split]``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.files import sha256_of
from tuneworth.data.jsonrows import Rows
from tuneworth.data.rows import RawRow, quote
from tuneworth.data.tables import without_nulls
from tuneworth.errors import EnvironmentProblem, InputError, Problem

PREFIX = "hf://"
_ANSWER_SECONDS = 15.0
_ADDRESS = re.compile(
    r"hf://(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?::(?P<config>[\w.-]+))?(?:/(?P<split>[\w.-]+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Address:
    """A data set on the hub. ``split`` is ``train`` unless the address names one."""

    repo: str
    config: str | None
    split: str


def parse_address(source: str) -> Address:
    """Raises ``InputError`` when ``source`` is not ``hf://owner/name[:config][/split]``."""
    match = _ADDRESS.fullmatch(source)
    if match is None:
        message = Text(
            en="is not a hub address; write hf://owner/name, hf://owner/name:config or hf://owner/name:config/split",
            zh="不是合法的 Hub 地址；请写成 hf://owner/name、hf://owner/name:config 或 hf://owner/name:config/split",
        )
        raise InputError(Problem(source, message))
    return Address(f"{match['owner']}/{match['name']}", match["config"], match["split"] or "train")


def read_hub(source: str) -> tuple[Rows, str]:
    """Rows of the data set and the SHA-256 of their contents.

    Raises:
        InputError: the address is malformed, or the data set has no such config or split.
        EnvironmentProblem: ``datasets`` is not installed, or the hub does not answer.
    """
    address = parse_address(source)
    try:
        import datasets
    except ImportError:
        message = Text(
            en="data sets of the hub need the datasets library: pip install 'tuneworth[hub]'",
            zh="读取 Hub 上的数据集需要 datasets 库：pip install 'tuneworth[hub]'",
        )
        raise EnvironmentProblem(Problem(source, message)) from None
    datasets.disable_progress_bars()
    try:
        _ask(address.repo)
        data = datasets.load_dataset(address.repo, address.config, split=address.split)
    except ValueError as error:  # no such config or split: the message lists those there are
        shown = quote(str(error), 300)
        raise InputError(Problem(source, Text(en=f"cannot be used: {shown}", zh=f"无法使用：{shown}"))) from error
    except Exception as error:  # the library passes on the errors of four others
        raise _no_answer(source, error) from error
    return rows_of(data, source)


def _ask(repo: str) -> None:
    """One request before the library's many: it would try for half a minute when the network is down."""
    import huggingface_hub

    if not huggingface_hub.constants.HF_HUB_OFFLINE:  # offline on purpose: the library's cache answers
        huggingface_hub.HfApi().dataset_info(repo, timeout=_ANSWER_SECONDS)


def _no_answer(source: str, error: Exception) -> EnvironmentProblem:
    shown = quote(f"{type(error).__name__}: {error}", 300)
    message = Text(en=f"the hub did not give this data set ({shown})", zh=f"没能从 Hub 取得这个数据集（{shown}）")
    next_step = Text(
        en="Check the name and the network, or give a file on this machine instead.",
        zh="请检查名称和网络，或改用本机上的数据文件。",
    )
    return EnvironmentProblem(Problem(source, message), next_step)


def rows_of(data: Iterable[Any], source: str) -> tuple[Rows, str]:
    """Rows of a ``datasets.Dataset``; numbers of a ``ClassLabel`` column become its names."""
    names = _class_names(data)
    rows = []
    for number, record in enumerate(data, start=1):
        value = without_nulls(record)
        for column, name_of in names.items():
            if isinstance(value.get(column), int) and value[column] >= 0:
                value[column] = name_of(value[column])
        rows.append(RawRow(source, number, value))
    contents = "\n".join(json.dumps(row.value, ensure_ascii=True, sort_keys=True, default=str) for row in rows)
    return Rows(rows, []), sha256_of(contents.encode())


def _class_names(data: Any) -> dict[str, Callable[[int], str]]:
    features = getattr(data, "features", None) or {}
    return {column: feature.int2str for column, feature in features.items() if hasattr(feature, "int2str")}
