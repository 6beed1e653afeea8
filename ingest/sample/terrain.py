"""Hills and mountains seen in perspective: a height map, its light, and the view over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.sample.noise import Plane, smoothstep
from ingest.sample.paint import Frame, Light, mix

SLICES = 900
"""Depths at which the ground is looked up along each pixel column; fewer show as steps."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A square of land one unit wide and one deep; row 0 lies nearest.

    Attributes:
        height: float32 (n, n), in the same unit.
        colour: float32 (n, n, 3), its colour as lit, in linear light.
    """

    height: Plane
    colour: Light


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Where the land is looked at from.

    Attributes:
        altitude: of the eye, in ground units.  horizon: y of eye level in the frame.
        zoom: focal length in units of the frame's shorter side.  near, far: depths between which land is seen.
    """

    altitude: float
    horizon: float
    zoom: float = 1.0
    near: float = 0.04
    far: float = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """Land as seen: for every pixel what ground it shows.

    Attributes:
        land: float32 (rows, columns), 1 on land, 0 in the sky, with a smooth skyline.
        depth: distance in ground units, ``far`` in the sky.
        colour: the ground's lit colour, before any air.
    """

    land: Plane
    depth: Plane
    across: Plane
    colour: Light


def relief_light(height: Plane, sun: tuple[float, float, float], *, softness: float = 0.02) -> tuple[Plane, Plane]:
    """How steeply sunlight meets the ground, and how level the ground is: two planes, 0 to 1.

    Args:
        sun: direction to the sun: right, away from the viewer, up. Cast shadows are included.
        softness: height over which a cast shadow fades.
    """
    n = height.shape[0]
    slope_y, slope_x = np.gradient(height, 1.0 / n)
    length = np.sqrt(slope_x**2 + slope_y**2 + 1.0)
    east, north, up = np.asarray(sun, np.float32) / np.float32(np.linalg.norm(sun))
    facing = np.clip((-slope_x * east - slope_y * north + up) / length, 0.0, 1.0)
    return np.asarray(facing * unshaded(height, (east, north, up), softness), np.float32), 1.0 / length


def unshaded(height: Plane, sun: tuple[float, float, float], softness: float, steps: int = 28) -> Plane:
    """1 where the sun is seen over the ground towards it, 0 in shadow; found by walking towards the sun."""
    n = height.shape[0]
    east, north, up = sun
    flat = max(float(np.hypot(east, north)), 1e-3)
    lit = np.ones_like(height)
    for step in range(1, steps + 1):
        distance = 0.35 * (step / steps) ** 1.7
        shift = np.float32([[1, 0, -east / flat * distance * n], [0, 1, -north / flat * distance * n]])
        ahead = cv2.warpAffine(height, shift, (n, n), borderMode=cv2.BORDER_REPLICATE)
        over = ahead - (height + np.float32(distance * up / flat))
        lit = np.minimum(lit, 1.0 - smoothstep(0.0, softness, over))
    return lit


def look(ground: Ground, frame: Frame, eye: Viewpoint) -> View:
    """See the ground in perspective.

    Each pixel column walks outwards over the ground; the first depth whose projected height reaches a pixel is what
    that pixel shows, found by bisection since the highest point so far only ever rises.
    """
    n = ground.height.shape[0]
    depths = np.geomspace(eye.near, eye.far, SLICES).astype(np.float32)[:, None]
    across = frame.x / np.float32(eye.zoom) * depths
    map_x = (across + 0.5) * np.float32(n - 1)
    map_y = np.broadcast_to(depths * np.float32((n - 1) / eye.far), map_x.shape)
    heights = cv2.remap(
        ground.height, map_x, np.ascontiguousarray(map_y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    seen_at = np.float32(eye.horizon) - np.float32(eye.zoom) * (heights - np.float32(eye.altitude)) / depths
    highest = np.minimum.accumulate(seen_at, axis=0)

    rows = -frame.y[:, 0]
    first = np.empty(frame.shape, np.intp)
    for column in range(frame.width):
        first[:, column] = np.searchsorted(-highest[:, column], rows)
    hidden = first == SLICES
    last = np.minimum(first, SLICES - 1)
    before = np.maximum(last - 1, 0)
    columns = np.arange(frame.width)[None, :]
    upper, lower = seen_at[last, columns], seen_at[before, columns]
    share = np.clip((lower - frame.y) / np.maximum(lower - upper, 1e-6), 0.0, 1.0)
    depth = depths[before, 0] + (depths[last, 0] - depths[before, 0]) * share
    depth = np.where(hidden, np.float32(eye.far), depth).astype(np.float32)
    sideways = (frame.x / np.float32(eye.zoom) * depth).astype(np.float32)
    colour: NDArray[np.float32] = cv2.remap(
        ground.colour,
        (sideways + 0.5) * np.float32(n - 1),
        depth * np.float32((n - 1) / eye.far),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    skyline = highest[-1][None, :]
    land = np.clip((frame.y - skyline) * frame.unit + 0.5, 0.0, 1.0).astype(np.float32)
    return View(land=land, depth=depth, across=sideways, colour=colour)


def lit(albedo: Light, sunlight: Plane, sun: Light, ambient: Light) -> Light:
    """Ground of a colour under a sun and the light of the whole sky."""
    return np.asarray(albedo * (ambient + sun * sunlight[..., None]), np.float32)


def layered(base: Light, *layers: tuple[Light, Plane]) -> Light:
    """Colours laid over one another by their masks, from the bottom up."""
    for colour, mask in layers:
        base = mix(base, colour, mask)
    return base
