from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from search.media import COLLECTIONS, KIND_OF, MEDIA_NAMESPACE, Kind, MediaRecord, media_id


def test_identity_is_the_content() -> None:
    digest = hashlib.sha256(b"the bytes").hexdigest()
    assert media_id(digest) == str(uuid.uuid5(MEDIA_NAMESPACE, digest))
    assert media_id(digest) != media_id(hashlib.sha256(b"other bytes").hexdigest())


def test_identity_never_changes_between_versions() -> None:
    """Every stored point would be orphaned."""
    assert media_id(hashlib.sha256(b"").hexdigest()) == "73afc095-1035-5ca0-86e9-4f2c86e84ee1"


def test_every_kind_has_its_collection() -> None:
    assert tuple(kind.collection for kind in Kind) == COLLECTIONS == ("images", "videos", "audio")
    assert all(KIND_OF[kind.collection] is kind for kind in Kind)


def full_record() -> MediaRecord:
    return MediaRecord(
        id=media_id("00"),
        kind=Kind.VIDEO,
        paths=("/films/2024/boat trip.mp4", "/backup/boat trip.mp4"),
        libraries=("films",),
        size=1234,
        mtime=1.5,
        mime="video/mp4",
        width=1080,
        height=1920,
        duration=12.5,
        taken_at="2024-05-01T12:00:00",
        camera="Nikon D5",
        lens="50mm f/1.8",
        iso=100.0,
        aperture=1.8,
        exposure=0.01,
        focal_length=50.0,
        latitude=51.5,
        longitude=-0.1,
        photographer="Ann",
        tags=("boat", "sea"),
        has_sound=True,
        fingerprints=("ff00",),
        moments=(0.0, 5.0),
        thumbnail="ab/x.webp",
        job="j",
        missing=True,
        features=(1.0, None),
    )


def test_payload_there_and_back() -> None:
    record = full_record()
    assert MediaRecord.from_payload(json.loads(json.dumps(record.to_payload()))) == record


def test_absent_facts_are_absent_from_the_payload() -> None:
    bare = MediaRecord(id="i", kind=Kind.AUDIO, paths=("/a.wav",))
    payload = bare.to_payload()
    assert "iso" not in payload
    assert "orientation" not in payload
    assert MediaRecord.from_payload(payload) == bare


def test_payload_of_a_later_version_is_read() -> None:
    payload = full_record().to_payload() | {"invented_later": 1}
    assert MediaRecord.from_payload(payload) == full_record()


def test_foreign_payload_is_refused() -> None:
    with pytest.raises(KeyError):
        MediaRecord.from_payload({"kind": "image"})


@pytest.mark.parametrize(
    ("width", "height", "orientation"),
    [(2, 1, "landscape"), (1, 2, "portrait"), (3, 3, "square"), (None, None, None), (0, 5, None)],
)
def test_orientation(width: int | None, height: int | None, orientation: str | None) -> None:
    assert MediaRecord("i", Kind.IMAGE, ("/a.jpg",), width=width, height=height).orientation == orientation


def test_folders_are_every_ancestor_of_every_path() -> None:
    assert full_record().folders == ("/", "/backup", "/films", "/films/2024")


def test_words_come_from_tags_names_folders_and_people() -> None:
    words = full_record().words.split()
    assert {"boat", "sea", "trip", "mp4", "2024", "films", "ann", "nikon"} <= set(words)
    assert len(words) == len(set(words))
