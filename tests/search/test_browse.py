"""Pages of a collection in every order, on both engines."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient

from search.errors import UsageError
from search.media import Kind, MediaRecord, media_id
from search.records import browse as module
from search.records.browse import ORDERS, browse
from search.records.natural_order import natural_key
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point, Store
from search.store.edge.store import EdgeStore
from search.store.filters import Filter, NumberRange
from search.store.server.store import ServerStore

SCHEMA = CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "hand", "1", "none", 4)),))
NAMES = ("img 9.jpg", "IMG_10.jpg", "Été.jpg", "été 2.jpg", "img_20210604_120000.jpg", "img_20210604_120001.jpg", "zz")


@pytest.fixture(params=["edge", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = EdgeStore(tmp_path / "home") if request.param == "edge" else ServerStore(QdrantClient(":memory:"))
    made.ensure(SCHEMA)
    yield made
    made.close()


def record(n: int, **facts: Any) -> MediaRecord:
    return MediaRecord(media_id(str(n)), Kind.IMAGE, **{"paths": (f"/pictures/{n}.jpg",)} | facts)


def write(store: Store, *records: MediaRecord) -> None:
    store.upsert("images", [Point(one.id, {}, one.to_payload()) for one in records])


def mixed(n: int) -> list[MediaRecord]:
    """Records with few different sizes and names and fewer times, some without a duration or a date of import."""
    draw = random.Random(0)
    return [
        record(
            i,
            paths=(f"/{i}/{draw.choice(NAMES)}",),
            size=draw.choice((0, 7, 2**40)),
            mtime=draw.choice((1.5e9, 1.5e9 + 0.001)),
            taken_at=draw.choice((None, "2021-06-04T12:00:00", "nonsense", "2021-06-04T12:00:00.25+02:00")),
            duration=draw.choice((None, 0.3, 0.30000000001, 12.5125)),
            added=draw.choice((None, 1.7e9 + 0.1234567)),
        )
        for i in range(n)
    ]


def walked(store: Store, limit: int, **how: Any) -> list[MediaRecord]:
    """Every page, whose totals and positions are right."""
    found: list[MediaRecord] = []
    after: str | None = None
    while True:
        page = browse(store, "images", limit=limit, after=after, **how)
        assert page.position == len(found)
        found += page.records
        after = page.after
        if after is None:
            assert page.total == len(found)
            return found
        assert len(page.records) == limit


def in_order(records: list[MediaRecord], order: str, descending: bool) -> list[str]:
    """The ids as the order's definition has them."""
    key = ORDERS[order].key
    ids = sorted(records, key=lambda one: one.id)
    ids.sort(key=lambda one: (natural_key(one.name), one.name), reverse=descending and order == "name")
    if key and order != "name":
        with_number = [one for one in ids if key in one.to_payload()]
        with_number.sort(key=lambda one: one.to_payload()[key], reverse=descending)
        ids = with_number + [one for one in ids if key not in one.to_payload()]
    return [one.id for one in ids]


@pytest.mark.parametrize("order", [name for name in ORDERS if name != "id"])
def test_every_order_both_ways_at_every_cut(store: Store, order: str) -> None:
    records = mixed(40)
    write(store, *records)
    for descending in (False, True):
        expected = in_order(records, order, descending)
        for limit in (1, 7, 40, 100):
            found = walked(store, limit, order=order, descending=descending)
            assert [one.id for one in found] == expected, (descending, limit)
    usual = [one.id for one in browse(store, "images", order=order).records]
    assert usual == in_order(records, order, order != "name")


def test_newest_first_is_the_usual_order_and_whole_records_come(store: Store) -> None:
    old, new, newer = record(1, mtime=5.0), record(2, mtime=9.0), record(3, taken_at="2021-06-04T12:00:00")
    write(store, new, newer, old)
    assert browse(store, "images").records == (newer, new, old)
    assert [one.id for one in walked(store, 2, order="id")] == sorted(one.id for one in (old, new, newer))


def test_too_many_of_one_number_follow_by_id(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SORTED", 8)
    alike = [record(n, size=5, paths=(f"/{n % 3}.jpg",)) for n in range(20)]
    few = [record(n, size=6, paths=(f"/{n}.jpg",)) for n in range(100, 104)]
    write(store, *alike, *few)
    by_id = sorted(one.id for one in alike)
    for limit in (3, 50):
        assert [one.id for one in walked(store, limit, order="size")] == [*(one.id for one in few), *by_id]
        assert [one.id for one in walked(store, limit, order="duration")] == sorted(one.id for one in (*alike, *few))


def test_conditions_hold_on_every_page(store: Store) -> None:
    records = mixed(30)
    write(store, *records, record(99, missing=True))
    wanted = [one for one in records if one.size == 7]
    where = Filter(min_size=5, numbers=(NumberRange("size", lt=100),))
    assert [one.id for one in walked(store, 4, where=where)] == in_order(wanted, "newest", True)


def test_pages_stay_right_while_media_come_and_go(store: Store) -> None:
    records = [record(n, size=n // 3) for n in range(12)]
    write(store, *records)
    first = browse(store, "images", limit=5, order="size", descending=False)
    assert first.records == tuple(records[:5])
    write(store, record(100, size=0), record(101, size=50), record(102, size=1, paths=("/a.jpg",)))
    store.delete("images", [records[0].id, records[4].id, records[6].id])
    rest = browse(store, "images", limit=20, order="size", descending=False, after=first.after)
    assert rest.position == 4  # 1, 2, 3 of the first page and 100 are before it
    assert [one.id for one in rest.records] == [media_id(str(n)) for n in (5, 102, 7, 8, 9, 10, 11, 101)]
    assert rest.total == 12


def test_a_cursor_is_safe_in_an_address_whatever_the_name(store: Store) -> None:
    name = "ÿþ?&=+/ " * 25 + ".jpg"
    records = [record(n, paths=(f"/{n}/{name}",)) for n in range(3)]
    write(store, *records)
    after = browse(store, "images", limit=1, order="name").after
    assert after is not None
    assert set(after) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(walked(store, 1, order="name")) == 3


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_broken_and_foreign_cursors_are_refused(store: Store) -> None:
    write(store, *(record(n) for n in range(3)))
    after = browse(store, "images", limit=1).after
    assert after is not None
    sound = json.loads(base64.urlsafe_b64decode(after + "=="))
    place = sound["place"]
    wrong = [
        *("x", "é", after[:-3], after + "A", "a" * 10_000, record(1).id),
        *map(encoded, (5, None, [], "text", {}, {"v": 1})),
        *(
            encoded(sound | change)
            for change in (
                {"v": 2},
                {"place": [place[0], place[1]]},
                {"place": ["big", *place[1:]]},
                {"place": [True, *place[1:]]},
                {"place": [1e999, *place[1:]]},
                {"place": [1.7e308, *place[1:]]},
                {"place": [place[0], "9" * 5000, place[2]]},
                {"place": [place[0], 5, place[2]]},
                {"place": [place[0], place[1], "cat.jpg"]},
                {"place": [place[0], place[1], 7]},
                {"seen": -1},
                {"seen": "1"},
            )
        ),
    ]
    for text in wrong:
        with pytest.raises(UsageError, match="is not where a listing ended"):
            browse(store, "images", after=text)
    for how, named in (({"order": "size"}, "'newest', descending"), ({"descending": False}, "'newest', descending")):
        with pytest.raises(UsageError, match=f"belongs to a listing in the order {named}"):
            browse(store, "images", after=after, **how)
    assert len(browse(store, "images", after=after).records) == 2


def test_what_cannot_be_listed(store: Store) -> None:
    with pytest.raises(UsageError, match="no order 'colour'") as caught:
        browse(store, "images", order="colour")
    assert caught.value.hint is not None
    assert all(name in caught.value.hint for name in ORDERS)
    with pytest.raises(UsageError, match="ascending"):
        browse(store, "images", order="id", descending=True)
    with pytest.raises(UsageError, match="0 records"):
        browse(store, "images", limit=0)
    with pytest.raises(UsageError, match="'pictures'"):
        browse(store, "pictures")
    assert browse(store, "videos") == module.RecordPage((), 0, None)


def test_records_of_a_version_before_come_last(store: Store) -> None:
    """Their payloads have no number to be ordered by until they are made anew."""
    old, new = record(1, mtime=9.0), record(2, mtime=5.0)
    payload = old.to_payload()
    del payload["sort_time"], payload["sort_name"]
    write(store, new)
    store.upsert("images", [Point(old.id, {}, payload)])
    assert walked(store, 1) == [new, old]
    write(store, replace(old, size=3))
    assert [one.id for one in walked(store, 1)] == [old.id, new.id]
