"""What becomes of a record when its file is decoded, again or for the first time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from search.media import Kind, MediaRecord
from search.store.base import Point, Store
from workers.batch.delivery import deliver
from workers.batch.records import new_record, renewed, with_files
from workers.batch.report import Delivery, FileRef
from workers.decode.decoded import Decoded, MediaFacts
from workers.embedders.models import Embedded

FILE = FileRef("/photos/a.jpg", "home", 10, 1.0, "ab" * 32)
MEDIA_ID = "6f3d7c1e-0f0a-5b53-9d0a-3b6f5f9f1c12"
FEATURES = (1.0, None, *[0.5] * 76)
EMBEDDED = Embedded({}, ("tabby",), (1, 0))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(1_700_000_000, 1_800_000_000))
    monkeypatch.setattr("workers.batch.records.time.time", lambda: next(times) + 0.12345)


def made(artist: str | None, known: MediaRecord | None = None) -> MediaRecord:
    decoded = Decoded(Kind.IMAGE, "image/jpeg", MediaFacts(artist=artist), features=FEATURES)
    return new_record("id", FILE, decoded, known, EMBEDDED, None, "job")


@pytest.mark.parametrize(
    ("artist", "photographer", "credit"),
    [
        ("Ada Lovelace", "Ada Lovelace", "exif"),
        ("Photo by Ada Lovelace", "Ada Lovelace", "exif"),
        ("unknown", None, None),
        (None, None, None),
    ],
)
def test_the_file_credits_whoever_it_names(artist: str | None, photographer: str | None, credit: str | None) -> None:
    record = made(artist)
    assert (record.artist, record.photographer, record.credit) == (artist, photographer, credit)


def test_who_is_heard_is_no_photographer() -> None:
    decoded = Decoded(Kind.AUDIO, "audio/mpeg", MediaFacts(artist="Vera Lund"))
    record = new_record("id", FILE, decoded, None, Embedded({}), None, "job")
    assert (record.artist, record.photographer, record.credit) == ("Vera Lund", None, None)
    assert {"vera", "lund"} <= set(record.words.split())


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.AUDIO])
def test_a_name_that_a_version_before_took_from_the_file_goes_where_it_is_nobodys(kind: Kind) -> None:
    artist = "Vera Lund" if kind is Kind.AUDIO else "Adobe Photoshop"
    known = replace(made(artist), kind=kind, photographer=artist, credit="exif")
    again = new_record("id", FILE, Decoded(kind, "", MediaFacts(artist=artist)), known, Embedded({}), None, "job")
    assert (again.artist, again.photographer, again.credit) == (artist, None, None)


@pytest.mark.parametrize("credit", ["csv", "folder", "person", "kmeans"])
def test_what_somebody_said_counts_more_than_the_file(credit: str) -> None:
    known = replace(made("Ada Lovelace"), photographer="Grace Hopper", credit=credit)
    for record in (made("Ada Lovelace", known), renewed(known, made("Ada Lovelace"))):
        assert (record.photographer, record.credit, record.artist) == ("Grace Hopper", credit, "Ada Lovelace")


@pytest.mark.parametrize(
    ("photographer", "credit"), [("Ada Lovelace", "exif"), (None, "person")], ids=["renamed", "nobody's"]
)
def test_what_is_settled_of_a_name_that_the_file_gives_stays(photographer: str | None, credit: str) -> None:
    known = replace(made("ada"), photographer=photographer, credit=credit)
    for record in (made("ada", known), renewed(known, made("ada"))):
        assert (record.photographer, record.credit, record.artist) == (photographer, credit, "ada")


def test_a_file_that_names_somebody_else_now_is_followed() -> None:
    assert made("Grace Hopper", made("Ada Lovelace")).photographer == "Grace Hopper"


def test_a_record_survives_its_payload() -> None:
    record = made("Ada Lovelace")
    assert record.features == FEATURES
    assert MediaRecord.from_payload(record.to_payload()) == record


def test_a_record_from_before_gets_what_was_not_written_down_then() -> None:
    old = replace(made(None), photographer="A. Lovelace", features=(), tags=("tiger",), concept_frames=(), added=None)
    fresh = made("Ada Lovelace")
    again = renewed(old, fresh)
    assert again == replace(fresh, tags=("tabby",), concept_frames=(1, 0), added=None)


def test_the_time_of_import_is_that_of_the_first(store: Store) -> None:
    first = made(None)
    assert first.added == pytest.approx(1_700_000_000.123)
    assert made(None, first).added == first.added
    assert made(None, replace(first, added=None)).added is None, "it is not known of what an older version took in"
    assert renewed(first, made(None)).added == first.added
    assert with_files(first, [replace(FILE, path="/photos/b.jpg")]).added == first.added
    vector = {"visual": np.ones((1, store.schema("images").by_name["visual"].space.dim), np.float32)}
    for _ in range(2):
        deliver(store, [Delivery("images", Point(MEDIA_ID, vector, replace(made(None), id=MEDIA_ID).to_payload()))])
    (point,) = store.retrieve("images", [MEDIA_ID])
    assert point.payload["added"] == pytest.approx(1_700_000_004.123)


def test_features_stay_where_none_can_be_made() -> None:
    known = made("Ada Lovelace")
    assert renewed(known, replace(known, features=())).features == FEATURES


def test_a_delivered_point_leaves_what_somebody_said(store: Store) -> None:
    vector = {"visual": np.ones((1, store.schema("images").by_name["visual"].space.dim), np.float32)}
    said = replace(made("Ada Lovelace"), photographer="Grace Hopper", credit="person")
    store.upsert("images", [Point(MEDIA_ID, vector, replace(said, id=MEDIA_ID).to_payload())])
    deliver(
        store, [Delivery("images", Point(MEDIA_ID, vector, replace(made("Ada Lovelace"), id=MEDIA_ID).to_payload()))]
    )
    (point,) = store.retrieve("images", [MEDIA_ID])
    record = MediaRecord.from_payload(point.payload)
    assert (record.photographer, record.credit, record.features) == ("Grace Hopper", "person", FEATURES)
