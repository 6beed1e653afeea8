"""A Qdrant server's REST interface over the in-memory double, for clients that speak HTTP.

Points are the double's to keep. What the double ignores (layout, optimisers, payload indexes) is kept here as a server
keeps it, and every request is recorded. Source of paths, bodies and refusals: Qdrant's OpenAPI 1.20, its server's code.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from pydantic_core import to_jsonable_python
from qdrant_client import QdrantClient, models

NEW_OPTIMIZERS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "indexing_threshold": 20_000,
    "flush_interval_sec": 5,
}


class QdrantRest:
    """Give :meth:`client` to a store. ``requests`` holds (method, path, body) of everything that was asked.

    What else a live server does (1.18.3, one node and three) is done when an attribute says so, without waiting:

    Attributes:
        refuse: called with every request; what it returns, if anything, is the answer.
        clock: seconds, by which a collection becomes whole; a test may move them on.
        settles: seconds for which a collection that was just made is not whole.
        strict: limits of strict mode: ``max_query_limit``, ``search_max_batchsize``, ``upsert_max_batchsize``; with any
            of them filters need an index.
        largest_body: bytes of a body beyond which the answer is 413.
        away: hosts that refuse connections.
        frozen: hosts that take connections and never answer; so much is known at once, as a time-out of the client.
        majority_lost: most nodes are away: reads fail, writes get no answer, nothing is agreed on.
        dead: replicas of every collection that are on a node that is away.
    """

    def __init__(self) -> None:
        self.double = QdrantClient(":memory:")
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.params: dict[str, dict[str, Any]] = {}
        self.optimizers: dict[str, dict[str, Any]] = {}
        self.indexes: dict[str, dict[str, Any]] = {}
        self.clock: Callable[[], float] = time.monotonic
        self.settles = 0.0
        self.strict: dict[str, int] = {}
        self.largest_body: int | None = None
        self.away: set[str] = set()
        self.frozen: set[str] = set()
        self.majority_lost = False
        self.dead = 0
        self._dying: dict[str, int] = {}
        self._made: dict[str, tuple[float, str]] = {}
        self._one_at_a_time = threading.RLock()

    def client(self, host: str = "qdrant.test") -> QdrantClient:
        return QdrantClient(url=f"http://{host}:6333", check_compatibility=False, transport=self.transport())

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def dies_after(self, requests: int, host: str = "qdrant.test") -> None:
        """Let a node answer so many more requests, and then be away."""
        self._dying[host] = requests

    def asked(self, method: str, path: str) -> list[Any]:
        """Bodies of the requests to a path, which may be a pattern."""
        return [body for verb, where, body in self.requests if verb == method and re.fullmatch(path, where)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._one_at_a_time:
            return self._answer_next(request)

    def _answer_next(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.path
        self.requests.append((request.method, path, body))
        refusal = self.refuse(request) or self._trouble(request, body)
        if refusal is not None:
            return refusal
        made = re.fullmatch(_C, path) if request.method == "PUT" else None
        if made and not self.double.collection_exists(made[1]):
            self._made[made[1]] = (self.clock(), request.url.host)
        for method, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                try:
                    result = handler(self, body, *found.groups())
                except ValueError as error:
                    return _refusal(str(error))
                return httpx.Response(200, json={"result": to_jsonable_python(result), "status": "ok", "time": 0.0})
        return httpx.Response(404)

    def _trouble(self, request: httpx.Request, body: Any) -> httpx.Response | None:
        host = request.url.host
        if host in self._dying:
            self._dying[host] -= 1
            if self._dying[host] < 0:
                self.away.add(host)
        if host in self.away:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        if host in self.frozen:
            raise httpx.ReadTimeout("timed out", request=request)
        if self.largest_body is not None and len(request.content) > self.largest_body:
            return httpx.Response(413, text="<html><title>413 Request Entity Too Large</title></html>")
        if self.majority_lost and (refusal := self._without_majority(request)) is not None:
            return refusal
        return self._settling(request) or (self._strictly(request.url.path, body) if self.strict else None)

    def _without_majority(self, request: httpx.Request) -> httpx.Response | None:
        path, reads = request.url.path, request.method == "GET" or request.url.path.endswith(_READ)
        if path in ("/aliases", "/collections") or path.endswith(("/exists", "/cluster")):
            return None  # what a node knows by itself
        if reads:
            return _error(500, "Service internal error: 1 of 1 read operations failed: Tonic status error: tcp connect")
        if "/points" in path or path.endswith("/index"):
            raise httpx.ReadTimeout("timed out", request=request)
        return _error(
            500, "Service internal error: Waiting for consensus operation commit failed. Timeout set at: 10 seconds"
        )

    def _settling(self, request: httpx.Request) -> httpx.Response | None:
        found = re.match(_C, request.url.path)
        name = self._physical(found[1]) if found else ""
        made_at, maker = self._made.get(name, (float("-inf"), ""))
        if self.clock() - made_at >= self.settles:
            return None
        if request.url.host != maker:
            if request.method == "PUT" and request.url.path == f"/collections/{name}":
                return None  # nodes agree on it before any of them answers
            return _error(404, f"Not found: Collection `{name}` doesn't exist!")
        if request.method == "GET" and request.url.path.endswith(f"/{name}"):
            return _error(500, "Service internal error: 0 of 0 read operations failed")
        if request.method == "PUT" and request.url.path.endswith("/index"):
            return _error(
                500,
                "Service internal error: 1 out of 3 shards failed to apply operation. First error captured: "
                "Service internal error: No replica is active",
            )
        return None

    def _strictly(self, path: str, body: Any) -> httpx.Response | None:
        named = re.match(_C, path)
        if named is None or not isinstance(body, dict):
            return None
        asked = body.get("searches") or ([body] if path.endswith(_READ) else [])
        sizes = [("max_query_limit", one.get("limit") or 0, "limit") for one in asked]
        sizes.append(("search_max_batchsize", len(body.get("searches") or ()), "search batch size"))
        if path.endswith("/points"):
            sizes.append(("upsert_max_batchsize", len(body.get("points") or ()), "upsert limit"))
        for key, size, what in sizes:
            if (most := self.strict.get(key)) is not None and size > most:
                help_ = f'Help: Reduce the "{what}" parameter to {most} or below.'
                return _error(400, f'Bad request: Limit exceeded {size} > {most} for "{what}". {help_}')
        indexes = self.indexes.get(self._physical(named[1]), {})
        for one in asked:
            for key, types in _needed_indexes(one.get("filter")):
                if indexes.get(key, {}).get("data_type") not in types:
                    return _error(
                        400,
                        f'Bad request: Index required but not found for "{key}" of one of the following types: '
                        f"[{', '.join(types)}]. Help: Create an index for this key or use a different filter.",
                    )
        return None

    def _cluster(self, body: Any, name: str) -> Any:
        physical = self._physical(name)
        self.double.get_collection(physical)
        params = self.params[physical]
        states = ["Active"] * ((params.get("shard_number") or 1) * (params.get("replication_factor") or 1))
        if self.clock() - self._made.get(physical, (float("-inf"), ""))[0] < self.settles:
            states = ["Initializing"] * len(states)
        states[len(states) - self.dead :] = ["Dead"] * self.dead
        shards = params.get("shard_number") or 1
        return {
            "peer_id": 1,
            "shard_count": shards,
            "local_shards": [
                {"shard_id": n, "points_count": 0, "state": state} for n, state in enumerate(states[:shards])
            ],
            "remote_shards": [
                {"shard_id": n % shards, "peer_id": 2, "state": state} for n, state in enumerate(states[shards:])
            ],
            "shard_transfers": [],
        }

    def _physical(self, name: str) -> str:
        aliases = {alias.alias_name: alias.collection_name for alias in self.double.get_aliases().aliases}
        return aliases.get(name, name)

    def _create(self, body: Any, name: str) -> bool:
        wanted = models.CreateCollection.model_validate(body)
        self.double.create_collection(
            name,
            vectors_config=wanted.vectors,
            sparse_vectors_config=wanted.sparse_vectors,
            metadata=wanted.metadata,
        )
        self.params[name] = {key: value for key, value in body.items() if key != "metadata"}
        self.optimizers[name] = NEW_OPTIMIZERS | (body.get("optimizers_config") or {})
        self.indexes[name] = {}
        return True

    def _describe(self, body: Any, name: str) -> Any:
        described = to_jsonable_python(self.double.get_collection(name))
        physical = self._physical(name)
        described["payload_schema"] = self.indexes[physical]
        described["config"]["optimizer_config"] = self.optimizers[physical]
        return described

    def _update(self, body: Any, name: str) -> bool:
        changes = models.UpdateCollection.model_validate(body)
        self.double.update_collection(
            name,
            vectors_config=changes.vectors,
            sparse_vectors_config=changes.sparse_vectors,
            metadata=changes.metadata,
        )
        given = {key: value for key, value in (body.get("optimizers_config") or {}).items() if value is not None}
        self.optimizers[self._physical(name)] |= given
        for kind in ("vectors", "sparse_vectors"):
            for vector, params in (body.get(kind) or {}).items():
                self.params[self._physical(name)].setdefault(kind, {}).setdefault(vector, {}).update(params)
        return True

    def _alias(self, body: Any) -> bool:
        return self.double.update_collection_aliases(models.ChangeAliasesOperation.model_validate(body).actions)

    def _index(self, body: Any, name: str) -> Any:
        self.double.get_collection(name)
        self.indexes[self._physical(name)][body["field_name"]] = {"data_type": body["field_schema"], "points": 0}
        return _DONE

    def _add_vector(self, body: Any, name: str, vector: str) -> Any:
        form = models.SparseVectorNameConfig if "sparse" in body else models.DenseVectorNameConfig
        self.double.create_vector_name(name, vector, form.model_validate(body))
        return _DONE

    def _batch(self, body: Any, name: str) -> Any:
        return self.double.batch_update_points(name, models.UpdateOperations.model_validate(body).operations)

    def _query(self, body: Any, name: str) -> Any:
        queries = [models.QueryRequest.model_validate(query) for query in body["searches"]]
        return self.double.query_batch_points(name, queries)

    def _scroll(self, body: Any, name: str) -> Any:
        wanted = models.ScrollRequest.model_validate(body)
        if wanted.order_by is not None:
            self._check_order(wanted.order_by, name)
        points, offset = self.double.scroll(
            name,
            scroll_filter=wanted.filter,
            limit=wanted.limit,
            offset=wanted.offset,
            with_payload=wanted.with_payload,
            with_vectors=wanted.with_vector,
            order_by=wanted.order_by,
        )
        return {"points": points, "next_page_offset": offset}

    def _check_order(self, order_by: models.OrderBy, name: str) -> None:
        index = self.indexes[self._physical(name)].get(order_by.key, {}).get("data_type")
        if index not in ("integer", "float", "datetime"):
            raise ValueError(
                f"No range index for `order_by` key: `{order_by.key}`. Please create one to use `order_by`."
            )

    def _retrieve(self, body: Any, name: str) -> Any:
        wanted = models.PointRequest.model_validate(body)
        return self.double.retrieve(name, wanted.ids, wanted.with_payload, wanted.with_vector)

    def _facet(self, body: Any, name: str) -> Any:
        wanted = models.FacetRequest.model_validate(body)
        if wanted.key not in self.indexes[self._physical(name)]:
            raise ValueError(f"No appropriate index for faceting: `{wanted.key}`")
        return self.double.facet(name, wanted.key, facet_filter=wanted.filter, limit=wanted.limit or 10)


def _needed_indexes(filter_: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Payload keys of a filter's conditions, and the kinds of index of which each needs one."""
    for clause in ("must", "must_not", "should"):
        for condition in (filter_ or {}).get(clause) or ():
            if "key" not in condition:
                continue
            match, bounds = condition.get("match") or {}, condition.get("range")
            if bounds is not None:
                timed = any(isinstance(bound, str) for bound in bounds.values())
                yield condition["key"], ("datetime",) if timed else ("integer", "float")
            elif condition.get("geo_radius") is not None:
                yield condition["key"], ("geo",)
            elif match.get("text") is not None:
                yield condition["key"], ("text",)
            else:
                values = match.get("any") or [match.get("value")]
                yield condition["key"], ("integer",) if isinstance(values[0], int) else ("keyword",)


def _error(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"status": {"error": text}, "time": 0.0})


def _refusal(text: str) -> httpx.Response:
    status = 404 if "not found" in text else 409 if re.match(r"Collection .* already exists", text) else 400
    if status == 404:
        text = f"Not found: {text.removesuffix(' not found')} doesn't exist!"
    return _error(status, text)


_READ = ("/points/query/batch", "/points/scroll", "/points/count", "/facet")
"""How the paths of those requests end that read and have a body."""

_DONE = {"operation_id": 1, "status": "completed"}
_C = r"/collections/([^/]+)"
_ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/aliases", lambda s, b: s.double.get_aliases()),
    ("POST", "/collections/aliases", QdrantRest._alias),
    ("GET", "/collections", lambda s, b: s.double.get_collections()),
    ("GET", _C, QdrantRest._describe),
    ("PUT", _C, QdrantRest._create),
    ("PATCH", _C, QdrantRest._update),
    ("DELETE", _C, lambda s, b, name: s.double.delete_collection(name)),
    ("GET", _C + "/exists", lambda s, b, name: {"exists": s.double.collection_exists(name)}),
    ("GET", _C + "/cluster", QdrantRest._cluster),
    ("PUT", _C + "/index", QdrantRest._index),
    ("PUT", _C + "/vectors/([^/]+)", QdrantRest._add_vector),
    ("PUT", _C + "/points", lambda s, b, name: s.double.upsert(name, models.PointsList.model_validate(b).points)),
    ("POST", _C + "/points", QdrantRest._retrieve),
    (
        "PUT",
        _C + "/points/vectors",
        lambda s, b, name: s.double.update_vectors(name, models.UpdateVectors.model_validate(b).points),
    ),
    (
        "POST",
        _C + "/points/delete",
        lambda s, b, name: s.double.delete(name, models.PointIdsList.model_validate(b)),
    ),
    ("POST", _C + "/points/batch", QdrantRest._batch),
    ("POST", _C + "/points/query/batch", QdrantRest._query),
    ("POST", _C + "/points/scroll", QdrantRest._scroll),
    (
        "POST",
        _C + "/points/count",
        lambda s, b, name: s.double.count(name, models.CountRequest.model_validate(b).filter),
    ),
    ("POST", _C + "/facet", QdrantRest._facet),
]
