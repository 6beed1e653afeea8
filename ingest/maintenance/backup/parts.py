"""Points and ledger rows as Parquet files, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Table

from ingest.maintenance.backup.ledger_rows import Row
from search.spaces import CollectionSchema
from search.store.base import Array, Point

_TYPES = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}


def encode_points(schema: CollectionSchema, points: Sequence[Point], previews: Mapping[str, bytes]) -> bytes:
    """A Parquet file with the columns ``id``, ``payload`` and ``checksums`` (JSON), ``preview`` (WebP), and for each
    space ``vector_`` and its name: a list of float32, the vectors of a multivector one after the other; null where a
    point has none."""
    columns = {
        "id": pa.array([point.id for point in points], pa.string()),
        "payload": pa.array([json.dumps(point.payload, ensure_ascii=False) for point in points], pa.string()),
        "checksums": pa.array([json.dumps(dict(point.checksums)) for point in points], pa.string()),
        "preview": pa.array([previews.get(point.id) for point in points], pa.binary()),
    }
    for name in schema.by_name:
        columns[f"vector_{name}"] = _lists([point.vectors.get(name) for point in points])
    return _to_bytes(pa.table(columns))


def decode_points(schema: CollectionSchema, data: bytes) -> Iterator[tuple[Point, bytes | None]]:
    """Inverse of :func:`encode_points`: each point with its preview. Vectors are float32 of shape (n, dim). Parts that
    an older version wrote have no checksums."""
    table = _from_bytes(data)
    sums = table.column("checksums") if "checksums" in table.column_names else None
    dims = {name: field.space.dim for name, field in schema.by_name.items()}
    columns = {name: table.column(f"vector_{name}") for name in dims}
    for at, (id_, payload, preview) in enumerate(
        zip(table.column("id"), table.column("payload"), table.column("preview"), strict=True)
    ):
        vectors = {
            name: np.array(column[at].values, np.float32).reshape(-1, dims[name])
            for name, column in columns.items()
            if column[at].is_valid
        }
        checksums = {} if sums is None else json.loads(sums[at].as_py())
        yield Point(id_.as_py(), vectors, json.loads(payload.as_py()), checksums), preview.as_py()


def encode_rows(table: Table, rows: Sequence[Row]) -> bytes:
    """A Parquet file with a column for each column of the table."""
    columns = {
        column.name: pa.array([row[column.name] for row in rows], _TYPES[column.type.python_type])
        for column in table.columns
    }
    return _to_bytes(pa.table(columns))


def decode_rows(data: bytes) -> list[Row]:
    """Inverse of :func:`encode_rows`."""
    rows: list[Row] = _from_bytes(data).to_pylist()
    return rows


def _lists(rows: Sequence[Array | None]) -> pa.ListArray:
    """Each array as one flat list, made by numpy: pyarrow would hold the GIL for half a second.

    Args:
        rows: float32 arrays of shape (n, dim).
    """
    present = [row.ravel() for row in rows if row is not None]
    sizes = [0 if row is None else row.size for row in rows]
    offsets = np.cumsum([0, *sizes], dtype=np.int32)
    flat = np.concatenate(present) if present else np.empty(0, np.float32)
    absent = pa.array([row is None for row in rows])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=absent)


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    return bytes(sink.getvalue())


def _from_bytes(data: bytes) -> pa.Table:
    # combined chunks, so that the n-th value of a column is found at once
    return pq.read_table(pa.BufferReader(data)).combine_chunks()
