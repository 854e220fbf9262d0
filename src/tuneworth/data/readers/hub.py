"""Data sets of the Hugging Face hub: ``hf://owner/name[:config][/split]``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tuneworth.core.offline import may_fetch
from tuneworth.data.files import sha256_of
from tuneworth.data.readers.columnar import with_names
from tuneworth.data.rows import RawRow, Rows, quote, without_nulls
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

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
        raise InputError(Problem(source, say("rows.hub.not_an_address")))
    return Address(f"{match['owner']}/{match['name']}", match["config"], match["split"] or "train")


def read_hub(source: str) -> tuple[Rows, str]:
    """Rows of the data set and the SHA-256 of their contents.

    Raises:
        InputError: the address is malformed, the data set has no such config or split, or the task is private.
        EnvironmentProblem: ``datasets`` is not installed, or the hub does not answer.
    """
    address = parse_address(source)
    if not may_fetch():
        raise InputError(Problem(source, say("rows.hub.private")))
    try:
        import datasets
    except ImportError:
        raise EnvironmentProblem(Problem(source, say("rows.hub.needs_datasets"))) from None
    datasets.disable_progress_bars()
    try:
        _ask(address.repo)
        data = datasets.load_dataset(address.repo, address.config, split=address.split)
    except ValueError as error:  # no such config or split: the message lists those there are
        shown = quote(str(error), 300)
        raise InputError(Problem(source, say("rows.hub.unusable", shown=shown))) from error
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
    return EnvironmentProblem(Problem(source, say("rows.hub.no_answer", shown=shown)), say("rows.hub.no_answer_next"))


def rows_of(data: Iterable[Any], source: str) -> tuple[Rows, str]:
    """Rows of a ``datasets.Dataset``; numbers of a ``ClassLabel`` column become its names."""
    features = getattr(data, "features", None) or {}
    names = {column: list(feature.names) for column, feature in features.items() if hasattr(feature, "int2str")}
    rows = []
    for number, record in enumerate(data, start=1):
        value = without_nulls(record)
        with_names(value, names)
        rows.append(RawRow(source, number, value))
    contents = "\n".join(json.dumps(row.value, ensure_ascii=True, sort_keys=True, default=str) for row in rows)
    return Rows(rows), sha256_of(contents.encode())
