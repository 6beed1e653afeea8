"""The record of one piece of media, and the payload that is stored of it."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from search import addresses
from search.records.natural_order import sort_number

Payload: TypeAlias = dict[str, Any]
"""JSON object stored beside a point's vectors. Only this module knows its keys."""

MEDIA_NAMESPACE = uuid.UUID("6f3d7c1e-0f0a-5b53-9d0a-3b6f5f9f1c11")
"""Namespace of every media id; changing it would orphan every stored point."""


DECODING_REVISION = 4
"""How files are decoded; each record keeps the revision that made it. What each changed, and which records it affects:
``workers.decode.revisions``."""

BORDERS_SINCE = 3
"""The decoding revision that began to look for borders of pictures."""

FOOTPRINTS_SINCE = 4
"""The decoding revision that began to make fingerprints over time of recordings."""

PAYLOAD_REVISION = 7
"""Which keys :meth:`MediaRecord.to_payload` derives, and how. A library that was written under a lower revision lacks
some, or holds them otherwise, until each of its payloads is made anew of its record.

* 1 (version 0.1): ``folders``, ``words``, ``orientation``.
* 2: also ``sort_time``, ``sort_name``, ``location``; ``words`` holds the year and the month of ``taken_at``.
* 3: ``words`` is in Unicode's form NFKC.
* 4: also ``taken_local``; ``folders`` is in form NFC; ``words`` holds a sound's artist, who is no photographer any
  more.
* 5: each record has its checksums (``search.store.checksums``).
* 6: ``decoding`` of recordings, which decoding revision 3 leaves alone.
* 7: ``decoding`` of what decoding revision 4 leaves alone. Recordings that are embedded since have ``sound_runs`` and
  ``voice_runs``.
"""

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""In English wherever Likewise runs."""


class Kind(StrEnum):
    """The three kinds of media. Each has one collection."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"

    @property
    def collection(self) -> str:
        return COLLECTION_OF[self]


COLLECTION_OF = {Kind.IMAGE: "images", Kind.VIDEO: "videos", Kind.AUDIO: "audio"}
KIND_OF = {name: kind for kind, name in COLLECTION_OF.items()}
COLLECTIONS = tuple(KIND_OF)

_WORD = re.compile(r"[^\W_]+")


def media_id(sha256_hex: str) -> str:
    """Identity of a content: UUIDv5 of the SHA-256 of its bytes, as 36 lower-case characters."""
    return str(uuid.uuid5(MEDIA_NAMESPACE, sha256_hex))


def instant(text: str | None) -> datetime | None:
    """The moment an ISO 8601 text means, in its own zone, or UTC where it names none; None if it is no such text."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text in their order, in lower case. Anything but letters and digits separates words, as in the
    store.

    In Unicode's form NFKC, so that decomposed letters and accents, as macOS keeps them in names, are the same words.
    """
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def spellings(text: str) -> tuple[str, ...]:
    """A text as it is and in Unicode's forms NFC and NFD, each once: macOS keeps names decomposed, people type them
    composed."""
    return tuple(dict.fromkeys((text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))))


def word_list(text: str) -> list[str]:
    """:func:`tokens`, each once."""
    return list(dict.fromkeys(tokens(text)))


class Credit(StrEnum):
    """Source of a record's photographer. ``kmeans`` names are pseudo-photographers, clusters of similar photos."""

    EXIF = "exif"
    FOLDER = "folder"
    CSV = "csv"
    KMEANS = "kmeans"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """One content, with all the paths it lives at.

    Absent facts are ``None`` (or an empty tuple), never an invented default.

    Attributes:
        paths: absolute POSIX paths, or addresses (``search.addresses``), holding these bytes, sorted.
        libraries: names of the libraries those paths belong to, sorted.
        size: bytes.  mtime: seconds since the epoch, UTC, of the newest path.
        width, height: pixels after EXIF orientation.  duration: seconds.
        taken_at: ISO 8601, a time or a day alone; local time when it names no zone.
        aperture: f-number.  exposure: seconds.  focal_length: millimetres.
        latitude, longitude: degrees, WGS 84.
        place: name of the place, where people have entered one.
        own: what the file says of ``taken_at``, ``latitude`` and ``longitude``, where people have entered otherwise.
        photographer: who took it, as far as is known.
        credit: where ``photographer`` comes from (a :class:`Credit`).
        artist: what the file says of its author, whether that names anybody or not.
        fingerprints: perceptual hashes as hex (see ``workers.decode.perceptual``): one for an image or a sound,
            one a key frame for a video; empty when the content is too plain to fingerprint.
        damaged: share of the picture or recording that could not be read, in (0, 1]; None of a whole file.
        remark: what a person should know of how the file was decoded, as a sentence.
        decoding: the :data:`DECODING_REVISION` that decoded the file.
        pixel_hash: of an image, SHA-256 of its pixels as decoded (see ``workers.decode.decoded``): files that differ
            in nothing but metadata have one hash.
        moments: seconds of a video's key frames, in the order of its ``visual`` vectors.
        sound_runs: when each row of its vectors of sound is heard, and
        voice_runs: which of those rows have a ``voice``, see ``search.records.sound_rows``; empty of pictures, of
            silent recordings, and of what an older version embedded.
        concept_frames: of a video, for each component of its ``concepts`` vector that is not zero, in order of
            component, the index of the key frame that gave it; empty for a picture and for a video of one key frame.
        added: when it was imported, in seconds since the epoch, UTC; None where a version before did not note it.
        thumbnail: key of the preview picture in the data directory (a waveform for sounds), or None.
        missing: every path has gone; hidden from results until found again or deleted.
        features: of an image, the 78 of ``search.photographers.photos.features``, NaN as None; empty where not
            computed.
        borders: of an image, the shares of its width or height that lie outside the picture (frame, letterbox,
            mount): left, top, right, bottom. Style and features are measured within. Empty where there are none, where
            they were not to be cut, and of what an older revision than 3 decoded.
    """

    id: str
    kind: Kind
    paths: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    size: int = 0
    mtime: float = 0.0
    mime: str = ""
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    taken_at: str | None = None
    camera: str | None = None
    lens: str | None = None
    iso: float | None = None
    aperture: float | None = None
    exposure: float | None = None
    focal_length: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: str | None = None
    own: Mapping[str, Any] | None = None
    photographer: str | None = None
    credit: str | None = None
    artist: str | None = None
    tags: tuple[str, ...] = ()
    has_sound: bool = False
    damaged: float | None = None
    remark: str | None = None
    decoding: int = 1
    pixel_hash: str | None = None
    fingerprints: tuple[str, ...] = ()
    moments: tuple[float, ...] = ()
    concept_frames: tuple[int, ...] = ()
    sound_runs: tuple[float, ...] = ()
    voice_runs: tuple[int, ...] = ()
    added: float | None = None
    thumbnail: str | None = None
    job: str | None = None
    missing: bool = False
    features: tuple[float | None, ...] = field(default=(), repr=False)
    borders: tuple[float, ...] = ()

    @property
    def orientation(self) -> str | None:
        """``landscape``, ``portrait`` or ``square``; None where there is no picture."""
        if not self.width or not self.height:
            return None
        if self.width == self.height:
            return "square"
        return "landscape" if self.width > self.height else "portrait"

    @property
    def folders(self) -> tuple[str, ...]:
        """Every ancestor folder of every path, so that a path-prefix filter is one keyword match; in Unicode's form
        NFC, whatever the path is in."""
        above = {folder for path in self.paths for folder in addresses.parents(path)}
        return tuple(sorted({unicodedata.normalize("NFC", folder) for folder in above}))

    @property
    def words(self) -> str:
        """What the word search looks through: tags, names, the last folders, photographer and camera, the
        place that people have entered, the artist of a sound, and when it was taken, ``2021`` and ``june``."""
        parts: list[str] = [*self.tags]
        for path in self.paths:
            parts.extend(addresses.parts(path)[-3:])
        heard = self.artist if self.kind is Kind.AUDIO else None
        parts.extend(text for text in (self.photographer, self.camera, self.lens, self.place, heard) if text)
        if (taken := instant(self.taken_at)) is not None:
            parts.extend((f"{taken.year:04}", MONTHS[taken.month - 1]))
        return " ".join(word_list(" ".join(parts)))

    @property
    def name(self) -> str:
        """The file name of the first path; empty without one."""
        return addresses.name(self.paths[0]) if self.paths else ""

    @property
    def sort_time(self) -> float:
        """When it was taken, or else last changed, in seconds since the epoch to the millisecond; a time of its own
        clock that names no zone counts as UTC. Millionths would not survive every engine's reading of JSON."""
        taken = instant(self.taken_at)
        return round(self.mtime if taken is None else taken.timestamp(), 3)

    @property
    def taken_local(self) -> str | None:
        """What the clock showed where it was taken, as ISO 8601 with the zone left out and UTC put in its place, which
        is how an index of times keeps it; of a day alone, its first moment. None where that is unknown."""
        taken = instant(self.taken_at)
        return None if taken is None else taken.replace(tzinfo=UTC).isoformat()

    @property
    def location(self) -> dict[str, float] | None:
        """Where it was taken, as both engines index places, in degrees; None unless it is a place on Earth."""
        if self.latitude is None or self.longitude is None:
            return None
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            return None
        return {"lat": self.latitude, "lon": self.longitude}

    def to_payload(self) -> Payload:
        """JSON object for the store: every fact that is known, and the derived fields that are filtered on."""
        payload: Payload = {}
        for name in _FIELD_NAMES:
            value = getattr(self, name)
            if value is None or value == ():
                continue
            payload[name] = list(value) if isinstance(value, tuple) else value
        payload["kind"] = self.kind.value
        payload["missing"] = self.missing
        payload["folders"] = list(self.folders)
        payload["words"] = self.words
        payload["sort_time"] = self.sort_time
        payload["sort_name"] = sort_number(self.name)
        if self.taken_local:
            payload["taken_local"] = self.taken_local
        if self.location:
            payload["location"] = self.location
        if self.orientation:
            payload["orientation"] = self.orientation
        return payload

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> MediaRecord:
        """Inverse of :meth:`to_payload`; keys this version does not know are ignored.

        Raises:
            KeyError: ``id``, ``kind`` or ``paths`` is absent: the point was not written by Likewise.
        """
        values = {
            name: tuple(value) if name in _TUPLE_FIELDS else value
            for name, value in payload.items()
            if name in _FIELD_SET
        }
        values["kind"] = Kind(payload["kind"])
        return cls(**({"id": payload["id"], "paths": tuple(payload["paths"])} | values))


_FIELD_NAMES = tuple(f.name for f in fields(MediaRecord))
_FIELD_SET = frozenset(_FIELD_NAMES)

_CHANGING = frozenset(
    {"paths", "libraries", "mtime", "missing", "photographer", "credit", "added", "job", "place", "own"}
)
FACTS = frozenset(_FIELD_NAMES) - _CHANGING
"""Payload keys that follow from the content alone. The others change while it stays the same: they follow from the
ledger, or are derived by :meth:`MediaRecord.to_payload`."""
_TUPLE_FIELDS = frozenset(
    {
        *("paths", "libraries", "tags", "fingerprints", "moments", "concept_frames", "sound_runs", "voice_runs"),
        *("features", "borders"),
    }
)
