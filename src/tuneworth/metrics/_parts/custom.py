"""The user's own metric: ``file.py:function`` with ``function(answer, references) -> number``.

It is the user's code, named by the user, so it is run; nothing else ever is. The number is from 0
(wrong) to 1 (right). A function annotated ``-> bool`` is right-or-wrong and gets the exact tests for
proportions. Whatever the function prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import reprlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric, MetricError

_ALL_KINDS: frozenset[OutputKind] = frozenset({"label", "choice", "json", "text"})
_NEXT = Text(
    en="A metric is a function (answer: str, references: list[str]) that returns a number from 0 to 1 for every row.",
    zh="指标函数的形式为 (answer: str, references: list[str])，对每条数据都应返回 0 到 1 之间的数。",
)


@dataclass(frozen=True, kw_only=True)
class CustomMetric(Metric):
    """A function of the user's as a metric.

    Attributes:
        file: where the function lives.
        digest: SHA-256 of the file. An import of the file that changes is not noticed.
    """

    function: Callable[[str, list[str]], Any] = field(compare=False)
    file: Path
    digest: str

    @property
    def fingerprint(self) -> str:
        return f"{self.id}@{self.digest[:16]}"

    def compare(self, answer: str, reference: str) -> float:
        return self.score(answer, [reference])

    def score(self, answer: str, references: Sequence[str]) -> float:
        """What the function returns, as a float.

        Raises:
            MetricError: it raised, or returned anything but a number in [0, 1].
        """
        try:
            with contextlib.redirect_stdout(sys.stderr):
                value = self.function(answer, list(references))
        except (Exception, SystemExit) as error:
            raise self._raised(error, answer, references) from error
        if (
            not isinstance(value, Real | np.bool_)
            or not 0 <= float(value) <= 1
            or (self.binary and value not in (0, 1))
        ):
            raise self._nonsense(value, answer, references)
        return float(value)

    def _raised(self, error: BaseException, answer: str, references: Sequence[str]) -> MetricError:
        where = _where_raised(error, self.file)
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self._error(
            f" (line {where})" if where else "",
            f"（第 {where} 行）" if where else "",
            Text(en=f"raised {what}", zh=f"抛出了异常 {what}"),
            answer,
            references,
        )

    def _nonsense(self, value: object, answer: str, references: Sequence[str]) -> MetricError:
        rule_en, rule_zh = ("True or False", "True 或 False") if self.binary else ("from 0 to 1", "0 到 1 之间的数")
        got = reprlib.repr(value)
        said = Text(en=f"returned {got}, must be {rule_en}", zh=f"返回了 {got}，应为 {rule_zh}")
        return self._error("", "", said, answer, references)

    def _error(self, en: str, zh: str, said: Text, answer: str, references: Sequence[str]) -> MetricError:
        given, accepted = reprlib.repr(answer), reprlib.repr(list(references))
        return MetricError(
            Problem(
                self.id,
                Text(
                    en=f"the metric function{en} {said.en}; answer {given}, references {accepted}",
                    zh=f"指标函数{zh}{said.zh}；回答为 {given}，参考答案为 {accepted}",
                ),
            ),
            _NEXT,
        )


def load_custom(spec: str, base_folder: Path) -> CustomMetric:
    """The metric that ``spec`` (``file.py:function``) names.

    Args:
        base_folder: what a relative file is relative to: the folder of the task file.

    Raises:
        InputError: there is no such file or function, or the file cannot be run.
    """
    name, _, function_name = spec.rpartition(":")
    file = (base_folder / Path(name).expanduser()).resolve()
    if file.suffix != ".py" or not file.is_file():
        raise _bad(spec, f"there is no Python file {file}", f"找不到 Python 文件 {file}")
    content = file.read_bytes()
    function = _function(_run(spec, file, content), function_name, spec)
    return CustomMetric(
        id=spec,
        title=Text(en=function_name, zh=function_name),
        kinds=_ALL_KINDS,
        binary=_returns_bool(function),
        function=function,
        file=file,
        digest=hashlib.sha256(content).hexdigest(),
    )


def _run(spec: str, file: Path, content: bytes) -> ModuleType:
    """Run the file as a module; files beside it can be imported while it runs."""
    module = ModuleType(f"tuneworth_metric_{hashlib.sha256(bytes(file)).hexdigest()[:12]}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses and pickle look a class's module up there
    sys.path.append(str(file.parent))  # at the end, so that nothing installed is shadowed
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(content, str(file), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        where = error.lineno if isinstance(error, SyntaxError) else _where_raised(error, file)
        what = f"{type(error).__name__}: {error}"
        raise _bad(
            spec, f"{file.name} cannot be run (line {where}): {what}", f"{file.name} 无法运行（第 {where} 行）：{what}"
        ) from error
    finally:
        sys.path.remove(str(file.parent))
    return module


def _function(module: ModuleType, name: str, spec: str) -> Callable[[str, list[str]], Any]:
    function = getattr(module, name, None)
    if not callable(function):
        there = ", ".join(
            n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__
        )
        raise _bad(spec, f"no function `{name}`; there are: {there}", f"没有函数 `{name}`；现有的函数：{there}")
    try:
        inspect.signature(function).bind("", [""])
    except (TypeError, ValueError) as error:
        raise _bad(
            spec, f"`{name}` cannot be called with two arguments: {error}", f"`{name}` 不能以两个参数调用：{error}"
        ) from error
    return function


def _returns_bool(function: Callable[..., Any]) -> bool:
    return getattr(function, "__annotations__", {}).get("return") in (bool, "bool")


def _where_raised(error: BaseException, file: Path) -> int | None:
    """The last line of the user's file that the error passed through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return lines[-1] if lines else None


def _bad(spec: str, en: str, zh: str) -> InputError:
    return InputError(Problem(spec, Text(en=en, zh=zh)), _NEXT)
