"""How a collection is laid out in Qdrant Edge: vectors, approximate index, payload indexes, and when to index."""

from __future__ import annotations

from collections.abc import Iterable

import qdrant_edge as qdrant

from search.spaces import CollectionSchema, Distance, VectorField
from search.store.payloads import PAYLOAD_INDEXES, IndexType

HNSW_M = 16
HNSW_EF_CONSTRUCT = 128
"""Edges a node and candidates while building: recall@10 ≥ .98 on 100,000 clustered 512-d vectors
(``tests/benchmarks/bench_search.py``)."""

INDEXING_THRESHOLD_KB = 8 * 1024
"""Vectors of one space in KiB from which an index beats scanning them: 4,096 vectors of 512 dimensions."""

_VACUUM_SHARE, _VACUUM_LEAST = 0.2, 1000
"""Share of deleted vectors from which a segment is rewritten, and the fewest vectors it must have (the engine's own
defaults)."""

_INDEX_TYPES = {
    IndexType.KEYWORD: qdrant.PayloadSchemaType.Keyword,
    IndexType.INTEGER: qdrant.PayloadSchemaType.Integer,
    IndexType.FLOAT: qdrant.PayloadSchemaType.Float,
    IndexType.DATETIME: qdrant.PayloadSchemaType.Datetime,
    IndexType.TEXT: qdrant.PayloadSchemaType.Text,
}


def edge_config(schema: CollectionSchema) -> qdrant.EdgeConfig:
    """The engine's configuration of a new shard."""
    return qdrant.EdgeConfig(
        vectors={field.space.name: _vector_params(field) for field in schema.fields},
        hnsw_config=_hnsw(HNSW_M),
        optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=INDEXING_THRESHOLD_KB, default_segment_number=1),
    )


def edge_indexes() -> list[qdrant.UpdateOperation]:
    """The operations that make the payload indexes of a new shard."""
    return [
        qdrant.UpdateOperation.create_field_index(key, _INDEX_TYPES[index]) for key, index in PAYLOAD_INDEXES.items()
    ]


def edge_additions(fields: Iterable[VectorField]) -> list[qdrant.UpdateOperation]:
    """The operations that add vectors to a shard; one that is there in the same form stays."""
    return [
        qdrant.UpdateOperation.create_dense_vector(
            field.space.name, field.space.dim, _distance(field), _comparison(field)
        )
        for field in fields
    ]


def worth_optimising(shard: qdrant.EdgeShard, schema: CollectionSchema) -> bool:
    """Whether enough has been written or deleted since the last time; an estimate that spares copying the shard."""
    held = sum(
        shard.count(qdrant.CountRequest(filter=qdrant.Filter(must=[qdrant.HasVectorCondition(field.space.name)])))
        for field in schema.fields
    )
    indexed = shard.info().indexed_vectors_count
    widest = max(field.space.dim for field in schema.fields)
    unindexed_kb = (held - indexed) / len(schema.fields) * widest * 4 / 1024
    worn = indexed >= _VACUUM_LEAST and indexed - held > _VACUUM_SHARE * indexed
    return worn or unindexed_kb >= INDEXING_THRESHOLD_KB


def _vector_params(field: VectorField) -> qdrant.EdgeVectorParams:
    return qdrant.EdgeVectorParams(
        size=field.space.dim,
        distance=_distance(field),
        multivector_config=_comparison(field),
        hnsw_config=None if field.indexed else _hnsw(0),
    )


def _distance(field: VectorField) -> qdrant.Distance:
    return qdrant.Distance.Cosine if field.space.distance is Distance.COSINE else qdrant.Distance.Dot


def _comparison(field: VectorField) -> qdrant.MultiVectorConfig | None:
    return qdrant.MultiVectorConfig(qdrant.MultiVectorComparator.MaxSim) if field.multi else None


def _hnsw(m: int) -> qdrant.HnswIndexConfig:
    # Below the threshold a filtered question is scanned instead of walking the graph; m = 0 builds no graph at all.
    return qdrant.HnswIndexConfig(m=m, ef_construct=HNSW_EF_CONSTRUCT, full_scan_threshold=INDEXING_THRESHOLD_KB)
