"""Write vectors to files for other programs, atomically and with the memory of one page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from search.store.base import Array

Matrix: TypeAlias = "np.memmap[Any, np.dtype[np.float32]] | Array"


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of an export.

    Attributes:
        filenames, ids: one per row.
        moments: seconds from the start of the video or sound, NaN where that is not known.
        embeddings: float32 ``(n, dim)``.
    """

    filenames: list[str]
    ids: list[str]
    moments: list[float]
    embeddings: Array


def write(kind: str, target: Path, pages: Iterable[Rows]) -> tuple[int, int]:
    """Write ``pages`` as ``npz``, ``parquet`` or ``joblib``; the number of rows and their dimension.

    An existing ``target`` is replaced only when the new file is complete.

    Raises:
        OSError: it cannot be written, because the disk is full, say.
    """
    with replacing(target) as fresh:
        if kind == "parquet":
            return _write_parquet(fresh, pages)
        with tempfile.TemporaryFile(dir=target.absolute().parent) as spill:
            filenames, ids, moments, matrix = _gather(spill, pages)
            if kind == "npz":
                with fresh.open("wb") as file:
                    np.savez(
                        file,
                        embeddings=matrix,
                        filenames=np.array(filenames, dtype=np.str_),
                        ids=np.array(ids, dtype=np.str_),
                        moments=np.array(moments),
                    )
            else:
                joblib.dump({"embeddings": matrix, "filenames": filenames}, fresh)
            return matrix.shape[0], matrix.shape[1]


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside ``target`` to write into, which takes its place once the block ends without an error."""
    fresh = target.absolute().with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield fresh
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _gather(spill: Any, pages: Iterable[Rows]) -> tuple[list[str], list[str], list[float], Matrix]:
    """Names in memory, and vectors, float32 (n, dim), on disk, as they may exceed the memory."""
    filenames: list[str] = []
    ids: list[str] = []
    moments: list[float] = []
    dim = 0
    for page in pages:
        filenames += page.filenames
        ids += page.ids
        moments += page.moments
        dim = page.embeddings.shape[1]
        spill.write(page.embeddings.astype("<f4").tobytes())
    spill.flush()
    if not filenames:
        return filenames, ids, moments, np.empty((0, dim), np.float32)
    return filenames, ids, moments, np.memmap(spill, np.float32, "r", shape=(len(filenames), dim))


def _write_parquet(fresh: Path, pages: Iterable[Rows]) -> tuple[int, int]:
    writer: pq.ParquetWriter | None = None
    rows = dim = 0
    try:
        for page in pages:
            rows, dim = rows + len(page.ids), page.embeddings.shape[1]
            flat = pa.array(page.embeddings.reshape(-1), pa.float32())
            table = pa.table(
                {
                    "filename": pa.array(page.filenames, pa.string()),
                    "id": pa.array(page.ids, pa.string()),
                    "moment": pa.array(_nullable(page.moments), pa.float64()),
                    "embedding": pa.FixedSizeListArray.from_arrays(flat, dim),
                }
            )
            writer = writer or pq.ParquetWriter(fresh, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    return rows, dim


def _nullable(moments: list[float]) -> list[float | None]:
    return [None if np.isnan(moment) else moment for moment in moments]
