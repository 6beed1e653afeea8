"""Fractal noise, of which all irregularity in the generated scenes is made."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.floating[Any]]
"""float32 (rows, columns). (Typed loosely: the stubs widen float32 by a Python float, though NumPy 2 does not.)"""


def fractal_noise(
    shape: tuple[int, int],
    cells: float,
    rng: np.random.Generator,
    *,
    octaves: int = 6,
    gain: float = 0.5,
    stretch: float = 1.0,
    ridged: bool = False,
) -> Plane:
    """Value noise summed over octaves, with mean 0 and deviation 1.

    Args:
        cells: features of the coarsest octave along the shorter side; each further octave has twice as many.
        gain: amplitude of an octave relative to the one before it; 0.5 looks like clouds, 0.7 like gravel.
        stretch: how much wider than tall a feature is.
        ridged: fold every octave at zero and let ridges carry more detail than valleys, as eroded mountains do
            (Source: Musgrave, "Texturing and Modeling", ridged multifractal).
    """
    rows, columns = shape
    side = min(rows, columns)
    total = np.zeros(shape, np.float32)
    weight: Plane | float = 1.0
    for octave in range(octaves):
        across = cells * 2**octave
        grid_rows = max(2, round(across * rows / side))
        grid_columns = max(2, round(across * columns / side / stretch))
        if grid_rows > rows or grid_columns > columns:
            break
        grid = rng.standard_normal((grid_rows + 1, grid_columns + 1)).astype(np.float32)
        layer: Plane = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
        if ridged:
            layer = np.square(np.maximum(1.0 - np.abs(layer), 0.0)) * weight
            weight = np.clip(layer * 1.6, 0.0, 1.0)
        total += gain**octave * layer
    return standardised(total)


def noise_line(count: int, cells: float, rng: np.random.Generator, *, octaves: int = 6, gain: float = 0.5) -> Plane:
    """Fractal noise along a line: float32 (count,), mean 0 and deviation 1."""
    total = np.zeros(count, np.float64)
    at = np.linspace(0.0, 1.0, count)
    for octave in range(octaves):
        knots = max(2, round(cells * 2**octave))
        values = rng.standard_normal(knots + 1)
        position = at * knots
        index = np.minimum(position.astype(int), knots - 1)
        blend = position - index
        blend = blend * blend * (3 - 2 * blend)
        total += gain**octave * (values[index] * (1 - blend) + values[index + 1] * blend)
    return standardised(total)


def standardised(values: Plane) -> Plane:
    """The values moved and scaled to mean 0 and deviation 1."""
    spread = max(float(values.std()), 1e-6)
    return ((values - float(values.mean())) / spread).astype(np.float32)


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below ``low``, 1 above ``high``, a smooth cubic between them."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    eased: Plane = t * t * (3.0 - 2.0 * t)
    return eased


def sample(texture: Plane, across: Plane, down: Plane) -> Plane:
    """The texture at fractional positions, tiled by mirroring without end; one unit is one texture side.

    ``down`` may be anything that broadcasts to the shape of ``across``.
    """
    rows, columns = texture.shape[:2]
    taken: Plane = cv2.remap(
        texture,
        mirrored(across, columns),
        mirrored(np.broadcast_to(down, across.shape), rows),
        interpolation=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return taken


def mirrored(position: Plane, cells: int) -> NDArray[np.float32]:
    """Positions on an endless axis as cells of a finite one, traversed back and forth; float32 of the same shape."""
    return ((1.0 - np.abs(np.mod(position, 2.0) - 1.0)) * (cells - 1)).astype(np.float32)
