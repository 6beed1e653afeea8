"""Motions of the sample films: a camera over a still scene, or a moving scene.

Every shot takes a frame, randomness, a number of frames and a frame rate, and yields uint8 (height, width, 3) RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.sample.noise import Plane
from ingest.sample.paint import Frame, Light, rgb, soften
from ingest.sample.photographers import EditingStyle, develop
from ingest.sample.scenes import SCENES
from ingest.sample.scenes.balloons import ballooning
from ingest.sample.scenes.coast import lighthouse_watch, sailing
from ingest.sample.scenes.night import LAMPS, add_lamp, city, night_sky, night_skyline

Pixels: TypeAlias = NDArray[np.uint8]
FILM_STYLE = EditingStyle(contrast=1.05, saturation=1.05)
"""Films are developed without a style: no photographer took them."""


Shot: TypeAlias = Callable[[Frame, np.random.Generator, int, int], Iterator[Pixels]]
"""Yields so many frames of a shot at so many a second."""


def pan(subject: str) -> Shot:
    """The camera sweeps from one side of a wide scene to the other."""

    def shot(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
        wide = still(subject, Frame(frame.width * 8 // 5, frame.height), rng)
        ways = np.linspace(0, wide.shape[1] - frame.width, count)
        for offset in ways[:: int(rng.choice([-1, 1]))]:
            yield crop(wide, frame, (offset, 0.0), 1.0)

    return shot


def zoom(subject: str) -> Shot:
    """The camera closes in on the middle."""

    def shot(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
        large = still(subject, Frame(frame.width * 3 // 2, frame.height * 3 // 2), rng)
        for scale in np.geomspace(1.5, 0.75, count):
            rest = (large.shape[1] - frame.width * scale) / 2, (large.shape[0] - frame.height * scale) / 2
            yield crop(large, frame, rest, float(scale))

    return shot


def snowfall(subject: str) -> Shot:
    """Snow falls before a scene, nearer flakes larger and faster."""

    def shot(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
        ground = still(subject, frame, rng).astype(np.float32)
        curtains = [(flakes(frame, number, size, rng), speed) for number, size, speed in SNOW]
        for time in moments(count, rate):
            picture = ground.copy()
            for curtain, speed in curtains:
                fallen = round(time * speed * frame.height), round(12 * np.sin(time * 1.3 + speed * 9))
                picture += (245 - picture) * np.roll(curtain, fallen, axis=(0, 1))[..., None]
            yield picture.astype(np.uint8)

    return shot


SNOW = ((900, 0.0022, 0.22), (260, 0.0045, 0.38), (60, 0.009, 0.62))
"""Flakes, their radius and their speed in frame heights a second, from the farthest to the nearest."""


def flakes(frame: Frame, count: int, radius: float, rng: np.random.Generator) -> Plane:
    """Mask of soft flakes strewn over a frame."""
    seeds = np.zeros(frame.shape, np.float32)
    seeds[rng.integers(0, frame.height, count), rng.integers(0, frame.width, count)] = 1.0
    spread = soften(seeds, frame, radius * 0.7)
    mask: Plane = np.clip(spread / float(spread.max()) * 1.2, 0, 0.9)
    return mask


def sailing_boat(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
    """The sea runs and the yacht rolls."""
    return developed(sailing(frame, rng, moments(count, rate)), rng)


def lighthouse(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
    """The sea runs beneath the lighthouse."""
    return developed(lighthouse_watch(frame, rng, moments(count, rate)), rng)


def balloons(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
    """The balloons rise."""
    return developed(ballooning(frame, rng, moments(count, rate)), rng)


def traffic(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
    """Cars pass along the harbour by night, their lamps mirrored in the water."""
    shore = 0.20
    town = city(frame, rng, shore)
    cars = [(float(rng.uniform(-1, 1)), float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.5))) for _ in range(22)]
    for time in moments(count, rate):
        picture = town.copy()
        span = frame.right + 0.1
        for start, speed in cars:
            x = float(np.mod(start * span + speed * time + span, 2 * span) - span)
            colour = LAMPS[2] if speed > 0 else rgb("ff3a24")
            level = shore - (0.030 if speed > 0 else 0.020)
            add_lamp(picture, frame, (x, level), 0.007, colour * 5.0)
            add_lamp(picture, frame, (x, 2 * shore - level + 0.03), 0.016, colour * 0.7)
        yield develop(picture, FILM_STYLE, rng)


def turning_stars(frame: Frame, rng: np.random.Generator, count: int, rate: int) -> Iterator[Pixels]:
    """The sky turns about a pole above a dark skyline, as in a time lapse."""
    wide = Frame(frame.width * 3 // 2, frame.width * 3 // 2)
    heaven = develop(night_sky(wide, rng), FILM_STYLE, rng)
    ground = night_skyline(frame, rng)[..., None]
    pole = (wide.width * 0.5, wide.height * 0.42)
    shift = np.array([[0, 0, frame.width / 2 - pole[0]], [0, 0, frame.height * 0.35 - pole[1]]])
    for time in moments(count, rate):
        turn = cv2.getRotationMatrix2D(pole, 9.0 * time, 1.0) + shift
        sky = cv2.warpAffine(
            heaven, turn, (frame.width, frame.height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        yield np.asarray(sky * (1 - ground) + 6 * ground, np.uint8)


def still(subject: str, frame: Frame, rng: np.random.Generator) -> Pixels:
    """A finished picture of a subject."""
    return develop(SCENES[subject](frame, rng), FILM_STYLE, rng)


def developed(scenes: Iterable[Light], rng: np.random.Generator) -> Iterator[Pixels]:
    """Scenes in linear light, developed without a style: uint8 (height, width, 3)."""
    return (develop(light, FILM_STYLE, rng) for light in scenes)


def moments(count: int, rate: int) -> list[float]:
    """The times of so many frames, in seconds."""
    return [number / rate for number in range(count)]


def crop(picture: Pixels, frame: Frame, corner: tuple[float, float], scale: float) -> Pixels:
    """A frame cut out at a fractional corner, ``scale`` source pixels to one of the frame's."""
    take = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]], np.float64)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut: Pixels = cv2.warpAffine(
        picture, take, (frame.width, frame.height), flags=how, borderMode=cv2.BORDER_REFLECT_101
    )
    return cut
