"""Keep records of the store consistent with the ledger: paths, libraries, missing and deleted records.

The store is written first and the ledger second, in a transaction that is not committed yet. When the process is killed
in between, the ledger still shows the difference, and the next scan makes the same edit again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection

from ingest.ledger.entries import Locations, chunked, locations_of, mark_unsettled
from search.errors import NotFoundError
from search.media import COLLECTIONS, Kind, MediaRecord, Payload
from search.store.base import Store, StoredPoint
from workers.storage.previews import Previews

EDITED = ("paths", "libraries", "folders", "words", "mtime", "missing", "sort_name", "sort_time")
"""Payload keys that follow from the paths of the content."""

PAGE = 256


class Records:
    """The records in one store, and their previews."""

    def __init__(self, store: Store, previews: Previews) -> None:
        self._store = store
        self._previews = previews

    def refresh(self, connection: Connection, media: Mapping[str, Kind]) -> set[str]:
        """Write the paths that the ledger has for each record into its payload; hide records without any.

        Args:
            media: id to kind.

        Returns:
            Ids that have no complete record in the store.
        """
        by_collection: dict[str, list[str]] = {}
        for media_id, kind in media.items():
            by_collection.setdefault(kind.collection, []).append(media_id)
        absent: set[str] = set()
        for collection, ids in by_collection.items():
            for chunk in chunked(ids, PAGE):
                present = locations_of(connection, chunk)
                absent.update(chunk)
                patches: dict[str, Payload] = {}
                for point in self._retrieve(collection, chunk):
                    record = _record(point)
                    if record is None:
                        continue
                    absent.discard(point.id)
                    if patch := path_changes(record, point.payload, present.get(point.id)):
                        patches[point.id] = patch
                if patches:
                    self._store.patch_payload(collection, patches)
        return absent

    def abandon(self, connection: Connection, job: int, left: Mapping[str, Kind]) -> None:
        """Remove the paths that these records no longer have; a record without any is swept when the job ends."""
        mark_unsettled(connection, job, left)
        self.refresh(connection, left)

    def absent(self, media: Mapping[str, Kind]) -> set[str]:
        """Ids among these that the store does not have."""
        held: set[str] = set()
        for collection in COLLECTIONS:
            ids = [media_id for media_id, kind in media.items() if kind.collection == collection]
            held.update(point.id for point in self._retrieve(collection, ids, payload=False))
        return set(media) - held

    def count(self) -> int:
        """Number of records in the store, of all kinds."""
        return sum(info.points for name, info in self._store.collections().items() if name in COLLECTIONS)

    def delete(self, media_ids: Iterable[str]) -> None:
        """Delete records, in whichever collection they are, and their previews."""
        for chunk in chunked(media_ids, PAGE):
            for collection in COLLECTIONS:
                found = self._retrieve(collection, chunk)
                if not found:
                    continue
                self._store.delete(collection, [point.id for point in found])
                for point in found:
                    key = point.payload.get("thumbnail")
                    if isinstance(key, str):
                        with suppress(NotFoundError):  # not a key of this version
                            self._previews.delete(key)

    def delete_of_kind(self, media_id: str, kind: Kind) -> None:
        """Delete the record of a content that is of another kind now, and leave that one and the preview of both."""
        self._store.delete(kind.collection, [media_id])

    def _retrieve(self, collection: str, ids: list[str], *, payload: bool = True) -> list[StoredPoint]:
        try:
            return self._store.retrieve(collection, ids, payload=payload) if ids else []
        except NotFoundError:
            return []  # the collection does not exist yet


def _record(point: StoredPoint) -> MediaRecord | None:
    try:
        return MediaRecord.from_payload(point.payload)
    except (KeyError, ValueError):
        return None


def path_changes(record: MediaRecord, stored: Payload, at: Locations | None) -> Payload:
    """The payload keys that differ from what the ledger has; empty when the record is up to date.

    Args:
        at: the present paths; None where there are none.
    """
    if at is None:
        return {} if record.missing else {"missing": True}
    moved = replace(record, paths=at.paths, libraries=at.libraries, mtime=at.mtime, missing=False)
    wanted = moved.to_payload()
    return {key: wanted.get(key) for key in EDITED if wanted.get(key) != stored.get(key)}
