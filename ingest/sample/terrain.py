"""Hills and mountains in perspective: a height map, its light, and a view of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ingest.sample.noise import Plane, smoothstep
from ingest.sample.paint import Frame, Light, mix

MAP = 800
"""Side of the height maps used here, in cells."""

SLICES = 700
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
        depth, across, height: where that ground lies, in ground units; ``far`` away in the sky.
        colour: the ground's lit colour, before any air.
    """

    land: Plane
    depth: Plane
    across: Plane
    height: Plane
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
    reach = math.hypot(*sun)
    east, north, up = (part / reach for part in sun)
    facing = np.clip((-slope_x * east - slope_y * north + up) / length, 0.0, 1.0)
    return facing * unshaded(height, (east, north, up), softness), 1.0 / length


def unshaded(height: Plane, sun: tuple[float, float, float], softness: float, steps: int = 40) -> Plane:
    """1 where the sun is seen over the ground towards it, 0 in shadow; found by walking towards the sun."""
    n = height.shape[0] // 2  # shadows have soft edges: half the resolution shows no less of them
    land = cv2.resize(height.astype(np.float32, copy=False), (n, n), interpolation=cv2.INTER_AREA)
    east, north, up = sun
    flat = max(math.hypot(east, north), 1e-3)
    lit = np.ones_like(land)
    for step in range(1, steps + 1):
        distance = 0.35 * (step / steps) ** 1.7
        shift = np.array([[1, 0, -east / flat * distance * n], [0, 1, -north / flat * distance * n]])
        ahead = cv2.warpAffine(land, shift, (n, n), borderMode=cv2.BORDER_REPLICATE)
        over = ahead - land - distance * up / flat
        lit = np.minimum(lit, 1.0 - smoothstep(0.0, softness, over))
    whole: Plane = cv2.resize(lit, height.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return whole


def look(ground: Ground, frame: Frame, eye: Viewpoint) -> View:
    """See the ground in perspective.

    Each pixel column walks outwards over the ground; the first depth whose projected height reaches a pixel is what
    that pixel shows, found by bisection since the highest point so far only ever rises.
    """
    depths = np.geomspace(eye.near, eye.far, SLICES).astype(np.float32)[:, None]
    across = frame.x / eye.zoom * depths
    heights = on_ground(ground.height, across, np.repeat(depths, frame.width, axis=1) / eye.far)
    seen_at = eye.horizon - eye.zoom * (heights - eye.altitude) / depths
    highest = np.minimum.accumulate(seen_at, axis=0)

    first = np.empty(frame.shape, np.intp)
    for column in range(frame.width):
        first[:, column] = np.searchsorted(-highest[:, column], -frame.y[:, 0])
    behind = np.minimum(first, SLICES - 1)
    before = np.maximum(behind - 1, 0)
    columns = np.arange(frame.width)
    upper, lower = seen_at[behind, columns], seen_at[before, columns]
    share = np.clip((lower - frame.y) / np.maximum(lower - upper, 1e-6), 0.0, 1.0)
    depth = depths[before, 0] + (depths[behind, 0] - depths[before, 0]) * share
    sideways = frame.x / eye.zoom * depth
    return View(
        land=np.clip((frame.y - highest[-1]) * frame.unit + 0.5, 0.0, 1.0),
        depth=depth,
        across=sideways,
        height=eye.altitude + (eye.horizon - frame.y) * depth / eye.zoom,
        colour=on_ground(ground.colour, sideways, depth / eye.far),
    )


def on_ground(values: Plane, across: Plane, away: Plane) -> Plane:
    """What a map of the ground holds at positions given across (-0.5 to 0.5, mirrored beyond) and away (0 to 1)."""
    side = values.shape[0] - 1
    found: Plane = cv2.remap(
        values.astype(np.float32, copy=False),
        ((across + 0.5) * side).astype(np.float32),
        (away * side).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return found


def lit(albedo: Light, sunlight: Plane, sun: Light, ambient: Light) -> Light:
    """Ground of a colour under a sun and the light of the whole sky."""
    return albedo * (ambient + sun * sunlight[..., None])


def layered(base: Light, *layers: tuple[Light, Plane]) -> Light:
    """Colours laid over one another by their masks, from the bottom up."""
    for colour, mask in layers:
        base = mix(base, colour, mask)
    return base
