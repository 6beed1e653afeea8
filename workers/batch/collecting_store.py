"""The store of a worker that has none: it keeps the points of one batch, for the store's owner to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.media import Kind, Payload
from search.spaces import CollectionSchema
from search.store.base import CollectionInfo, PayloadChoice, Point, StoredPoint
from workers.batch.report import Delivery


class Outbox:
    """An ``Intake`` that knows no stored content: every file of its batch is embedded, and its points collected.

    Whether a content is stored already, and which other paths it has, only the owner can say; the owner merges.
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
        """Nothing is known here, so there is nothing to patch."""
        assert not patches
