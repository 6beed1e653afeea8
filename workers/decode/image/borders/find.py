"""Find what surrounds a picture in its file: frames, letterboxes, slide mounts and strips with a caption or watermark.

A border is a band along a side that has one colour and ends along a straight line. The line decides: a night sky, the
white background of a product or a field of snow has one colour as well, but ends where things begin. Three kinds are
found:

* frames and letterboxes: bands of one even colour along two opposite sides, or all four;
* mounts: uneven dark bands along all four sides, as scans of slides and negatives have them, with notches and round
  corners. A dark picture hides where its mount ends, so that one side may go without such a line;
* strips: one band along the bottom or the top that is even but for what is written in it.

Thresholds were chosen on photographers_fsa_color (307 slides, 293 of whose mounts are found) and images_caltech101 (800
pictures without regard to borders, 30 of which are cut; by eye 29 of these have one).
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.image.borders.bands import BandLimits, Lines, even_lines, find_band, outer_colour

Borders: TypeAlias = tuple[float, float, float, float]
"""Shares of the width or height that lie outside the picture: left, top, right, bottom."""

MOST_EVEN, MOST_UNEVEN = 0.36, 0.14
"""Most of the width or height that a band takes: of a letterbox or frame (a portrait film in a landscape picture has
bands of .34), and of a mount or strip."""

LEAST_LEFT = 0.25
"""Least share of the area that is left; where less would be, nothing is cut."""

_SIDE = 240
"""Long side in pixels at which borders are looked for."""

_SMALLEST = 32
"""Short side in pixels below which a picture has no borders."""

_DARK = 72
"""Greatest value of any channel of a mount's colour, of 255."""

_LEAST_ENDS = 2.4
"""Least sum of a mount's four ``BorderBand.end``. The slides have 2.5 and more; objects before black have up to 2.2."""

_ROUND = 0.012
"""Share of the short side that is cut beyond a mount, whose edge is soft and whose corners are round."""

_EVEN = BandLimits(MOST_EVEN, tolerance=8, alike=0.97, end=0.6, soft=1)
_MOUNT = BandLimits(MOST_UNEVEN, tolerance=28, alike=0.72, end=0.33, soft=2)
_STRIP = BandLimits(MOST_UNEVEN, tolerance=4, alike=0.6, end=0.9, soft=1)

_LEAST_STRIP = 0.03
"""Least depth of a strip, as a share of the side: less holds no writing."""

_LEFT, _TOP, _RIGHT, _BOTTOM = range(4)


def find_borders(picture: npt.NDArray[np.uint8]) -> Borders | None:
    """The borders of a picture, uint8 ``(h, w, 3)`` RGB of any size; None where it has none."""
    height, width = picture.shape[:2]
    if min(height, width) < _SMALLEST:
        return None
    sides = _sides(_shrunk(picture))
    frame = _frame(sides)
    depths = frame if frame and all(frame) else _mount(sides) or frame or _strip(sides)
    if depths is None:
        return None
    left, top, right, bottom = (depth / lines.shape[1] for depth, lines in zip(depths, sides, strict=True))
    if (1 - left - right) * (1 - top - bottom) < LEAST_LEFT:
        return None
    return round(left, 4), round(top, 4), round(right, 4), round(bottom, 4)


def without_borders(picture: Image.Image, borders: Borders) -> Image.Image:
    """The part of ``picture`` within its borders; at least a pixel is left."""
    left, top, right, bottom = borders
    width, height = picture.size
    x, y = round(left * width), round(top * height)
    return picture.crop((x, y, max(x + 1, width - round(right * width)), max(y + 1, height - round(bottom * height))))


def _shrunk(picture: npt.NDArray[np.uint8]) -> Lines:
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.int16)


def _sides(small: Lines) -> tuple[Lines, ...]:
    """A picture with its left, top, right and bottom on top."""
    turned = small.transpose(0, 2, 1)
    return turned, small, turned[:, ::-1], small[:, ::-1]


def _frame(sides: tuple[Lines, ...]) -> list[int] | None:
    """Depths of even bands of one colour along opposite sides, with the line in which they end."""
    depths = [0, 0, 0, 0]
    for one, other in ((_LEFT, _RIGHT), (_TOP, _BOTTOM)):
        colours = outer_colour(sides[one]), outer_colour(sides[other])
        if np.abs(colours[0] - colours[1]).max() > _EVEN.tolerance:
            continue
        first, second = (find_band(sides[at], colour, _EVEN) for at, colour in zip((one, other), colours, strict=True))
        if first.depth and second.depth:
            depths[one], depths[other] = first.depth + 1, second.depth + 1
    return depths if any(depths) else None


def _mount(sides: tuple[Lines, ...]) -> list[int] | None:
    """Depths of uneven dark bands along all sides."""
    colours = [outer_colour(lines) for lines in sides]
    if max(colour.max() for colour in colours) > _DARK:
        return None
    bands = [find_band(lines, colour, _MOUNT) for lines, colour in zip(sides, colours, strict=True)]
    found = [band.depth / lines.shape[1] for band, lines in zip(bands, sides, strict=True) if band.depth]
    if len(found) < 3 or sum(band.end for band in bands) < _LEAST_ENDS:
        return None
    short = min(lines.shape[1] for lines in sides)
    beyond = max(1, round(_ROUND * short))
    depths: list[int] = []
    for band, lines, colour in zip(bands, sides, colours, strict=True):
        depth = band.depth or even_lines(lines[:, : round(min(found) * short)], colour, _MOUNT)
        if not depth:
            return None
        depths.append(depth + beyond)
    return depths


def _strip(sides: tuple[Lines, ...]) -> list[int] | None:
    """Depth of the band along the bottom or the top that something may be written in."""
    for at in (_BOTTOM, _TOP):
        lines = sides[at]
        band = find_band(lines, outer_colour(lines), _STRIP)
        if band.depth >= max(3, _LEAST_STRIP * lines.shape[1]):
            return [band.depth + 1 if side == at else 0 for side in range(4)]
    return None
