"""The sea: a sailing boat, a lighthouse on its rock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, bloom, cover, curve, mix, polygons, rgb, soften
from ingest.sample.scenes.tower import Tower, add_tower, headland
from ingest.sample.sky import DAWN, DUSK, GOLDEN, NOON, OVERCAST, Hour, Sea, paint_sea, sky, wave_texture

DEEPS = (rgb("12405c"), rgb("0f4f5a"), rgb("1b3550"))
CLOTHS = (rgb("f4efe4"), rgb("f7f7f5"), rgb("b8473a"), rgb("e9d9b4"))
HULLS = (rgb("f2f2ee"), rgb("1f3a57"), rgb("7a2f26"))
BANDS = (rgb("b3261e"), rgb("1f2a36"), rgb("a8321e"), rgb("f0ece2"))

BODY = (
    (-0.40, -0.085),
    (-0.36, 0),
    (-0.25, 0.035),
    (0.24, 0.035),
    (0.34, 0),
    (0.44, -0.105),
    (0.2, -0.075),
    (-0.1, -0.07),
)
CABIN = ((-0.18, -0.07), (-0.15, -0.115), (0.06, -0.12), (0.13, -0.075))
MAST = ((0.0, -1.20), (0.014, -1.20), (0.018, -0.06), (0.0, -0.06))
MAINSAIL = (*curve((0.015, -1.16), (-0.34, -0.62), (-0.40, -0.17)), *curve((-0.40, -0.17), (-0.2, -0.13), (0.0, -0.16)))
JIB = (*curve((0.035, -1.10), (0.27, -0.62), (0.43, -0.11)), *curve((0.43, -0.11), (0.23, -0.11), (0.075, -0.20)))
"""Outlines of a yacht's parts, the middle of its waterline being (0, 0)."""


def sailing_boat(frame: Frame, rng: np.random.Generator) -> Light:
    """A yacht under sail on a breezy sea."""
    return next(sailing(frame, rng, (0.0,)))


def sailing(frame: Frame, rng: np.random.Generator, times: Iterable[float]) -> Iterator[Light]:
    """The yacht at one moment after another (seconds): the sea runs, the hull heaves and rolls."""
    hour = (NOON, GOLDEN, DUSK, NOON)[rng.integers(4)]
    horizon = rng.uniform(0.02, 0.14)
    side = float(rng.choice([-1.0, 1.0]))
    sun: Point = (side * rng.uniform(0.2, 0.5), horizon - 0.12 - 0.4 * hour.height)
    backdrop = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.15, 0.5))
    add_far_coast(backdrop, frame, hour, horizon, rng)
    sea = Sea(horizon, deep=DEEPS[rng.integers(len(DEEPS))], waves=rng.uniform(0.10, 0.2))
    waves = wave_texture(rng)
    boat = Boat(
        place=(rng.uniform(-0.12, 0.12), horizon + rng.uniform(0.10, 0.17)),
        size=rng.uniform(0.40, 0.50),
        roll=rng.uniform(-0.09, 0.09),
        cloth=CLOTHS[rng.integers(len(CLOTHS))],
        hull=HULLS[rng.integers(len(HULLS))],
    )
    chop = 0.5 + 0.22 * fractal_noise(frame.shape, 30, rng, octaves=3, stretch=5)
    for time in times:
        picture = backdrop.copy()
        paint_sea(picture, frame, sea, hour, waves, sun=sun, time=time)
        x, y = boat.place
        heave, roll = 0.008 * math.sin(time * 1.4 + 0.6), 0.05 * math.sin(time * 1.9)
        add_boat(picture, frame, hour, replace(boat, place=(x, y + heave), roll=boat.roll + roll), chop, side)
        bloom(picture, frame)
        yield picture


def lighthouse(frame: Frame, rng: np.random.Generator) -> Light:
    """A banded tower on a rocky headland over the sea, its lamp lit when the light is low."""
    return next(lighthouse_watch(frame, rng, (0.0,)))


def lighthouse_watch(frame: Frame, rng: np.random.Generator, times: Iterable[float]) -> Iterator[Light]:
    """The lighthouse at one moment after another (seconds) while the sea runs beneath it."""
    hour = (DUSK, GOLDEN, OVERCAST, NOON, DAWN)[rng.integers(5)]
    horizon = rng.uniform(0.14, 0.22)
    side = float(rng.choice([-1.0, 1.0]))
    sun: Point = (side * rng.uniform(0.3, 0.5), horizon - 0.1 - 0.4 * hour.height)
    backdrop = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.3, 0.65))
    sea = Sea(horizon, deep=rgb("173a4c"), waves=rng.uniform(0.12, 0.22), scale=0.7)
    waves = wave_texture(rng)
    foot: Point = (rng.uniform(-0.16, 0.16), horizon - 0.065)
    rock, rock_mask = headland(frame, hour, foot, side, rng)
    tower = Tower(
        foot=foot,
        height=rng.uniform(0.40, 0.47),
        width=rng.uniform(0.036, 0.046),
        band=BANDS[rng.integers(len(BANDS))],
        stripes=rng.integers(2, 4) + 0.5,
    )
    for time in times:
        picture = backdrop.copy()
        paint_sea(picture, frame, sea, hour, waves, sun=sun, time=time)
        cover(picture, rock, rock_mask)
        add_tower(picture, frame, hour, tower, side)
        bloom(picture, frame)
        yield picture


def add_far_coast(picture: Light, frame: Frame, hour: Hour, horizon: float, rng: np.random.Generator) -> None:
    """Low land far away."""
    relief = np.maximum(0.012 + 0.016 * noise_line(frame.width, 3, rng), 0.0)
    cover(picture, mix(rgb("3b4a55"), hour.air, 0.72), below(frame, horizon - relief))


@dataclass(frozen=True, slots=True)
class Boat:
    """A yacht: the middle of its waterline, its size, how far it heels (radians), and its colours."""

    place: Point
    size: float
    roll: float
    cloth: Light
    hull: Light

    def put(self, outline: Iterable[Point], *, upright: float = 1.0) -> list[Point]:
        """An outline where this boat has it; a negative ``upright`` mirrors it in the water."""
        sin, cos = math.sin(self.roll), math.cos(self.roll)
        x0, y0 = self.place
        return [
            (x0 + self.size * (x * cos - y * sin), y0 + upright * self.size * (0.4 * x * sin + y * cos))
            for x, y in outline
        ]


def add_boat(picture: Light, frame: Frame, hour: Hour, boat: Boat, chop: Plane, side: float) -> None:
    """Reflection, sails, mast, hull and the foam along it; ``chop`` (0 to 1) is how whole the water's surface is."""
    light = hour.ambient + hour.sun * 0.36
    u, v = (frame.x - boat.place[0]) / boat.size, (frame.y - boat.place[1]) / boat.size
    reflection = soften(
        polygons(frame, [boat.put(part, upright=-0.62) for part in (BODY, MAINSAIL, JIB)]), frame, 0.008
    )
    cover(picture, mix(boat.cloth, rgb("1c3440"), 0.62) * hour.ambient * 1.3, np.clip(reflection * chop, 0, 0.75))
    for outline, lean in ((MAINSAIL, -1.0), (JIB, 1.0)):
        belly = np.clip(0.78 + 0.20 * u / 0.42 * side + 0.10 * lean * side, 0.35, 1.15)
        seams = 1.0 - 0.05 * (np.mod(v * 7.0, 1.0) < 0.06)
        cover(picture, boat.cloth * light * (belly * seams)[..., None], polygons(frame, [boat.put(outline)]))
    cover(picture, rgb("4a4038") * light, polygons(frame, [boat.put(MAST)]))
    flank = 1.15 - 0.5 * np.clip(v / 0.12 + 0.9, 0.25, 1.0)
    cover(picture, boat.hull * light * flank[..., None], polygons(frame, [boat.put(BODY)]))
    cover(picture, rgb("e8e2d4") * light * 0.9, polygons(frame, [boat.put(CABIN)]))
    (x0, y0), (x1, y1) = boat.put(((-0.36, 0.03), (0.36, 0.03)))
    level = y0 + (frame.x - x0) / (x1 - x0) * (y1 - y0)
    along = smoothstep(-0.42, -0.32, u) * (1 - smoothstep(0.32, 0.41, u))
    foam = np.exp(-np.square((frame.y - level) / (0.010 * boat.size))) * along * chop * 1.2
    cover(picture, rgb("ffffff") * (hour.ambient + hour.sun * 0.25), np.clip(foam, 0, 0.9))
