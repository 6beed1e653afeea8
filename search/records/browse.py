"""Lists a collection page by page, in an order that people know.

The order is total: by the number the order goes by, then by file name (``search.records.natural_order``), then by id.
Records that have no such number come last. A page goes on where a record stood, not where a count ended, so nothing
is shown twice or left out because media came or went in between; but where the records of one number become more than
:data:`SORTED` between two pages, they follow in another order from then on.

An engine orders by numbers only and leaves open how equal ones follow each other. So the records of one number are
fetched together and ordered here, as long as they are not too many (:data:`SORTED`); beyond that they follow by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from search import addresses
from search.errors import UsageError
from search.media import COLLECTIONS, KIND_OF, MediaRecord
from search.per_store import PerStore
from search.records.cursors import read_cursor, write_cursor
from search.records.natural_order import natural_key
from search.records.recent import RecentAnswers
from search.records.shown import shown_records
from search.store.base import Store, StoredPoint
from search.store.conditions import valid_ids
from search.store.filters import Filter, NumberRange

SORTED = 3000
"""Most records of one number that are ordered by name: fetching their names takes some 50 ms."""

_VERSION = 1
_NEXT = 1e-15
"""Relative difference up to which two floats count as one: JSON parsers (serde_json's) miss the last digit, so a number
asked for may not be quite the one that was answered."""

_LARGEST, _LONGEST_NAME = 2.0**63, 4096
"""Greatest number and longest name that a cursor may hold; others are forged."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """What a listing goes by.

    Attributes:
        key: payload key with an index of numbers; None for the id.
        descending: unless the caller says otherwise.
        by_name: the number stands for the name, so that names of one number go in its direction.
    """

    key: str | None
    descending: bool
    by_name: bool = False


ORDERS: Mapping[str, SortOrder] = {
    "newest": SortOrder("sort_time", descending=True),
    "name": SortOrder("sort_name", descending=False, by_name=True),
    "size": SortOrder("size", descending=True),
    "duration": SortOrder("duration", descending=True),
    "added": SortOrder("added", descending=True),
    "id": SortOrder(None, descending=False),
}
"""The orders by what users call them; the first is the usual one."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Part of a collection.

    Attributes:
        total: records that match, on all pages together.
        after: what to pass as ``after`` for the next page; None on the last one.
        position: how many of those that match stand before this page.
    """

    records: tuple[MediaRecord, ...]
    total: int
    after: str | None
    position: int = 0


class _Place(NamedTuple):
    """Where a record stands: its number (None when it has none), the name of its first file, its id."""

    value: float | None
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class _Cursor:
    """``seen``: how many records stood up to there, the record itself included, when it was shown."""

    order: str
    descending: bool
    place: _Place
    seen: int

    def __str__(self) -> str:
        return write_cursor({"v": _VERSION, **asdict(self)})


def browse(
    store: Store,
    collection: str,
    where: Filter | None = None,
    limit: int = 60,
    after: str | None = None,
    *,
    order: str = "newest",
    descending: bool | None = None,
    whole: bool = True,
) -> RecordPage:
    """A page of a collection's records.

    Args:
        after: the ``after`` of the page before, asked with the same order; None starts at the beginning. In the order
            of ids also an id, from which on positions are counted then.
        order: one of :data:`ORDERS`.
        descending: the other way round than usual, or not; ids have one direction only.
        whole: with all that the records hold, or with what ``search.records.lookup.SHOWN`` names, which is quicker.

    Raises:
        UsageError: there is no such collection or order, the limit is not positive, or ``after`` is damaged or of
            another order.
    """
    if collection not in KIND_OF:
        raise UsageError(f"There is no collection '{collection}'.", f"Choose one of {', '.join(COLLECTIONS)}.")
    if limit < 1:
        raise UsageError(f"A page cannot hold {limit} records.")
    if order not in ORDERS:
        raise UsageError(f"There is no order '{order}'.", f"Choose one of {', '.join(ORDERS)}.")
    chosen = ORDERS[order]
    if chosen.key is None and descending:
        raise UsageError("Ids can be listed in ascending order only.", "Leave out the direction, or choose an order.")
    direction = chosen.descending if descending is None else descending
    start = _read_cursor(after, order, direction) if after else None
    if collection not in store.collections():
        return RecordPage((), 0, None)
    where = where or Filter()

    def found() -> _Found:
        listing = _Listing(store, collection, where, chosen, direction, limit)
        return _Found(listing.position(start), list(islice(listing.places(start), limit + 1)), listing.count())

    asked = (collection, where, chosen, direction, limit, start)
    position, places, total = _recent(store).answer(asked, lambda: [store.edition(collection)], found)
    ids = [place.id for place in places[:limit]]
    if whole:
        records = {point.id: MediaRecord.from_payload(point.payload) for point in store.retrieve(collection, ids)}
    else:
        records = shown_records(store, collection, ids)
    following = None
    if len(places) > limit:
        following = str(_Cursor(order, direction, places[limit - 1], position + limit))
    # Those of the records that are still there.
    return RecordPage(tuple(records[id_] for id_ in ids if id_ in records), total, following, position)


class _Found(NamedTuple):
    """Where a page begins, the places of its records and of one more, and how many records there are in all."""

    position: int
    places: list[_Place]
    total: int


_recent: PerStore[RecentAnswers[_Found]] = PerStore(lambda _: RecentAnswers())


class _Listing:
    """One collection in one order."""

    def __init__(
        self, store: Store, collection: str, where: Filter, order: SortOrder, descending: bool, limit: int
    ) -> None:
        self._store, self._collection, self._where = store, collection, where
        self._order, self._descending = order, descending
        # One record more than the page shows whether there is another page, and one more whether the last is cut off
        # from others of its number.
        self._step = min(limit + 2, SORTED)
        self._groups: dict[float | None, tuple[_Place, ...] | None] = {}

    def count(self, where: Filter | None = None) -> int:
        return self._store.count(self._collection, where or self._where)

    def position(self, start: _Cursor | None) -> int:
        """How many stand before what follows ``start``: counted, except within ids and within too many of one number,
        where it is what was so when the page before was shown."""
        if start is None:
            return 0
        if self._order.key is None:
            return min(start.seen, self.count())
        value = start.place.value
        group = self._group(value)
        if group is None:
            return min(start.seen, self.count())
        if value is None:
            before = self.count() - len(group)
        else:
            low, high = _about(value)
            before = self.count(self._within(gt=high) if self._descending else self._within(lt=low))
        return before + len(group) - len(self._following(group, start.place))

    def places(self, start: _Cursor | None) -> Iterator[_Place]:
        """Every record's place in order, from after ``start`` on."""
        if self._order.key is None:
            yield from self._by_id(self._where, start.place.id if start else None)
            return
        place = start.place if start else None
        if place is not None:
            yield from self._rest_of(place)
        if place is None or place.value is not None:
            yield from self._beyond(place.value if place is not None else None)
            yield from self._whole(None)

    def _beyond(self, value: float | None) -> Iterator[_Place]:
        """What follows the records of a number; everything that has one, if it is None."""
        assert self._order.key is not None
        keys = (self._order.key, "paths")
        while True:
            where = self._where
            if value is not None:
                low, high = _about(value)
                where = self._within(lt=low) if self._descending else self._within(gt=high)
            points = self._store.ordered(
                self._collection, keys[0], descending=self._descending, where=where, payload=keys, limit=self._step
            )
            found = self._sorted(map(self._place, points))
            if len(points) < self._step:
                yield from found
                return
            value = found[-1].value
            assert value is not None
            low, high = _about(value)
            # The engine may have cut off others of the last number.
            yield from (place for place in found if place.value is not None and not low <= place.value <= high)
            yield from self._whole(value)

    def _whole(self, value: float | None) -> Iterator[_Place]:
        """Every record of one number, or of none."""
        group = self._group(value)
        yield from self._by_id(self._only(value)) if group is None else group

    def _rest_of(self, place: _Place) -> Iterator[_Place]:
        """The records of one number, or of none, that follow a place among them."""
        group = self._group(place.value)
        if group is None:
            yield from self._by_id(self._only(place.value), place.id)
        else:
            yield from self._following(group, place)

    def _following(self, group: Sequence[_Place], place: _Place) -> list[_Place]:
        others = [one for one in group if one.id != place.id]
        ordered = self._sorted([*others, place])
        return ordered[ordered.index(place) + 1 :]

    def _group(self, value: float | None) -> tuple[_Place, ...] | None:
        """All records of one number, or of none, in order; None if they are too many to be ordered here."""
        if value not in self._groups:
            self._groups[value] = None
            if self.count(self._only(value)) <= SORTED:
                self._groups[value] = tuple(self._sorted(self._by_id(self._only(value))))
        return self._groups[value]

    def _by_id(self, where: Filter, after: str | None = None) -> Iterator[_Place]:
        keys = [key for key in (self._order.key, "paths") if key]
        points = self._store.scroll(self._collection, where=where, payload=keys, page=self._step, after=after)
        return map(self._place, points)

    def _sorted(self, places: Iterator[_Place] | Sequence[_Place]) -> list[_Place]:
        """By number, name and id: sorted by the last first, as sorting keeps the order of what is equal."""
        ordered = sorted(places, key=lambda place: place.id)
        down = self._order.by_name and self._descending
        ordered.sort(key=lambda place: (natural_key(place.name), place.name), reverse=down)
        ordered.sort(key=lambda place: place.value or 0, reverse=self._descending)
        return ordered

    def _only(self, value: float | None) -> Filter:
        if value is None:
            return replace(self._where, lacking=self._order.key)
        low, high = _about(value)
        return self._within(gte=low, lte=high)

    def _within(self, **bounds: float) -> Filter:
        assert self._order.key is not None
        return replace(self._where, numbers=(*self._where.numbers, NumberRange(self._order.key, **bounds)))

    def _place(self, point: StoredPoint) -> _Place:
        paths = point.payload.get("paths") or [""]
        value = point.payload.get(self._order.key) if self._order.key else None
        return _Place(value, addresses.name(paths[0]), point.id)


def _about(value: float) -> tuple[float, float]:
    """The range of what counts as the same number."""
    margin = abs(value) * _NEXT if isinstance(value, float) else 0
    return value - margin, value + margin


def _read_cursor(text: str, order: str, descending: bool) -> _Cursor:
    """
    Raises:
        UsageError: it was not made by this module, or for another order.
    """
    if order == "id" and valid_ids([text]):
        return _Cursor(order, descending, _Place(None, "", text), 0)
    cursor = read_cursor(text, _checked)
    if (cursor.order, cursor.descending) != (order, descending):
        raise UsageError(
            f"'after' belongs to a listing in the order '{cursor.order}'"
            f"{', descending' if cursor.descending is True else ''}, not to this one.",
            "Begin again without 'after'.",
        )
    return cursor


def _checked(said: Any) -> _Cursor | None:
    value, name, id_ = said["place"]
    cursor = _Cursor(said["order"], said["descending"], _Place(value, name, id_), said["seen"])
    sound = (
        said["v"] == _VERSION
        and (value is None or (type(value) in (int, float) and abs(value) <= _LARGEST))
        and isinstance(name, str)
        and len(name) <= _LONGEST_NAME
        and valid_ids([id_]) == [id_]
        and type(cursor.seen) is int
        and cursor.seen >= 0
    )
    return cursor if sound else None
