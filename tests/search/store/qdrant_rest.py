"""A Qdrant server's REST interface over the in-memory double, for clients that speak HTTP.

Points are the double's to keep. What the double ignores (layout, optimisers, payload indexes) is kept here as a server
keeps it, and every request is recorded. Source of paths, bodies and refusals: Qdrant's OpenAPI 1.20, its server's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
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

    Attributes:
        refuse: called with every request; what it returns, if anything, is the answer.
    """

    def __init__(self) -> None:
        self.double = QdrantClient(":memory:")
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.params: dict[str, dict[str, Any]] = {}
        self.optimizers: dict[str, dict[str, Any]] = {}
        self.indexes: dict[str, dict[str, Any]] = {}

    def client(self) -> QdrantClient:
        return QdrantClient(
            url="http://qdrant.test:6333",
            check_compatibility=False,
            transport=httpx.MockTransport(self._answer),
        )

    def asked(self, method: str, path: str) -> list[Any]:
        """Bodies of the requests to a path, which may be a pattern."""
        return [body for verb, where, body in self.requests if verb == method and re.fullmatch(path, where)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.path
        self.requests.append((request.method, path, body))
        refusal = self.refuse(request)
        if refusal is not None:
            return refusal
        for method, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                try:
                    result = handler(self, body, *found.groups())
                except ValueError as error:
                    return _refusal(str(error))
                return httpx.Response(200, json={"result": to_jsonable_python(result), "status": "ok", "time": 0.0})
        return httpx.Response(404)

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


def _refusal(text: str) -> httpx.Response:
    status = 404 if "not found" in text else 409 if re.match(r"Collection .* already exists", text) else 400
    if status == 404:
        text = f"Not found: {text.removesuffix(' not found')} doesn't exist!"
    return httpx.Response(status, json={"status": {"error": text}, "time": 0.0})


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
