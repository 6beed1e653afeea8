"""Dates and places that people have told by a table, and what counts of them beside what the file says.

As with credits, the ledger keeps what was told, so that it survives whatever rewrites a record, and the payload follows
from it (``ingest.ledger.credits``). A record whose file says otherwise than its payload keeps the file's facts under
``own``, so that what was told can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.entries import chunked
from ingest.ledger.tables import told_facts
from search.media import MediaRecord, Payload

TAKEN_AT, PLACE, LOCATION = "taken_at", "place", "location"
TELLABLE = (TAKEN_AT, PLACE, LOCATION)
"""Facts that can be told: an ISO 8601 text, a name, and a pair of latitude and longitude in degrees."""

OF_FILE = ("taken_at", "latitude", "longitude")
"""Payload keys that a file can say itself."""

_DERIVED = ("taken_local", "sort_time", "location")
KEYS = (*OF_FILE, "place", "own", "mtime", *_DERIVED)
"""Payload keys that :func:`told_patch` reads."""


@dataclass(frozen=True, slots=True)
class ToldFact:
    """``value`` as in :data:`TELLABLE`; ``first``: it counts before what the file says."""

    value: Any
    first: bool = False


Told = Mapping[str, ToldFact]
"""What was told of one record, by fact."""


def store_told(connection: Connection, fact: str, values: Mapping[str, object], *, first: bool = False) -> None:
    """Store one fact of these records, in place of what was told of it before.

    Args:
        values: id to value.
    """
    for chunk in chunked(values):
        connection.execute(delete(told_facts).where(told_facts.c.media_id.in_(chunk), told_facts.c.fact == fact))
        rows = [{"media_id": id_, "fact": fact, "value": json.dumps(values[id_]), "first": first} for id_ in chunk]
        connection.execute(insert(told_facts), rows)


def delete_told(connection: Connection, ids: Iterable[str]) -> None:
    """Forget what was told of these records."""
    for chunk in chunked(ids):
        connection.execute(delete(told_facts).where(told_facts.c.media_id.in_(chunk)))


def told_of(connection: Connection, ids: Iterable[str]) -> Mapping[str, Told]:
    """What was told of records, by id; others are left out."""
    found: dict[str, dict[str, ToldFact]] = {}
    for chunk in chunked(ids):
        for id_, fact, value, first in connection.execute(select(told_facts).where(told_facts.c.media_id.in_(chunk))):
            found.setdefault(id_, {})[fact] = ToldFact(json.loads(value), first)
    return found


def told_record(record: MediaRecord, told: Told) -> MediaRecord:
    """A record with the dates and places that count."""
    file = record.own if record.own is not None else {name: getattr(record, name) for name in OF_FILE}
    said = dict(file)
    taken, location, place = (told.get(fact) for fact in (TAKEN_AT, LOCATION, PLACE))
    if taken is not None and (taken.first or said["taken_at"] is None):
        said["taken_at"] = taken.value
    if location is not None and (location.first or said["latitude"] is None or said["longitude"] is None):
        said["latitude"], said["longitude"] = location.value
    return replace(record, **said, place=place.value if place else None, own=file if said != file else None)


def told_patch(payload: Payload, told: Told) -> tuple[MediaRecord, Payload]:
    """The record with what counts, and the payload keys of :data:`KEYS` that differ; empty where nothing was told."""
    record = MediaRecord.from_payload(payload)
    if not told and payload.get("own") is None and payload.get("place") is None:
        return record, {}
    record = told_record(record, told)
    wanted = record.to_payload()
    return record, {key: wanted.get(key) for key in KEYS if wanted.get(key) != payload.get(key)}


def told_ids(connection: Connection, after: str, most: int) -> list[str]:
    """Ids of records of which something was told, in order, behind the id ``after``."""
    query = select(told_facts.c.media_id).where(told_facts.c.media_id > after).distinct()
    return list(connection.execute(query.order_by(told_facts.c.media_id).limit(most)).scalars())
