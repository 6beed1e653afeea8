"""Configures a Qdrant Edge shard: vectors, approximate index, payload indexes, when to index."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import qdrant_edge as qdrant

from search.spaces import CollectionSchema, Distance, VectorField
from search.store.filters import IndexType
from search.store.payloads import PAYLOAD_INDEXES

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
    IndexType.GEO: qdrant.PayloadSchemaType.Geo,
}

_SPARSE_SAMPLE = 1000
"""Sparse vectors that are sampled to estimate how many of them are empty."""


def edge_config(schema: CollectionSchema) -> qdrant.EdgeConfig:
    """The engine's configuration of a new shard."""
    return qdrant.EdgeConfig(
        vectors={field.space.name: _vector_params(field) for field in schema.fields if not field.sparse},
        sparse_vectors={field.space.name: _sparse_params() for field in schema.fields if field.sparse},
        hnsw_config=_hnsw(HNSW_M),
        optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=INDEXING_THRESHOLD_KB, default_segment_number=1),
    )


def edge_indexes(existing: Collection[str] = ()) -> list[qdrant.UpdateOperation]:
    """The operations that make the payload indexes that a shard has to have and does not; by default of a new one."""
    return [
        qdrant.UpdateOperation.create_field_index(key, _INDEX_TYPES[index])
        for key, index in PAYLOAD_INDEXES.items()
        if key not in existing
    ]


def edge_additions(fields: Iterable[VectorField]) -> list[qdrant.UpdateOperation]:
    """The operations that add vectors to a shard; one that is there in the same form stays."""
    return [
        qdrant.UpdateOperation.create_sparse_vector(field.space.name, None, _WEIGHTS)
        if field.sparse
        else qdrant.UpdateOperation.create_dense_vector(
            field.space.name, field.space.dim, _distance(field), _comparison(field)
        )
        for field in fields
    ]


def worth_optimising(shard: qdrant.EdgeShard, schema: CollectionSchema, written: int) -> bool:
    """Whether enough has been written or deleted since the last time; an estimate that spares copying the shard.

    Args:
        written: points written or edited since. An edit of whatever part takes a point out of the index, while the
            engine goes on counting it there.
    """
    dense = [field for field in schema.fields if not field.sparse]
    if not dense:
        return False
    held = sum(shard.count(qdrant.CountRequest(filter=_holding(field))) for field in dense)
    # The engine reports one number for all vectors; it counts sparse ones too, except empty ones.
    sparse = sum(_indexed_sparse(shard, field) for field in schema.fields if field.sparse)
    indexed = max(0, shard.info().indexed_vectors_count - sparse)
    point_kb = max(field.space.dim for field in dense) * 4 / 1024
    unindexed = max((held - indexed) / len(dense), min(written, held / len(dense)))
    worn = indexed >= _VACUUM_LEAST and indexed - held > _VACUUM_SHARE * indexed
    return worn or unindexed * point_kb >= INDEXING_THRESHOLD_KB


def _indexed_sparse(shard: qdrant.EdgeShard, field: VectorField) -> int:
    """About how many vectors of a sparse space are indexed: all that are not empty, by those that come first."""
    name = field.space.name
    request = qdrant.ScrollRequest(
        limit=_SPARSE_SAMPLE, filter=_holding(field), with_payload=False, with_vector=[name], order_by=None
    )
    found = [record.vector[name] for record in shard.scroll(request)[0] if isinstance(record.vector, dict)]
    filled = sum(1 for vector in found if isinstance(vector, qdrant.SparseVector) and vector.indices)
    held = shard.count(qdrant.CountRequest(filter=_holding(field)))
    return round(held * filled / len(found)) if found else 0


def _holding(field: VectorField) -> qdrant.Filter:
    return qdrant.Filter(must=[qdrant.HasVectorCondition(field.space.name)])


_WEIGHTS = qdrant.VectorStorageDatatype.Float16
"""How the index of a sparse space keeps components. What is stored is rounded to it beforehand
(``search.store.vectors``), so nothing is lost."""


def _sparse_params() -> qdrant.EdgeSparseVectorParams:
    return qdrant.EdgeSparseVectorParams(datatype=_WEIGHTS, memory=qdrant.Memory.Cached)


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
