"""Shoots of a library: photos that were taken in one place without a long pause, with their near duplicates.

A file says part of when, where and in which order a photo was taken, and some files say nothing. Photos are put in
order by the clock of a camera, or by the numbers of file names, folder by folder; between neighbours the evidence is
added up in natural logarithms of odds:

* of the clock ``ln(PAUSE / pause)``, and a move to another place ends a shoot;
* of numbers ``NUMBER_WEIGHT ln(NUMBER_GAP / step)``, where the clock says nothing; counters of cameras wrap;
* of looks, at most ``MOST_OF_LOOKS`` for or against: whether the photos before and after are as alike as neighbours of
  this library are, or as random photos are.

So a pause of a quarter of an hour never ends a shoot, one of 15 hours always does, and in between looks decide. Then
near duplicates are joined, and in a folder what two cameras took of the same, whose clocks may be apart. Photos of
which neither time nor number is known go by the first word of their names, or to what is most like them in the folder.

Photographers' names are not used: shoots that depended on the labels would leak them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf, log

import numpy as np

from search import addresses
from search.media import word_list
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.disjoint_sets import DisjointSets
from search.photographers.photos.looks import MOST_OF_LOOKS, Looks

PAUSE = 2 * 3600.0
"""Pause that ends a shoot as often as not, seconds."""

NUMBER_GAP = 8
NUMBER_WEIGHT = 0.7
"""Difference between neighbouring numbers that ends a shoot as often as not, and the weight of its logarithm: the
frames between them were deleted, or are not in the library. Chosen with COMPARED among 14 sets of values, on
photographers_fsa_color and four planted libraries (``tests/benchmarks/bench_shoots.py``)."""

CONTINUED = 2
"""Difference between the numbers of two photos in different folders up to which a camera has gone on in the next."""

FAR = 3.0
"""Distance that ends a shoot, kilometres, where there is a pause of :data:`MOVING`, too."""

MOVING = 600.0
"""Least pause of a move from one shoot to another, seconds: on a walk or a drive, photos follow more closely."""

LONGEST_RUN = 32
"""Most photos of a shoot that is known by numbers alone. A camera continues its numbers over days, so a longer run is
split where neighbours are least similar."""

LAST_NUMBER = 9999
"""Of most cameras' counters; then comes 1, or 0."""

MOST_PARTS = 200
"""Parts of one folder up to which those of different cameras are compared with one another."""

_NUMBER = re.compile(r"(\d{1,18})(?!.*\d)")
_TITLE = re.compile(r"[^\W\d_]{3,}(?=[\W\d_])")
_TIME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)"
    r"[-_.T ]*([0-2]\d)[-_.]?([0-5]\d)[-_.]?([0-5]\d)(?:\d{3})?(?!\d)"
)
_NO_TITLE = frozenset(
    word_list(
        "copy dcim dsc dscf dscn edit edited export final frame gopr image img imgp mvi photo pic picture print pxl "
        "scan web"
    )
)
"""First words of names that say nothing of a shoot."""

_EARTH = 6371.0
"""Mean radius, kilometres."""


def find_shoots(photos: PhotoSet, near: Iterable[tuple[int, int]] = ()) -> list[list[int]]:
    """Positions of the photos of each shoot in shooting order; every photo is in exactly one.

    Args:
        near: pairs of near duplicates.
    """
    return _Finder(photos).found(near)


class _Finder:
    """One search for the shoots of a library.

    Attributes:
        seconds: when each photo was taken, since the epoch by its own clock, or by its name, as phones write; infinite
            where unknown.
    """

    def __init__(self, photos: PhotoSet) -> None:
        self._photos = photos
        self._sets = DisjointSets(len(photos))
        self.seconds = [
            _seconds(time) if time else _seconds(_time_in(addresses.name(path)))
            for time, path in zip(photos.taken_at, photos.paths, strict=True)
        ]
        self._order = list(self.seconds)
        self._folders = [addresses.parent(path) or "" for path in photos.paths]
        self._names = [_numbered(addresses.name(path)) for path in photos.paths]
        self._rank = [0] * len(photos)
        self._by_clock = self._runs_by_clock()
        self._by_number = self._runs_by_number()
        self._looks = Looks.of(photos.visual, [*self._by_clock, *self._by_number])

    def found(self, near: Iterable[tuple[int, int]]) -> list[list[int]]:
        self.join_by_clock()
        self.join_by_number()
        self._sets.join(near)
        self.join_cameras()
        self.join_unordered()
        return sorted(self._parts())

    def _parts(self) -> list[list[int]]:
        members: dict[int, list[int]] = defaultdict(list)
        for at in range(len(self._photos)):
            members[self._sets.root(at)].append(at)
        return [sorted(part, key=self._shooting_order) for part in members.values()]

    def _shooting_order(self, at: int) -> tuple[float, str, str, int, str]:
        named = self._names[at]
        return self._order[at], self._folders[at], named[0] if named else "", self._rank[at], self._photos.paths[at]

    def _runs_by_clock(self) -> list[list[int]]:
        """Photos of one folder and camera whose time is known, in order of time."""
        runs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, seconds in enumerate(self.seconds):
            if seconds != inf:
                runs[self._folders[at], self._photos.cameras[at] or ""].append(at)
        return [sorted(run, key=lambda at: (self.seconds[at], self._photos.paths[at])) for run in runs.values()]

    def _runs_by_number(self) -> list[list[int]]:
        """Photos of one folder whose names differ in a number alone, in order of number; those of a counter that has
        wrapped begin after the widest gap."""
        runs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, named in enumerate(self._names):
            if named is not None:
                runs[self._folders[at], named[0]].append(at)
        ordered = []
        for run in runs.values():
            run.sort(key=lambda at: (self._number(at), self._photos.paths[at]))
            if len(run) > 1 and 0 <= LAST_NUMBER + self._number(run[0]) - self._number(run[-1]) <= NUMBER_GAP:
                widest = int(np.argmax(np.diff([self._number(at) for at in run]))) + 1
                run = [*run[widest:], *run[:widest]]
            ordered.append(run)
            for rank, at in enumerate(run):
                self._rank[at] = rank
        return ordered

    def _number(self, at: int) -> int:
        named = self._names[at]
        return named[1] if named else 0

    def _step(self, a: int, b: int) -> int:
        """By how much the counter had moved on."""
        step = self._number(b) - self._number(a)
        return step if step >= 0 else step + LAST_NUMBER

    def join_by_clock(self) -> None:
        for run in self._by_clock:
            for index, (a, b) in enumerate(pairwise(run)):
                if self._together_by_clock(a, b, run, index):
                    self._sets.join([(a, b)])
        counted: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, seconds in enumerate(self.seconds):
            if seconds != inf and (named := self._names[at]) and (camera := self._photos.cameras[at]):
                counted[camera, named[0]].append(at)
        for run in counted.values():
            run.sort(key=lambda at: (self.seconds[at], self._photos.paths[at]))
            for index, (a, b) in enumerate(pairwise(run)):
                across = self._folders[a] != self._folders[b]
                if across and 0 < self._step(a, b) <= CONTINUED and self._together_by_clock(a, b, run, index):
                    self._sets.join([(a, b)])

    def _together_by_clock(self, a: int, b: int, run: Sequence[int], index: int) -> bool:
        pause = self.seconds[b] - self.seconds[a]
        here, there = self._photos.places[a], self._photos.places[b]
        if pause >= MOVING and here and there and _kilometres(here, there) > FAR:
            return False
        return self._looks.agree(log(PAUSE / max(pause, 1.0)), run, index)

    def join_by_number(self) -> None:
        for run in self._by_number:
            part: list[int] = []
            for at in self._cut_by_number(run):
                if at < 0:
                    self._join_part(part)
                    part = []
                else:
                    part.append(at)
            self._join_part(part)

    def _cut_by_number(self, run: Sequence[int]) -> list[int]:
        """A run with −1 between two photos that are of two shoots."""
        made = list(run[:1])
        for index, (a, b) in enumerate(pairwise(run)):
            if self.seconds[a] != inf and self.seconds[b] != inf:
                together = self._sets.root(a) == self._sets.root(b)
            else:
                step = max(1, self._step(a, b))
                together = self._looks.agree(NUMBER_WEIGHT * log(NUMBER_GAP / step), run, index, least_alike=True)
            made += [b] if together else [-1, b]
        return made

    def _join_part(self, part: Sequence[int]) -> None:
        """Join neighbours by number; where two photos in it are of two shoots by their clock, it is cut between them at
        the longest step, or where they are least alike."""
        timed = [index for index, at in enumerate(part) if self.seconds[at] != inf]
        ends = []
        for left, right in pairwise(timed):
            if self._sets.root(part[left]) != self._sets.root(part[right]):
                least = [(-self._step(part[at], part[at + 1]), self._looks.at(part, at)) for at in range(left, right)]
                ends.append(left + 1 + min(range(len(least)), key=least.__getitem__))
        for start, end in pairwise([0, *ends, len(part)]):
            some = part[start:end]
            for whole in [some] if any(self.seconds[at] != inf for at in some) else self._split_long(some):
                self._sets.join(pairwise(whole))
                self._put_in_order(whole)

    def _put_in_order(self, part: Sequence[int]) -> None:
        """Photos without a time come with their neighbours by number."""
        for ordered in (part, part[::-1]):
            for before, at in pairwise(ordered):
                if self._order[at] == inf:
                    self._order[at] = self._order[before]

    def _split_long(self, run: Sequence[int]) -> list[Sequence[int]]:
        """A run of photos without times in parts of at most :data:`LONGEST_RUN`, none shorter than a quarter."""
        parts, waiting = [], [run]
        margin = LONGEST_RUN // 4
        while waiting:
            part = waiting.pop()
            if len(part) <= LONGEST_RUN:
                parts.append(part)
                continue
            rows = self._photos.visual[list(part)]
            alike = np.einsum("ij,ij->i", rows[:-1], rows[1:])[margin - 1 : len(part) - margin]
            cut = int(np.argmin(alike)) + margin
            waiting += [part[cut:], part[:cut]]
        return parts

    def join_cameras(self) -> None:
        """Join what several cameras of one folder took: at the same time and alike, or very much alike, where a clock
        was wrong."""
        folders: dict[str, list[list[int]]] = defaultdict(list)
        for part in self._parts():
            if self.seconds[part[0]] != inf:
                folders[self._folders[part[0]]].append(part)
        for parts in folders.values():
            cameras = [{self._photos.cameras[at] or "" for at in part if self.seconds[at] != inf} for part in parts]
            if len(set().union(*cameras)) < 2 or len(parts) > MOST_PARTS:
                continue
            for at, part in enumerate(parts):
                for other in range(at + 1, len(parts)):
                    if cameras[at].isdisjoint(cameras[other]) and self._same_occasion(part, parts[other]):
                        self._sets.join([(part[0], parts[other][0])])

    def join_unordered(self) -> None:
        """Join photos without a time and a running number, in each folder: those whose names begin with the same word,
        unless their looks say otherwise, and the others to the part that they are most like."""
        running = {at for run in self._by_number if len(run) > 1 for at in run}
        loose = [at for at, seconds in enumerate(self.seconds) if seconds == inf and at not in running]
        unordered = set(loose)
        titles: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at in loose:
            word = _TITLE.match(addresses.name(self._photos.paths[at]))
            if word and word[0].casefold() not in _NO_TITLE:
                titles[self._folders[at], word[0].casefold()].append(at)
        for titled in titles.values():
            for index, at in enumerate(titled[1:], 1):
                if self._looks.of_parts(titled[:index], [at]) >= 0:
                    self._sets.join([(titled[0], at)])
        folders: dict[str, list[list[int]]] = defaultdict(list)
        for part in self._parts():
            folders[self._folders[part[0]]].append(part)
        for parts in folders.values():
            alone = [part for part in parts if len(part) == 1 and part[0] in unordered]
            if len(parts) > MOST_PARTS:
                continue
            for part in alone:
                evidence = [self._looks.of_parts(part, other) if other is not part else 0.0 for other in parts]
                best = int(np.argmax(evidence))
                if evidence[best] > 0:
                    self._sets.join([(part[0], parts[best][0])])

    def _same_occasion(self, part: Sequence[int], other: Sequence[int]) -> bool:
        mine, theirs = ([self.seconds[at] for at in one if self.seconds[at] != inf] for one in (part, other))
        apart = max(min(mine) - max(theirs), min(theirs) - max(mine))
        evidence = self._looks.of_parts(part, other)
        return evidence >= (0.0 if apart <= MOVING else MOST_OF_LOOKS)


def _numbered(name: str) -> tuple[str, int] | None:
    """A file name with ``#`` for its last number, and that number; None without one."""
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    match = _NUMBER.search(stem)
    return (f"{stem[: match.start()]}#{stem[match.end() :]}{dot}{suffix}", int(match[1])) if match else None


def _time_in(name: str) -> str | None:
    """The time that a file name tells, ISO 8601, as in ``IMG_20190301_153012.jpg``."""
    match = _TIME.search(name)
    return "{}-{}-{}T{}:{}:{}".format(*match.groups()) if match else None


def _seconds(taken_at: str | None) -> float:
    """Seconds since the epoch; local times are read as UTC, which keeps their order and their differences."""
    if not taken_at:
        return inf
    try:
        return datetime.fromisoformat(taken_at).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return inf


def _kilometres(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Great-circle distance of two places in degrees. Source: the haversine formula."""
    (lat, lon), (other_lat, other_lon) = np.radians(here), np.radians(there)
    half = np.sin((other_lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(other_lat) * np.sin((other_lon - lon) / 2) ** 2
    return float(2 * _EARTH * np.arcsin(np.sqrt(half)))
