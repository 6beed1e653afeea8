"""How a film moves, in 221 numbers: optical flow between frames, told apart into camera and scene.

Between two frames flow is measured (DIS: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016), in
widths of the picture a second, so that neither size nor frame rate counts. A camera that moves is fitted to it as an
affine map (Odobez and Bouthemy, "Robust multiresolution estimation of parametric motion models", JVCIR 1995); what is
left over is the scene's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.decode.decoded import MOVEMENT_NUMBERS

WIDTH = 160
"""Pixels of the longer side of the frames that are compared."""

LEAST_SIDE = 48
"""Pixels of the shorter side at least: OpenCV's flow reads beyond pictures of less than 32."""

CUT = 0.35
"""Share of the histogram of gray levels that changes at a cut."""
ALIKE = 0.5
"""Correlation of small pictures above which they are of one shot all the same."""

STILL = 0.02
"""Speed below which nothing moves, widths a second."""

UNCHANGED = 4.0
"""Mean change of gray levels of a block of 10 x 10 pixels below which it is still: what compression does to it."""

BANDS = ((0.4, 0.9), (0.9, 1.6), (1.6, 2.6), (2.6, 4.2), (4.2, 7.0))
"""Of the spectra, in cycles a second. A window of 1.6 s tells 0.6 apart, frames 70 ms apart show up to 7."""

BLINKS = 10
"""Of so many frames one may change in a still film: each group of pictures of a codec begins anew."""

_CELLS, _DIRECTIONS = 3, 8
_SPEEDS = np.geomspace(0.02, 3.0, 12)
_FITS = 4
_GRID = 4
_EVEN = 24
"""Times at which a window's brightness is read for its spectrum."""

BLOCKS = (18, 81, 81, 18, 13, 10)
"""Numbers of each part: the camera's map, mean and deviation; directions by cell, mean, then deviation; what is left
over by cell, mean and deviation; speeds; spectra of brightness and of change."""

assert sum(BLOCKS) == MOVEMENT_NUMBERS

Numbers: TypeAlias = NDArray[np.float64]
Frame: TypeAlias = tuple[float, NDArray[np.uint8]]
"""Moment in seconds, and gray levels (height, width), of one size in a film."""


def movement_of(windows: Sequence[Sequence[Frame]]) -> NDArray[np.float32] | None:
    """The numbers of a film, float32 (221,), see :data:`BLOCKS`; None where nothing moves or no two frames follow one
    another without a cut.

    Args:
        windows: consecutive frames of parts of the film, each in order of time, no side below :data:`LEAST_SIDE`.
    """
    steps = [step for window in windows for step in _steps(window)]
    if sum(map(_changes, steps)) <= len(steps) / BLINKS:
        return None
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    camera, directions, rest, speeds = (
        np.stack(part) for part in zip(*(_measure(step, flow) for step in steps), strict=True)
    )
    spectra = np.mean([_spectra(window) for window in windows if len(window) > 2] or [np.zeros(2 * len(BANDS))], axis=0)
    parts = (
        *(camera.mean(axis=0), camera.std(axis=0), directions.mean(axis=0), directions.std(axis=0)),
        *(rest.mean(axis=0), rest.std(axis=0), speeds.mean(axis=0), spectra),
    )
    return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Step:
    """Two frames that follow one another without a cut, and the seconds between them."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    seconds: float


def _steps(window: Sequence[Frame]) -> Iterator[_Step]:
    for (began, before), (ended, after) in itertools.pairwise(window):
        if ended > began and not _is_cut(before, after):
            yield _Step(before, after, ended - began)


def _is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Other gray levels in other places: flashes change the levels alone."""
    one, other = (np.bincount(frame.ravel() >> 4, minlength=16) / frame.size for frame in (before, after))
    if np.abs(one - other).sum() / 2 < CUT:
        return False
    small = np.stack([cv2.resize(frame, (16, 16), interpolation=cv2.INTER_AREA).ravel() for frame in (before, after)])
    small = small - small.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(small, axis=1)
    return bool(small[0] @ small[1] < ALIKE * max(float(lengths.prod()), 1.0))


def _changes(step: _Step) -> bool:
    """Whether any block of the picture changes by more than what compression does to a still one."""
    change = cv2.absdiff(step.before, step.after)
    blocks = cv2.resize(
        change, (max(1, change.shape[1] // 10), max(1, change.shape[0] // 10)), interpolation=cv2.INTER_AREA
    )
    return bool(blocks.max() >= UNCHANGED)


class _Measured(NamedTuple):
    """Of one step: float32 (9,), (81,), (9,) and (13,)."""

    camera: Numbers
    directions: Numbers
    rest: Numbers
    speeds: Numbers


def _measure(step: _Step, flow: cv2.DISOpticalFlow) -> _Measured:
    height, width = step.before.shape
    field = flow.calc(step.before, step.after, None)[_GRID // 2 :: _GRID, _GRID // 2 :: _GRID]
    moved = (field.reshape(-1, 2) / (max(width, height) * step.seconds)).astype(np.float64)
    grid = _grid(*field.shape[:2])
    seen = _texture(step.before)
    fitted = _camera(grid.places, moved, seen)
    (right, right_x, right_y), (down, down_x, down_y) = fitted.T
    spread, turn = (right_x + down_y) / 2, (down_x - right_y) / 2
    camera = _pressed(
        np.array(
            [right, down, spread, turn, (right_x - down_y) / 2, (right_y + down_x) / 2,
             np.hypot(right, down), abs(spread), abs(turn)]
        )
    )  # fmt: skip
    speed = np.hypot(moved[:, 0], moved[:, 1])
    octant = np.floor(np.arctan2(moved[:, 1], moved[:, 0]) / (2 * np.pi) * _DIRECTIONS + 0.5).astype(int) % _DIRECTIONS
    way = np.where(speed < STILL, _DIRECTIONS, octant)
    bins, cells = _DIRECTIONS + 1, len(grid.sizes)
    directions = np.bincount(grid.cell * bins + way, minlength=cells * bins).reshape(cells, bins) / grid.sizes[:, None]
    rest = np.hypot(*(moved - grid.places @ fitted).T)
    left_over = np.bincount(grid.cell, weights=rest, minlength=cells) / grid.sizes
    speeds = np.bincount(np.searchsorted(_SPEEDS, speed), minlength=len(_SPEEDS) + 1) / len(speed)
    return _Measured(camera, directions.ravel(), _pressed(left_over), speeds)


def _camera(places: Numbers, moved: Numbers, seen: Numbers) -> Numbers:
    """The affine map of most of the picture, float64 (3, 2), by least squares with weights by Geman and McClure."""
    weights = seen
    fitted: Numbers = np.zeros((3, 2))
    for _ in range(_FITS):
        weighted = places * weights[:, None]
        fitted = np.asarray(np.linalg.solve(weighted.T @ places + 1e-6 * np.eye(3), weighted.T @ moved), np.float64)
        off = np.square(moved - places @ fitted).sum(axis=1)
        scale = max(float(np.partition(off, len(off) // 2)[len(off) // 2]), 1e-5)
        weights = seen / np.square(1 + off / (4 * scale))
    return fitted


def _texture(frame: NDArray[np.uint8]) -> Numbers:
    """How far flow can be told at each point of the grid, 0 to 1: not at all where the picture is plain."""
    across, down = cv2.spatialGradient(cv2.blur(frame, (3, 3)))
    slope = cv2.blur(np.abs(across).astype(np.float32) + np.abs(down), (9, 9))
    slope = slope[_GRID // 2 :: _GRID, _GRID // 2 :: _GRID].ravel().astype(np.float64)
    told: Numbers = slope / (slope + 20) + 1e-3
    return told


class _Grid(NamedTuple):
    """Points at which flow is read.

    ``places``: 1 and the place from the middle in longer sides of the picture, float64 (n, 3).  ``cell``: of each of
    them, int64 (n,).  ``sizes``: points in each cell.
    """

    places: Numbers
    cell: NDArray[np.int64]
    sizes: NDArray[np.int64]


@lru_cache(maxsize=8)
def _grid(rows: int, columns: int) -> _Grid:
    side = max(rows, columns)
    y, x = ((values - (values.max()) / 2) / side for values in np.mgrid[:rows, :columns])
    down, across = np.arange(rows) * _CELLS // rows, np.arange(columns) * _CELLS // columns
    cell = (down[:, None] * _CELLS + across).ravel()
    places = np.stack([np.ones(rows * columns), x.ravel(), y.ravel()], axis=1)
    return _Grid(places, cell, np.maximum(1, np.bincount(cell, minlength=_CELLS**2)))


def _pressed(values: Numbers) -> Numbers:
    """Great speeds less far apart than small ones, with their sign."""
    return np.arcsinh(values / STILL)


def _spectra(window: Sequence[Frame]) -> Numbers:
    """Logarithms of the power of brightness and of change in each of :data:`BANDS`, float64 (10,)."""
    times = np.array([moment for moment, _ in window])
    light = np.array([frame.mean() for _, frame in window])
    change = np.array([cv2.absdiff(one, other).mean() for (_, one), (_, other) in itertools.pairwise(window)])
    change = np.minimum(change, 40.0) / np.maximum(np.diff(times), 1e-3)
    even = np.linspace(times[0], times[-1], _EVEN)
    step = max(float(even[1] - even[0]), 1e-3)
    parts = []
    for at, values in ((times, light), ((times[1:] + times[:-1]) / 2, change / 10)):
        series = np.interp(even, at, values)
        series = (series - np.polyval(np.polyfit(even - even[0], series, 1), even - even[0])) * np.hanning(_EVEN)
        power = np.square(np.abs(np.fft.rfft(series))) / _EVEN
        rates = np.fft.rfftfreq(_EVEN, step)
        parts += [np.log10(power[(rates >= low) & (rates < high)].sum() + 0.1) for low, high in BANDS]
    return np.array(parts)
