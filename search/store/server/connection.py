"""Connects to a Qdrant server: addresses of its nodes, certificate, key, and how long to wait.

Of several addresses one is asked as long as it answers, and the next one when it is away. A request may reach a node
that dies before it answers; the next one is sent it again, as all that Likewise asks of a server may be done twice.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException

from search.deadlines import CONNECT_SECONDS as REQUEST_CONNECT_SECONDS
from search.deadlines import CircuitBreaker, has_deadline, within_deadline
from search.errors import SettingsError, StoreUnavailableError
from search.settings import Settings
from search.store.server.timing import ANSWER_SECONDS, CONNECT_SECONDS

_PORT, _HTTPS_PORT = 6333, 443

Send = Callable[[httpx.Request], httpx.Response]


def make_client(settings: Settings, breaker: CircuitBreaker | None = None) -> QdrantClient:
    """A client of the server, or the cluster, that the settings name; it connects when it is first asked.

    Args:
        breaker: of the server, where it is asked in other ways too.

    Raises:
        SettingsError: the certificates that the settings name cannot be read.
    """
    addresses = addresses_of(settings.qdrant_urls)
    key = settings.qdrant_api_key
    certificates = certificates_of(settings)
    options: dict[str, Any] = {"verify": certificates} if certificates else {}
    client = QdrantClient(
        url=addresses[0],
        headers={"api-key": key.get_secret_value()} if key else None,
        timeout=ANSWER_SECONDS,
        check_compatibility=False,
        prefer_grpc=False,
        **options,
    )
    client.http.client.add_middleware(Nodes(addresses, breaker))
    return client


def addresses_of(urls: Sequence[str]) -> list[str]:
    """What to try, in this order, each with its port.

    One without a port is at 6333. With ``https`` it is at 443 where it has a path, as a proxy before several services
    has, and else at 443 where nothing answers at 6333.
    """
    found: list[str] = []
    for url in urls:
        parts = urlsplit(url)
        if parts.port is not None:
            ports = [parts.port]
        elif parts.scheme == "http":
            ports = [_PORT]
        else:
            ports = [_HTTPS_PORT] if parts.path.strip("/") else [_PORT, _HTTPS_PORT]
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        found += [f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}" for port in ports]
    return found


class Nodes:
    """Sends each request to the first address that takes it, beginning with the one that answered last.

    It waits no longer than the deadline of the web request that it is for (``search.deadlines``); while no node
    answers, one of these at a time asks.
    """

    def __init__(self, addresses: Sequence[str], breaker: CircuitBreaker | None = None) -> None:
        self._addresses = [httpx.URL(address) for address in addresses]
        self._first = 0
        self._breaker = breaker or make_breaker()

    def __call__(self, request: httpx.Request, send: Send) -> httpx.Response:
        """
        Raises:
            ResponseHandlingException: none is reached, or one that was did not answer in time.
            StoreUnavailableError: none answers, and another web request is asking.
        """
        with self._breaker.call():
            try:
                answer = self._send(request, send)
            except ResponseHandlingException as error:
                if isinstance(error.source, httpx.TransportError):
                    self._breaker.unanswered()
                raise
            self._breaker.answered()
            return answer

    def _send(self, request: httpx.Request, send: Send) -> httpx.Response:
        path = request.url.raw_path[len(self._addresses[0].raw_path.rstrip(b"/")) :]
        granted = request.extensions.get("timeout", {})
        tried: list[str] = []
        first = self._first
        for at in (*range(first, len(self._addresses)), *range(first)):
            address = self._addresses[at]
            request.url = address.copy_with(raw_path=address.raw_path.rstrip(b"/") + path)
            request.headers["Host"] = request.url.netloc.decode("ascii")
            request.extensions["timeout"] = _timeouts(granted)
            try:
                answer = send(request)
            except ResponseHandlingException as error:
                if not isinstance(error.source, httpx.TransportError):
                    raise
                self._first = (at + 1) % len(self._addresses)
                if isinstance(error.source, httpx.TimeoutException) and not isinstance(
                    error.source, httpx.ConnectTimeout
                ):
                    raise  # it may be working on it
                tried.append(f"{address} ({str(error.source) or type(error.source).__name__})")
            else:
                self._first = at
                return answer
        raise ResponseHandlingException(httpx.ConnectError(", ".join(tried), request=request))


def _timeouts(granted: Mapping[str, float | None]) -> dict[str, float]:
    """Of a request to one node, seconds, as httpx names them."""
    connect = REQUEST_CONNECT_SECONDS if has_deadline() else CONNECT_SECONDS
    limits = {"connect": connect, "read": ANSWER_SECONDS, "write": ANSWER_SECONDS, "pool": ANSWER_SECONDS}
    return {name: within_deadline(min(granted.get(name) or limit, limit)) for name, limit in limits.items()}


def make_breaker() -> CircuitBreaker:
    """For all that one server is asked."""
    return CircuitBreaker(_not_answering)


def _not_answering() -> StoreUnavailableError:
    return StoreUnavailableError(
        "The Qdrant server does not answer.", "Check that it runs; it is asked again with the next request."
    )


def certificates_of(settings: Settings) -> ssl.SSLContext | None:
    """What is trusted, the usual authorities too; None where the settings name none of their own.

    Raises:
        SettingsError: those that they name cannot be read.
    """
    if settings.qdrant_ca_file is None:
        return None
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(cafile=settings.qdrant_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"LIKEWISE_QDRANT_CA_FILE names '{settings.qdrant_ca_file}', which holds no certificates: {error}.",
            "It takes a file in PEM form, with the certificate of the authority that signed the server's.",
        ) from error
    return context
