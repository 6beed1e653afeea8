"""Tables of the features of pictures as CSV, Parquet or npz, read from the API page by page."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from search.photographers.photos.features import FEATURE_NAMES
from search.store.base import Array
from web.api.vectors import FeaturePage
from web.client import Client
from web.commands.photographers.tables import plain_cell
from web.export import replacing
from web.plain import load

Names = list[str]
Page = tuple[Names, Names, list[str | None], Array]
"""File names, ids and photographers of some pictures, and their features, float32 ``(n, 78)``, NaN where unknown."""

ABOUT = ("filename", "id", "photographer")
"""Columns before those of the features."""


def feature_pages(client: Client, base: Path | None) -> Iterator[Page]:
    """The features of all pictures.

    Args:
        base: names of files below this folder are relative to it.
    """
    start = "" if base is None else str(base.expanduser().absolute()).rstrip("/") + "/"
    after: str | None = None
    while True:
        page = load(FeaturePage, client.get("/features", {"after": after} if after else {}))
        rows = page.items
        values = np.array([row.values for row in rows], np.float32).reshape(len(rows), len(page.columns))
        names = [row.paths[0].removeprefix(start) if row.paths else "" for row in rows]
        yield names, [row.id for row in rows], [row.photographer for row in rows], values
        after = page.after
        if after is None:
            return


def write_features(kind: str, target: Path, pages: Iterable[Page]) -> int:
    """Write ``pages`` as ``csv``, ``parquet`` or ``npz``; the number of rows.

    An existing ``target`` is replaced only when the new file is complete.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(target) as fresh:
        return {"csv": _write_csv, "parquet": _write_parquet, "npz": _write_npz}[kind](fresh, pages)


def _write_csv(fresh: Path, pages: Iterable[Page]) -> int:
    """RFC 4180, UTF-8; an empty cell is an unknown value. Texts that spreadsheets take for formulas are marked."""
    rows = 0
    with fresh.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        lines = csv.writer(file)
        lines.writerow((*ABOUT, *FEATURE_NAMES))
        for names, ids, photographers, values in pages:
            for name, id_, photographer, row in zip(names, ids, photographers, values, strict=True):
                numbers = ["" if np.isnan(value) else str(value) for value in row]
                lines.writerow([plain_cell(name), id_, plain_cell(photographer or ""), *numbers])
            rows += len(ids)
    return rows


def _write_parquet(fresh: Path, pages: Iterable[Page]) -> int:
    schema = pa.schema([*((name, pa.string()) for name in ABOUT), *((name, pa.float32()) for name in FEATURE_NAMES)])
    rows = 0
    with pq.ParquetWriter(fresh, schema) as writer:
        for names, ids, photographers, values in pages:
            columns = [pa.array(column, pa.float32(), from_pandas=True) for column in values.T]
            texts = [pa.array(texts, pa.string()) for texts in (names, ids, photographers)]
            writer.write_table(pa.table([*texts, *columns], schema=schema))
            rows += len(ids)
    return rows


def _write_npz(fresh: Path, pages: Iterable[Page]) -> int:
    all_names: Names = []
    all_ids: Names = []
    all_photographers: Names = []
    blocks: list[Array] = [np.empty((0, len(FEATURE_NAMES)), np.float32)]
    for names, ids, photographers, values in pages:
        all_names += names
        all_ids += ids
        all_photographers += [name or "" for name in photographers]
        blocks.append(values)
    with fresh.open("wb") as file:
        np.savez(
            file,
            features=np.concatenate(blocks),
            columns=np.array(FEATURE_NAMES, np.str_),
            filenames=np.array(all_names, np.str_),
            ids=np.array(all_ids, np.str_),
            photographers=np.array(all_photographers, np.str_),
        )
    return len(all_ids)
