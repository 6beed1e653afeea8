"""Tools to paint scenes: a frame with coordinates, colours in linear light, masks and blending.

Scenes work in linear light, where lamps add and the sun may be far brighter than white; a photographer's
development (:mod:`ingest.sample.photographers`) turns that into a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.sample.noise import Plane

Light: TypeAlias = NDArray[np.floating[Any]]
"""A picture in linear light, float32 (rows, columns, 3) RGB, 1.0 being paper white; or one such colour, (3,)."""

Point: TypeAlias = tuple[float, float]
"""Right and down from the middle of the frame; one unit is its shorter side."""


@dataclass(frozen=True)
class Frame:
    """A picture's size in pixels, and the coordinates in which scenes are laid out.

    The middle is (0, 0), x grows to the right, y downwards, and the shorter side is 1 long, so that whatever stays
    within ±0.44 is seen by a model that looks at the central square.
    """

    width: int
    height: int

    @property
    def unit(self) -> int:
        """The shorter side, in pixels."""
        return min(self.width, self.height)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.width / self.unit / 2

    @property
    def bottom(self) -> float:
        """The y of the bottom edge."""
        return self.height / self.unit / 2

    @cached_property
    def x(self) -> Plane:
        """Every pixel's x: float32 (1, width), ready to broadcast."""
        return (((np.arange(self.width) + 0.5) / self.unit - self.right)[None, :]).astype(np.float32)

    @cached_property
    def y(self) -> Plane:
        """Every pixel's y: float32 (height, 1), ready to broadcast."""
        return (((np.arange(self.height) + 0.5) / self.unit - self.bottom)[:, None]).astype(np.float32)

    def row(self, y: float) -> int:
        """The pixel row at ``y``, within the frame."""
        return int(np.clip((y + self.bottom) * self.unit, 0, self.height))

    def column(self, x: float) -> int:
        """The pixel column at ``x``, within the frame."""
        return int(np.clip((x + self.right) * self.unit, 0, self.width))

    def window(self, centre: Point, reach: float) -> tuple[slice, slice]:
        """The rows and columns within ``reach`` of a point, at least two each, so that a small thing costs little."""
        x, y = centre
        top = min(self.row(y - reach), self.height - 2)
        left = min(self.column(x - reach), self.width - 2)
        return slice(top, max(self.row(y + reach), top + 2)), slice(left, max(self.column(x + reach), left + 2))


def rgb(code: str) -> Light:
    """The colour of a six-digit hexadecimal sRGB code, in linear light."""
    encoded = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def mix(a: Light, b: Light, share: float | Plane) -> Light:
    """``a`` where share is 0, ``b`` where it is 1; a (rows, columns) share gives a picture."""
    return a + (b - a) * (share[..., None] if isinstance(share, np.ndarray) else share)


def gradient(at: Plane, stops: Sequence[tuple[float, Light]]) -> Light:
    """Colours interpolated along ``at`` between (position, colour) stops in rising order."""
    positions = [position for position, _ in stops]
    channels = [np.interp(at, positions, [colour[c] for _, colour in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def cover(picture: Light, paint: Light, mask: Plane) -> None:
    """Paint a colour or a picture over ``picture``, in place, as far as the mask (0 to 1) says."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)  # most things are small
    place = picture[part]
    place += (np.broadcast_to(paint, picture.shape)[part] - place) * mask[part][..., None]


def polygons(frame: Frame, outlines: Sequence[Sequence[Point] | Plane]) -> Plane:
    """Mask of filled outlines with smooth edges: float32 (rows, columns), 0 to 1."""
    fine = 16  # sub-pixel steps, as cv2's `shift` counts them: 2**4
    centre = np.array([frame.right, frame.bottom], np.float32)
    mask = np.zeros(frame.shape, np.uint8)
    for outline in outlines:
        pixels = (np.asarray(outline, np.float32) + centre) * frame.unit - 0.5
        cv2.fillPoly(mask, [np.round(pixels * fine).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def box(centre: Point, half_width: float, half_height: float) -> list[Point]:
    """Outline of an upright rectangle."""
    x, y = centre
    left, right, top, bottom = x - half_width, x + half_width, y - half_height, y + half_height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def curve(start: Point, bend: Point, end: Point, count: int = 16) -> list[Point]:
    """Points of a quadratic Bézier curve."""
    t = np.linspace(0, 1, count)[:, None]
    points = (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(end)
    return [(float(x), float(y)) for x, y in points]


def below(frame: Frame, line: Plane) -> Plane:
    """Mask of everything under a line given as one y per pixel column, with a smooth edge."""
    return np.clip((frame.y - line) * frame.unit + 0.5, 0.0, 1.0)


def soften(picture: Plane, frame: Frame, radius: float, *, signed: bool = False) -> Plane:
    """The picture or mask blurred over ``radius`` (a share of the frame's shorter side).

    Wide blurs work on a smaller copy: nobody sees the difference, and they would dominate the time otherwise. Enlarging
    it may undershoot zero, which only ``signed`` values may keep.
    """
    sigma = radius * frame.unit
    picture = picture.astype(np.float32, copy=False)
    shrink = max(1, int(sigma / 4))
    height, width = picture.shape[:2]
    if shrink == 1:
        blurred: Plane = cv2.GaussianBlur(picture, (0, 0), sigma)
        return blurred
    small = cv2.resize(picture, (max(2, width // shrink), max(2, height // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    enlarged: Plane = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return enlarged if signed else np.maximum(enlarged, 0.0)


def shine(picture: Light, frame: Frame, centre: Point, radius: float, colour: Light) -> None:
    """Add the glow of a light: brightest at its centre, half as bright at ``radius``, fading without an edge."""
    squared = np.square(frame.x - centre[0]) + np.square(frame.y - centre[1])
    picture += colour * np.square(1.0 / (1.0 + squared / radius**2))[..., None]


def bloom(picture: Light, frame: Frame, radius: float = 0.02, strength: float = 0.35) -> None:
    """Let everything brighter than white spill over its surroundings, as it does in a lens."""
    excess = np.maximum(picture - 0.8, 0.0)
    picture += soften(excess, frame, radius) * strength
    picture += soften(excess, frame, radius * 4) * (strength * 0.4)


def haze(picture: Light, colour: Light, depth: Plane, density: float) -> Light:
    """The picture seen through air of a colour: more of the colour the deeper it lies."""
    return mix(picture, colour, 1.0 - np.exp(-depth * density))
