"""Sample films of the pictures' subjects, with seven motions; some have two shots, some have sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.sample import motions
from ingest.sample.paint import Frame
from ingest.sample.plan import SampleFile, SampleItem, generator
from ingest.sample.recording import encode_film
from ingest.sample.sounds import RATE, find_sound, synthesise
from search.media import Kind

FRAME = Frame(640, 360)
FRAME_RATE = 16


@dataclass(frozen=True, slots=True)
class SampleFilm:
    """A film to be made.

    Attributes:
        shots: what each shot shows, and how it is taken.  length: of the whole, seconds.
        sound: title of the sound it carries, if any.
    """

    title: str
    motion: str
    shots: tuple[tuple[str, motions.Shot], ...]
    length: float = 4.0
    sound: str | None = None
    extension: str = "mp4"


FILMS = (
    SampleFilm("lake-panorama", "pan", (("mountain-lake", motions.pan("mountain-lake")),), sound="birds-by-the-lake"),
    SampleFilm(
        "dunes-then-lake",
        "pan",
        (("desert-dunes", motions.pan("desert-dunes")), ("mountain-lake", motions.pan("mountain-lake"))),
        5.0,
        "desert-wind",
    ),
    SampleFilm("into-the-flower", "zoom", (("flower", motions.zoom("flower")),), 3.5),
    SampleFilm(
        "fruit-then-flower",
        "zoom",
        (("fruit-bowl", motions.zoom("fruit-bowl")), ("flower", motions.zoom("flower"))),
        5.0,
        "guitar-morning",
    ),
    SampleFilm("sailing", "waves", (("sailing-boat", motions.sailing_boat),), 4.0, "sea-waves-calm"),
    SampleFilm(
        "lighthouse-then-boat",
        "waves",
        (("lighthouse", motions.lighthouse), ("sailing-boat", motions.sailing_boat)),
        5.0,
        "sea-surf",
    ),
    SampleFilm("harbour-traffic", "traffic", (("city-night", motions.traffic),), 4.0, "engine-street"),
    SampleFilm("city-lights-passing", "traffic", (("city-night", motions.traffic),), 3.5, extension="webm"),
    SampleFilm(
        "snow-in-the-pines", "snowfall", (("pine-forest", motions.snowfall("pine-forest")),), 4.0, "winter-wind"
    ),
    SampleFilm(
        "snow-pines-then-lake",
        "snowfall",
        (("pine-forest", motions.snowfall("pine-forest")), ("mountain-lake", motions.snowfall("mountain-lake"))),
        5.0,
    ),
    SampleFilm("balloons-rising", "rising", (("hot-air-balloons", motions.balloons),), 4.0),
    SampleFilm("balloon-festival", "rising", (("hot-air-balloons", motions.balloons),), 3.5, "drums-march", "mkv"),
    SampleFilm("milky-way-turning", "turning", (("starry-sky", motions.turning_stars),), 4.0, extension="webm"),
    SampleFilm("night-sky-turning", "turning", (("starry-sky", motions.turning_stars),), 3.5, "temple-bell"),
)


def video_items() -> list[SampleItem]:
    """All films."""
    items = []
    for film in FILMS:
        path = f"videos/{film.motion}/{film.title}.{film.extension}"
        kind, carried = find_sound(film.sound) if film.sound else (None, None)
        subjects = tuple(subject for subject, _ in film.shots)
        file = SampleFile(path, Kind.VIDEO, subjects=subjects, motion=film.motion, sound=kind, carries=carried)
        items.append(SampleItem(file, partial(shoot, film, file)))
    return items


def shoot(film: SampleFilm, file: SampleFile, folder: Path) -> bytes:
    """Take every shot, cut them together, and lay the sound under them."""
    sound = None
    if file.sound and file.carries:
        sound = synthesise(file.sound, file.carries)
    length = film.length if sound is None else len(sound) / RATE
    return encode_film(
        frames_of(film, file.path, length), (FRAME.width, FRAME.height), FRAME_RATE, film.extension, sound, RATE
    )


def frames_of(film: SampleFilm, path: str, length: float) -> Iterator[NDArray[np.uint8]]:
    """The frames of a film, uint8 (height, width, 3) RGB, shot by shot."""
    rng = generator(path)
    count = round(length * FRAME_RATE / len(film.shots))
    for _, shot in film.shots:
        yield from shot(FRAME, rng, count, FRAME_RATE)
