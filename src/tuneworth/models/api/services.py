"""Which services there are, where they are and which variable holds their key. No key is read into a record or a message."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Service:
    """A service that speaks OpenAI's protocol.

    Attributes:
        address: its base URL.
        address_variable: environment variable that names another one.
        key_variable: environment variable that holds the key; ``None`` where none is asked for.
        batch: most texts of one request for embeddings.
    """

    address: str
    address_variable: str
    key_variable: str | None
    batch: int = 64


SERVICES = {
    "openai": Service("https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "dashscope": Service(
        "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_BASE_URL", "DASHSCOPE_API_KEY", batch=10
    ),
    "ollama": Service("http://127.0.0.1:11434/v1", "OLLAMA_BASE_URL", None),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model of a service, as this environment reaches it."""

    name: str
    model: str
    service: Service
    address: str

    @property
    def is_here(self) -> bool:
        """On this machine: what is sent there does not leave it."""
        return urlsplit(self.address).hostname in LOOPBACK

    def key(self) -> str:
        """The key to send; a placeholder where none is asked for.

        Raises:
            EnvironmentProblem: the service wants a key, and none is set.
        """
        variable = self.service.key_variable
        found = os.environ.get(variable, "").strip() if variable is not None else ""
        if found or variable is None or self.is_here:
            return found or "none"  # the SDK insists on one
        raise EnvironmentProblem(Problem(self.name, say("models.service.no_key", variable=variable)))


def endpoint_of(name: str) -> Endpoint:
    """``service/model``, or ``address#model`` for anything that speaks OpenAI's protocol.

    Raises:
        InputError: there is no such service, or its address is none.
    """
    address, _, model = name.partition("#")
    if urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname and model:
        return Endpoint(name, model, Service(address, "", "OPENAI_API_KEY"), address.rstrip("/"))
    prefix, _, model = name.partition("/")
    service = SERVICES.get(prefix)
    if service is None or not model:
        known = ", ".join(f"{each}/MODEL" for each in SERVICES)
        raise InputError(Problem(name, say("models.service.unknown", known=known)))
    address = os.environ.get(service.address_variable, "").strip().rstrip("/") or service.address
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        text = say("models.service.no_address", address=repr(address), usual=service.address)
        raise InputError(Problem(service.address_variable, text))
    return Endpoint(name, model, service, address)
