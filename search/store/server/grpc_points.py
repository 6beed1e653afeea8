"""Sends and fetches points with their vectors by gRPC, in a quarter of the bytes of REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from qdrant_client import grpc as messages
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc, grpc_to_payload, payload_to_grpc

from search.deadlines import CircuitBreaker
from search.media import Payload
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store.answers import EngineHit
from search.store.base import Array, Point, StoredPoint
from search.store.server.grpc_nodes import GrpcNodes, grpc_addresses
from search.store.server.points import RestPoints, Wanted, prepared, selected, stored_point


class _Hit(NamedTuple):
    id: str
    score: float
    payload: Payload


class GrpcPoints:
    """See :class:`~search.store.server.points.PointsApi`. While no node is reached by gRPC, REST is asked."""

    def __init__(self, nodes: GrpcNodes, rest: RestPoints) -> None:
        self._nodes = nodes
        self._rest = rest

    @classmethod
    def of(cls, settings: Settings, rest: RestPoints, breaker: CircuitBreaker) -> GrpcPoints:
        """By the ports that the settings name.

        Raises:
            SettingsError: they are none, or the certificates cannot be read.
        """
        key = settings.qdrant_api_key
        return cls(GrpcNodes(grpc_addresses(settings), key.get_secret_value() if key else None, breaker), rest)

    def made_of(self, points: Sequence[Point], schema: CollectionSchema) -> list[Any]:
        return [
            messages.PointStruct(
                id=messages.PointId(uuid=id_),
                vectors=messages.Vectors(vectors=messages.NamedVectors(vectors=_vectors(schema, named))),
                payload=payload_to_grpc(payload),
            )
            for id_, named, payload in prepared(points, schema, _sparse)
        ]

    def upsert(self, physical: str, made: list[Any]) -> None:
        request = messages.UpsertPoints(collection_name=physical, wait=True, points=made)

        def by_rest() -> None:
            self._rest.upsert(physical, [GrpcToRest.convert_point_struct(point) for point in made])

        self._nodes.ask("Upsert", request, by_rest, lambda answer: None)

    def retrieve(self, physical: str, ids: list[str], wanted: Wanted) -> list[StoredPoint]:
        request = messages.GetPoints(
            collection_name=physical,
            ids=[messages.PointId(uuid=id_) for id_ in ids],
            with_payload=RestToGrpc.convert_with_payload_interface(selected(wanted.payload)),
            with_vectors=RestToGrpc.convert_with_vectors(list(wanted.vectors)),
        )
        return self._nodes.ask(
            "Get",
            request,
            lambda: self._rest.retrieve(physical, ids, wanted),
            lambda answer: [_read(wanted.schema, point) for point in answer.result],
        )

    def scroll(
        self, physical: str, where: models.Filter | None, limit: int, offset: str | None, wanted: Wanted
    ) -> tuple[list[StoredPoint], str | None]:
        request = messages.ScrollPoints(
            collection_name=physical,
            filter=RestToGrpc.convert_filter(where) if where else None,
            limit=limit,
            offset=messages.PointId(uuid=offset) if offset else None,
            with_payload=RestToGrpc.convert_with_payload_interface(selected(wanted.payload)),
            with_vectors=RestToGrpc.convert_with_vectors(list(wanted.vectors)),
        )

        def read(answer: Any) -> tuple[list[StoredPoint], str | None]:
            following = answer.next_page_offset.uuid if answer.HasField("next_page_offset") else None
            return [_read(wanted.schema, point) for point in answer.result], following

        by_rest = self._rest.scroll
        return self._nodes.ask("Scroll", request, lambda: by_rest(physical, where, limit, offset, wanted), read)

    def query(self, physical: str, requests: list[models.QueryRequest]) -> Sequence[Sequence[EngineHit]]:
        batch = messages.QueryBatchPoints(
            collection_name=physical,
            query_points=[RestToGrpc.convert_query_request(request, physical) for request in requests],
        )

        def read(answer: Any) -> Sequence[Sequence[EngineHit]]:
            return [
                [_Hit(hit.id.uuid, hit.score, grpc_to_payload(hit.payload)) for hit in one.result]
                for one in answer.result
            ]

        return self._nodes.ask("QueryBatch", batch, lambda: self._rest.query(physical, requests), read)

    def close(self) -> None:
        self._nodes.close()


def _vectors(schema: CollectionSchema, named: dict[str, Any]) -> dict[str, Any]:
    """Vectors as gRPC takes them, by space."""
    made, fields = {}, schema.by_name
    for name, vector in named.items():
        field = fields[name]
        if field.sparse:
            made[name] = messages.Vector(sparse=vector)
        elif field.multi:
            rows = [messages.DenseVector(data=row) for row in vector]
            made[name] = messages.Vector(multi_dense=messages.MultiDenseVector(vectors=rows))
        else:
            made[name] = messages.Vector(dense=messages.DenseVector(data=vector))
    return made


def _sparse(indices: list[int], values: list[float]) -> messages.SparseVector:
    return messages.SparseVector(indices=indices, values=values)


def _read(schema: CollectionSchema, point: Any) -> StoredPoint:
    named = {name: _vector(vector) for name, vector in point.vectors.vectors.vectors.items()}
    return stored_point(schema, point.id.uuid, grpc_to_payload(point.payload), named)


def _vector(vector: Any) -> Any:
    """A vector as :func:`~search.store.vectors.from_engine` takes it."""
    if vector.HasField("dense"):
        return np.array(vector.dense.data, np.float32)
    if vector.HasField("multi_dense"):
        rows: list[Array] = [np.array(row.data, np.float32) for row in vector.multi_dense.vectors]
        return np.stack(rows)
    return GrpcToRest.convert_vector_output(vector)
