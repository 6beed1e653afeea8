"""Copies collections from one store into another, point by point.

A copy that is killed continues where it was, and one that has ended has been compared with its source. While a
collection is being filled its metadata says so (:data:`COPYING`), so that half of it is not taken for the whole.

Points are equal when their payloads are and their vectors are: to the last bit in a space of dot products, up to the
rounding of a normalisation in a space of cosines, whose vectors every engine brings to unit length by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from search.errors import StoreError, UsageError
from search.spaces import CollectionSchema, Distance
from search.store.base import Array, Point, Store, StoredPoint
from search.store.generation_switch import SWITCHING
from search.store.vectors import numbers_in
from search.vectors import unit_rows

COPYING = "copying"
"""Metadata key of a collection that is being filled: ``{"from": where from, "after": the last id that is there}``."""

LOCAL_KEYS = frozenset({COPYING, SWITCHING})
"""Metadata that is about the very collection it is kept with, and says nothing of a copy."""

PAGE_FLOATS = 250_000
"""Vector components in one page: the embedded engine blocks all other threads while it reads one (some 20 ms)."""

MOST_POINTS, FRAMES = 500, 32
"""Points in one page at most; vectors that a multivector is taken to hold."""

MARK_EVERY = 4_000
"""Points after which the copy writes down where it is; that many are written twice at most."""

SAMPLE = 200
"""Points that are measured to estimate how much room all of them take."""

ROUNDING = 1e-6
"""Difference of two components that normalising a vector once more may make: a few times float32's precision."""


def page_size(schema: CollectionSchema) -> int:
    """Points to fetch at once with all their vectors."""
    floats = sum(field.numbers * (FRAMES if field.multi else 1) for field in schema.fields)
    return max(8, min(MOST_POINTS, PAGE_FLOATS // max(1, floats)))


def pages(store: Store, collection: str, after: str | None = None) -> Iterator[list[Point]]:
    """Every point (whose id follows ``after``) with all its vectors and payload, in order of id."""
    schema = store.schema(collection)
    size = page_size(schema)
    page: list[Point] = []
    for point in store.scroll(collection, vectors=[*schema.by_name], page=size, after=after):
        page.append(Point(point.id, point.vectors, point.payload, point.checksums))
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def point_bytes(point: Point) -> int:
    """About what a point takes, its vectors (without zeros, where that is shorter) and its payload."""
    return sum(4 * numbers_in(vector) for vector in point.vectors.values()) + len(json.dumps(point.payload))


def estimate(store: Store, collection: str, bytes_of: Callable[[list[Point]], int] | None = None) -> int:
    """About what all points of a collection take, by those that come first (ids are as good as random).

    Args:
        bytes_of: what these points take together; by default their vectors and payloads.
    """
    seen = size = 0
    for page in pages(store, collection):
        seen += len(page)
        size += bytes_of(page) if bytes_of else sum(map(point_bytes, page))
        if seen >= SAMPLE:
            break
    return size * store.count(collection) // seen if seen else 0


def portable_metadata(store: Store, collection: str) -> dict[str, object]:
    """What a copy of the collection takes over of its metadata."""
    return {key: value for key, value in store.metadata(collection).items() if key not in LOCAL_KEYS}


def unfinished_copies(store: Store) -> list[str]:
    """Collections that a copy has begun to fill and not finished."""
    return [name for name in store.collections() if COPYING in store.metadata(name)]


def differing(store: Store, collection: str, expected: Sequence[Point]) -> list[Point]:
    """Those of ``expected`` that the store lacks or holds otherwise."""
    schema = store.schema(collection)
    ids = [point.id for point in expected]
    found = {point.id: point for point in store.retrieve(collection, ids, vectors=[*schema.by_name])}
    return [point for point in expected if not (point.id in found and same_point(schema, point, found[point.id]))]


def same_point(schema: CollectionSchema, one: Point, other: StoredPoint) -> bool:
    if one.vectors.keys() != other.vectors.keys() or not _same_json(one.payload, other.payload):
        return False
    fields = schema.by_name
    return all(
        _same_vectors(vector, other.vectors[name], fields[name].space.distance) for name, vector in one.vectors.items()
    )


class Copy:
    """Copies whole collections of ``source`` into ``target``, which holds nothing else.

    The caller steps through the iterators, and may stop at any page: the same copy made later continues there.

    Args:
        origin: which store the source is; a copy continues only with what came from the same one.

    Attributes:
        repaired: points that were found to differ when compared, and were written again.
    """

    def __init__(self, source: Store, target: Store, origin: str) -> None:
        self._source, self._target, self._origin = source, target, origin
        self.repaired = 0

    def check(self) -> None:
        """
        Raises:
            UsageError: the target holds records that this copy did not bring.
            StoreError: the source is itself half of a copy.
            SpaceMismatchError: the target has a collection with other spaces.
        """
        if half := unfinished_copies(self._source):
            raise StoreError(
                f"{_listed(half)} of this store holds only part of what a copy was to bring.",
                "Finish that first: run the same restore or migration again.",
            )
        for name, info in self._target.collections().items():
            mark = self._target.metadata(name).get(COPYING)
            if info.points and (mark is None or mark["from"] != self._origin):
                raise UsageError(
                    f"The target has {info.points:,} records in '{name}' that did not come from here.",
                    "Choose an empty one (on a server, LIKEWISE_QDRANT_PREFIX keeps several apart).",
                )

    def points(self) -> int:
        """How many there are to copy."""
        return sum(info.points for info in self._source.collections().values())

    def copy(self, collection: str) -> Iterator[int]:
        """Bring over what is not there yet; after each page, how many points it was.

        The first number is that of the points which an earlier run has brought.
        """
        self._target.ensure(self._source.schema(collection))
        mark = self._target.metadata(collection).get(COPYING)
        after: str | None = mark["after"] if mark else None
        if mark is None:
            self._mark(collection, None)
        self._target.hold_indexing(collection, held=True)
        yield 0 if after is None else self._count_until(collection, after)
        unmarked = 0
        for page in pages(self._source, collection, after):
            self._target.upsert(collection, page)
            unmarked += len(page)
            if unmarked >= MARK_EVERY:
                self._mark(collection, page[-1].id)
                unmarked = 0
            yield len(page)

    def compare(self, collection: str) -> Iterator[int]:
        """Compare every point and write again what differs; after each page, how many points it was.

        Raises:
            StoreError: a point differs even so, or the number of points does.
        """
        for page in pages(self._source, collection):
            if wrong := differing(self._target, collection, page):
                self.repaired += len(wrong)
                self._target.upsert(collection, wrong)
                if still := differing(self._target, collection, wrong):
                    raise StoreError(
                        f"The target does not keep '{still[0].id}' of '{collection}' as it was sent.",
                        "Is something else writing to it? Nothing was changed in the source.",
                    )
            yield len(page)
        if self._target.count(collection) != self._source.count(collection):
            self._remove_strangers(collection)
        here, there = self._source.count(collection), self._target.count(collection)
        if here != there:
            raise StoreError(
                f"'{collection}' has {here:,} points and its copy {there:,}.",
                "Something is writing to one of them; stop that and run it again.",
            )

    def finish(self, collection: str) -> None:
        """Let the compared copy be used: its metadata is the source's, and it is indexed from now on."""
        self._target.hold_indexing(collection, held=False)
        mine = portable_metadata(self._source, collection)
        stale = dict.fromkeys(set(self._target.metadata(collection)) - mine.keys())
        self._target.set_metadata(collection, {**stale, **mine, COPYING: None})

    def _mark(self, collection: str, after: str | None) -> None:
        self._target.set_metadata(collection, {COPYING: {"from": self._origin, "after": after}})

    def _count_until(self, collection: str, last: str) -> int:
        behind = sum(1 for _ in self._source.scroll(collection, payload=False, after=last))
        return self._source.count(collection) - behind

    def _remove_strangers(self, collection: str) -> None:
        """Delete from the target what the source has no longer: it went while an earlier run was copying."""
        ids: list[str] = []
        for point in self._target.scroll(collection, payload=False):
            ids.append(point.id)
            if len(ids) == MOST_POINTS:
                self._remove_unknown(collection, ids)
                ids = []
        self._remove_unknown(collection, ids)

    def _remove_unknown(self, collection: str, ids: Sequence[str]) -> None:
        known = {point.id for point in self._source.retrieve(collection, ids, payload=False)}
        if strangers := [id_ for id_ in ids if id_ not in known]:
            self._target.delete(collection, strangers)


def _same_vectors(one: Array, other: Array, distance: Distance) -> bool:
    if one.shape != other.shape:
        return False
    if distance is Distance.DOT:
        return np.array_equal(one, other)
    return np.allclose(unit_rows(one), unit_rows(other), rtol=0.0, atol=ROUNDING)


def _same_json(one: object, other: object) -> bool:
    """Equal up to the last digit of a float, which a JSON parser may get wrong (serde_json's does)."""
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-14)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same_json, one, other))
    return one == other


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
