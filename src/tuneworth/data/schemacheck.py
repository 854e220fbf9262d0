"""Checking the user's JSON schema, and answers against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.rows import BadRow, quote
from tuneworth.errors import EnvironmentProblem, Problem


def schema_fault(schema: dict[str, Any]) -> str | None:
    """What is wrong with ``schema`` itself, or ``None``."""
    validator = _validator_class()
    error = next(validator(validator.META_SCHEMA).iter_errors(schema), None)
    return None if error is None else f"{error.json_path}: {quote(error.message)}"


def schema_check(schema: dict[str, Any]) -> Callable[[Any], None]:
    """A check that raises ``BadRow`` on a value that the valid ``schema`` refuses."""
    validator = _validator_class()(schema)

    def check(value: Any) -> None:
        error = next(validator.iter_errors(value), None)
        if error is not None:
            shown = quote(error.message)
            raise BadRow(
                Text(
                    en=f"the output does not fit output.schema at {error.json_path}: {shown}",
                    zh=f"输出在 {error.json_path} 处不符合 output.schema：{shown}",
                )
            )

    return check


def _validator_class() -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        message = Text(
            en="checking answers against a schema needs jsonschema: pip install 'tuneworth[local]'",
            zh="按 Schema 检查答案需要 jsonschema：pip install 'tuneworth[local]'",
        )
        raise EnvironmentProblem(Problem("output.schema", message)) from None
    return Draft202012Validator
