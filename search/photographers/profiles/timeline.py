"""Style and shoots of a photographer on one time axis, and the change of style that is beyond what shoots vary by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.errors import NotFoundError
from search.media import MONTHS, instant
from search.photographers.answers import Session
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.drift import FALSE_ALARMS, LEAST_SHOOTS, QUANTITY_UNITS, Shift, drift, quantities
from search.photographers.profiles.people import People
from search.photographers.profiles.shoots import ShootNames, shoot_summaries

SHOWN = ("gray_mean", "warmth", "saturation", "contrast")
"""Quantities that are shown of every shoot."""

UNDATED = "Shoots without a date are left out: {}."
NO_STYLE = "There are no style vectors yet, so no shoot is compared with those before: likewise reembed --space style."
TOO_FEW = "A change of style can be distinguished from chance from {} shoots on; {} have a date and features."


@dataclass(frozen=True, slots=True)
class TimelineShoot:
    """One shoot on the time axis.

    Attributes:
        id, name, start, end: as in ``answers.Session``.
        unlike: distance of its mean style from the mean of all shoots before, as a multiple of the median of these
            distances: 1 is usual. None of the first shoot, and without style vectors.
        values: median of its photos for each quantity of :data:`SHOWN` that is known, in the unit of the feature;
            warmth is mean red less mean blue, in levels.
    """

    id: str
    name: str
    photos: int
    start: str
    end: str
    unlike: float | None
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StyleChange:
    """A change of style that shoots of shuffled order show in one case of a hundred at most.

    Attributes:
        since: when the first shoot after it began, ISO 8601.
        words: ``darker and warmer``.  sentence: the same with the time.
        p_value: share of shuffled orders with as large a change anywhere, in any quantity.
        before, after: number of shoots.
        shifts: what has changed, the clearest first.
    """

    since: str
    shoot: str
    words: str
    sentence: str
    p_value: float
    before: int
    after: int
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Shoots in order of time; ``change`` is None where there is none, or too few shoots, which ``notes`` say."""

    id: str
    name: str
    shoots: tuple[TimelineShoot, ...]
    change: StyleChange | None
    notes: tuple[str, ...] = ()


def timeline(people: People, name: str, given_names: ShootNames) -> Timeline:
    """The timeline of a photographer, by the name that photos are credited by.

    Args:
        given_names: names that people have given to shoots.
    """
    photos = people.photos
    found = people.shoots(name)
    summaries = named_shoots(people, name, given_names)
    dated = [(shoot, summary) for shoot, summary in zip(found, summaries, strict=True) if instant(summary.start)][::-1]
    unlike = _unlike([photos.style[shoot] for shoot, _ in dated])
    shoots = tuple(
        TimelineShoot(
            id=summary.id,
            name=summary.name,
            photos=summary.photos,
            start=summary.start or "",
            end=summary.end or "",
            unlike=distance,
            values=_values(photos.features[shoot]),
        )
        for (shoot, summary), distance in zip(dated, unlike, strict=True)
    )
    notes = []
    if len(found) > len(dated):
        notes.append(UNDATED.format(len(found) - len(dated)))
    if len(dated) > 1 and all(distance is None for distance in unlike):
        notes.append(NO_STYLE)
    measured = [at for at, (shoot, _) in enumerate(dated) if np.isfinite(photos.features[shoot]).any()]
    changed = people.kept("drift", name, lambda: drift([photos.features[dated[at][0]] for at in measured]))
    if len(measured) < LEAST_SHOOTS:
        notes.append(TOO_FEW.format(LEAST_SHOOTS, len(measured)))
    change = None
    if changed is not None:
        first = shoots[measured[changed.at]]
        words = changed.words
        change = StyleChange(
            since=first.start,
            shoot=first.id,
            words=words,
            sentence=f"Since {_month(first.start)} the photos are {words} than before.",
            p_value=changed.p_value,
            before=changed.before,
            after=changed.after,
            shifts=changed.shifts,
        )
        notes.append(
            f"Of photographers who did not change, at most {FALSE_ALARMS:.0%} are said to have; shoots that follow one "
            "another and show the same for other reasons, a season or a commission, can look like a change."
        )
    return Timeline(photographer_id(name), name, shoots, change, tuple(notes))


def named_shoots(people: People, name: str, given_names: ShootNames) -> tuple[Session, ...]:
    """All shoots of a photographer with their names, the latest first; those without a date last."""
    return shoot_summaries(people.photos, people.shoots(name), given_names, people.photo)


def photos_of_shoot(people: People, media_id: str) -> tuple[str, ...]:
    """Ids of the photos of the shoot that a photo is of, among those of its photographer.

    Raises:
        NotFoundError: there is no such photo, it is credited to nobody, or it is of no shoot.
    """
    ids = people.photos.ids
    at = ids.index(media_id) if media_id in ids else -1
    name = people.photos.names[at] if at >= 0 else None
    for shoot in () if name is None else people.shoots(name):
        if at in shoot:
            return tuple(ids[photo] for photo in shoot)
    raise NotFoundError(f"No shoot has the photo '{media_id}'.", "`likewise photographers shoots NAME` shows them.")


def _unlike(styles: Sequence[NDArray[np.float32]]) -> list[float | None]:
    """Distance of each shoot's mean style from that of all before, over the median; None where unknown."""
    means: list[NDArray[np.float64]] = []
    distances: list[float | None] = []
    for style in styles:
        known = style[np.isfinite(style).all(axis=1)]
        if not known.size:
            distances.append(None)
            continue
        mean = known.astype(np.float64).mean(axis=0)
        before = np.mean(means, axis=0) if means else None
        distances.append(None if before is None else 1.0 - _cosine(mean, before))
        means.append(mean / max(float(np.linalg.norm(mean)), 1e-12))
    usual = float(np.median([distance for distance in distances if distance is not None] or [0.0]))
    return [None if distance is None or usual <= 0 else distance / usual for distance in distances]


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))


def _values(features: NDArray[np.float32]) -> dict[str, float]:
    values = quantities(features)
    known = {name: values[np.isfinite(values[:, at]), at] for at, name in enumerate(QUANTITY_UNITS) if name in SHOWN}
    return {name: float(np.median(known[name])) for name in SHOWN if len(known[name])}


def _month(time: str) -> str:
    moment = instant(time)
    return "" if moment is None else f"{MONTHS[moment.month - 1]} {moment.year}"
