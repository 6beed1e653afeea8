"""Sends requests by gRPC as REST does: addresses in turn, one deadline, certificates, key.

A refusal becomes the one that REST would have been answered, so that whatever reads refusals reads them in one form.
Source of the codes and of what stands in them: ``impl From<StorageError> for Status`` in the server's code, and
``doc/http-grpc-status-mapping.md`` of gRPC for what a proxy answers.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import grpc
import httpx
from qdrant_client import grpc as messages
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from search.deadlines import CONNECT_SECONDS, CircuitBreaker, within_deadline
from search.errors import SettingsError
from search.settings import Settings
from search.store.server.connection import certificates_of
from search.store.server.timing import ANSWER_SECONDS, REST_INSTEAD_SECONDS

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_PORT, _LAST_PORT = 6334, 65_535
"""Of a server, unless it is told otherwise; the last there is."""

_UNLIMITED = -1
_OPTIONS = (
    # An answer is as long as what was asked for, which has limits of its own (``limits``); by default 4 MB are read.
    ("grpc.max_receive_message_length", _UNLIMITED),
    ("grpc.max_send_message_length", _UNLIMITED),
    # A channel that is made anew connects anew, too.
    ("grpc.use_local_subchannel_pool", 1),
    # Whatever stands between forgets connections that nobody uses, some without a word.
    ("grpc.client_idle_timeout_ms", 60_000),
    # The first is the time for a connection, the others between two tries of it; milliseconds.
    ("grpc.min_reconnect_backoff_ms", int(CONNECT_SECONDS * 1000)),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

_ANSWERS = {
    "Upsert": messages.PointsOperationResponse,
    "Get": messages.GetResponse,
    "Scroll": messages.ScrollResponse,
    "QueryBatch": messages.QueryBatchResponse,
}
"""Of the service ``qdrant.Points``, by method."""

_CODE = grpc.StatusCode
_STATUSES: dict[Any, int] = {
    _CODE.INVALID_ARGUMENT: 400,
    _CODE.OUT_OF_RANGE: 400,
    _CODE.UNAUTHENTICATED: 401,
    _CODE.PERMISSION_DENIED: 403,
    _CODE.NOT_FOUND: 404,
    _CODE.DEADLINE_EXCEEDED: 408,
    _CODE.ALREADY_EXISTS: 409,
    _CODE.RESOURCE_EXHAUSTED: 429,
    _CODE.UNAVAILABLE: 503,
}
"""Every other code is 500."""

_LOCKED = "Storage locked"
"""How a refusal to write begins that has the code of a failed precondition; by REST it is 403."""
_TOO_LONG = re.compile(r"message larger than max|message length too large")
_OF_PROXY = re.compile(r"Received http2 header with status: (\d{3})")
_REFUSED_BY_PROXY = frozenset({401, 403, 413, 429})
"""Statuses by which what stands between refuses a request. By any other it knows no server behind it that speaks gRPC.
"""
_SHARD = "Shard "
"""How the server begins to say that it cannot be asked just now. Any other text of that code is of a connection."""
_NO_ANSWER = "Deadline Exceeded"
"""What gRPC says of a deadline that passed here; a server says how long it has tried."""


_BEFORE_REASON = re.compile(r"failed to connect to all addresses; last error: (\w+: )?")
"""What gRPC says before the reason, however many there are."""


class NotReachedError(Exception):
    """No node takes requests by gRPC; what is wrong with each."""


@dataclass(frozen=True, slots=True)
class GrpcAddress:
    """Where a node listens.

    Attributes:
        target: host and port.
        roots: certificates (PEM) of the authorities that are trusted; None for no encryption.
    """

    target: str
    roots: bytes | None = None

    def channel(self) -> Any:
        """Connects when it is first used."""
        if self.roots is None:
            return grpc.insecure_channel(self.target, _OPTIONS)
        return grpc.secure_channel(self.target, grpc.ssl_channel_credentials(self.roots), _OPTIONS)


def grpc_addresses(settings: Settings) -> list[GrpcAddress]:
    """Where the nodes that the settings name listen; none where gRPC is off.

    Raises:
        SettingsError: the ports are none, or not one for each node, or the certificates cannot be read.
    """
    if settings.qdrant_grpc == "off":
        return []
    urls = settings.qdrant_urls
    ports = (
        [_PORT] if settings.qdrant_grpc == "on" else [int(port) for port in re.findall(r"\d+", settings.qdrant_grpc)]
    )
    if len(ports) == 1:
        ports *= len(urls)
    if len(ports) != len(urls) or not all(0 < port <= _LAST_PORT for port in ports):
        raise SettingsError(
            f"LIKEWISE_QDRANT_GRPC={settings.qdrant_grpc} is not allowed.",
            "It takes off, on (port 6334), one port for all nodes, or one for each address of LIKEWISE_QDRANT_URL.",
        )
    found: dict[GrpcAddress, None] = {}
    for url, port in zip(urls, ports, strict=True):
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        found[GrpcAddress(f"{host}:{port}", _roots(settings) if parts.scheme == "https" else None)] = None
    return list(found)


class GrpcNodes:
    """Sends each request to the first address that takes it, beginning with the one that answered last. Thread-safe.

    gRPC's own threads do not survive a fork: in a process that was forked after they began nothing is reached.
    """

    _process: ClassVar[int | None] = None

    def __init__(self, addresses: Sequence[GrpcAddress], key: str | None, breaker: CircuitBreaker) -> None:
        """
        Args:
            breaker: of the same server by REST.
        """
        self._addresses = list(addresses)
        self._metadata = (("api-key", key),) if key else ()
        self._breaker = breaker
        self._channels: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._first = 0
        self._not_before = float("-inf")

    def ask(self, method: str, request: Any, by_rest: Callable[[], _T], read: Callable[[Any], _T]) -> _T:
        """What ``read`` makes of the answer to a request, or what ``by_rest`` gives where no node is reached.

        Args:
            method: of the service ``qdrant.Points``; one of ``_ANSWERS``.

        Raises:
            UnexpectedResponse: it is refused.
            ResponseHandlingException: a node that was reached did not answer in time, or none is reached by REST.
            StoreUnavailableError: the server does not answer, and another web request is asking.
        """
        with self._breaker.call():
            if time.monotonic() < self._not_before:
                return by_rest()
            try:
                answer = self._send(f"/qdrant.Points/{method}", request, _ANSWERS[method])
            except NotReachedError as error:
                self._not_before = time.monotonic() + REST_INSTEAD_SECONDS
                log.warning(
                    "The Qdrant server is not reached by gRPC (%s); it is asked by REST for %.0f s. Check "
                    "LIKEWISE_QDRANT_GRPC.",
                    error,
                    REST_INSTEAD_SECONDS,
                )
                return by_rest()
            except ResponseHandlingException:
                self._breaker.unanswered()
                raise
            except UnexpectedResponse:
                self._breaker.answered()
                raise
            self._breaker.answered()
        return read(answer)

    def check(self) -> None:
        """Ask a node whether it is there.

        Raises:
            NotReachedError: no node is reached.
            UnexpectedResponse, ResponseHandlingException: one that is does not answer as it should.
        """
        self._send("/qdrant.Qdrant/HealthCheck", messages.HealthCheckRequest(), messages.HealthCheckReply)

    def close(self) -> None:
        with self._lock:
            channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.close()

    def _send(self, method: str, request: Any, answer_type: Any) -> Any:
        tried: list[str] = []
        first = self._first
        for at in (*range(first, len(self._addresses)), *range(first)):
            send = self._channel(at).unary_unary(
                method,
                request_serializer=type(request).SerializeToString,
                response_deserializer=answer_type.FromString,
            )
            try:
                answer = send(request, timeout=within_deadline(ANSWER_SECONDS), metadata=self._metadata)
            except grpc.RpcError as error:
                code, text = error.code(), error.details() or ""
                if _is_not_there(code, text):
                    self._first = (at + 1) % len(self._addresses)
                    tried.append(f"{self._addresses[at].target}: {_BEFORE_REASON.sub('', text)}")
                    continue
                if code is _CODE.CANCELLED or (code is _CODE.DEADLINE_EXCEEDED and _NO_ANSWER in text):
                    # It may be working on it. Its connection may be dead as well, so the next one is another.
                    self._first = (at + 1) % len(self._addresses)
                    with self._lock:
                        self._channels.pop(at, None)
                    raise ResponseHandlingException(httpx.ReadTimeout(text)) from error
                self._first = at
                raise _as_by_rest(code, text, error) from error
            self._first = at
            return answer
        raise NotReachedError("; ".join(tried))

    def _channel(self, at: int) -> Any:
        if GrpcNodes._process not in (None, os.getpid()):
            raise NotReachedError("this process was forked from one that uses it")
        with self._lock:
            GrpcNodes._process = os.getpid()
            if at not in self._channels:
                self._channels[at] = self._addresses[at].channel()
            return self._channels[at]


def _is_not_there(code: Any, text: str) -> bool:
    """Whether nothing that serves Qdrant's services was reached, or the connection broke."""
    if by_proxy := _OF_PROXY.search(text):
        return int(by_proxy[1]) not in _REFUSED_BY_PROXY
    return code is _CODE.UNIMPLEMENTED or (code is _CODE.UNAVAILABLE and not text.startswith(_SHARD))


def _as_by_rest(code: Any, text: str, error: Any) -> UnexpectedResponse:
    """A refusal as REST gives it."""
    status = _STATUSES.get(code, 500)
    if by_proxy := _OF_PROXY.search(text):
        status = int(by_proxy[1])
    elif _TOO_LONG.search(text):
        status = 413
    elif code is _CODE.FAILED_PRECONDITION and text.startswith(_LOCKED):
        status = 403
    said = json.dumps({"status": {"error": text}}).encode()
    trailing = {entry.key: entry.value for entry in error.trailing_metadata() or ()}
    headers = {"Retry-After": trailing["retry-after"]} if "retry-after" in trailing else {}
    return UnexpectedResponse(status, code.name, said, httpx.Headers(headers))


def _roots(settings: Settings) -> bytes:
    """What REST trusts: the usual authorities and those that the settings name."""
    trusted = (certificates_of(settings) or httpx.create_ssl_context()).get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, trusted)).encode("ascii")
