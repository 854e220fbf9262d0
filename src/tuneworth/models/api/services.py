"""Which services there are, where they are and which variable holds their key. No key is read into a record or a message.

What a service is stands in ``services.yaml``; a task file adds to it or overrides it. Anything else that speaks one of the two
protocols is named by its address: ``http://127.0.0.1:8000/v1#model``.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from tuneworth.core.text import Text
from tuneworth.core.yamlfile import parse_yaml
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

Protocol = Literal["chat", "messages"]
Means = Literal["strict", "tool", "json_mode", "words"]
"""How an answer is held to a form, best first; ``words``: asked for in the prompt, and once more if it does not fit."""
EffortStyle = Literal["effort", "thinking", "enable_thinking", "nested", "adaptive", "none"]
Stated = Mapping[str, Mapping[str, Any]]
"""``services`` of a task file: name or address → what it says of it."""

ANY_KEY = "TUNEWORTH_API_KEY"
"""The key for a service that is named by its address alone."""
_KEY = re.compile(r"[\x21-\x7e]+")
_PRINTED = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]+")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Service(BaseModel):
    """What a service can do; ``services.yaml`` says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    protocol: Protocol = "chat"
    address: str | None = None
    address_variable: str = ""
    key_variable: tuple[str, ...] = (ANY_KEY,)
    aliases: tuple[str, ...] = ()
    means: tuple[Means, ...] = ("strict", "tool", "json_mode")
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning: EffortStyle = "effort"
    temperature: bool = True
    lists: Literal["all", "some", "none"] = "some"
    cache_from: int = 1024
    context_tokens: int | None = None
    embeds: int | None = None
    decisions: Literal["openai", "systemone", "none"] = "none"
    decides: tuple[str, ...] = ()
    most_choices: int = 255
    writes: bool = True
    batches: str = ""
    requests_per_minute: float | None = None
    at_once: int = 8
    timeout_seconds: float = 120.0
    allow_http: bool = False
    read: date | None = None
    sources: tuple[str, ...] = ()
    unconfirmed: str = ""


@cache
def services() -> dict[str, Service]:
    """Those of ``services.yaml``, by name and by alias."""
    path = Path(__file__).with_name("services.yaml")
    read = parse_yaml(path.read_text(encoding="utf-8"), path.name, ours=True).mapping
    found = {name: Service.model_validate(fields) for name, fields in read.items()}
    return found | {alias: service for service in found.values() for alias in service.aliases}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model of a service, as this environment reaches it.

    Attributes:
        stated: what the task file says of the service, by its name or address; kept, so that a run can be asked later.
    """

    name: str
    model: str
    service: Service
    address: str
    stated: dict[str, dict[str, Any]] | None = None

    @property
    def is_here(self) -> bool:
        """On this machine: what is sent there does not leave it."""
        return is_loopback(self.address)

    @property
    def key_variable(self) -> str:
        """The variable to name in a message: the one that is set, else the first."""
        names = self.service.key_variable or (ANY_KEY,)
        return next((name for name in names if os.environ.get(name, "").strip()), names[0])

    def key(self) -> str:
        """The key to send; a placeholder where none is asked for, since the SDKs insist on one.

        Raises:
            EnvironmentProblem: the service wants a key, and none is set, or what is set cannot be one.
        """
        variables = self.service.key_variable
        found = os.environ.get(self.key_variable, "").strip() if variables else ""
        if found and not _KEY.fullmatch(found):
            raise EnvironmentProblem(Problem(self.key_variable, say("models.service.bad_key")))
        named_by_address = variables == (ANY_KEY,)
        if found or not variables or self.is_here or named_by_address:
            return found or "none"
        listed = Text(en=" or ".join(variables), zh=" 或 ".join(variables))
        raise EnvironmentProblem(Problem(self.name, say("models.service.no_key", variable=listed)))


def is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_service(name: str, stated: Stated | None = None) -> bool:
    """Whether ``name`` is that of a model of a service: by its prefix, or by an address."""
    prefix, slash, _ = name.partition("/")
    return bool(_ADDRESS.match(name)) or bool(slash and (prefix in services() or prefix in (stated or {})))


def endpoint_of(name: str, stated: Stated | None = None) -> Endpoint:
    """``service/model``, or ``address#model``.

    Args:
        stated: what a task file says of services.

    Raises:
        InputError: there is no such service, or its address is none, or not a safe one.
    """
    stated = stated or {}
    if _ADDRESS.match(name):
        address, _, model = name.partition("#")
        address = address.rstrip("/")
        if not model:
            raise InputError(Problem(name, say("models.service.no_model", example=f"{address}#MODEL")))
        service = Service.model_validate({"title": address, **stated.get(address, {})})
        _check(address, service, name)
        return Endpoint(name, model, service, address, _part(stated, address))
    prefix, _, model = name.partition("/")
    base = services().get(prefix)
    if (base is None and prefix not in stated) or not model:
        raise InputError(Problem(name, _unknown(name, {*services(), *stated})))
    service = _merged(base, stated.get(prefix))
    variable = service.address_variable
    given = os.environ.get(variable, "").strip() if variable else ""
    address = (given or service.address or "").rstrip("/")
    where = variable if given else name
    if not address:
        raise InputError(Problem(name, say("models.service.needs_address", variable=variable)))
    _check(address, service, where)
    return Endpoint(name, model, service, address, _part(stated, prefix))


def _part(stated: Stated, key: str) -> dict[str, dict[str, Any]] | None:
    return {key: dict(stated[key])} if key in stated else None


def _merged(base: Service | None, stated: Mapping[str, Any] | None) -> Service:
    return Service.model_validate({**(base.model_dump(exclude_unset=True) if base else {}), **(stated or {})})


def _check(address: str, service: Service, where: str) -> None:
    """An address that is none, has a password in it, or would send the key and rows in the clear, is refused."""
    shown, where = _without_password(address), _without_password(where)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # brackets that do not match, a port that is no number
        raise InputError(Problem(where, say("models.service.no_address", address=repr(shown)))) from None
    if not usable or not _PRINTED.fullmatch(address):
        raise InputError(Problem(where, say("models.service.no_address", address=repr(shown))))
    if parts.username is not None or parts.query:
        raise InputError(Problem(where, say("models.service.secret_in_address", address=shown)))
    if parts.scheme == "http" and not is_loopback(address) and not service.allow_http:
        raise InputError(Problem(where, say("models.service.plain_http", address=address)))


def _without_password(address: str) -> str:
    """Safe to show."""
    shown = re.sub(r"\?[^#]*", "", re.sub(r"//[^/]*@", "//…@", address))
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in shown)


def _unknown(name: str, known: set[str]) -> Text:
    listed = ", ".join(f"{each}/MODEL" for each in sorted(known))
    meant = name.replace(":", "/", 1)
    if meant.partition("/")[0] not in known:
        prefix, _, model = meant.partition("/")
        near = difflib.get_close_matches(prefix, known, n=1)
        meant = f"{near[0]}/{model}" if near else ""
    hint = say("models.name.meant", near=meant) if meant and meant != name else ""
    return say("models.service.unknown", known=listed, meant=hint)
