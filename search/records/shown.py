"""Records as answers show them, kept in memory while the store holds them as they are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from search.media import MediaRecord
from search.per_store import PerStore
from search.records.lookup import SHOWN, not_stored
from search.store.base import Store

MOST_KEPT = 10_000
"""Records of one store, of some 1.5 kB each."""
MOST_FINGERPRINTS = 16
"""Records with more, of long videos, are not kept."""


def shown_records(store: Store, collection: str, ids: Sequence[str]) -> dict[str, MediaRecord]:
    """The records of these ids that there are, with what :data:`SHOWN` names of each.

    They are as the store holds them: what is written, also by others, is read anew.
    """
    return _kept(store).get(store, collection, ids)


def shown_record(store: Store, media_id: str) -> MediaRecord:
    """The record of an id, whichever collection holds it, with what :data:`SHOWN` names.

    Raises:
        NotFoundError: no collection does.
    """
    for collection in store.collections():
        if record := shown_records(store, collection, [media_id]).get(media_id):
            return record
    raise not_stored(media_id)


@dataclass(slots=True)
class _Kept:
    """Records of one collection as of an edition of it, those kept longest first."""

    edition: object
    records: dict[str, MediaRecord] = field(default_factory=dict)


class _ShownRecords:
    """Of one store. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def get(self, store: Store, collection: str, ids: Sequence[str]) -> dict[str, MediaRecord]:
        edition = store.edition(collection)
        if edition is None:
            return _fetched(store, collection, ids)
        with self._lock:
            kept = self._current(store, collection, edition).records
            found = {id_: kept[id_] for id_ in ids if id_ in kept}
        if absent := [id_ for id_ in dict.fromkeys(ids) if id_ not in found]:
            fetched = _fetched(store, collection, absent)
            with self._lock:
                self._keep(store, collection, edition, fetched)
            found |= fetched
        return found

    def _current(self, store: Store, collection: str, edition: object) -> _Kept:
        """What is kept, without what was written since it was."""
        kept = self._kept.setdefault(collection, _Kept(edition))
        if kept.edition != edition:
            changed = store.changed_since(collection, kept.edition)
            if changed is None:
                kept.records.clear()
            for id_ in changed or ():
                kept.records.pop(id_, None)
            kept.edition = edition
        return kept

    def _keep(self, store: Store, collection: str, edition: object, fetched: dict[str, MediaRecord]) -> None:
        """Keep what was fetched, unless something may have been written meanwhile."""
        kept = self._kept[collection]
        if not kept.edition == edition == store.edition(collection):
            return
        kept.records |= {id_: one for id_, one in fetched.items() if len(one.fingerprints) <= MOST_FINGERPRINTS}
        for id_ in list(kept.records)[: max(0, len(kept.records) - MOST_KEPT)]:
            del kept.records[id_]


_kept: PerStore[_ShownRecords] = PerStore(lambda _: _ShownRecords())


def _fetched(store: Store, collection: str, ids: Sequence[str]) -> dict[str, MediaRecord]:
    if not ids:
        return {}
    points = store.retrieve(collection, ids, payload=SHOWN)
    return {point.id: MediaRecord.from_payload(point.payload) for point in points}
