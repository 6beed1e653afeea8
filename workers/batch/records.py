"""Media records of embedded files, and merges of records of the same content."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.media import COLLECTIONS, DECODING_REVISION, PAYLOAD_REVISION, Credit, Kind, MediaRecord, Payload
from search.photographers.photos.names import credited_name
from search.records.sound_rows import as_row_runs, as_runs
from search.store.base import Store
from workers.batch.embedding_store import EmbeddingStore
from workers.batch.report import FileRef
from workers.decode.decoded import Decoded

REVISION_KEY = "payload_revision"
"""Metadata key of a collection: the ``search.media.PAYLOAD_REVISION`` that every payload in it has at least. Absent
where an older version made the collection and its payloads have not been rewritten."""


class EmbeddedFacts(Protocol):
    """What a record keeps of how its file was embedded, see ``workers.embedders.models.Embedded``."""

    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def concept_frames(self) -> tuple[int, ...]: ...
    @property
    def spans(self) -> NDArray[np.float32]: ...
    @property
    def voice_rows(self) -> NDArray[np.int32]: ...


def new_record(
    id_: str,
    file: FileRef,
    decoded: Decoded,
    known: MediaRecord | None,
    embedded: EmbeddedFacts,
    thumbnail: str | None,
    job: str,
) -> MediaRecord:
    """The record of an embedded file.

    Args:
        known: the stored record of the same content, whose paths and time of import are kept.
    """
    photographer, credit = credited(decoded.kind, decoded.facts.artist, known)
    record = MediaRecord(
        id=id_,
        kind=decoded.kind,
        paths=known.paths if known else (),
        libraries=known.libraries if known else (),
        size=file.size,
        mime=decoded.mime,
        tags=embedded.tags,
        fingerprints=decoded.fingerprints,
        pixel_hash=decoded.pixel_hash,
        decoding=DECODING_REVISION,
        moments=decoded.moments,
        concept_frames=embedded.concept_frames,
        sound_runs=as_runs(embedded.spans),
        voice_runs=as_row_runs(embedded.voice_rows),
        added=round(time.time(), 3) if known is None else known.added,
        features=decoded.features,
        borders=decoded.borders,
        photographer=photographer,
        credit=credit,
        thumbnail=thumbnail,
        job=job,
        **asdict(decoded.facts),
    )
    return with_files(record, [file])


def renewed(record: MediaRecord, fresh: MediaRecord) -> MediaRecord:
    """A stored record whose file was embedded again: new tags, concepts and rows of sound, and facts that an older
    version did not store."""
    artist = fresh.artist or record.artist
    photographer, credit = credited(record.kind, artist, record)
    return replace(
        record,
        tags=fresh.tags,
        concept_frames=fresh.concept_frames,
        sound_runs=fresh.sound_runs,
        voice_runs=fresh.voice_runs,
        features=fresh.features or record.features,
        borders=fresh.borders if fresh.features else record.borders,
        artist=artist,
        photographer=photographer or record.photographer,
        credit=credit,
    )


def credited(kind: Kind, artist: str | None, known: MediaRecord | None) -> tuple[str | None, str | None]:
    """Photographer and source of the credit.

    A stored credit is kept, because people may have changed, removed or renamed it. Only a credit that came from the
    file follows a changed artist of the file, or goes where that is known now to be nobody's name.
    """
    name = credited_name(kind, artist)
    from_file = known is not None and known.credit == Credit.EXIF
    if known is not None and known.credit is not None and (not from_file or (name and known.artist == artist)):
        return known.photographer, known.credit
    return name, Credit.EXIF.value if name else None


def mark_current(store: Store, collection: str) -> None:
    """Mark a collection: every payload in it has all keys that this version derives.

    Raises:
        StoreError: the store refused.
    """
    store.set_metadata(collection, {REVISION_KEY: PAYLOAD_REVISION})


def with_files(record: MediaRecord, files: Iterable[FileRef]) -> MediaRecord:
    """``record`` with the paths and libraries of these files added."""
    files = tuple(files)
    paths = {*record.paths, *(path for file in files for path in (file.path, *file.other_paths))}
    return replace(
        record,
        paths=tuple(sorted(paths)),
        libraries=tuple(sorted({*record.libraries, *(file.library for file in files)})),
        mtime=max([record.mtime, *(file.mtime for file in files)]),
        missing=record.missing and not files,
    )


def payload_changes(before: MediaRecord, after: MediaRecord) -> Payload:
    """The patch that turns the payload of ``before`` into that of ``after``; a key to be removed is None."""
    old, new = before.to_payload(), after.to_payload()
    return {key: new.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def find_records(store: EmbeddingStore, ids: Sequence[str]) -> dict[str, MediaRecord]:
    """Stored records by id, of any collection; one so damaged that it is no record any more counts as absent."""
    existing = store.collections()
    found: dict[str, MediaRecord] = {}
    for collection in COLLECTIONS:
        if collection in existing and ids:
            for point in store.retrieve(collection, ids):
                with suppress(KeyError, ValueError, TypeError):
                    found[point.id] = MediaRecord.from_payload(point.payload)
    return found
