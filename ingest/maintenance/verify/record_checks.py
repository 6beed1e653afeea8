"""Checks records of the store by themselves: readable, as their checksums say, derived as they should be, with a
preview."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ingest.ledger.entries import chunked
from ingest.maintenance.verify.findings import Damage, Fault
from search.errors import LikewiseError, NotFoundError, StoreDamagedError, StoreError
from search.media import MediaRecord, Payload
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store.base import Store, StoredPoint
from search.store.checksums import OF_FACTS, implausible, prove
from search.store.vectors import numbers_in
from search.transfer import page_size
from workers.storage.previews import Previews
from workers.storage.sealed_webp import complaint_of_webp, is_sealed

IDS_PAGE = 500
_THREADS = 8
_TOLERANCE = 1e-9
"""Relative difference of two numbers that say the same; facts are kept to 12 digits."""


@dataclass(frozen=True, slots=True)
class Page:
    """Checked records.

    Attributes:
        points: those that could be read.
        sound: the records among them whose facts are as they were written, by id.
        unsealed: ids of records whose preview has no checksum, because a version before made it.
    """

    collection: str
    ids: tuple[str, ...]
    points: tuple[StoredPoint, ...]
    sound: Mapping[str, MediaRecord]
    findings: tuple[Damage, ...]
    unproven: int
    read: int
    unsealed: tuple[str, ...] = ()


class RecordChecks:
    """Reads records with all their vectors and checks them. It changes nothing."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store, self._previews = store, Previews(settings)

    def pages(self, collection: str, after: str | None = None, most: int | None = None) -> Iterator[Page]:
        """Every record (whose id follows ``after``), checked, in order of id.

        Args:
            most: records in a page at most.

        Raises:
            StoreError: the store cannot even list its records, or cannot be reached.
        """
        size = page_size(self._store.schema(collection))
        size = min(size, most) if most else size
        listed = self._store.scroll(collection, payload=False, page=most or IDS_PAGE, after=after)
        for ids in chunked((point.id for point in listed), size):
            yield self.check(collection, ids)

    def check(self, collection: str, ids: Sequence[str]) -> Page:
        """Check these records; those that do not exist are left out."""
        schema = self._store.schema(collection)
        points, findings = self._read(schema, collection, ids)
        sound: dict[str, MediaRecord] = {}
        unproven: set[str] = set()
        read = 0
        for point in points:
            proof = prove(schema, point)
            if proof.unproven:
                unproven.add(point.id)
            read += sum(4 * numbers_in(vector) for vector in point.vectors.values()) + len(json.dumps(point.payload))
            doubtful = [name for name in implausible(schema, point) if name in proof.unproven]
            wrong = [name for name in proof.damaged if name != OF_FACTS]
            record = _record(point)
            paths = tuple(point.payload.get("paths") or ())[:1]
            if wrong or doubtful:
                findings.append(Damage(Fault.VECTORS, point.id, collection, _vectors(wrong, doubtful, point), paths))
            if record is None or OF_FACTS in proof.damaged:
                detail = "lacks what every record has" if record is None else "is not what was written"
                findings.append(Damage(Fault.FACTS, point.id, collection, f"Its record {detail}.", paths))
                continue
            sound[point.id] = record
            if keys := wrong_keys(record, point.payload):
                detail = f"These do not follow from its facts: {', '.join(sorted(keys))}."
                findings.append(Damage(Fault.DERIVED, point.id, collection, detail, paths))
        faults, unsealed, bytes_ = self._check_previews(collection, sound)
        all_ = (*findings, *faults)
        count, read = len(unproven.union(unsealed)), read + bytes_
        return Page(collection, tuple(ids), tuple(points), sound, all_, count, read, tuple(unsealed))

    def _read(
        self, schema: CollectionSchema, collection: str, ids: Sequence[str]
    ) -> tuple[list[StoredPoint], list[Damage]]:
        """Points with everything; where the engine fails on a page, it is read one by one."""
        names = [*schema.by_name]
        try:
            return self._store.retrieve(collection, ids, vectors=names), []
        except StoreError as error:
            if not is_damage(error):
                raise
        points: list[StoredPoint] = []
        findings: list[Damage] = []
        for id_ in ids:
            try:
                points += self._store.retrieve(collection, [id_], vectors=names)
            except StoreError as error:
                if not is_damage(error):
                    raise
                detail = f"The store cannot read it: {error.message}"
                findings.append(Damage(Fault.UNREADABLE, id_, collection, detail, self._paths(collection, id_)))
        return points, findings

    def _paths(self, collection: str, id_: str) -> tuple[str, ...]:
        """Paths of a record whose vectors cannot be read."""
        try:
            found = self._store.retrieve(collection, [id_], payload=("paths",))
        except StoreError:
            return ()
        return tuple(path for point in found for path in point.payload.get("paths") or ())[:1]

    def _check_previews(
        self, collection: str, records: Mapping[str, MediaRecord]
    ) -> tuple[list[Damage], list[str], int]:
        """What is wrong with previews, the records whose preview has no checksum, and how many bytes were read."""
        keys = {id_: record.thumbnail for id_, record in records.items() if record.thumbnail is not None}
        findings: list[Damage] = []
        unsealed: list[str] = []
        read = 0
        with ThreadPoolExecutor(_THREADS) as threads:
            checked = threads.map(self._check_preview, keys.keys(), keys.values())
            for id_, (complaint, proven, size) in zip(keys, checked, strict=True):
                read += size
                if not complaint and not proven:
                    unsealed.append(id_)
                if complaint:
                    detail = f"Its preview {keys[id_]} {complaint}."
                    findings.append(Damage(Fault.PREVIEW, id_, collection, detail, records[id_].paths[:1]))
        return findings, unsealed, read

    def _check_preview(self, id_: str, key: str) -> tuple[str, bool, int]:
        """What is wrong with a preview, empty where nothing is, whether it has a checksum, and its size in bytes."""
        try:
            webp = self._previews.read(key)
        except NotFoundError:
            return "is gone", False, 0
        except StoreError as error:
            return f"cannot be read ({error.message.rstrip('.')})", False, 0
        return complaint_of_webp(id_, webp), is_sealed(webp), len(webp)


def wrong_keys(record: MediaRecord, payload: Payload) -> list[str]:
    """Keys of a payload that differ from what :meth:`MediaRecord.to_payload` makes of the record."""
    derived = record.to_payload()
    return [key for key, value in derived.items() if not same_value(value, payload.get(key))]


def is_damage(error: LikewiseError) -> bool:
    """Whether an error of reading is about the data, and not about the way to them."""
    return type(error) in (StoreError, StoreDamagedError)


def _record(point: StoredPoint) -> MediaRecord | None:
    try:
        record = MediaRecord.from_payload(point.payload)
        record.to_payload()
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return record if record.id == point.id else None


def _vectors(wrong: Sequence[str], doubtful: Sequence[str], point: StoredPoint) -> str:
    gone = [name for name in wrong if name not in point.vectors]
    changed = [name for name in wrong if name in point.vectors]
    said = (
        (changed, "is not what was written"),
        (gone, "is gone"),
        (doubtful, "cannot have been written as it is"),
    )
    return "; ".join(f"{', '.join(names)} {what}" for names, what in said if names).capitalize() + "."


def same_value(one: object, other: object) -> bool:
    """Whether two JSON values say the same; an engine may read the last digit of a number wrongly."""
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=_TOLERANCE)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_value(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    return one == other
