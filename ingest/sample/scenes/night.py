"""After dark: a city across the water, a sky full of stars."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, bloom, cover, gradient, mix, polygons, rgb, shine, soften
from ingest.sample.scenes.landscape import pine
from ingest.sample.sky import mirror

LAMPS = (rgb("ffd28a"), rgb("ffbf66"), rgb("fff0d0"), rgb("cfe3ff"))


def city_night(frame: Frame, rng: np.random.Generator) -> Light:
    """A skyline with lit windows, mirrored in a harbour."""
    return city(frame, rng, float(rng.uniform(0.16, 0.24)))


def city(frame: Frame, rng: np.random.Generator, shore: float) -> Light:
    """The city with its water's edge at ``shore``."""
    zenith, glow = (
        (rgb("0a1024"), rgb("3a2f4a")),
        (rgb("101a3c"), rgb("b0607a")),
        (rgb("0b1a2c"), rgb("38607a")),
        (rgb("141230"), rgb("d98a5a")),
    )[rng.integers(4)]
    height = (np.float32(shore) - frame.y[:, 0]) / np.float32(0.7)
    sky = gradient(np.clip(height, 0, 1), [(0.0, glow), (0.4, mix(zenith, glow, 0.25)), (1.0, zenith)])
    picture = np.repeat(sky[:, None, :], frame.width, axis=1)
    for rank, (low, high, air) in enumerate(((0.10, 0.26, 0.55), (0.14, 0.40, 0.28), (0.10, 0.52, 0.0))):
        add_buildings(
            picture,
            frame,
            shore,
            (low, high),
            mix(rgb("0d1119"), glow, air * 0.5),
            1.0 - air,
            rng,
            wide=0.10 - 0.02 * rank,
        )
    lamps = np.arange(-frame.right, frame.right, float(rng.uniform(0.05, 0.08)))
    for x in lamps:
        shine(picture, frame, (float(x), shore - 0.012), 0.006, LAMPS[rng.integers(2)] * np.float32(3.0))
    cover(picture, rgb("06080c"), below(frame, np.full(frame.width, shore - 0.004, np.float32)))
    bloom(picture, frame, strength=0.5)
    mirror(picture, frame, shore=shore, rng=rng, ripples=rng.uniform(0.15, 0.35), dark=0.62)
    first = frame.row(shore)
    picture[first:] = cv2.GaussianBlur(picture[first:], (1, 0), sigmaX=0.8, sigmaY=frame.unit * 0.008)
    picture[first:] += zenith * np.float32(0.25)
    return picture


def add_buildings(
    picture: Light,
    frame: Frame,
    shore: float,
    heights: tuple[float, float],
    wall: Light,
    brightness: float,
    rng: np.random.Generator,
    *,
    wide: float,
) -> None:
    """One rank of buildings from edge to edge; windows are lit at random, floor by floor."""
    x = -frame.right - 0.02
    while x < frame.right:
        width = float(rng.uniform(0.55, 1.25)) * wide
        middle = np.exp(-((x / 0.4) ** 2))
        height = float(heights[0] + (heights[1] - heights[0]) * rng.beta(1.2, 1.6) * (0.45 + 0.55 * middle))
        top = shore - height
        outline: list[Point] = [(x, shore), (x, top), (x + width, top), (x + width, shore)]
        shape = rng.integers(4)
        if shape == 0 and height > 0.25:  # a setback and a mast
            outline[1:3] = [
                (x, top + 0.06), (x + width * 0.2, top + 0.06), (x + width * 0.2, top), (x + width * 0.47, top),
                (x + width * 0.49, top - 0.07), (x + width * 0.51, top - 0.07), (x + width * 0.53, top),
                (x + width * 0.8, top), (x + width * 0.8, top + 0.06), (x + width, top + 0.06),
            ]  # fmt: skip
        elif shape == 1:
            outline[1:3] = [(x, top + 0.025), (x + width, top)]
        columns = slice(frame.column(x - 0.01), frame.column(x + width + 0.01))
        rows = slice(frame.row(top - 0.08), frame.row(shore))
        lamps = LAMPS[rng.integers(len(LAMPS))] * np.float32(brightness)
        panes = windows(frame.x[:, columns] - x, frame.y[rows] - top, width, height, rng)
        mask = polygons(frame, [outline])[rows, columns]
        cover(picture[rows, columns], wall + panes[..., None] * lamps, mask)
        x += width * float(rng.uniform(0.75, 1.15))


def windows(x: Plane, y: Plane, width: float, height: float, rng: np.random.Generator) -> Plane:
    """Brightness of a building's windows, some dark, some bright; x and y count from its upper left corner."""
    floor, bay = float(rng.uniform(0.012, 0.018)), float(rng.uniform(0.009, 0.015))
    rows, columns = max(2, int(height / floor)), max(2, int(width / bay))
    lit = (rng.random((rows, columns)) < rng.uniform(0.2, 0.6)) * rng.uniform(0.25, 1.5, (rows, columns))
    lit[:, 0] = lit[:, -1] = lit[0] = 0
    u, v = x[0] / width * columns, y[:, 0] / height * rows
    pane_u, pane_v = np.abs(np.mod(u, 1) - 0.5) < 0.32, np.abs(np.mod(v, 1) - 0.5) < 0.30
    column, row = np.clip(u.astype(int), 0, columns - 1), np.clip(v.astype(int), 0, rows - 1)
    return np.asarray(lit[row[:, None], column] * pane_v[:, None] * pane_u, np.float32)


def starry_sky(frame: Frame, rng: np.random.Generator) -> Light:
    """The Milky Way over a dark skyline of hills and trees."""
    picture = night_sky(frame, rng)
    distant = frame.bottom - 0.22 + 0.05 * noise_line(frame.width, 4, rng)
    cover(picture, rgb("0e151e"), below(frame, distant.astype(np.float32)))
    cover(picture, rgb("05070a"), night_skyline(frame, rng))
    return picture


def night_skyline(frame: Frame, rng: np.random.Generator) -> Plane:
    """Mask of hills and trees against the sky."""
    skyline = frame.bottom - float(rng.uniform(0.14, 0.24)) + 0.05 * noise_line(frame.width, 2.5, rng, octaves=7)
    trees = []
    for _ in range(int(rng.integers(6, 26))):
        x = float(rng.uniform(-frame.right, frame.right))
        column = int(np.clip((x + frame.right) * frame.unit, 0, frame.width - 1))
        trees.append(pine((x, float(skyline[column]) + 0.015), float(rng.uniform(0.05, 0.20)), rng))
    return np.maximum(polygons(frame, trees), below(frame, skyline.astype(np.float32)))


def night_sky(frame: Frame, rng: np.random.Generator) -> Light:
    """Stars, airglow and the band of the Milky Way with its dust lanes."""
    zenith, low = ((rgb("070d1f"), rgb("1d3350")), (rgb("0a0a1c"), rgb("3a2c48")), (rgb("06121c"), rgb("1c4a48")))[
        rng.integers(3)
    ]
    height = np.clip((np.float32(frame.bottom) - frame.y[:, 0]) / np.float32(2 * frame.bottom), 0, 1)
    picture = np.repeat(
        gradient(height, [(0.0, mix(low, rgb("e0a070"), 0.12)), (0.35, low), (1.0, zenith)])[:, None, :],
        frame.width,
        axis=1,
    )
    angle = float(rng.uniform(0.5, 1.25) * rng.choice([-1, 1]))
    across = (
        frame.x * np.float32(np.sin(angle)) + frame.y * np.float32(np.cos(angle)) - np.float32(rng.uniform(-0.08, 0.08))
    )
    cloud = fractal_noise(frame.shape, 3.5, rng, octaves=7, gain=0.58)
    dust = fractal_noise(frame.shape, 5, rng, octaves=6, gain=0.6)
    band = np.exp(-np.square(across / np.float32(0.13)) * (1.0 - 0.22 * cloud))
    lane = smoothstep(0.1, 1.4, dust + 1.6 * np.exp(-np.square(across / np.float32(0.035))) - 0.4)
    milk = band * np.clip(0.75 + 0.4 * cloud, 0, 2) * (1.0 - 0.72 * lane)
    picture += (milk * np.float32(0.30))[..., None] * mix(
        rgb("8fa6d8"), rgb("ffd9b8"), np.asarray(np.clip(band * 1.1 - 0.2, 0, 1), np.float32)
    )
    density = np.clip(0.25 + 1.6 * milk, 0, 1.5)
    for share, brightness, blur in ((0.012, 0.8, 0.55), (0.0030, 2.2, 0.7), (0.00035, 9.0, 1.0)):
        sparks = (rng.random(frame.shape) < share * density) * rng.exponential(1.0, frame.shape)
        colours = mix(rgb("cfdcff"), rgb("ffe2c4"), rng.random(frame.shape, np.float32))
        picture += (
            soften(sparks.astype(np.float32), frame, blur / frame.unit)[..., None]
            * colours
            * np.float32(brightness * blur * blur * 4)
        )
    bloom(picture, frame, radius=0.004, strength=0.5)
    return picture
