"""Hot-air balloons over a morning valley."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, smoothstep
from ingest.sample.paint import Frame, Light, Point, cover, haze, mix, rgb
from ingest.sample.sky import DAWN, GOLDEN, NOON, Hour, sky
from ingest.sample.terrain import MAP, Ground, Viewpoint, layered, lit, look, relief_light

COLOURS = tuple(rgb(code) for code in ("c8281e", "f2b21a", "1f5fae", "f4efe2", "2a8a5a", "7a3a92", "e8701a", "182a4a"))


@dataclass(frozen=True, slots=True)
class Balloon:
    """One balloon: where its widest part is, its radius, how it is sewn, and how much air lies before it (0 to 1)."""

    centre: Point
    radius: float
    air: float
    gores: int
    colours: tuple[Light, Light, Light]
    cut: int


def hot_air_balloons(frame: Frame, rng: np.random.Generator) -> Light:
    """Striped balloons at several distances over a valley."""
    return next(ballooning(frame, rng, (0.0,)))


def ballooning(frame: Frame, rng: np.random.Generator, times: Iterable[float]) -> Iterator[Light]:
    """The balloons at one moment after another (seconds), rising; nearer ones seem faster."""
    hour = (DAWN, GOLDEN, NOON)[rng.integers(3)]
    horizon = rng.uniform(0.16, 0.26)
    side = float(rng.choice([-1.0, 1.0]))
    sun: Point = (side * 0.5, horizon - 0.1 - 0.5 * hour.height)
    backdrop = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.1, 0.4))
    add_valley(backdrop, frame, hour, horizon, side, rng)
    balloons = fleet(frame, rng)
    for time in times:
        picture = backdrop.copy()
        for balloon in balloons:
            x, y = balloon.centre
            lifted = (x + 0.02 * time * (1 - balloon.air), y - 0.30 * time * balloon.radius)
            add_balloon(picture, frame, hour, replace(balloon, centre=lifted), side)
        yield picture


def fleet(frame: Frame, rng: np.random.Generator) -> list[Balloon]:
    """Balloons from the farthest to the nearest: a handful far off, one or two halfway, a large one in the middle."""

    def sewn(x: float, y: float, radius: float, air: float) -> Balloon:
        colours = [COLOURS[i] for i in rng.choice(len(COLOURS), 3, replace=False)]
        gores = int(rng.choice([16, 20, 24]))
        return Balloon((x, y), radius, air, gores, (colours[0], colours[1], colours[2]), int(rng.integers(4)))

    far = [
        sewn(
            rng.uniform(-frame.right, frame.right),
            rng.uniform(-0.38, 0.12),
            rng.uniform(0.025, 0.055),
            0.45,
        )
        for _ in range(int(rng.integers(3, 7)))
    ]
    halfway = [
        sewn(
            x + rng.uniform(-0.06, 0.06),
            y + rng.uniform(-0.08, 0.08),
            rng.uniform(0.085, 0.12),
            0.2,
        )
        for x, y in ((-0.42, 0.02), (0.40, -0.14))[: int(rng.integers(1, 3))]
    ]
    near = sewn(rng.uniform(-0.10, 0.10), rng.uniform(-0.14, -0.06), rng.uniform(0.20, 0.25), 0.0)
    return [*far, *halfway, near]


def add_valley(picture: Light, frame: Frame, hour: Hour, horizon: float, side: float, rng: np.random.Generator) -> None:
    """Rolling fields and woods running into haze."""
    hills = fractal_noise((MAP, MAP), 5, rng, octaves=6, gain=0.42)
    height = 0.016 * (hills + 1.5)
    sunlight, _ = relief_light(height, (side, 0.1, 0.25 + 0.5 * hour.height))
    fields = fractal_noise((MAP, MAP), 9, rng, octaves=2)
    woods = smoothstep(0.35, 0.6, fractal_noise((MAP, MAP), 12, rng, octaves=5))
    meadow = layered(
        rgb("6f7f3a"),
        (rgb("b59a52"), smoothstep(0.2, 0.3, fields)),
        (rgb("8a9a4a"), smoothstep(-0.5, -0.6, -fields) * 0.5),
    )
    albedo = layered(meadow, (rgb("2c3f22"), woods))
    ground = Ground(height, lit(albedo, sunlight, hour.sun * 0.6, hour.ambient))
    view = look(ground, frame, Viewpoint(altitude=0.11, horizon=horizon, zoom=1.1, near=0.1))
    cover(picture, haze(view.colour, hour.air, view.depth, 1.5), view.land)


def add_balloon(whole: Light, whole_frame: Frame, hour: Hour, balloon: Balloon, side: float) -> None:
    """A sphere drawn out into a cone, its gores sewn in a pattern, with ropes and a basket."""
    (x, y), radius, air = balloon.centre, balloon.radius, balloon.air
    rows, columns = whole_frame.window((x, y), radius * 2.0)
    picture = whole[rows, columns]
    u = (whole_frame.x[:, columns] - x) / radius
    v = (whole_frame.y[rows] - y) / radius
    cone = np.clip((v - 0.35) / 1.05, 0, 1)
    half = np.where(
        v < 0.35, np.sqrt(np.clip(1 - v**2, 0, 1)), 0.937 * (1 - cone) ** 0.80 * (1 - 0.1 * cone) + 0.13 * cone
    )
    half = np.where((v > -1.0) & (v < 1.42), half, 0.0)
    inside = np.clip((half - np.abs(u)) * (radius * whole_frame.unit) + 0.5, 0, 1) * (half > 0)
    longitude = np.arcsin(np.clip(u / np.maximum(half, 1e-3), -1, 1)).astype(np.float32)
    cloth = pattern(longitude, np.broadcast_to(v, longitude.shape), balloon)
    seam = 0.90 + 0.10 * np.abs(np.cos(longitude * balloon.gores / 2)) ** 0.3
    facing = np.clip(np.sin(longitude) * side * 0.62 + np.cos(longitude) * 0.42 - v * 0.30 + 0.12, 0, 1)
    light = hour.ambient * 1.15 + (hour.sun * 0.42) * facing[..., None]
    dark = mix(rgb("3a2a1c") * 0.8, hour.air, air)
    wicker = mix(rgb("7a5230") * 0.8, hour.air, air)
    for rope in (-0.105, 0.105):
        cover(picture, dark, bar(u, v, rope, 0.012, (1.40, 1.72)))
    cover(picture, wicker, bar(u, v, 0.0, 0.095, (1.70, 1.88)))
    cover(
        picture,
        mix(cloth * light * seam[..., None], hour.air, air),
        inside,
    )


def bar(u: Plane, v: Plane, middle: float, half: float, span: tuple[float, float]) -> Plane:
    """Mask of an upright bar with slightly soft edges."""
    return np.asarray(
        (1 - smoothstep(half - 0.006, half + 0.006, np.abs(u - middle))) * ((v > span[0]) & (v < span[1])), np.float32
    )


def pattern(longitude: Plane, v: Plane, balloon: Balloon) -> Light:
    """How the cloth is sewn together: plain gores, gores with a belt, zigzags or spirals."""
    colours = balloon.colours
    around = longitude * (balloon.gores / (2 * math.pi))
    if balloon.cut == 0:
        return mix(colours[0], colours[1], stripe(around))
    if balloon.cut == 1:
        belt = smoothstep(-0.30, -0.27, v) * (1 - smoothstep(0.16, 0.19, v))
        return mix(mix(colours[0], colours[1], stripe(around)), colours[2], belt)
    if balloon.cut == 2:
        zigzag = np.abs(np.mod(around, 1.0) - 0.5) * 0.5
        return mix(mix(colours[0], colours[1], stripe((v + zigzag) * 1.6)), colours[2], smoothstep(0.55, 0.6, v))
    return mix(colours[0], colours[1], stripe(around * 0.5 + v * 1.1))


def stripe(at: Plane) -> Plane:
    """0 and 1 in turn, changing smoothly at every half."""
    wave = np.abs(np.mod(at, 1.0) - 0.5)
    return smoothstep(0.235, 0.265, wave)
