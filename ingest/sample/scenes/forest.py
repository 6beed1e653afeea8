"""Conifers in mist; other scenes use the conifer as well."""

from __future__ import annotations

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, cover, mix, polygons, rgb, shine

WEATHERS = (
    (rgb("cfd8dc"), rgb("eef2f2"), rgb("16231d")),
    (rgb("e6c9a8"), rgb("ffe9c4"), rgb("1d2316")),
    (rgb("a9bccb"), rgb("dbe7ee"), rgb("101d22")),
    (rgb("c2cfbd"), rgb("f1f3dc"), rgb("18260f")),
)
"""Colours of the mist, of the light behind it, and of the nearest trees."""

RANKS = 8


def pine_forest(frame: Frame, rng: np.random.Generator) -> Light:
    """Ranks of conifers fading into morning mist."""
    mist, light, dark = WEATHERS[rng.integers(len(WEATHERS))]
    from_top = (frame.y + frame.bottom) / (2 * frame.bottom)
    picture = mix(light, mist, np.broadcast_to(smoothstep(0.0, 0.6, from_top), frame.shape))
    shine(picture, frame, (rng.uniform(-0.35, 0.35), -0.36), 0.30, light * 0.55)
    drift = fractal_noise(frame.shape, 3, rng, octaves=4)
    needles = fractal_noise(frame.shape, 70, rng, octaves=3, gain=0.7)
    for rank in range(RANKS):
        near = rank / (RANKS - 1)
        foot = -0.22 + 0.62 * near**1.25 + 0.04 * noise_line(frame.width, 1.5, rng, octaves=3)
        stand = trees(frame, foot, 0.13 + 0.62 * near**1.8, rng, clearing=0.18 if near > 0.8 else 0.0)
        clear = near**1.3
        height = np.clip((foot - frame.y) / (0.13 + 0.6 * near), 0.0, 1.0)
        colour = mix(mist, dark, 0.12 + 0.84 * clear) * (1.0 + clear * (0.22 * needles + 0.35 * height))[..., None]
        cover(picture, colour, stand)
        veil = smoothstep(-0.22, 0.20, frame.y - foot + 0.05 * drift)
        cover(picture, mix(mist, light, 0.3), stand * veil * (1.0 - near) ** 0.6 * 0.85)
    return picture


def trees(frame: Frame, foot: Plane, size: float, rng: np.random.Generator, *, clearing: float) -> Plane:
    """Mask of a rank of conifers and the ground beneath them; none within ``clearing`` of the middle."""
    spacing = size * 0.20
    outlines = []
    for place in np.arange(-frame.right - 0.05, frame.right + 0.05, spacing):
        x = float(place + rng.uniform(-0.5, 0.5) * spacing)
        height = size * rng.uniform(0.5, 1.15)
        if abs(x) >= clearing:
            outlines.append(pine((x, foot[min(frame.column(x), frame.width - 1)] + 0.02), height, rng))
    return np.maximum(polygons(frame, outlines), below(frame, foot))


def pine(base: Point, height: float, rng: np.random.Generator) -> list[Point]:
    """Outline of a conifer standing at ``base``: drooping branches that widen towards the ground."""
    x, y = base
    tiers = rng.integers(20, 28)
    spread = height * rng.uniform(0.14, 0.20)
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        down = (tier + 0.6) / tiers
        level = y - height * (1.0 - 0.92 * down)
        for side, outline in ((-1.0, left), (1.0, right)):
            reach = spread * down**0.85 * rng.uniform(0.50, 1.15)
            droop = height * 0.016 * rng.uniform(0.4, 1.6)
            outline.append((x + side * reach, level + droop))
            outline.append((x + side * reach * 0.5, level - height * 0.004))
    trunk, skirt = height * 0.012, y - height * 0.06
    return [
        (x, y - height),
        *right,
        (x + trunk, skirt),
        (x + trunk, y),
        (x - trunk, y),
        (x - trunk, skirt),
        *reversed(left),
    ]
