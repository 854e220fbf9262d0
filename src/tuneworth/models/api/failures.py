"""What went wrong with a call, sorted by what can be done about it. Both SDKs raise errors of the same names and fields."""

from __future__ import annotations

import contextlib
import email.utils
import re
import ssl
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

Kind = Literal[
    "busy",
    "server",
    "network",
    "timeout",
    "garbled",
    "empty",
    "key",
    "quota",
    "unknown_model",
    "rejected",
    "too_long",
    "too_large",
    "filtered",
    "redirect",
    "certificate",
    "batch",
]
PASSING: frozenset[Kind] = frozenset({"busy", "server", "network", "timeout", "garbled", "empty"})
"""May not happen again."""
MAY_BE_CHARGED: frozenset[Kind] = frozenset({"timeout", "garbled", "empty", "too_large"})
"""The service may have answered, and charge for it, though nothing that can be used arrived."""
MOST_SHOWN = 200
"""Characters of what a service says that are passed on."""

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NO_QUOTA = re.compile(
    r"insufficient.(quota|balance|funds|credit)|exceeded.your.current.quota|exceeded_current_quota|credit balance|billing"
    r"|arrearage|overdue|余额不足|欠费"
)
_COMES_BACK = re.compile(r"(try again|retry) (in|after) [0-9.]|per.?(min|sec)|\b[rt]pm\b")
"""Where a limit of a minute is full, services name plans and bills as well: Gemini calls it a quota."""
_TOO_LONG = re.compile(
    r"context.length|context window|maximum context|prompt is too long|too many (input )?tokens|input is too long"
    r"|reduce the length|range of input length|request too large"
)
_FILTERED = re.compile(
    r"content.?filter|content.?policy|moderation|flagged|data.?inspection|(?<!case.)sensitive|\b1301\b"
)
_NO_MODEL = re.compile(
    r"model.{0,80}(not (be )?(found|exist)|does(n't| not) exist|unknown|no such|invalid)|model_not_found|模型不存在"
)


class Trouble(Exception):
    """A call that gave no answer.

    Attributes:
        said: what the service says, safe to show; it may still hold what was sent to it, but never the key.
        retry_after: seconds that the service asks to wait.
        charged: whether it may have been charged.
    """

    def __init__(self, kind: Kind, said: str, *, retry_after: float | None = None, charged: bool | None = None):
        self.kind: Kind = kind
        self.said = said
        self.retry_after = retry_after
        self.charged = kind in MAY_BE_CHARGED if charged is None else charged
        super().__init__(f"{kind}: {said}")

    @property
    def may_pass(self) -> bool:
        return self.kind in PASSING


def shown(text: str, key: str = "") -> str:
    """``text`` in one line, not too long, without control characters and without ``key``."""
    if key and key != "none":
        text = text.replace(key, "…")
    return " ".join(_UNSAFE.sub("\ufffd", text).split())[:MOST_SHOWN]


def trouble_of(error: Any, sdk: ModuleType, key: str) -> Trouble:
    """``error``, raised by a client of ``sdk``, as what can be done about it."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, sdk.APIStatusError):
        headers = error.response.headers
        if 300 <= error.status_code < 400:
            return Trouble("redirect", shown(headers.get("location", ""), key))
        return trouble_told(error.status_code, error.body, key, error.message, retry_after(headers))
    for cause in _causes(error):
        if isinstance(cause, Trouble):
            return cause
        if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return Trouble("certificate", shown(str(cause), key))
    if isinstance(error, sdk.APITimeoutError):
        return Trouble("timeout", "timed out", charged=not _was_not_sent(error))
    if isinstance(error, sdk.APIConnectionError):
        said = shown("; ".join(dict.fromkeys(str(cause) or type(cause).__name__ for cause in _causes(error))), key)
        return Trouble("network", said, charged=not _was_not_sent(error))
    return Trouble("garbled", shown(f"{type(error).__name__}: {error}", key))


def trouble_told(status: int, body: Any, key: str, message: str = "", wait: float | None = None) -> Trouble:
    """What a service says in place of an answer.

    Args:
        body: of its answer; ``message``: what is said where that says nothing.
        wait: seconds that it asks for.
    """
    said, code = _told(body, message)
    return Trouble(_kind(status, f"{code} {said}".lower()), shown(f"{status}: {said}", key), retry_after=wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait: ``retry-after-ms``, or ``retry-after`` in seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            with contextlib.suppress(ValueError, OverflowError):  # neither a number nor a day that there is
                return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _told(body: Any, message: str) -> tuple[str, str]:
    """Message and code of the body; services nest them in different ways, or send something else than JSON."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return str(inner or body or message), ""
    codes = [str(inner.get(name)) for name in ("code", "type", "param") if inner.get(name)]
    return str(inner.get("message") or body.get("message") or message), " ".join(codes)


def _kind(status: int, said: str) -> Kind:
    passes = status == 429 and "insufficient" not in said and _COMES_BACK.search(said)
    if status in (402, 429, 400, 403) and _NO_QUOTA.search(said) and not passes:
        return "quota"
    if status == 402:
        return "quota"
    if status == 429:
        return "busy"
    if status in (400, 403, 422) and _FILTERED.search(said):
        return "filtered"
    if status in (401, 403):
        return "key"
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(said)):
        return "too_long"
    if status in (404, 410) or (status in (400, 422) and _NO_MODEL.search(said)):
        return "unknown_model"
    if status in (408, 409, 425) or status >= 500:
        return "server"
    return "rejected"


def _causes(error: BaseException) -> list[BaseException]:
    """What ``error`` came from, outermost first, without itself."""
    found: list[BaseException] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def _was_not_sent(error: Exception) -> bool:
    return any(type(cause).__name__ in ("ConnectError", "ConnectTimeout", "ProxyError") for cause in _causes(error))
