"""Protocol of the store as embedding uses it; a worker without a store collects points instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from search.media import Payload
from search.store.base import CollectionInfo, PayloadChoice, Point, StoredPoint


class EmbeddingStore(Protocol):
    """The methods of ``search.store.base.Store`` that embedding uses; see there.

    Raises:
        StoreUnavailableError, DiskFullError, StoreError: as their names say.
    """

    def collections(self) -> Mapping[str, CollectionInfo]: ...

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]: ...

    def upsert(self, collection: str, points: Sequence[Point]) -> None: ...

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None: ...
