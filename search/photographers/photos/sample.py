"""What is credited to whom in a library of any size, counted, and a stratified sample of its photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.errors import NotFoundError
from search.media import Kind
from search.photographers.photos.dataset import VISUAL, PhotoSet, read_photos
from search.store.base import Store
from search.store.filters import Filter

STRATUM = 3
"""Photos that a photographer of a sample gets at once, so that nobody stands in it with one or two of many."""

_KEYS = ("photographer", "credit", "taken_at")


@dataclass(frozen=True, slots=True)
class Counted:
    """What the photos of one photographer come to.

    Attributes:
        first, last: earliest and latest known ``taken_at``, ISO 8601.
        credits: number of photos by source of the credit.
    """

    photos: int
    first: str | None
    last: str | None
    credits: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Census:
    """All photos of a library: 20 bytes for each, and what each photographer's come to.

    Attributes:
        ids: of the photos, uint8 ``(n, 16)``.
        owners: number of the photographer of each, int32 ``(n,)``; -1 for nobody.
        counted: photographer to their photos, in the order of their numbers.
    """

    ids: NDArray[np.uint8]
    owners: NDArray[np.int32]
    counted: Mapping[str, Counted]

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def credited(self) -> int:
        """Number of photos that are credited to anybody."""
        return int((self.owners >= 0).sum())


def census(store: Store) -> Census:
    """Count the photos that have a ``visual`` vector, in one pass that reads neither vectors nor features.

    Raises:
        NotFoundError: the library holds no pictures yet.
    """
    if Kind.IMAGE.collection not in store.collections():
        raise NotFoundError("There are no pictures in this library yet.", "Ingest some first: likewise ingest FOLDER.")
    ids, owners = bytearray(), bytearray()
    numbers: dict[str, int] = {}
    photos: list[int] = []
    spans: list[tuple[str, str] | None] = []
    sources: list[Counter[str]] = []
    for point in store.scroll(Kind.IMAGE.collection, where=Filter(has_space=VISUAL), payload=_KEYS):
        name, taken = point.payload.get("photographer"), point.payload.get("taken_at")
        number = -1 if name is None else numbers.setdefault(name, len(numbers))
        ids += UUID(point.id).bytes
        owners += number.to_bytes(4, "little", signed=True)
        if number < 0:
            continue
        if number == len(photos):
            photos.append(0)
            spans.append(None)
            sources.append(Counter())
        photos[number] += 1
        if credit := point.payload.get("credit"):
            sources[number][credit] += 1
        if taken:
            first, last = spans[number] or (taken, taken)
            spans[number] = min(first, taken), max(last, taken)
    counted = {
        name: Counted(photos[number], first, last, dict(sources[number]))
        for name, number in numbers.items()
        for first, last in [spans[number] or (None, None)]
    }
    return Census(np.frombuffer(ids, np.uint8).reshape(-1, 16), np.frombuffer(owners, "<i4"), counted)


def stratified(owners: NDArray[np.int32], most: int, seed: int = 0) -> NDArray[np.intp]:
    """Positions of at most so many photos, ascending, an even share of each photographer and of those of nobody.

    Everybody gets :data:`STRATUM` photos in turn, those with most photos first, until there is no room; equal arguments
    give equal samples.

    Args:
        owners: number of the photographer of each photo, int32 ``(n,)``.
    """
    if len(owners) <= most:
        return np.arange(len(owners))
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(owners))
    order = shuffled[np.argsort(owners[shuffled], kind="stable")]  # by photographer, in random order each
    _, starts, counts = np.unique(owners[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, counts)
    turn = np.lexsort((-np.repeat(counts, counts), rank // STRATUM))
    found: NDArray[np.intp] = np.sort(order[turn[:most]])
    return found


def read_sample(store: Store, known: Census, most: int, *, credited: bool, seed: int = 0) -> PhotoSet:
    """At most so many photos of a library, in the order of ``known``, see :func:`stratified`.

    Args:
        credited: only of photos that are credited to somebody.

    Raises:
        NotFoundError: the library holds no pictures yet.
        UsageError: none of the photos is there any more.
    """
    rows = np.flatnonzero(known.owners >= 0) if credited else np.arange(len(known))
    chosen = rows[stratified(known.owners[rows], most, seed)]
    return read_photos(store, ids=[str(UUID(bytes=known.ids[at].tobytes())) for at in chosen])
