"""Finds the duplicates of a whole library, in groups: exact copies, and edits of one content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np

from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.records.lookup import thumbnail_address
from search.similar.banding import banded_pairs, codes_of, windowed_pairs
from search.similar.near import (
    DURATION_SLACK,
    DURATION_TOLERANCE,
    FINGERPRINT_BITS,
    PICTURE_BITS,
    PRINCIPAL_SPACE,
    SOUND_BITS,
    fingerprint_distance,
    fingerprint_distances,
    is_near_duplicate,
)
from search.similar.questions import Relation
from search.store.base import Array, Store
from search.store.filters import Filter

__all__ = ["DuplicateGroup", "DuplicateMember", "find_duplicates", "fingerprint_distance", "is_near_duplicate"]

_NEEDED = ("id", "kind", "paths", "fingerprints", "duration", "width", "height", "size", "thumbnail")

_CROWD = 20
"""Owners of one key frame that are all compared; beyond, each with the next, as for a station's
logo."""

_FETCH = 2000
"""Candidate pairs whose vectors are in memory at a time."""


@dataclass(frozen=True, slots=True)
class DuplicateMember:
    """One content of a group, with all the paths it lives at.

    Attributes:
        size: bytes.  width, height: pixels.  duration: seconds.
        thumbnail: address of the preview picture, or None.
    """

    id: str
    paths: tuple[str, ...]
    size: int
    width: int | None
    height: int | None
    duration: float | None
    thumbnail: str | None


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Copies of one another.

    Attributes:
        relation: ``exact_copy``, one member at several paths; or ``edited_copy``, several members.
        members: largest picture first, then longest, then most bytes: the one most worth keeping leads.
    """

    relation: Relation
    kind: Kind
    members: tuple[DuplicateMember, ...]


def find_duplicates(
    store: Store, *, where: Filter | None = None, collections: Sequence[str] = COLLECTIONS, near: bool = True
) -> tuple[DuplicateGroup, ...]:
    """Groups of duplicates: exact copies first, then edits; larger groups first in each.

    Edits are looked for by fingerprint (``search.similar.banding``) and confirmed by :func:`is_near_duplicate`. A
    group grows by its closest pairs first and only as long as it stays about one content (see :func:`_group`), so
    that a chain of gradual changes does not end up as one group.
    """
    exact: list[DuplicateGroup] = []
    edited: list[DuplicateGroup] = []
    for collection, info in store.collections().items():
        if collection not in collections or not info.points:
            continue
        points = store.scroll(collection, where=where or Filter(), payload=_NEEDED)
        records = [MediaRecord.from_payload(point.payload) for point in points]
        exact += [_shown(Relation.EXACT_COPY, [record]) for record in records if len(record.paths) > 1]
        if near:
            confirmed = _confirmed(store, collection, records)
            groups = _group(records, confirmed)
            edited += [_shown(Relation.EDITED_COPY, [records[at] for at in group]) for group in groups]
    exact.sort(key=lambda group: (-len(group.members[0].paths), group.members[0].id))
    edited.sort(key=lambda group: (-len(group.members), group.members[0].id))
    return (*exact, *edited)


def _confirmed(store: Store, collection: str, records: Sequence[MediaRecord]) -> list[tuple[int, int]]:
    """Pairs of records, by position, that are near duplicates."""
    candidates = _candidates(KIND_OF[collection], records)
    if KIND_OF[collection] is Kind.AUDIO:
        return [(a, b) for a, b in candidates if is_near_duplicate(records[a], records[b], 1.0)]
    space = PRINCIPAL_SPACE[KIND_OF[collection]]
    confirmed: list[tuple[int, int]] = []
    for start in range(0, len(candidates), _FETCH):
        part = candidates[start : start + _FETCH]
        ids = sorted({records[at].id for pair in part for at in pair})
        vectors = {p.id: p.vectors for p in store.retrieve(collection, ids, vectors=[space], payload=False)}
        for a, b in part:
            rows = [vectors.get(records[at].id, {}).get(space) for at in (a, b)]
            if rows[0] is None or rows[1] is None:
                continue
            if is_near_duplicate(records[a], records[b], _cosine(rows[0], rows[1])):
                confirmed.append((a, b))
    return confirmed


def _cosine(a: Array, b: Array) -> float:
    """As a question by the one with fewer vectors would score the other."""
    few, many = (a, b) if len(a) <= len(b) else (b, a)
    return float((few @ many.T).max(axis=1).mean())


def _candidates(kind: Kind, records: Sequence[MediaRecord]) -> list[tuple[int, int]]:
    """Pairs of records with at least one pair of close fingerprints, sorted."""
    owners: dict[str, list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        for fingerprint in dict.fromkeys(record.fingerprints):
            if 4 * len(fingerprint) == FINGERPRINT_BITS:
                owners[fingerprint].append(at)
    codes = codes_of(list(owners))
    holders = list(owners.values())
    if kind is Kind.AUDIO:
        # Equal fingerprints of recordings of different length belong together no more than close ones do.
        lengths = np.array([records[held[0]].duration or 0.0 for held in holders])
        close = windowed_pairs(codes, SOUND_BITS, lengths, DURATION_TOLERANCE, DURATION_SLACK)
    else:
        close = banded_pairs(codes, PICTURE_BITS)
    found: set[tuple[int, int]] = set()
    for held in holders:
        found.update(combinations(held, 2) if len(held) <= _CROWD else pairwise(held))
    for left, right in close.tolist():
        found.update((min(a, b), max(a, b)) for a, b in product(holders[left][:_CROWD], holders[right][:_CROWD]))
    return sorted((a, b) for a, b in found if a != b)


def _group(records: Sequence[MediaRecord], pairs: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Positions of records in groups of at least two.

    Closest pairs first (Kruskal's order), two groups are joined only while their first members are within one and a
    half times the threshold of each other. A record left alone by that is shown with its nearest partner.
    """
    weighed = sorted((_distance(records[a], records[b]), a, b) for a, b in pairs)
    group_of: dict[int, list[int]] = {}
    for _, a, b in weighed:
        first, second = group_of.setdefault(a, [a]), group_of.setdefault(b, [b])
        if first is second:
            continue
        limit = 1.5 * (SOUND_BITS if records[a].kind is Kind.AUDIO else PICTURE_BITS)
        if _distance(records[first[0]], records[second[0]]) <= limit:
            first.extend(second)
            group_of.update(dict.fromkeys(second, first))
    for _, a, b in weighed:
        for alone, partner in ((a, b), (b, a)):
            if len(group_of[alone]) == 1:
                group_of[alone] = [alone, partner]
    shown = {id(group): group for group in group_of.values()}
    yield from shown.values()


def _distance(a: MediaRecord, b: MediaRecord) -> int:
    return int(fingerprint_distances(a.fingerprints, b.fingerprints).min())


def _shown(relation: Relation, records: Sequence[MediaRecord]) -> DuplicateGroup:
    ordered = sorted(records, key=_worth)
    members = tuple(
        DuplicateMember(r.id, r.paths, r.size, r.width, r.height, r.duration, thumbnail_address(r)) for r in ordered
    )
    return DuplicateGroup(relation, records[0].kind, members)


def _worth(record: MediaRecord) -> tuple[float, ...]:
    return (-(record.width or 0) * (record.height or 0), -(record.duration or 0.0), -record.size)
