from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from search.media import COLLECTIONS, KIND_OF, MEDIA_NAMESPACE, PAYLOAD_REVISION, Kind, MediaRecord, media_id, tokens
from search.records.natural_order import sort_number


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
        concept_frames=(1, 0, 1),
        sound_runs=(0.0, 9.288, 9.288, 2.0, 40.0, 0.0, 5.5, 1.0),
        voice_runs=(1, 2),
        added=1_700_000_000.25,
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


@pytest.mark.parametrize(
    ("taken_at", "expected"),
    [
        (None, 1000.123),
        ("yesterday", 1000.123),
        ("", 1000.123),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00.1234567Z", 60.123),
        ("1969-12-31", -86400.0),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
    ],
)
def test_the_time_to_sort_by(taken_at: str | None, expected: float) -> None:
    record = MediaRecord("i", Kind.IMAGE, ("/a.jpg",), mtime=1000.1234, taken_at=taken_at)
    assert record.to_payload()["sort_time"] == record.sort_time == expected


def test_the_name_to_sort_by_is_that_of_the_first_path() -> None:
    record = MediaRecord("i", Kind.IMAGE, ("s3://bucket/z/IMG_9.jpg", "/a/1.jpg"))
    assert record.name == "IMG_9.jpg"
    assert record.to_payload()["sort_name"] == sort_number("img 9.JPG") > sort_number("img 8.jpg")
    assert MediaRecord("i", Kind.IMAGE, ()).to_payload()["sort_name"] == sort_number("") == 0


@pytest.mark.parametrize(
    ("latitude", "longitude", "location"),
    [
        (51.5, -0.1, {"lat": 51.5, "lon": -0.1}),
        (0.0, 0.0, {"lat": 0.0, "lon": 0.0}),
        (51.5, None, None),
        (None, 2.0, None),
        (91.0, 0.0, None),
        (0.0, -180.5, None),
        (float("nan"), 0.0, None),
    ],
)
def test_where_it_was_taken(latitude: float | None, longitude: float | None, location: object) -> None:
    record = MediaRecord("i", Kind.IMAGE, ("/a.jpg",), latitude=latitude, longitude=longitude)
    assert record.to_payload().get("location") == location


def test_words_say_when_it_was_taken() -> None:
    """In English wherever Likewise runs."""
    words = MediaRecord("i", Kind.IMAGE, ("/a.jpg",), taken_at="2021-06-04T12:00:00").words.split()
    assert words == ["a", "jpg", "2021", "june"]
    assert "june" not in MediaRecord("i", Kind.IMAGE, ("/a.jpg",), taken_at="June 2021").words.split()


def test_accents_are_the_same_words_however_they_are_written() -> None:
    composed, apart = "/Zürich/\u00e9t\u00e9 caf\u00e9.jpg", "/Zu\u0308rich/e\u0301te\u0301 cafe\u0301.jpg"
    assert tokens(apart) == tokens(composed) == ("z\u00fcrich", "\u00e9t\u00e9", "caf\u00e9", "jpg")
    assert MediaRecord("i", Kind.IMAGE, (apart,)).words == MediaRecord("i", Kind.IMAGE, (composed,)).words


def test_the_revision_says_which_keys_are_derived() -> None:
    """Whoever derives another key raises the revision, so that older libraries are given it."""
    stored = {*MediaRecord.__dataclass_fields__}
    derived = {*full_record().to_payload()} - stored
    assert (PAYLOAD_REVISION, derived) == (
        7,  # to 4; 5 gave the records their checksums, 6 and 7 mark what decoding revisions 3 and 4 leave alone
        {"folders", "words", "orientation", "sort_time", "sort_name", "location", "taken_local"},
    )
