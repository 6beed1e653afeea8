"""Finds what a library holds several times, in groups: exact copies, same pictures, edits; and bursts, apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np

from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.records.differences import FACT_KEYS, FactDifference, differences, known_facts
from search.records.lookup import thumbnail_address
from search.similar.banding import banded_pairs, codes_of, windowed_pairs
from search.similar.edit_groups import alike_groups, joined, neighbours, same_pictures, with_stand_ins
from search.similar.near import (
    DURATION_SLACK,
    DURATION_TOLERANCE,
    FINGERPRINT_BITS,
    MIN_COSINE,
    PICTURE_BITS,
    SOUND_BITS,
    fingerprint_distance,
    is_near_duplicate,
    principal_space,
)
from search.similar.questions import Relation
from search.similar.shots import SHOT_KEYS, Comparisons, Shot, ShotVerdict, clock_time, in_sequence, verdict
from search.store.base import Array, Store
from search.store.filters import Filter

__all__ = ["DuplicateGroup", "DuplicateMember", "find_duplicates", "fingerprint_distance", "is_near_duplicate"]

_NEEDED = tuple({*SHOT_KEYS, *FACT_KEYS, "kind", "paths", "fingerprints", "duration"})

_MUCH_LARGER = 1.5
"""Times the size of the file to be kept, from which one of equal pixels may hold more than eight bits a channel."""
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
        removable: it is surely the same content as the one proposed to be kept. False where it may be another shot.
    """

    id: str
    paths: tuple[str, ...]
    size: int
    width: int | None
    height: int | None
    duration: float | None
    thumbnail: str | None
    taken_at: str | None = None
    removable: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Copies of one another, or shots of one burst.

    Attributes:
        relation: ``exact_copy``, one member at several paths; ``same_picture``, several files with equal pixels;
            ``edited_copy``, several contents of one origin; or ``burst``, several moments, none of them a copy.
        members: the one proposed to be kept first: of files with equal pixels the one with most metadata, of edits the
            largest picture, then the longest, then that with most bytes. Those of a burst in the order of time.
        keep: id of the member proposed to be kept; None for a burst, all of which is.
        spare: bytes that would be free if only that one were kept, of members that are surely copies of it.
        differing: the facts in which files with equal pixels differ.
    """

    relation: Relation
    kind: Kind
    members: tuple[DuplicateMember, ...]
    keep: str | None = None
    spare: int = 0
    differing: tuple[FactDifference, ...] = ()


class GroupPlace(NamedTuple):
    """What groups are ordered by: numbers that grow, then the id of the first member."""

    relation: int
    members: int
    paths: int
    first: str


def place_of(group: DuplicateGroup) -> GroupPlace:
    """Where a group stands among others."""
    first = group.members[0]
    return GroupPlace([*Relation].index(group.relation), -len(group.members), -len(first.paths), first.id)


def find_duplicates(
    store: Store,
    *,
    where: Filter | None = None,
    collections: Sequence[str] = COLLECTIONS,
    near: bool = True,
    comparisons: Comparisons | None = None,
    one_path_a_file: Callable[[Sequence[str]], Sequence[str]] = tuple,
) -> tuple[DuplicateGroup, ...]:
    """Groups: exact copies first, then same pictures, edits and bursts; larger groups first in each.

    Edits are looked for by fingerprint (``search.similar.banding``) and confirmed by :func:`is_near_duplicate`; whether
    two pictures are rather shots of one burst, ``search.similar.shots`` says. A group grows by its closest pairs first
    and only as long as it stays about one content (``search.similar.edit_groups``), so that a chain of gradual changes
    does not end up as one group. Of files with equal pixels the one with most metadata stands for all among edits and
    bursts, as does the first of a group of edits among bursts.

    Args:
        near: also look for edits and bursts.
        comparisons: of pixels, where they can be compared.
        one_path_a_file: the paths with those left out that are links to a file that is there by another path.
    """
    found: list[DuplicateGroup] = []
    for collection, info in store.collections().items():
        if collection not in collections or not info.points:
            continue
        points = store.scroll(collection, where=where or Filter(), payload=_NEEDED)
        records = [MediaRecord.from_payload(point.payload) for point in points]
        for record in records:
            # Deleting one of the paths of a file frees no bytes.
            paths = tuple(one_path_a_file(record.paths)) if len(record.paths) > 1 else ()
            if len(paths) > 1:
                found.append(_exact(replace(record, paths=paths)))
        stands_for: dict[int, int] = {}
        for same in same_pictures(records):
            kept, *others = sorted(same, key=lambda at: (-known_facts(records[at]), -records[at].size, records[at].id))
            stands_for |= dict.fromkeys(others, kept)
            found.append(_same([records[at] for at in (kept, *others)]))
        if near:
            found += _alike(store, collection, records, stands_for, comparisons or Comparisons())
    return tuple(sorted(found, key=place_of))


def _alike(
    store: Store,
    collection: str,
    records: Sequence[MediaRecord],
    stands_for: dict[int, int],
    comparisons: Comparisons,
) -> list[DuplicateGroup]:
    """Groups of edits and of bursts.

    Args:
        stands_for: of files with equal pixels, the position of the one that stands for each other.
    """
    pictures = KIND_OF[collection] is Kind.IMAGE
    shots = [Shot.of(record) for record in records] if pictures else []

    def judge(a: int, b: int) -> ShotVerdict:
        return verdict(shots[a], shots[b], comparisons) if pictures else ShotVerdict.EDITED_COPY

    pairs = with_stand_ins(_confirmed(store, collection, records), stands_for)
    groups = alike_groups(records, pairs, judge)
    found: list[DuplicateGroup] = []
    for group in groups.edits:
        kept, *others = sorted(group, key=lambda at: _worth(records[at]))
        copies = {at for at in others if judge(kept, at) in (ShotVerdict.SAME_PICTURE, ShotVerdict.EDITED_COPY)}
        stands_for |= dict.fromkeys(others, kept)
        members = tuple(_member(records[at], removable=at in copies) for at in (kept, *others))
        spare = sum(records[at].size for at in copies)
        found.append(DuplicateGroup(Relation.EDITED_COPY, KIND_OF[collection], members, records[kept].id, spare))
    if pictures:
        bursts = [*groups.bursts, *_in_sequence(store, collection, records, shots)]
        while (replaced := with_stand_ins(bursts, stands_for)) != bursts:
            bursts = replaced
        for group in joined(bursts):
            ordered = sorted(group, key=lambda at: (records[at].sort_time, records[at].paths))
            found.append(DuplicateGroup(Relation.BURST, Kind.IMAGE, tuple(_member(records[at]) for at in ordered)))
    return found


def _in_sequence(
    store: Store, collection: str, records: Sequence[MediaRecord], shots: Sequence[Shot]
) -> list[tuple[int, int]]:
    """Pairs of shots of one camera, near in time and alike in what they show: brackets and parts of a panorama may be
    too different for fingerprints."""
    timed = [(shot.camera or "", time, at) for at, shot in enumerate(shots) if (time := clock_time(shot)) is not None]
    ordered = [at for _, _, at in sorted(timed)]
    pairs = neighbours(ordered, lambda a, b: in_sequence(shots[a], shots[b]))
    return [(a, b) for a, b, cosine in _with_cosines(store, collection, records, pairs) if cosine >= MIN_COSINE]


def _confirmed(store: Store, collection: str, records: Sequence[MediaRecord]) -> list[tuple[int, int]]:
    """Pairs of records, by position, that are near duplicates."""
    candidates = _candidates(KIND_OF[collection], records)
    if KIND_OF[collection] is Kind.AUDIO:
        return [(a, b) for a, b in candidates if is_near_duplicate(records[a], records[b], 1.0)]
    with_cosines = _with_cosines(store, collection, records, candidates)
    return [(a, b) for a, b, cosine in with_cosines if is_near_duplicate(records[a], records[b], cosine)]


def _with_cosines(
    store: Store, collection: str, records: Sequence[MediaRecord], pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, float]]:
    """Pairs with their cosine in the principal space; those that lack a vector there are left out."""
    space = principal_space(store.schema(collection))
    for start in range(0, len(pairs), _FETCH):
        part = pairs[start : start + _FETCH]
        ids = sorted({records[at].id for pair in part for at in pair})
        vectors = {p.id: p.vectors for p in store.retrieve(collection, ids, vectors=[space], payload=False)}
        for a, b in part:
            rows = [vectors.get(records[at].id, {}).get(space) for at in (a, b)]
            if rows[0] is not None and rows[1] is not None:
                yield a, b, _cosine(rows[0], rows[1])


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


def _exact(record: MediaRecord) -> DuplicateGroup:
    spare = record.size * (len(record.paths) - 1)
    return DuplicateGroup(Relation.EXACT_COPY, record.kind, (_member(record),), record.id, spare)


def _same(records: Sequence[MediaRecord]) -> DuplicateGroup:
    """Files with equal pixels, the one to be kept first."""
    kept, *others = records
    # Eight bits a channel are compared; a file of another format may hold more too.
    copies = [record for record in others if record.mime == kept.mime and record.size <= _MUCH_LARGER * kept.size]
    members = (_member(kept), *(_member(record, removable=record in copies) for record in others))
    spare = sum(record.size for record in copies)
    return DuplicateGroup(Relation.SAME_PICTURE, kept.kind, members, kept.id, spare, differences(records))


def _member(record: MediaRecord, *, removable: bool = False) -> DuplicateMember:
    return DuplicateMember(
        id=record.id,
        paths=record.paths,
        size=record.size,
        width=record.width,
        height=record.height,
        duration=record.duration,
        thumbnail=thumbnail_address(record),
        taken_at=record.taken_at,
        removable=removable,
    )


def _worth(record: MediaRecord) -> tuple[float, ...]:
    return (-(record.width or 0) * (record.height or 0), -(record.duration or 0.0), -record.size)
