"""A Qdrant server's gRPC interface before the double of its REST interface, on a port of this machine.

Each request is put into the form of REST and answered by that double, with everything it plays: what is not whole yet,
strict mode, too long, away, frozen. Its refusals get the codes that a server gives. Source: ``impl From<StorageError>
for Status`` and ``src/tonic/auth.rs`` in the server's code, and gRPC's ``http-grpc-status-mapping.md``.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
from pydantic_core import to_jsonable_python
from qdrant_client import grpc as messages
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
PRECONDITION = ("Storage locked", "Pre-condition failure")
"""How refusals begin whose code is that of a failed precondition."""
OF_PROXY = "Received http2 header with status: "
"""What gRPC says of a status that a proxy answered."""


class QdrantGrpc:
    """Serves what ``rest`` (``qdrant_rest.py``) answers to one host.

    Stopped and started again it keeps its port. ``calls`` holds what was called, ``metadata`` what was sent with the
    last one. A request to ``rest`` has the header ``via: grpc``.

    Attributes:
        port: 0 until it is started.
        longest: bytes of a message beyond which it is refused before it is read; a Qdrant server reads any.
    """

    def __init__(self, rest: Any, host: str = "qdrant.test", tls: tuple[bytes, bytes] | None = None) -> None:
        """
        Args:
            tls: key and certificate, PEM.
        """
        self.calls: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.port = 0
        self.longest = -1
        self._rest, self._host, self._tls = rest, host, tls
        self._thawed = threading.Event()
        self._thawed.set()
        self._server: grpc.Server | None = None

    @property
    def target(self) -> str:
        return f"localhost:{self.port}" if self._tls else f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", self.longest), ("grpc.so_reuseport", 0)]
        )
        messages.add_PointsServicer_to_server(_Points(self), self._server)
        messages.add_QdrantServicer_to_server(_Health(self), self._server)
        if self._tls is None:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        else:
            self.port = self._server.add_secure_port(f"localhost:{self.port}", grpc.ssl_server_credentials([self._tls]))
        self._server.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._thawed.set()
        if self._server is not None:
            self._server.stop(0).wait()
            self._server = None

    def freeze(self) -> None:
        """Take requests, and answer none before :meth:`thaw`."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def answer(self, context: grpc.ServicerContext, method: str, path: str, body: Any, **params: Any) -> Any:
        """The result of a request of REST."""
        self._thawed.wait()
        self.calls.append(path.rpartition("/")[2])
        self.metadata = dict(context.invocation_metadata())
        request = httpx.Request(
            method,
            f"http://{self._host}:6333{path}",
            json=to_jsonable_python(body),
            params=params,
            headers={"via": "grpc"},
        )
        try:
            told = self._rest._answer(request)
        except httpx.TimeoutException:
            self._thawed.clear()
            self._thawed.wait()
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        except httpx.TransportError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        if told.status_code == 200:
            return told.json()["result"]
        try:
            text = told.json()["status"]["error"]
        except ValueError:  # a page of a proxy
            context.abort(grpc.StatusCode.UNKNOWN, f"{OF_PROXY}{told.status_code}")
        if "Retry-After" in told.headers:
            context.set_trailing_metadata((("retry-after", told.headers["Retry-After"]),))
        code = CODES.get(told.status_code, grpc.StatusCode.UNKNOWN)
        return context.abort(grpc.StatusCode.FAILED_PRECONDITION if text.startswith(PRECONDITION) else code, text)


class _Health(messages.QdrantServicer):
    def __init__(self, double: QdrantGrpc) -> None:
        self._double = double

    def HealthCheck(self, request: Any, context: grpc.ServicerContext) -> Any:  # names of the service
        self._double._thawed.wait()
        self._double.calls.append("health")
        self._double.metadata = dict(context.invocation_metadata())
        return messages.HealthCheckReply(title="qdrant", version="1.18.3")


class _Points(messages.PointsServicer):
    def __init__(self, double: QdrantGrpc) -> None:
        self._double = double

    def Upsert(self, request: Any, context: grpc.ServicerContext) -> Any:
        points = [GrpcToRest.convert_point_struct(point) for point in request.points]
        path = f"/collections/{request.collection_name}/points"
        self._double.answer(context, "PUT", path, {"points": points}, wait=str(request.wait).lower())
        done = messages.UpdateResult(operation_id=1, status=messages.UpdateStatus.Completed)
        return messages.PointsOperationResponse(result=done)

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        body = {"ids": [GrpcToRest.convert_point_id(id_) for id_ in request.ids], **_selected(request)}
        found = self._double.answer(context, "POST", f"/collections/{request.collection_name}/points", body)
        return messages.GetResponse(result=map(_record, found))

    def Scroll(self, request: Any, context: grpc.ServicerContext) -> Any:
        body = {
            "filter": GrpcToRest.convert_filter(request.filter) if request.HasField("filter") else None,
            "limit": request.limit,
            "offset": GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None,
            **_selected(request),
        }
        found = self._double.answer(
            context, "POST", f"/collections/{request.collection_name}/points/scroll", _said(body)
        )
        following = found["next_page_offset"]
        return messages.ScrollResponse(
            result=map(_record, found["points"]),
            next_page_offset=None if following is None else RestToGrpc.convert_extended_point_id(following),
        )

    def QueryBatch(self, request: Any, context: grpc.ServicerContext) -> Any:
        asked = [GrpcToRest.convert_query_points(query) for query in request.query_points]
        body = {"searches": [query.model_dump(exclude_none=True) for query in asked]}
        found = self._double.answer(context, "POST", f"/collections/{request.collection_name}/points/query/batch", body)
        hits = [[models.ScoredPoint.model_validate(_with_payload(hit)) for hit in one["points"]] for one in found]
        results = [messages.BatchResult(result=map(RestToGrpc.convert_scored_point, one)) for one in hits]
        return messages.QueryBatchResponse(result=results)


def _record(found: Any) -> Any:
    return RestToGrpc.convert_retrieved_point(models.Record.model_validate(_with_payload(found)))


def _with_payload(found: dict[str, Any]) -> dict[str, Any]:
    """None is an empty one by gRPC."""
    return found | {"payload": found.get("payload") or {}}


def _selected(request: Any) -> dict[str, Any]:
    return {
        "with_payload": GrpcToRest.convert_with_payload_interface(request.with_payload),
        "with_vector": GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    }


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """Without what is None, also within models."""
    return {key: _dumped(value) for key, value in body.items() if value is not None}


def _dumped(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value
