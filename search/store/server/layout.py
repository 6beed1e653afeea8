"""Configures a collection on a Qdrant server: vectors, index, shards, compression.

The flags ``on_disk`` and ``always_ram`` are used rather than ``memory``, which only servers from 1.19 on know.
"""

from __future__ import annotations

from collections.abc import Mapping

from qdrant_client import QdrantClient, models

from search.settings import Settings
from search.spaces import CollectionSchema, Distance, VectorField
from search.store.server.timing import COMMIT_SECONDS

_QUANTILE = 0.99
"""Share of the components that int8 spreads its 256 steps over; the rest are clipped.
Source: Qdrant's guide to scalar quantization."""

_NO_GRAPH = models.HnswConfigDiff(m=0)


def create(
    client: QdrantClient, name: str, schema: CollectionSchema, settings: Settings, metadata: Mapping[str, object]
) -> None:
    """Make an empty collection, without payload indexes."""
    client.create_collection(
        name,
        vectors_config={f.space.name: _vector_params(f, settings) for f in schema.fields if not f.sparse},
        sparse_vectors_config={f.space.name: _sparse_params(f, settings) for f in schema.fields if f.sparse} or None,
        shard_number=settings.qdrant_shards,
        replication_factor=settings.qdrant_replicas,
        write_consistency_factor=settings.qdrant_write_consistency,
        on_disk_payload=settings.qdrant_on_disk or None,  # None: as the server is configured
        hnsw_config=models.HnswConfigDiff(m=settings.qdrant_hnsw_m, ef_construct=settings.qdrant_hnsw_ef_construct),
        metadata=dict(metadata),
        timeout=COMMIT_SECONDS,
    )


def add_vector(client: QdrantClient, name: str, field: VectorField, settings: Settings) -> None:
    """Add a vector to a collection; one that is there in the same form stays.

    Source: a vector is added by what defines it; the rest is an update (Qdrant's OpenAPI, ``DenseVectorConfig``,
    ``SparseVectorConfig``).
    """
    if field.sparse:
        weights = models.SparseVectorConfig(datatype=models.VectorStorageDatatype.FLOAT16)
        client.create_vector_name(name, field.space.name, models.SparseVectorNameConfig(sparse=weights), wait=True)
        if _on_disk(field, settings):
            placed = {field.space.name: _sparse_params(field, settings)}
            client.update_collection(name, sparse_vectors_config=placed, timeout=COMMIT_SECONDS)
        return
    dense = models.DenseVectorConfig(
        size=field.space.dim, distance=_distance(field), multivector_config=_comparison(field)
    )
    client.create_vector_name(name, field.space.name, models.DenseVectorNameConfig(dense=dense), wait=True)
    placement = models.VectorParamsDiff(
        hnsw_config=None if field.indexed else _NO_GRAPH,
        quantization_config=_quantization(field, settings),
        on_disk=_on_disk(field, settings),
    )
    if placement != models.VectorParamsDiff():
        client.update_collection(name, vectors_config={field.space.name: placement}, timeout=COMMIT_SECONDS)


def search_params(settings: Settings, *, exact: bool, ef: int | None) -> models.SearchParams:
    """Parameters of a question. Candidates found among compressed vectors are scored again by the vectors themselves,
    so that a score is always a cosine: also in a collection that was made under other settings than these, or by a
    server that compresses whatever does not say otherwise."""
    if exact:
        return models.SearchParams(exact=True, quantization=models.QuantizationSearchParams(ignore=True))
    compressed = settings.qdrant_quantization != "none"
    rescored = models.QuantizationSearchParams(
        rescore=True, oversampling=settings.qdrant_oversampling if compressed else None
    )
    return models.SearchParams(hnsw_ef=ef, quantization=rescored)


def _vector_params(field: VectorField, settings: Settings) -> models.VectorParams:
    return models.VectorParams(
        size=field.space.dim,
        distance=_distance(field),
        multivector_config=_comparison(field),
        hnsw_config=None if field.indexed else _NO_GRAPH,
        quantization_config=_quantization(field, settings),
        on_disk=_on_disk(field, settings),
    )


def _sparse_params(field: VectorField, settings: Settings) -> models.SparseVectorParams:
    """The index keeps components as float16; what is stored is rounded to it beforehand (``search.store.vectors``)."""
    index = models.SparseIndexParams(on_disk=_on_disk(field, settings), datatype=models.Datatype.FLOAT16)
    return models.SparseVectorParams(index=index)


def _distance(field: VectorField) -> models.Distance:
    return models.Distance.COSINE if field.space.distance is Distance.COSINE else models.Distance.DOT


def _comparison(field: VectorField) -> models.MultiVectorConfig | None:
    return models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM) if field.multi else None


def _on_disk(field: VectorField, settings: Settings) -> bool | None:
    """Vectors that are only ever fetched need no memory, whatever the settings say of the others."""
    return True if settings.qdrant_on_disk or not field.indexed else None


def _quantization(
    field: VectorField, settings: Settings
) -> models.ScalarQuantization | models.BinaryQuantization | None:
    if not field.indexed or settings.qdrant_quantization == "none":
        return None
    if settings.qdrant_quantization == "int8":
        config = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=_QUANTILE, always_ram=True)
        return models.ScalarQuantization(scalar=config)
    return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))
