"""Bands of one colour along a side of a picture, and the line in which they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Lines: TypeAlias = npt.NDArray[np.int16]
"""A picture turned so that the side in question is on top, int16 ``(3, lines, pixels)``."""

Colour: TypeAlias = npt.NDArray[np.int16]
"""int16 ``(3, 1, 1)``."""

_CHANGE = 10
"""Difference in a channel from which brightness or colour change, of 255."""

_ROUGH = 0.5
"""Greatest share of a band's pixels that differ by so much from their neighbours. Of mounts of slides up to .45 do, of
dark cloth .67."""


@dataclass(frozen=True, slots=True)
class BandLimits:
    """What counts as a band of one kind.

    Attributes:
        most: greatest depth, as a share of the side.
        tolerance: greatest difference from its colour in any channel, of 255.
        alike: least share of each line that is within it.
        end: least share of the line at which it ends where brightness or colour change.
        soft: lines over which they change.
    """

    most: float
    tolerance: int
    alike: float
    end: float
    soft: int


@dataclass(frozen=True, slots=True)
class BorderBand:
    """A band along a side; none where ``depth`` is 0.

    Attributes:
        depth: in lines.
        end: share of the line at its end where brightness or colour change.
    """

    depth: int
    end: float


_NONE = BorderBand(0, 0.0)


def find_band(lines: Lines, colour: Colour, limits: BandLimits) -> BorderBand:
    """The band of that colour: of the lines where one may end, the innermost of those that end it about best."""
    _, count, pixels = lines.shape
    deepest = min(int(limits.most * count), count - limits.soft - 1)
    if deepest < 1 or not even_lines(lines[:, :1], colour, limits):
        return _NONE
    deepest = even_lines(lines[:, :deepest], colour, limits)
    inner = slice(pixels // 10, pixels - pixels // 10)
    outside, inside = lines[:, :deepest, inner], lines[:, 1 + limits.soft :, inner][:, :deepest]
    ends = (_differences(inside, outside) > _CHANGE).mean(axis=1)
    best = float(ends.max())
    if best < limits.end:
        return _NONE
    at = int(np.flatnonzero(ends >= max(limits.end, 0.9 * best))[-1])
    band = outside[:, : at + 1]
    along = _differences(band[:, :, 1 + limits.soft :], band[:, :, : -1 - limits.soft])
    return _NONE if (along > _CHANGE).mean() > _ROUGH else BorderBand(at + limits.soft, best)


def even_lines(lines: Lines, colour: Colour, limits: BandLimits) -> int:
    """Number of lines from the first on that have the colour."""
    alike = (_differences(lines, colour) <= limits.tolerance).mean(axis=1) >= limits.alike
    return len(alike) if alike.all() else int(alike.argmin())


def outer_colour(lines: Lines) -> Colour:
    """Median of the outermost fiftieth of the lines, at least two."""
    outermost = lines[:, : max(2, round(0.02 * lines.shape[1]))]
    colour: Colour = np.median(outermost.reshape(3, -1), axis=1)[:, None, None].astype(np.int16)
    return colour


def _differences(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Lines:
    """Greatest difference in any channel, int16 ``(lines, pixels)``."""
    greatest: Lines = np.abs(one - other).max(axis=0)
    return greatest
