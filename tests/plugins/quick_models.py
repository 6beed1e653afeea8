"""Models that need no network, for tests and for the workers that they start: pytest is not imported here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from search.media import Kind
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array
from workers.decode.decoded import Decoded
from workers.embedders.models import Embedded

COLOUR = Space("visual", "quick", "1", "mean colour", 3)
LOUDNESS = Space("sound", "quick", "1", "loudness of three parts", 3)
RAW_LOUDNESS = Space("sound_raw", "quick", "1", "loudness of three parts", 3, Distance.DOT)
HEARD = (VectorField(LOUDNESS), VectorField(RAW_LOUDNESS, indexed=False))
QUICK_SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(COLOUR),)),
    CollectionSchema(Kind.VIDEO, (VectorField(COLOUR, multi=True), *HEARD)),
    CollectionSchema(Kind.AUDIO, HEARD),
)


@dataclass
class QuickModels:
    """Models that need no network: the mean colour, and the loudness of a sound.

    Attributes:
        before_embedding: called first by every :meth:`embed`; a test may wait or raise there.
    """

    before_embedding: Callable[[], object] = lambda: None
    schemas: tuple[CollectionSchema, ...] = QUICK_SCHEMAS

    def load(self) -> None:
        pass

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        self.before_embedding()
        return [self._one(item) for item in items]

    @staticmethod
    def _one(item: Decoded) -> Embedded:
        vectors: dict[str, Array] = {}
        if len(item.crops):
            colours = item.crops.reshape(len(item.crops), -1, 3).mean(axis=1).astype(np.float32) + 1
            vectors["visual"] = colours / np.linalg.norm(colours, axis=1, keepdims=True)
        if item.sound is not None:
            parts = np.array_split(np.abs(item.sound.samples()), 3)
            vectors["sound_raw"] = np.array([[part.mean() for part in parts]], np.float32)
            vectors["sound"] = vectors["sound_raw"] / (np.linalg.norm(vectors["sound_raw"]) or 1)
        return Embedded(vectors, ("swatch",) if len(item.crops) else ())
