"""From a photo and a photographer to the settings that develop the one like the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.errors import NotFoundError, UsageError
from search.photographers.develop.reading import SettingsReader
from search.photographers.develop.settings import DEVIATIONS, MOST_STRENGTH, PARAMETERS, Preset, change, values
from search.photographers.develop.words import WORDS, in_words
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.people import People
from search.photographers.profiles.periods import periods
from search.store.base import Array

FEW = 10
"""Photos below which the settings read from them are mostly what the photos show."""

LEAST_IN_PERIOD = 3
"""Photos below which a period has no settings."""

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class DevelopQuestion:
    """Like whom a photo is to be developed.

    Attributes:
        photographer: name or id.
        style: number of one of their styles, the most frequent is 1; None for all photos.
        taken_from, taken_to: only photos of this time: a year, a month or a day, both included; empty for any.
        strength: share of the way, 0 to ``MOST_STRENGTH``.
        developed: the photo has been developed before, so its own settings are read and the difference is made; else
            it is taken as it came from the camera.
    """

    photographer: str
    style: int | None = None
    taken_from: str = ""
    taken_to: str = ""
    strength: float = 1.0
    developed: bool = True


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting, in its unit.

    Attributes:
        theirs: mean of the photographer's photos.  error: standard error of that mean.
        own: of the photo.  change: what is done to it.
    """

    setting: str
    label: str
    unit: str
    theirs: float
    error: float
    own: float
    change: float


@dataclass(frozen=True, slots=True)
class Development:
    """How a photo is developed like somebody's.

    Attributes:
        photos: number of the photographer's photos that their settings were read from.
        settings: in the order of ``settings.PARAMETERS``.
        words: the change in an editor's words, the most visible first; empty where nothing would be seen.
        change: what is done to the photo.
        display_name: what people read for ``photographer``.
    """

    id: str
    photographer: str
    style: int | None
    taken_from: str
    taken_to: str
    strength: float
    photos: int
    settings: tuple[SettingChange, ...]
    words: tuple[str, ...]
    notes: tuple[str, ...] = ()
    change: Preset = field(default_factory=Preset)
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class SettingsPeriod:
    """Settings of one month, quarter or year, by name and in their units; empty where there are too few photos."""

    label: str
    photos: int
    settings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SettingsCourse:
    """Settings of a photographer's photos, or of one of their styles, over time.

    Attributes:
        style: its number, the most frequent is 1; None for all photos.
        settings: of all of the time, by name and in their units.
        periods: in order of time; empty where no dates are known.
    """

    style: int | None
    photos: int
    settings: Mapping[str, float]
    periods: tuple[SettingsPeriod, ...]


def develop(
    people: People,
    reader: SettingsReader,
    question: DevelopQuestion,
    own_style: Array | None,
    media_id: str | None = None,
) -> Development:
    """The settings that develop a photo as the question asks.

    Args:
        own_style: the photo's unit vector of ``style``, float32 ``(d,)``; None where it has none.
        media_id: of the photo; where it is stored and credited, what its photographer usually does counts.

    Raises:
        NotFoundError: there is no such photographer, style, or no photo of that time.
        UsageError: the strength or a date is none.
        SpaceMismatchError: the library's style vectors are of another model.
    """
    reader.check(people.photos.style_space)
    if not 0 <= question.strength <= MOST_STRENGTH:
        raise UsageError(f"The strength is {question.strength:g}.", f"It lies between 0 and {MOST_STRENGTH:g}.")
    name = people.name_of(question.photographer)
    rows = _chosen(people, name, question)
    readings = reader.readings(people.photos.style[rows])
    theirs = Preset.of_vector(readings.mean(axis=0))
    errors = readings.std(axis=0) / np.sqrt(max(1, len(rows) - 1)) * DEVIATIONS
    usual = _usual(people, media_id)
    own = reader.photo(own_style, usual) if question.developed and own_style is not None else Preset()
    changed = change(own, theirs, question.strength)
    return Development(
        id=photographer_id(name),
        photographer=name,
        style=question.style,
        taken_from=question.taken_from,
        taken_to=question.taken_to,
        strength=question.strength,
        photos=len(rows),
        settings=tuple(
            SettingChange(setting, WORDS[setting].label, WORDS[setting].unit, *map(float, numbers))
            for setting, *numbers in zip(PARAMETERS, values(theirs), errors, values(own), values(changed), strict=True)
        ),
        words=in_words(changed),
        notes=_notes(len(rows), question, own_style),
        change=changed,
    )


def courses(people: People, reader: SettingsReader, who: str) -> tuple[SettingsCourse, ...]:
    """Settings of a photographer over time: of all photos, then of each of their styles where there are several.

    Raises:
        NotFoundError: there is no such photographer.
        SpaceMismatchError: the library's style vectors are of another model.
    """
    reader.check(people.photos.style_space)
    name = people.name_of(who)
    styles = people.style_members(name)
    parts: list[tuple[int | None, NDArray[np.intp]]] = [(None, people.rows[name])]
    parts += [(number, members) for number, members in enumerate(styles, 1) if len(styles) > 1]
    found = []
    for number, rows in parts:
        known = _with_style(people, rows)
        if len(known):
            found.append(_course(people, reader, number, known))
    return tuple(found)


def _course(people: People, reader: SettingsReader, style: int | None, rows: NDArray[np.intp]) -> SettingsCourse:
    readings = reader.readings(people.photos.style[rows])
    parts = periods([people.photos.taken_at[at] for at in rows])
    return SettingsCourse(
        style,
        len(rows),
        _by_name(readings),
        tuple(
            SettingsPeriod(label, len(at), _by_name(readings[at]) if len(at) >= LEAST_IN_PERIOD else {})
            for label, at in parts.items()
        ),
    )


def _usual(people: People, media_id: str | None) -> Array | None:
    """Style vectors of the photos by whoever took this stored one; None where nobody is known, or too few are."""
    photos = people.photos
    name = photos.names[photos.ids.index(media_id)] if media_id in photos.ids else None
    known = _with_style(people, people.rows[name]) if name is not None else np.empty(0, np.intp)
    return photos.style[known] if len(known) >= FEW else None


def _by_name(readings: NDArray[np.float64]) -> dict[str, float]:
    preset = Preset.of_vector(readings.mean(axis=0))
    return {name: getattr(preset, name) for name in PARAMETERS}


def _chosen(people: People, name: str, question: DevelopQuestion) -> NDArray[np.intp]:
    """Positions of the photos that are meant, all with a vector of style."""
    rows = people.rows[name]
    if question.style is not None:
        styles = people.style_members(name)
        if not 1 <= question.style <= len(styles):
            raise NotFoundError(
                f"{name} has {len(styles)} style{'' if len(styles) == 1 else 's'}, and no number {question.style}.",
                "`likewise photographers show` lists them, the most frequent first.",
            )
        rows = styles[question.style - 1]
    for date in (question.taken_from, question.taken_to):
        if date and not _DATE.fullmatch(date):
            raise UsageError(f"'{date}' is no date.", "Write 1942, 1942-06 or 1942-06-15.")
    taken = people.photos.taken_at
    chosen = _with_style(people, np.array([at for at in rows if _within(taken[at], question)], np.intp))
    if not len(chosen):
        when = f" from {question.taken_from or 'the first'} to {question.taken_to or 'the last'}"
        asked = when if question.taken_from or question.taken_to else ""
        raise NotFoundError(f"There is no photo of {name}{asked} whose style is known.", "Ask for more of their work.")
    return chosen


def _within(time: str | None, question: DevelopQuestion) -> bool:
    first, last = question.taken_from, question.taken_to
    if not first and not last:
        return True
    return bool(time) and (time or "")[: len(first)] >= first and (not last or (time or "")[: len(last)] <= last)


def _with_style(people: People, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    known: NDArray[np.intp] = rows[np.isfinite(people.photos.style[rows]).all(axis=1)]
    return known


def _notes(photos: int, question: DevelopQuestion, own_style: Array | None) -> tuple[str, ...]:
    notes: Sequence[str] = ()
    if photos < FEW:
        few = "one photo" if photos == 1 else f"{photos} photos"
        notes = (*notes, f"Their settings were read from {few}: what those show counts as much as how they are done.")
    if question.developed and own_style is None:
        notes = (*notes, "This photo has no vector of style, so nothing was read of how it is developed.")
    return tuple(notes)
