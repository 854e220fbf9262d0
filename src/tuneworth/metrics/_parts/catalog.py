"""Finding a metric and trying it before any model runs: one of ours, or the user's own.

The user's own is ``file.py:function`` with ``function(answer, references) -> number``. It is the user's code, named by
the user, so it is run; nothing else ever is. The number is from 0 (wrong) to 1 (right). A function annotated
``-> bool`` is right-or-wrong and gets the exact tests for proportions. Whatever the function prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import reprlib
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, Language, OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric, MetricError, score_row
from tuneworth.words.say import say

_DEFAULTS: dict[OutputKind, tuple[str, ...]] = {
    "label": ("accuracy", "macro_f1"),
    "choice": ("accuracy",),
    "multilabel": ("multilabel_f1", "multilabel_exact"),
    "number": ("numbers", "r2", "within_tolerance"),
    "json": ("json_slot_f1", "json_exact", "json_valid"),
    "text": ("chrf", "rouge_l", "token_f1", "exact_match"),
}
_TRIED_ROWS = 3
_ALL_KINDS: frozenset[OutputKind] = frozenset(_DEFAULTS)


def default_metrics(kind: OutputKind) -> list[str]:
    """Ids of the metrics reported for ``kind``, the most telling first."""
    return list(_DEFAULTS[kind])


def load_metric(
    spec: str, base_folder: str | Path, labels: Sequence[str] = (), settings: Mapping[str, Any] | None = None
) -> Metric:
    """The metric with this id, or the user's own function.

    Args:
        spec: an id, or ``file.py:function`` with the file relative to ``base_folder``.
        labels: the task's labels (for kind ``choice``, every choice of every row), so that a free
            answer can be read as one of them.

        settings: values for the metric's own settings.

    Raises:
        InputError: there is no such metric, or it has no such settings.
    """
    if ":" in spec:
        return load_custom(spec, Path(base_folder)).with_settings(settings or {})
    if spec.endswith(".py"):
        raise InputError(Problem(spec, say("own_metric.no_function_named", spec=spec)))
    return load_plugin("tuneworth.metrics", spec).with_labels(labels).with_settings(settings or {})


def check_language(metric: Metric, language: Language) -> None:
    """Refuse a metric that cannot read the rows.

    Raises:
        InputError: it is not for this language.
    """
    if metric.needs_encoder and language != "en":
        raise InputError(Problem(metric.id, say("answers.settings.english_only")))


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
                say("own_metric.kind", kinds=kinds, kind=kind),
            )
        )
    rows = list(examples[:_TRIED_ROWS])
    for row in rows:
        for answer in ("", *(other.output for other in rows)):
            first, second = score_row(metric, answer, row), score_row(metric, answer, row)
            if first != second:
                said = {"row": row.source or row.id, "first": str(first), "second": str(second)}
                raise InputError(Problem(metric.id, say("own_metric.not_deterministic", **said)))
    if rows and not any(score_row(metric, row.output, row) for row in rows):
        return [say("own_metric.all_zero", id=metric.id, n=len(rows))]
    return []


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
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            said = say("own_metric.raised", what=what)
            raise self._error(said, _where_raised(error, self.file), answer, references) from error
        a_number = isinstance(value, Real | np.bool_) and 0 <= float(value) <= 1
        if not a_number or (self.binary and value not in (0, 1)):
            rule = "own_metric.no_boolean" if self.binary else "own_metric.no_share"
            raise self._error(say(rule, got=reprlib.repr(value)), None, answer, references)
        return float(value)

    def _error(self, said: Text, line: int | None, answer: str, references: Sequence[str]) -> MetricError:
        shown: dict[str, Any] = {"answer": reprlib.repr(answer), "references": reprlib.repr(list(references))}
        place = {"line": str(line)} if line else {}
        message = say("own_metric.failed_at" if line else "own_metric.failed", said=said, **place, **shown)
        return MetricError(Problem(self.id, message), say("own_metric.next"))


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
        raise _bad(spec, say("own_metric.no_file", file=str(file)))
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
        raise _bad(spec, say("own_metric.cannot_run", file=file.name, line=str(where), what=what)) from error
    finally:
        sys.path.remove(str(file.parent))
    return module


def _function(module: ModuleType, name: str, spec: str) -> Callable[[str, list[str]], Any]:
    function = getattr(module, name, None)
    if not callable(function):
        there = ", ".join(
            n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__
        )
        raise _bad(spec, say("own_metric.no_such_function", name=name, there=there))
    try:
        inspect.signature(function).bind("", [""])
    except (TypeError, ValueError) as error:
        raise _bad(spec, say("own_metric.two_arguments", name=name, error=str(error))) from error
    return function


def _returns_bool(function: Callable[..., Any]) -> bool:
    return getattr(function, "__annotations__", {}).get("return") in (bool, "bool")


def _where_raised(error: BaseException, file: Path) -> int | None:
    """The last line of the user's file that the error passed through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return lines[-1] if lines else None


def _bad(spec: str, what: Text) -> InputError:
    return InputError(Problem(spec, what), say("own_metric.next"))
