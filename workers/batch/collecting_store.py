"""Store of a worker without access to the real one: collects the points of a batch, to be sent back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.media import Kind, Payload
from search.spaces import CollectionSchema
from search.store.base import CollectionInfo, PayloadChoice, Point, StoredPoint
from workers.batch.report import Delivery


class CollectingStore:
    """An ``EmbeddingStore`` that holds no content: every file of its batch is embedded, and its points are collected.

    Whether a content is stored already, and which other paths it has, only the store's owner knows, which merges.

    Attributes:
        deliveries: the points of the batch, in order.
    """

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def collections(self) -> Mapping[str, CollectionInfo]:
        return {kind.collection: CollectionInfo(CollectionSchema(kind, ()), 0, 0) for kind in Kind}

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        return []

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        self.deliveries += [Delivery(collection, point) for point in points]

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        """Never called with patches: no content is held."""
        assert not patches
