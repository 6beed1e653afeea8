"""Bringing what an older Likewise stored up to date, in place: how sounds are standardised, which keys payloads have.

Each can be cut off anywhere and goes on where it was; metadata of a collection says what has been done, so that asking
again costs little. Vectors that files have to be decoded for are another matter (``ingest.maintenance.backfill``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import jobs
from search.media import PAYLOAD_REVISION, MediaRecord, Payload
from search.store.base import Store
from workers.batch.records import REVISION_KEY, mark_current
from workers.embedders.sound.standardise import restandardise

log = logging.getLogger(__name__)

UNDER_WAY = "payloads_under_way"
"""Metadata key of a collection whose payloads are being renewed: ``{"revision": to which, "after": last id done}``."""

PAGE = 500
LOOKS = 3
"""A payload that a job changes while it is renewed is renewed again; so often at most, as jobs then see to it."""


def bring_up_to_date(
    store: Store,
    ledger: Ledger,
    collections: Sequence[str] | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Do what is left to be done of collections, or of generations by their names.

    Args:
        collections: all current ones when left out.
        goes_on: asked between pages of payloads; when it says no, the next call does the rest.

    Raises:
        StoreError, LedgerError: nothing is lost by doing it again.
    """
    names = list(store.collections()) if collections is None else list(collections)
    if restandardise(store, names, goes_on):
        log.info("Standardised the sounds of an older version anew.")
    for name in names:
        if not renew_payloads(store, ledger, name, goes_on):
            return


def renew_payloads(store: Store, ledger: Ledger, collection: str, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Give every payload the keys that this version derives of a record, and the time of import where it is known.

    Keys that only a newer version knows are left alone.

    Returns:
        Whether all of them have these keys now.
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
    """Renew these payloads; how many of them were not as they should be."""
    patched: set[str] = set()
    for _ in range(LOOKS):
        patches = {
            point.id: changes
            for point in store.retrieve(collection, ids)
            if (changes := _changes(point.payload, begun))
        }
        if not patches:
            break
        store.patch_payload(collection, patches)
        patched |= patches.keys()
    return len(patched)


def _changes(payload: Payload, begun: Mapping[str, float]) -> dict[str, Any]:
    record = MediaRecord.from_payload(payload)
    if record.added is None:
        record = replace(record, added=begun.get(record.job or ""))
    return {key: value for key, value in record.to_payload().items() if payload.get(key) != value}


def _job_times(ledger: Ledger) -> dict[str, float]:
    """When each job was started, in seconds since the epoch, UTC, by its number as records name it."""
    with ledger.read() as connection:
        return {
            str(number): round(created, 3) for number, created in connection.execute(select(jobs.c.id, jobs.c.created))
        }
