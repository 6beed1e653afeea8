"""After dark: a city across the water, a sky full of stars."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, bloom, cover, gradient, mix, polygons, rgb, soften
from ingest.sample.scenes.forest import pine
from ingest.sample.sky import mirror

LAMPS = (rgb("ffd28a"), rgb("ffbf66"), rgb("fff0d0"), rgb("cfe3ff"))

EVENINGS = (
    (rgb("0a1024"), rgb("3a2f4a")),
    (rgb("101a3c"), rgb("b0607a")),
    (rgb("0b1a2c"), rgb("38607a")),
    (rgb("141230"), rgb("d98a5a")),
)
"""Colours of the sky over a city: overhead, and low."""

HEAVENS = ((rgb("070d1f"), rgb("1d3350")), (rgb("0a0a1c"), rgb("3a2c48")), (rgb("06121c"), rgb("1c4a48")))
"""The same, far from any city."""

BLOCKS = ((0.10, 0.26, 0.55), (0.14, 0.40, 0.28), (0.10, 0.52, 0.0))
"""Lowest and highest building of each rank of a city, and how much air lies before it (0 to 1); the nearest last."""

STARS = ((0.012, 0.8, 0.55), (0.0030, 2.2, 0.7), (0.00035, 9.0, 1.0))
"""Share of pixels with a star of a class, its brightness, and its radius in pixels."""


def city_night(frame: Frame, rng: np.random.Generator) -> Light:
    """A skyline with lit windows, mirrored in a harbour."""
    return city(frame, rng, rng.uniform(0.16, 0.24))


def city(frame: Frame, rng: np.random.Generator, shore: float) -> Light:
    """The city with its water's edge at ``shore``."""
    zenith, glow = EVENINGS[rng.integers(len(EVENINGS))]
    up = np.clip((shore - frame.y[:, 0]) / 0.7, 0, 1)
    sky = gradient(up, [(0.0, glow), (0.4, mix(zenith, glow, 0.25)), (1.0, zenith)])
    picture = np.repeat(sky[:, None, :], frame.width, axis=1)
    for rank, (low, high, air) in enumerate(BLOCKS):
        wall = mix(rgb("0d1119"), glow, air * 0.5)
        add_buildings(picture, frame, shore, (low, high), 0.10 - 0.02 * rank, wall, 1.0 - air, rng)
    for x in np.arange(-frame.right, frame.right, rng.uniform(0.05, 0.08)):
        add_lamp(picture, frame, (float(x), shore - 0.012), 0.004, LAMPS[rng.integers(2)] * 4.0)
    cover(picture, rgb("06080c"), below(frame, np.full(frame.width, shore - 0.004, np.float32)))
    bloom(picture, frame, strength=0.5)
    mirror(picture, frame, shore=shore, rng=rng, ripples=rng.uniform(0.15, 0.35), dark=0.62)
    water = picture[frame.row(shore) :]
    water[:] = cv2.GaussianBlur(water, (0, 0), sigmaX=0.8, sigmaY=frame.unit * 0.006) + zenith * 0.25
    return picture


def add_lamp(picture: Light, frame: Frame, centre: Point, radius: float, colour: Light) -> None:
    """A small light and its halo."""
    rows, columns = frame.window(centre, radius * 6)
    squared = np.square(frame.x[:, columns] - centre[0]) + np.square(frame.y[rows] - centre[1])
    picture[rows, columns] += colour * np.exp(-squared / (2 * radius**2))[..., None]


def add_buildings(
    picture: Light,
    frame: Frame,
    shore: float,
    heights: tuple[float, float],
    wide: float,
    wall: Light,
    brightness: float,
    rng: np.random.Generator,
) -> None:
    """One rank of buildings from edge to edge, the tallest about the middle; windows are lit at random."""
    x = -frame.right - 0.02
    while x < frame.right:
        width = rng.uniform(0.55, 1.25) * wide
        middle = math.exp(-((x / 0.4) ** 2))
        height = heights[0] + (heights[1] - heights[0]) * rng.beta(1.2, 1.6) * (0.45 + 0.55 * middle)
        rows = slice(frame.row(shore - height - 0.08), frame.row(shore))
        columns = slice(frame.column(x - 0.01), frame.column(x + width + 0.01))
        outline = [(x + u * width, shore - height + v) for u, v in roof(height, rng)]
        mask = polygons(frame, [[(x, shore), *outline, (x + width, shore)]])[rows, columns]
        panes = windows(frame.x[:, columns] - x, frame.y[rows] - (shore - height), width, height, rng)
        lamps = LAMPS[rng.integers(len(LAMPS))] * brightness
        cover(picture[rows, columns], wall + panes[..., None] * lamps, mask)
        x += width * rng.uniform(0.75, 1.15)


def roof(height: float, rng: np.random.Generator) -> tuple[Point, ...]:
    """Outline of a roof from left (0) to right (1), down from the top: stepped with a mast, slanted, or flat."""
    shape = rng.integers(4)
    if shape == 0 and height > 0.25:
        return (
            (0, 0.06), (0.2, 0.06), (0.2, 0), (0.47, 0), (0.49, -0.07),
            (0.51, -0.07), (0.53, 0), (0.8, 0), (0.8, 0.06), (1, 0.06),
        )  # fmt: skip
    return ((0, 0.025), (1, 0)) if shape == 1 else ((0, 0), (1, 0))


def windows(x: Plane, y: Plane, width: float, height: float, rng: np.random.Generator) -> Plane:
    """Brightness of a building's windows, some dark, some bright; x and y count from its upper left corner."""
    rows, columns = max(2, int(height / rng.uniform(0.012, 0.018))), max(2, int(width / rng.uniform(0.009, 0.015)))
    lit = (rng.random((rows, columns)) < rng.uniform(0.2, 0.6)) * rng.uniform(0.25, 1.5, (rows, columns))
    lit[:, 0] = lit[:, -1] = lit[0] = 0
    u, v = x[0] / width * columns, y[:, 0] / height * rows
    pane_u, pane_v = np.abs(np.mod(u, 1) - 0.5) < 0.32, np.abs(np.mod(v, 1) - 0.5) < 0.30
    column, row = np.clip(u.astype(int), 0, columns - 1), np.clip(v.astype(int), 0, rows - 1)
    panes: Plane = lit.astype(np.float32)[row[:, None], column] * pane_v[:, None] * pane_u
    return panes


def starry_sky(frame: Frame, rng: np.random.Generator) -> Light:
    """The Milky Way over a dark skyline of hills and trees."""
    picture = night_sky(frame, rng)
    cover(picture, rgb("0e151e"), below(frame, frame.bottom - 0.22 + 0.05 * noise_line(frame.width, 4, rng)))
    cover(picture, rgb("05070a"), night_skyline(frame, rng))
    return picture


def night_skyline(frame: Frame, rng: np.random.Generator) -> Plane:
    """Mask of hills and trees against the sky."""
    skyline = frame.bottom - rng.uniform(0.14, 0.24) + 0.05 * noise_line(frame.width, 2.5, rng, octaves=7)
    trees = []
    for _ in range(rng.integers(6, 26)):
        x = rng.uniform(-frame.right, frame.right)
        foot = skyline[min(frame.column(x), frame.width - 1)] + 0.015
        trees.append(pine((x, foot), rng.uniform(0.05, 0.20), rng))
    return np.maximum(polygons(frame, trees), below(frame, skyline))


def night_sky(frame: Frame, rng: np.random.Generator) -> Light:
    """Stars, airglow and the band of the Milky Way with its dust lanes."""
    zenith, low = HEAVENS[rng.integers(len(HEAVENS))]
    up = np.clip((frame.bottom - frame.y[:, 0]) / (2 * frame.bottom), 0, 1)
    glow = gradient(up, [(0.0, mix(low, rgb("e0a070"), 0.12)), (0.35, low), (1.0, zenith)])
    picture = np.repeat(glow[:, None, :], frame.width, axis=1)
    angle = rng.uniform(0.5, 1.25) * float(rng.choice([-1, 1]))
    across = frame.x * math.sin(angle) + frame.y * math.cos(angle) - rng.uniform(-0.08, 0.08)
    cloud = fractal_noise(frame.shape, 3.5, rng, octaves=7, gain=0.58)
    dust = fractal_noise(frame.shape, 5, rng, octaves=6, gain=0.6)
    band = np.exp(-np.square(across / 0.13) * (1.0 - 0.22 * cloud))
    lane = smoothstep(0.1, 1.4, dust + 1.6 * np.exp(-np.square(across / 0.035)) - 0.4)
    milk = band * np.clip(0.75 + 0.4 * cloud, 0, 2) * (1.0 - 0.72 * lane)
    tint = mix(rgb("8fa6d8"), rgb("ffd9b8"), np.clip(band * 1.1 - 0.2, 0, 1))
    picture += 0.30 * milk[..., None] * tint
    density = np.clip(0.25 + 1.6 * milk, 0, 1.5)
    for share, brightness, radius in STARS:
        sparks = (rng.random(frame.shape, np.float32) < share * density) * rng.standard_exponential(
            frame.shape, np.float32
        )
        colours = mix(rgb("cfdcff"), rgb("ffe2c4"), rng.random(frame.shape, np.float32))
        picture += soften(sparks, frame, radius / frame.unit)[..., None] * colours * (brightness * radius**2 * 4)
    bloom(picture, frame, radius=0.004, strength=0.5)
    return picture
