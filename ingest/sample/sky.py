"""Skies with the light of an hour and clouds in perspective, and a sea that mirrors them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, sample, smoothstep
from ingest.sample.paint import Frame, Light, Point, cover, gradient, mix, rgb, shine


@dataclass(frozen=True)
class Hour:
    """The light of a time of day, in linear light.

    Attributes:
        zenith, middle, horizon: the sky's colours from top to bottom.
        sun: the colour of direct sunlight.  ambient: the light from everywhere else.
        air: the colour of haze.  height: of the sun above the horizon, 0 to 1.
        clouds: their colour where lit; shade: where not.
    """

    name: str
    zenith: Light
    middle: Light
    horizon: Light
    sun: Light
    ambient: Light
    air: Light
    clouds: Light
    shade: Light
    height: float

    def sky_at(self, up: Plane) -> Light:
        """The clear sky's colour, from eye level (0) to overhead (1)."""
        return gradient(up, [(0.0, self.horizon), (0.35, self.middle), (1.0, self.zenith)])


DAWN = Hour(
    "dawn", rgb("5f7fb0"), rgb("c9a9b4"), rgb("ffcf9e"), rgb("ffb27a") * 2.2, rgb("8a93b8") * 0.55,
    rgb("d9b7ae") * 0.9, rgb("ffd9c4"), rgb("9a8fae"), 0.16,
)  # fmt: skip
NOON = Hour(
    "noon", rgb("2f6fc0"), rgb("6fa6dc"), rgb("c4def0"), rgb("fff3dc") * 2.4, rgb("9fc0e8") * 0.5,
    rgb("b4d0ea") * 0.85, rgb("ffffff") * 1.05, rgb("a9b8cc"), 0.75,
)  # fmt: skip
GOLDEN = Hour(
    "golden", rgb("4a78b8"), rgb("a9b4bd"), rgb("ffd08a"), rgb("ffb45e") * 2.6, rgb("8da0c4") * 0.45,
    rgb("ecc090") * 0.9, rgb("ffe6c0"), rgb("a79aa4"), 0.24,
)  # fmt: skip
DUSK = Hour(
    "dusk", rgb("27365f"), rgb("7a6390"), rgb("f39a6b"), rgb("ff8a5c") * 1.5, rgb("5a669c") * 0.45,
    rgb("9c7d96") * 0.7, rgb("f2a58c"), rgb("544f78"), 0.08,
)  # fmt: skip
OVERCAST = Hour(
    "overcast", rgb("7f8c99"), rgb("a9b3bb"), rgb("d3d8da"), rgb("e8ecee") * 0.7, rgb("b3bec8") * 0.75,
    rgb("c3cbd0") * 0.9, rgb("e3e6e8"), rgb("8a949c"), 0.6,
)  # fmt: skip


def sky(
    frame: Frame,
    hour: Hour,
    rng: np.random.Generator,
    *,
    horizon: float,
    sun: Point | None = None,
    cover_share: float = 0.4,
) -> Light:
    """A sky down to eye level at ``horizon``, with clouds over about ``cover_share`` of it and the sun's glow."""
    colours = hour.sky_at(np.clip((horizon - frame.y[:, 0]) / 0.75, 0.0, 1.0))
    picture = np.repeat(colours[:, None, :], frame.width, axis=1)
    if sun is not None:
        shine(picture, frame, sun, 0.30, hour.sun * 0.22)
        shine(picture, frame, sun, 0.055, hour.sun * 0.9)
    if cover_share > 0:
        add_clouds(picture, frame, hour, rng, horizon=horizon, sun=sun or (0.3, -0.4), cover_share=cover_share)
    return picture


def add_clouds(
    picture: Light,
    frame: Frame,
    hour: Hour,
    rng: np.random.Generator,
    *,
    horizon: float,
    sun: Point,
    cover_share: float,
) -> None:
    """Clouds on a flat ceiling, running together towards the horizon, brighter on their sunny side."""
    texture = fractal_noise((768, 768), 5, rng, octaves=7, gain=0.55)
    threshold = float(np.quantile(texture, 1 - cover_share))
    rows = max(frame.row(horizon), 1)
    top = frame.y[:rows]
    distance = 1.0 / (horizon - top + 0.10)
    across = frame.x * distance * 0.16 + rng.uniform(0, 4)
    away = distance * 0.20 + rng.uniform(0, 4)
    thickness = sample(texture, across, away)
    toward_sun = sample(texture, across + math.copysign(0.02, sun[0]), away - 0.02)
    body = smoothstep(threshold - 0.25, threshold + 0.9, thickness)
    light = np.clip(0.62 + 0.55 * (thickness - toward_sun) - 0.22 * body, 0.0, 1.0)
    near_sun = np.exp(-np.hypot(frame.x - sun[0], top - sun[1]) * 2.2)
    colours = mix(hour.shade, hour.clouds, light) + hour.sun * 0.35 * near_sun[..., None]
    cover(picture[:rows], colours, body * (0.32 + 0.60 * smoothstep(0.0, 0.12, horizon - top)))


@dataclass(frozen=True)
class Sea:
    """Water to the horizon.

    Attributes:
        horizon: y of eye level.  deep: the water's own colour.  waves: their steepness; 0.03 is a lake, 0.2 a breeze.
        scale: how large waves look; larger is closer to the water.
    """

    horizon: float
    deep: Light
    waves: float = 0.10
    scale: float = 1.0


def wave_texture(rng: np.random.Generator) -> Plane:
    """The waves of one sea, to be handed to :func:`paint_sea` at each moment."""
    return fractal_noise((768, 768), 26, rng, octaves=5, gain=0.55, stretch=2.2)


def paint_sea(
    picture: Light, frame: Frame, sea: Sea, hour: Hour, texture: Plane, *, sun: Point | None = None, time: float = 0.0
) -> None:
    """Fill everything under the horizon with water that mirrors the hour's sky, at a moment in seconds.

    Two wave fields drift through each other, so a sequence of moments moves like water. The mirrored direction decides
    the colour: level rays see the horizon, tilted ones the higher sky, and steep ones into the water (Schlick 1994).
    """
    first = frame.row(sea.horizon)
    if first == frame.height:
        return
    drop = frame.y[first:] - sea.horizon + 0.004
    distance = 0.05 / sea.scale / drop
    across = frame.x * distance * 3.0
    drift = time * 0.012
    swell = sample(texture, across + drift, distance * 1.3 - drift * 1.6)
    chop = sample(texture, across * 2.7 - drift * 1.2 + 0.37, distance * 3.1 - drift * 3)
    tilt = (swell + 0.6 * chop) * sea.waves * (0.35 + 0.65 / (1.0 + distance * 0.5))
    facing = drop / np.sqrt(drop**2 + 0.35)
    fresnel = 0.04 + 0.96 * (1.0 - np.clip(facing + tilt * 0.8, 0.0, 1.0)) ** 5
    mirrored_up = np.clip(0.5 * drop + tilt * 1.6 + 0.12, 0.0, 1.0)
    water = mix(sea.deep, hour.sky_at(mirrored_up), np.clip(fresnel + 0.25, 0.0, 1.0))
    if sun is not None:
        column = np.exp(-np.square((frame.x - sun[0]) / (0.05 + 0.35 * drop)))
        sparkle = smoothstep(0.9, 2.6, swell * 0.7 + chop + 1.1 * column) * column
        water += hour.sun * 1.1 * sparkle[..., None]
    far = np.exp(-drop * 26) * 0.75
    picture[first:] = mix(water, hour.horizon * 0.9, np.broadcast_to(far, water.shape[:2]))


def mirror(
    picture: Light, frame: Frame, *, shore: float, rng: np.random.Generator, ripples: float, dark: float = 0.72
) -> None:
    """Reflect what is above ``shore`` in still water beneath it, broken by ripples that grow towards the viewer."""
    first = frame.row(shore)
    if first == frame.height:
        return
    drop = frame.y[first:] - frame.y[first] + 0.5 / frame.unit
    texture = fractal_noise((512, 512), 24, rng, octaves=4, stretch=4.0)
    distance = 0.06 / (drop + 0.01)
    wobble = sample(texture, frame.x * distance * 2.0, distance) * ripples * (0.15 + drop)
    source = first - 1 - (drop * 0.96 + np.abs(wobble)) * frame.unit
    columns = np.arange(frame.width)
    picture[first:] = picture[np.clip(source, 0, frame.height - 1).astype(np.intp), columns] * dark
