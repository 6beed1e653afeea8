"""Shoots of a photographer, with their names.

People name a shoot; the name is kept with its photos, so that it stays when photos come, go, or are found to be of one
shoot with others. Without one, a shoot is called by its place or folder, and by its date.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from search import addresses
from search.media import MONTHS, instant
from search.photographers.answers import Photo, Session
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import near_pairs
from search.photographers.photos.labels import is_generic_folder
from search.photographers.photos.names import fold
from search.photographers.photos.shoots import find_shoots

ShootNames = Mapping[str, str]
"""Id of a photo to the name that people have given its shoot."""

SAMPLES = 4

MOST_NEAR = 5_000
"""Photos of one photographer up to which near duplicates are looked for: seconds, beyond."""

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?:[-_. ]?[01]?\d(?:[-_. ]?[0-3]?\d)?)?(?!\d)")


def shoots_of(photos: PhotoSet, rows: NDArray[np.intp]) -> list[list[int]]:
    """Positions of the photos of each shoot of a photographer in shooting order; the latest shoot first, those without
    a time last. A single photo is no shoot.

    Args:
        rows: positions of the photographer's photos, intp ``(k,)``.
    """
    own = photos.take(rows)
    found = find_shoots(own, near_pairs(own) if len(rows) <= MOST_NEAR else ())
    shoots = [[int(rows[at]) for at in shoot] for shoot in found if len(shoot) > 1]
    return sorted(shoots, key=lambda shoot: (_times(photos, shoot) or [""])[0], reverse=True)


def shoot_summaries(
    photos: PhotoSet, shoots: Sequence[Sequence[int]], given_names: ShootNames, photo: Callable[[int], Photo]
) -> tuple[Session, ...]:
    """Shoots with their names, in this order.

    Args:
        photo: makes the photo at a position.
    """
    made = []
    for shoot, derived in zip(shoots, derived_names(photos, shoots), strict=True):
        times = _times(photos, shoot)
        given = given_shoot_name(photos, shoot, given_names)
        spaced = np.linspace(0, len(shoot) - 1, min(SAMPLES, len(shoot))).round().astype(int)
        made.append(
            Session(
                photos=len(shoot),
                start=times[0] if times else None,
                end=times[-1] if times else None,
                folder=addresses.parent(photos.paths[shoot[0]]) or "",
                samples=tuple(photo(shoot[at]) for at in spaced),
                id=photos.ids[shoot[0]],
                name=given or derived,
                named=given is not None,
            )
        )
    return tuple(made)


def given_shoot_name(photos: PhotoSet, shoot: Sequence[int], given_names: ShootNames) -> str | None:
    """The name that most of a shoot's photos were given, where any was."""
    names = Counter(given_names[photos.ids[at]] for at in shoot if photos.ids[at] in given_names)
    return names.most_common(1)[0][0] if names else None


def derived_names(photos: PhotoSet, shoots: Sequence[Sequence[int]]) -> list[str]:
    """Names by place or folder and by date: ``Washington, March 1942``; the day, the time and a number are added where
    several would be called the same."""
    names = ["" for _ in shoots]
    alike = [list(range(len(shoots)))]
    for precision in range(3):
        for some in alike:
            for at in some:
                names[at] = _name(photos, shoots[at], precision)
        groups: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(names):
            groups[name].append(at)
        alike = [some for some in groups.values() if len(some) > 1]
    for some in alike:
        for number, at in enumerate(some[::-1][1:], 2):
            names[at] = f"{names[at]} ({number})"
    return names


def _name(photos: PhotoSet, shoot: Sequence[int], precision: int) -> str:
    subject, when = _place(photos, shoot) or _folder(photos, shoot), _when(photos, shoot, precision)
    if subject or when:
        return ", ".join(filter(None, (subject, when)))
    names = [addresses.name(photos.paths[at]).rpartition(".")[0] for at in (shoot[0], shoot[-1])]
    return f"{names[0]} to {names[1]}"


def _place(photos: PhotoSet, shoot: Sequence[int]) -> str | None:
    places = Counter(place for at in shoot if (place := photos.place_names[at]))
    return places.most_common(1)[0][0] if places else None


def _folder(photos: PhotoSet, shoot: Sequence[int]) -> str | None:
    """What the folder of most photos is called, or the one above where that is called by a program, a date, or the
    photographer."""
    folder, _ = Counter(addresses.parent(photos.paths[at]) or "" for at in shoot).most_common(1)[0]
    people = {_words(name) for at in shoot if (name := photos.names[at])}
    for name in (addresses.name(folder), addresses.name(addresses.parent(folder) or "")):
        words = " ".join(re.sub(r"[_\s]+", " ", _DATE.sub(" ", name)).split()).strip(" -–,.()[]")
        if words and not is_generic_folder(name) and not is_generic_folder(words) and _words(words) not in people:
            return words[:1].upper() + words[1:]
        if words and _words(words) in people:
            return None
    return None


def _words(name: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", fold(name)).split())


def _when(photos: PhotoSet, shoot: Sequence[int], precision: int) -> str:
    """``March 1942``, ``3 March 1942`` or ``3 March 1942, 14:30``."""
    moments = [moment for time in _times(photos, shoot) if (moment := instant(time)) is not None]
    if not moments:
        return ""
    first = moments[0]
    month = f"{MONTHS[first.month - 1]} {first.year}"
    return (month, f"{first.day} {month}", f"{first.day} {month}, {first:%H:%M}")[precision]


def _times(photos: PhotoSet, shoot: Sequence[int]) -> list[str]:
    return sorted(time for at in shoot if (time := photos.taken_at[at]))
