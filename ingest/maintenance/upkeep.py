"""Upgrade in place what an older version stored: standardised sounds, keys of payloads, and checksums.

Each upgrade can be cut off anywhere and continues from there. Metadata of a collection says what is done, so that a
repeated call costs little. Vectors for which files have to be decoded are made by ``ingest.maintenance.backfill``
and ``ingest.maintenance.redecode``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from ingest.ledger.credits import artist_of, credited_name_of
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import jobs
from search.media import PAYLOAD_REVISION, Credit, MediaRecord, Payload
from search.spaces import CollectionSchema
from search.store.base import Store, StoredPoint
from search.store.checksums import implausible, prove, sealing
from search.transfer import page_size
from workers.batch.records import REVISION_KEY, mark_current
from workers.decode.revisions import marked
from workers.embedders.sound.standardise import restandardise

log = logging.getLogger(__name__)

UNDER_WAY = "payloads_under_way"
"""Metadata key of a collection whose payloads are upgraded: ``{"revision": …, "after": last id that is done}``."""

PAGE = 500
MOST_TRIES = 3
"""A payload that a job changes while it is upgraded is upgraded again, at most so often; later jobs do the rest."""


def bring_up_to_date(
    store: Store,
    ledger: Ledger,
    collections: Sequence[str] | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Upgrade collections, or generations by their names.

    Args:
        collections: names; all current ones by default.
        goes_on: called between pages of payloads; when it returns False, the next call does the rest.

    Raises:
        StoreError, LedgerError: it is not possible now; a later call does it.
    """
    names = list(store.collections()) if collections is None else list(collections)
    if restandardise(store, names, goes_on):
        log.info("Standardised the sounds of an older version anew.")
    for name in names:
        if not renew_payloads(store, ledger, name, goes_on):
            return


def renew_payloads(store: Store, ledger: Ledger, collection: str, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Write the keys that this version derives from a record, and the time of import where it is known, into payloads.

    Keys that only a newer version knows are left alone. What has no checksum gets one, unless it cannot have been
    stored as it is.

    Returns:
        Whether all payloads have these keys now.

    Raises:
        StoreError, LedgerError: it is not possible now; a later call does it.
    """
    metadata = store.metadata(collection)
    if metadata.get(REVISION_KEY, 0) >= PAYLOAD_REVISION:
        return True
    mark = metadata.get(UNDER_WAY) or {}
    after = mark.get("after") if mark.get("revision") == PAYLOAD_REVISION else None
    begun = _job_times(ledger)
    changed = 0
    points = store.scroll(collection, payload=False, page=PAGE, after=after)
    for ids in chunked((point.id for point in points), PAGE):
        if not goes_on():
            return False
        changed += _renew_page(store, collection, ids, begun)
        store.set_metadata(collection, {UNDER_WAY: {"revision": PAYLOAD_REVISION, "after": ids[-1]}})
    mark_current(store, collection)
    store.set_metadata(collection, {UNDER_WAY: None})
    if changed:
        log.info("Renewed %d records of %s that an older version wrote.", changed, collection)
    return True


def _renew_page(store: Store, collection: str, ids: Sequence[str], begun: Mapping[str, float]) -> int:
    """Upgrade these payloads and give checksums to what has none; the number of those that were changed."""
    schema = store.schema(collection)
    patched: set[str] = set()
    sealed: dict[str, set[str]] = {}
    for _ in range(MOST_TRIES):
        patches: dict[str, Payload] = {}
        for some in chunked(ids, page_size(schema)):
            for point in store.retrieve(collection, some, vectors=[*schema.by_name]):
                changes = _changes(point.payload, begun)
                if names := _to_seal(schema, point, sealed.get(point.id, set())):
                    sealed.setdefault(point.id, set()).update(names)
                    changes |= sealing(schema, point, names, changes)
                if changes:
                    patches[point.id] = changes
        if not patches:
            break
        store.patch_payload(collection, patches)
        patched |= patches.keys()
    return len(patched)


def _to_seal(schema: CollectionSchema, point: StoredPoint, sealed: Set[str]) -> set[str]:
    """What is to be given a checksum: what has none and is plausible.

    Args:
        sealed: what was given one just now; where that does not hold, a job has replaced the vectors meanwhile.
    """
    proof = prove(schema, point)
    return ({*proof.unproven} | ({*proof.damaged} & sealed)) - set(implausible(schema, point))


def _changes(payload: Payload, begun: Mapping[str, float]) -> dict[str, Any]:
    record = MediaRecord.from_payload(payload)
    if record.added is None:
        record = replace(record, added=begun.get(record.job or ""))
    if _credits_nobody(record, payload):
        record = replace(record, photographer=None, credit=None, artist=artist_of(payload))
    record = replace(record, decoding=marked(record))
    renewed = record.to_payload()
    gone = {key: None for key in ("photographer", "credit") if payload.get(key) is not None and key not in renewed}
    return gone | {key: value for key, value in renewed.items() if payload.get(key) != value}


def _credits_nobody(record: MediaRecord, payload: Payload) -> bool:
    """Whether a version before took the file's artist for a photographer, who is a singer, say, or a program."""
    from_file = record.credit in (None, Credit.EXIF) and record.photographer is not None
    return from_file and artist_of(payload) is not None and credited_name_of(payload) is None


def _job_times(ledger: Ledger) -> dict[str, float]:
    """Start of each job in seconds since the epoch, UTC, by its number as text, as records have it."""
    with ledger.read() as connection:
        return {
            str(number): round(created, 3) for number, created in connection.execute(select(jobs.c.id, jobs.c.created))
        }
