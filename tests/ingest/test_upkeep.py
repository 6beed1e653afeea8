"""Payloads that an older version wrote get the keys of this one, once, whatever stops it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest.maintenance import upkeep
from ingest.maintenance.upkeep import UNDER_WAY, bring_up_to_date, renew_payloads
from search.media import PAYLOAD_REVISION, MediaRecord
from search.store.base import Point
from search.store.checksums import FACTS_KEY, Proof, implausible, key_of, prove
from workers.batch.records import REVISION_KEY

LATER = ("sort_time", "sort_name", "location", "added")
"""Keys that version 0.1 did not write."""


@pytest.fixture
def older(desk: Any) -> Any:
    """A library of 12 pictures as version 0.1 left it, taken at a known time and place."""
    desk.fill(12)
    desk.ingest.run(desk.ingest.start([desk.media]))
    facts = {"taken_at": "2021-06-05T10:00:00", "latitude": 48.5, "longitude": 9.0, "from_a_version_to_come": [1]}
    then = dict.fromkeys(LATER) | facts
    desk.store.patch_payload("images", {point.id: then for point in desk.store.scroll("images")})
    return desk


def payloads(desk: Any) -> dict[str, dict[str, Any]]:
    return {point.id: point.payload for point in desk.store.scroll("images")}


def test_payloads_get_the_keys_of_this_version_and_the_time_of_import(older: Any) -> None:
    assert REVISION_KEY not in older.store.metadata("images")
    bring_up_to_date(older.store, older.ledger)
    (job,) = older.ingest.jobs()
    for payload in payloads(older).values():
        assert {"2021", "june"} <= set(payload["words"].split())
        assert payload["sort_time"] == pytest.approx(1622887200.0)
        assert payload["location"] == {"lat": 48.5, "lon": 9.0}
        assert payload["added"] == pytest.approx(job.created, abs=1e-3)
        assert payload["from_a_version_to_come"] == [1]
        assert MediaRecord.from_payload(payload).to_payload().items() <= payload.items()
    assert older.store.metadata("images")[REVISION_KEY] == PAYLOAD_REVISION
    assert UNDER_WAY not in older.store.metadata("images")


def test_a_library_of_revision_3_gets_local_times_and_composed_folders_and_loses_singers(desk: Any) -> None:
    """Of revision 3 are the keys and names of before: no local time, folders as the paths spell them, and whoever the
    file names as its photographer."""
    desk.fill(4)
    desk.ingest.run(desk.ingest.start([desk.media]))
    first, second, third, fourth = sorted(payloads(desk))
    folder = unicodedata.normalize("NFD", "/bilder/München")
    moved = {"paths": [f"{folder}/a.jpg"], "folders": ["/", "/bilder", folder], "taken_at": "2024-08-16T05:00:00+12:00"}
    exif = {"credit": "exif"}
    desk.store.patch_payload(
        "images",
        {
            first: moved | {"artist": "Ada", "photographer": "Ada"} | exif,
            second: {"artist": "Adobe Photoshop", "photographer": "Adobe Photoshop"} | exif,
            third: {"artist": "Adobe Photoshop", "photographer": "Bo", "credit": "person"},
            fourth: {"kind": "audio", "artist": "Vera Lund", "photographer": "Vera Lund"} | exif,
        },
    )
    desk.store.patch_payload("images", {id_: {"taken_local": None} for id_ in payloads(desk)})
    desk.store.set_metadata("images", {REVISION_KEY: 3})

    bring_up_to_date(desk.store, desk.ledger)

    found = payloads(desk)
    assert found[first]["taken_local"] == "2024-08-16T05:00:00+00:00"
    assert found[first]["folders"] == ["/", "/bilder", "/bilder/München"]
    assert found[first]["paths"] == [f"{folder}/a.jpg"]
    found_credits = {id_: (found[id_].get("photographer"), found[id_].get("credit")) for id_ in found}
    assert found_credits == {
        first: ("Ada", "exif"),
        second: (None, None),
        third: ("Bo", "person"),
        fourth: (None, None),
    }
    assert found[fourth]["artist"] == "Vera Lund"
    assert {"vera", "lund"} <= set(found[fourth]["words"].split())
    assert desk.store.metadata("images")[REVISION_KEY] == PAYLOAD_REVISION


def test_records_of_revision_4_get_checksums_that_hold_for_what_a_job_replaces_meanwhile(
    older: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, schema = older.store, older.store.schema("images")
    keys = dict.fromkeys((*map(key_of, schema.by_name), FACTS_KEY))
    patch_payload, points = store.patch_payload, payloads(older)
    patch_payload("images", dict.fromkeys(points, keys))
    replaced = [*points][:1]

    def patched(collection: str, patches: Any) -> None:
        if replaced:
            vectors = {"visual": np.ones((1, schema.by_name["visual"].space.dim), np.float32)}
            payload = points[replaced[0]] | {"camera": "Nikon"}
            store.upsert(collection, [Point(replaced.pop(), vectors, payload)])
        patch_payload(collection, patches)

    monkeypatch.setattr(store, "patch_payload", patched)
    bring_up_to_date(store, older.ledger)
    assert {prove(schema, point) for point in store.scroll("images", vectors=[*schema.by_name])} == {Proof()}


def test_what_cannot_have_been_stored_gets_no_checksum(older: Any) -> None:
    schema = older.store.schema("images")
    (point, *_) = older.store.scroll("images", vectors=[*schema.by_name])
    for wrong in (np.nan, 3.0):
        broken = replace(point, vectors={"visual": point.vectors["visual"] * np.float32(wrong)})
        assert implausible(schema, broken) == ("visual",)
    assert implausible(schema, replace(point, vectors={"visual": point.vectors["visual"] * 0})) == ()


def test_what_has_been_done_is_not_looked_at_again(older: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_up_to_date(older.store, older.ledger)
    monkeypatch.setattr(older.store, "retrieve", lambda *_, **__: pytest.fail("looked again"))
    bring_up_to_date(older.store, older.ledger)


def test_cut_off_it_goes_on_where_it_was(older: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAGE", 5)
    steps = iter((True, True, False))
    assert not renew_payloads(older.store, older.ledger, "images", lambda: next(steps))
    done = [id_ for id_, payload in payloads(older).items() if "sort_time" in payload]
    assert len(done) == 10
    assert older.store.metadata("images")[UNDER_WAY] == {"revision": PAYLOAD_REVISION, "after": max(done)}

    seen: list[str] = []
    retrieve = older.store.retrieve

    def watched(collection: str, ids: Any, **rest: Any) -> Any:
        seen.extend(ids)
        return retrieve(collection, ids, **rest)

    monkeypatch.setattr(older.store, "retrieve", watched)
    assert renew_payloads(older.store, older.ledger, "images")
    assert set(seen).isdisjoint(done)
    assert all("sort_time" in payload for payload in payloads(older).values())


def test_what_a_job_changes_meanwhile_is_renewed_again(older: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that comes between reading and writing a payload must not lose its words to those read before."""
    patch_payload, (id_, *_) = older.store.patch_payload, payloads(older)
    meanwhile = [True]

    def patched(collection: str, patches: Any) -> None:
        if meanwhile:
            meanwhile.clear()
            (point,) = older.store.retrieve(collection, [id_])
            record = MediaRecord.from_payload(point.payload)
            patch_payload(collection, {id_: {"paths": [*record.paths, "/elsewhere/zebra.jpg"]}})
        patch_payload(collection, patches)

    monkeypatch.setattr(older.store, "patch_payload", patched)
    renew_payloads(older.store, older.ledger, "images")
    assert "zebra" in payloads(older)[id_]["words"].split()


def test_the_time_of_import_of_a_job_nobody_knows_stays_unknown(older: Any) -> None:
    ids = list(payloads(older))
    older.store.patch_payload("images", {ids[0]: {"job": "77"}, ids[1]: {"job": None}, ids[2]: {"added": 5.5}})
    bring_up_to_date(older.store, older.ledger)
    found = payloads(older)
    assert "added" not in found[ids[0]]
    assert "added" not in found[ids[1]]
    assert found[ids[2]]["added"] == 5.5


def test_a_library_of_a_version_to_come_is_left_alone(older: Any) -> None:
    older.store.set_metadata("images", {REVISION_KEY: PAYLOAD_REVISION + 1})
    bring_up_to_date(older.store, older.ledger)
    assert not any("sort_time" in payload for payload in payloads(older).values())
    assert older.store.metadata("images")[REVISION_KEY] == PAYLOAD_REVISION + 1
