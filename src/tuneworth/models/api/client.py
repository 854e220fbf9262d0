"""The HTTP client that both SDKs are given: where the key goes, through what, and how much is read.

Redirects are not followed: the SDKs' clients would, and of two ways to send a key only one is dropped on the way to another host.
What is asked of this machine goes through no proxy, whatever the environment says.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from typing import Any

from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models.api.failures import Trouble
from tuneworth.models.api.services import Endpoint
from tuneworth.words.say import say

MOST_BYTES = 4_000_000
"""Of one answer. The longest that is ever asked for is far below."""
CONNECT_SECONDS = 10.0


def http_client(endpoint: Endpoint, most_bytes: int = MOST_BYTES) -> Any:
    """An ``httpx2.AsyncClient`` for the service of ``endpoint``, which reads no longer answers than ``most_bytes``.

    Raises:
        EnvironmentProblem: a proxy or a file of certificates is set with which there can be none.
    """
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        """A body that ends with an error when it is too long."""

        def __init__(self, body: Any):
            self._body = body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            n_bytes = 0
            async for part in self._body:
                n_bytes += len(part)
                if n_bytes > most_bytes:
                    raise Trouble("too_large", f"the answer is longer than {most_bytes:,} bytes")
                yield part

        async def aclose(self) -> None:
            await self._body.aclose()

    async def limit(response: Any) -> None:
        response.stream = Limited(response.stream)

    authority = os.environ.get("SSL_CERT_FILE")
    try:
        verify = ssl.create_default_context(cafile=authority) if authority else True
    except OSError as error:  # an SSLError is one
        said = error.strerror or str(error)
        raise EnvironmentProblem(
            Problem("SSL_CERT_FILE", say("models.service.no_authority", file=authority or "", said=said))
        ) from error
    try:
        return httpx2.AsyncClient(
            follow_redirects=False,
            verify=verify,
            trust_env=not endpoint.is_here,
            timeout=httpx2.Timeout(endpoint.service.timeout_seconds, connect=CONNECT_SECONDS, pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
            headers={"Accept-Encoding": "identity"},  # a few bytes packed can be gigabytes
            event_hooks={"response": [limit]},
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:  # a proxy that is none, or SOCKS
        raise EnvironmentProblem(
            Problem(endpoint.name, say("models.service.no_proxy", variables=_proxies_set()))
        ) from error


def _proxies_set() -> str:
    """The variables that name a proxy; not what is in them, which may be a password."""
    names = (f"{scheme}_PROXY" for scheme in ("HTTPS", "HTTP", "ALL"))
    return ", ".join(name for each in names for name in (each, each.lower()) if os.environ.get(name))
