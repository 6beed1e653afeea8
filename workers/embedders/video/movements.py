"""Films of known movement, made by code: a photo, and a camera or a scene that moves.

The space ``motion`` is fitted and measured on them: only where the same movement is seen over other photos does it show
whether a vector tells how a film moves or what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]

SIZE = (320, 240)
"""Width and height of the films, pixels."""

_RATES = (15, 24, 25, 30)
_MARGIN = 1.8
"""Sides of the photo by those of a film, so that a camera can move over it."""


@dataclass(frozen=True, slots=True)
class Film:
    """One film.

    Attributes:
        movement: a key of :data:`MOVEMENTS`.
        rate: frames a second.  frames: uint8 (height, width, 3) RGB.
    """

    movement: str
    rate: int
    frames: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class _Camera:
    """Where a frame is cut from the photo: the shift of its middle in widths of the film, its scale and its turn in
    degrees."""

    across: float = 0.0
    down: float = 0.0
    scale: float = 1.0
    turn: float = 0.0


_Path: TypeAlias = Callable[[float, float, np.random.Generator], Callable[[float], _Camera]]
"""Speed in widths a second, length in seconds and randomness to the camera at each second."""


def _slide(across: float, down: float) -> _Path:
    """The camera moves on, so that the picture slides the other way."""

    def path(speed: float, seconds: float, rng: np.random.Generator) -> Callable[[float], _Camera]:
        speed = min(speed, 0.7 / seconds)
        return lambda at: _Camera(across * speed * (at - seconds / 2), down * speed * (at - seconds / 2))

    return path


def _zoom(way: int) -> _Path:
    def path(speed: float, seconds: float, rng: np.random.Generator) -> Callable[[float], _Camera]:
        speed = min(1.6 * speed, 1.1 / seconds)
        return lambda at: _Camera(scale=float(np.exp(-way * speed * (at - seconds / 2))))

    return path


def _turn(way: int) -> _Path:
    def path(speed: float, seconds: float, rng: np.random.Generator) -> Callable[[float], _Camera]:
        return lambda at: _Camera(turn=way * 130 * speed * (at - seconds / 2), scale=0.9)

    return path


def _shake(speed: float, seconds: float, rng: np.random.Generator) -> Callable[[float], _Camera]:
    """A hand that trembles: several turns a second, each way."""
    rates, phases = rng.uniform(2.5, 6, (3, 3)), rng.uniform(0, 2 * np.pi, (3, 3))

    def camera(at: float) -> _Camera:
        across, down, turn = np.sin(2 * np.pi * rates * at + phases).mean(axis=1)
        return _Camera(0.12 * speed * across, 0.12 * speed * down, turn=8 * speed * turn)

    return camera


def _sway(speed: float, seconds: float, rng: np.random.Generator) -> Callable[[float], _Camera]:
    """From side to side, about once a second."""
    rate, phase = rng.uniform(0.8, 1.3), rng.uniform(0, 2 * np.pi)
    return lambda at: _Camera(across=speed / 4 * np.sin(2 * np.pi * rate * at + phase))


_CAMERAS: Mapping[str, _Path] = MappingProxyType(
    {
        "pan left": _slide(-1, 0),
        "pan right": _slide(1, 0),
        "tilt up": _slide(0, -1),
        "tilt down": _slide(0, 1),
        "zoom in": _zoom(1),
        "zoom out": _zoom(-1),
        "turn left": _turn(1),
        "turn right": _turn(-1),
        "shake": _shake,
        "sway": _sway,
    }
)
_SCENES = ("ripple", "cross", "flicker")
"""Movements before a camera that stands still."""

MOVEMENTS = (*_CAMERAS, *_SCENES)


def make_film(photo: Pixels, movement: str, rng: np.random.Generator) -> Film:
    """A film of 2.2 to 3.6 s of a movement over a photo, at a speed, a rate and a phase of its own.

    Args:
        photo: uint8 (height, width, 3) RGB of any size.

    Raises:
        KeyError: there is no such movement.
    """
    rate, seconds, speed = int(rng.choice(_RATES)), float(rng.uniform(2.2, 3.6)), float(rng.uniform(0.14, 0.3))
    times = np.arange(int(seconds * rate)) / rate
    if movement in _SCENES:
        frames = _moving_scene(_covering(photo, 1.0), movement, speed, times, rng)
    else:
        wide, camera = _covering(photo, _MARGIN), _CAMERAS[movement](speed, seconds, rng)
        frames = (_seen(wide, camera(float(at))) for at in times)
    return Film(movement, rate, tuple(frames))


def _covering(photo: Pixels, margin: float) -> Pixels:
    """The middle of a photo as large as a film times ``margin``."""
    width, height = round(SIZE[0] * margin), round(SIZE[1] * margin)
    factor = max(width / photo.shape[1], height / photo.shape[0])
    size = max(width, round(photo.shape[1] * factor)), max(height, round(photo.shape[0] * factor))
    large = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _seen(wide: Pixels, camera: _Camera) -> Pixels:
    (width, height), middle = SIZE, (wide.shape[1] / 2, wide.shape[0] / 2)
    turn = cv2.getRotationMatrix2D((0, 0), -camera.turn, camera.scale)
    rest = np.array([middle[0] + camera.across * width, middle[1] + camera.down * width])
    turn[:, 2] = rest - turn[:, :2] @ np.array([width / 2, height / 2])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(wide, turn, SIZE, flags=how, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _moving_scene(
    still: Pixels, movement: str, speed: float, times: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[Pixels]:
    width, height = SIZE
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    if movement == "flicker":
        rate, depth, phase = rng.uniform(1.5, 3.5), rng.uniform(0.2, 0.4), rng.uniform(0, 2 * np.pi)
        for at in times:
            light = 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * rate * at + phase))
            yield (still * light).astype(np.uint8)
    elif movement == "ripple":
        length, rate = rng.uniform(40, 80), rng.uniform(0.8, 1.6)
        for at in times:
            along, phase = 2 * np.pi * (x + y) / length, 2 * np.pi * rate * at
            yield np.asarray(
                cv2.remap(
                    still,
                    (x + 20 * speed * np.sin(along + phase)).astype(np.float32),
                    (y + 20 * speed * np.cos(along * 0.8 + phase)).astype(np.float32),
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REFLECT_101,
                ),
                np.uint8,
            )
    else:
        side, level = int(rng.integers(60, 100)), int(rng.integers(60, height - 60))
        patch = cv2.resize(np.ascontiguousarray(still[::-1, ::-1]), (side, side), interpolation=cv2.INTER_AREA)
        way = int(rng.choice([-1, 1]))
        for at in times:
            middle = width / 2 + way * 1.6 * speed * width * (at - times[-1] / 2)
            frame, left, top = still.copy(), round(middle - side / 2), level - side // 2
            begin, end, below = max(0, left), min(width, left + side), min(height, top + side)
            if begin < end:
                frame[max(0, top) : below, begin:end] = patch[max(0, -top) : below - top, begin - left : end - left]
            yield frame
