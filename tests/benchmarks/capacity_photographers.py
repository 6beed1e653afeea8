"""Memory that a picture takes in the process that answers about photographers: ``python capacity_photographers.py``."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search.media import Kind, MediaRecord
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import EFFICIENTNET_LITE0, RESNET18, STYLE
from search.photographers.photos.dataset import read_photos
from search.spaces import CollectionSchema, VectorField
from search.store.base import CollectionInfo, StoredPoint

PICTURES = 10_000


class Made:
    """A store of pictures that are made as they are read, so that only what a reader keeps is counted."""

    def __init__(self, schema: CollectionSchema) -> None:
        self._schema = schema

    def collections(self) -> dict[str, CollectionInfo]:
        return {"images": CollectionInfo(self._schema, PICTURES, 0)}

    def scroll(self, collection: str, **_: Any) -> Iterator[StoredPoint]:
        rng = np.random.default_rng(0)
        for number in range(PICTURES):
            record = MediaRecord(
                str(UUID(int=number)),
                Kind.IMAGE,
                (f"/archive/photographers/person {number % 100}/session {number % 1000}/IMG_{number:08}.jpg",),
                photographer=f"person {number % 100}",
                credit="folder",
                taken_at="2020-01-01T00:00:00",
                camera="Canon EOS 5D",
                fingerprints=(f"{number:064x}",),
                thumbnail=f"{number:040x}",
                features=tuple(rng.random(78).tolist()),
            )
            vectors = {field.space.name: _row(field, rng) for field in self._schema.fields}
            yield StoredPoint(id=record.id, payload=record.to_payload(), vectors=vectors)


def _row(field: VectorField, rng: np.random.Generator) -> Any:
    return rng.random((1, field.space.dim), np.float32)


if __name__ == "__main__":
    for model in (RESNET18.name, EFFICIENTNET_LITE0.name):
        (images,) = [s for s in schemas_of(ModelChoice(model, f"frames_{model}")) if s.kind is Kind.IMAGE]
        tracemalloc.start()
        kept = read_photos(Made(images))  # type: ignore[arg-type]
        now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(
            f"{model} and {STYLE.name}: {now / len(kept):,.0f} bytes a picture, {peak / len(kept):,.0f} while reading"
        )
