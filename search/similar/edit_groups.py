"""Puts pictures, films and recordings that look alike into groups: edits of one content, and shots of one burst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search.media import Kind, MediaRecord
from search.similar.near import PICTURE_BITS, SOUND_BITS, fingerprint_distances
from search.similar.shots import Shot, ShotVerdict, by_facts

Judge = Callable[[int, int], ShotVerdict]
"""What two records, by position, are to each other."""


@dataclass(frozen=True, slots=True)
class AlikeGroups:
    """Groups of positions of records.

    Attributes:
        edits: at least two each, the first the one with the closest edit.
        bursts: pairs of positions that are shots of one burst.
    """

    edits: list[list[int]]
    bursts: list[tuple[int, int]]


@dataclass(eq=False, slots=True)
class _Group:
    """Edits of one content, while groups grow.

    Attributes:
        shots: one of each capture time, camera and exposure.
        apart: groups that hold another shot, and are never joined with this one.
    """

    members: list[int]
    shots: dict[object, Shot] = field(default_factory=dict)
    apart: set[_Group] = field(default_factory=set)


def alike_groups(records: Sequence[MediaRecord], pairs: Iterable[tuple[int, int]], judge: Judge) -> AlikeGroups:
    """Groups of edits, and pairs of shots of one burst, of pairs that look alike.

    Closest pairs first (Kruskal's order), two groups are joined only while their first members are within one and a
    half times the threshold of each other, and while no two of their members are known to be different shots. A record
    left alone by that is shown with its nearest partner. Pairs within a group, or of groups known to be apart, are not
    judged.
    """
    weighed = sorted((_distance(records[a], records[b]), a, b) for a, b in pairs)
    group_of: dict[int, _Group] = {}
    edits: list[tuple[int, int]] = []
    bursts: list[tuple[int, int]] = []
    for _, a, b in weighed:
        first, second = (group_of.setdefault(at, _alone(at, records[at])) for at in (a, b))
        if first is second or second in first.apart:
            continue
        verdict = judge(a, b)
        if verdict not in (ShotVerdict.BURST, ShotVerdict.APART) and _differ(first, second):
            verdict = ShotVerdict.BURST
        if verdict in (ShotVerdict.BURST, ShotVerdict.APART):
            first.apart.add(second)
            second.apart.add(first)
            if verdict is ShotVerdict.BURST:
                bursts.append((a, b))
            continue
        edits.append((a, b))
        limit = 1.5 * (SOUND_BITS if records[a].kind is Kind.AUDIO else PICTURE_BITS)
        if _distance(records[first.members[0]], records[second.members[0]]) <= limit:
            _join(first, second)
            group_of.update(dict.fromkeys(second.members, first))
    groups = {at: group.members for at, group in group_of.items()}
    for a, b in edits:
        for alone, partner in ((a, b), (b, a)):
            if len(groups[alone]) == 1:
                groups[alone] = [alone, partner]
    several = {id(group): group for group in groups.values() if len(group) > 1}
    return AlikeGroups([*several.values()], bursts)


def joined(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Sets of positions that pairs connect, each sorted, in the order of their first."""
    group_of: dict[int, list[int]] = {}
    for a, b in pairs:
        first, second = group_of.setdefault(a, [a]), group_of.setdefault(b, [b])
        if first is second:
            continue
        if len(first) < len(second):
            first, second = second, first
        first.extend(second)
        group_of.update(dict.fromkeys(second, first))
    return sorted(sorted(group) for group in {id(group): group for group in group_of.values()}.values())


def same_pictures(records: Sequence[MediaRecord]) -> list[list[int]]:
    """Positions of the records of each picture that several files hold with equal pixels."""
    held: dict[object, list[int]] = {}
    for at, record in enumerate(records):
        if record.kind is Kind.IMAGE and record.pixel_hash:
            held.setdefault((record.pixel_hash, record.width, record.height), []).append(at)
    return [group for group in held.values() if len(group) > 1]


def with_stand_ins(pairs: Iterable[tuple[int, int]], stands_for: Mapping[int, int]) -> list[tuple[int, int]]:
    """Pairs with each position replaced by the one that stands for it; without repetitions and pairs of one."""
    replaced = ((stands_for.get(a, a), stands_for.get(b, b)) for a, b in pairs)
    return list(dict.fromkeys((min(a, b), max(a, b)) for a, b in replaced if a != b))


def neighbours(ordered: Sequence[int], follows: Callable[[int, int], bool], reach: int = 3) -> list[tuple[int, int]]:
    """Pairs at most ``reach`` places apart in an order, for which ``follows`` holds."""
    return [(a, b) for at, a in enumerate(ordered) for b in ordered[at + 1 : at + 1 + reach] if follows(a, b)]


def _alone(at: int, record: MediaRecord) -> _Group:
    if record.kind is not Kind.IMAGE:
        return _Group([at])
    shot = Shot.of(record)
    return _Group([at], {(shot.taken_at, shot.camera, shot.exposure, shot.iso): shot})


def _differ(first: _Group, second: _Group) -> bool:
    """Whether something is known of two shots of the groups by which they are of one burst."""
    return any(by_facts(a, b) is ShotVerdict.BURST for a in first.shots.values() for b in second.shots.values())


def _join(first: _Group, second: _Group) -> None:
    first.members.extend(second.members)
    first.shots.update(second.shots)
    for other in second.apart:
        other.apart.discard(second)
        other.apart.add(first)
        first.apart.add(other)


def _distance(a: MediaRecord, b: MediaRecord) -> int:
    return int(fingerprint_distances(a.fingerprints, b.fingerprints).min())
