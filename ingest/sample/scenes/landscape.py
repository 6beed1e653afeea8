"""Land: a mountain lake, a misty pine forest, desert dunes."""

from __future__ import annotations

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, bloom, cover, haze, mix, polygons, rgb, shine, soften
from ingest.sample.sky import DAWN, DUSK, GOLDEN, NOON, OVERCAST, mirror, sky
from ingest.sample.terrain import Ground, Viewpoint, layered, lit, look, relief_light

MAP = 800
"""Side of a height map, in cells."""


def mountain_lake(frame: Frame, rng: np.random.Generator) -> Light:
    """Snowy peaks over a lake that mirrors them, pines on the near shore."""
    hour = (DUSK, DAWN, GOLDEN, NOON)[rng.integers(4)]
    away = np.linspace(0, 1, MAP, dtype=np.float32)[:, None]
    across = np.linspace(-0.5, 0.5, MAP, dtype=np.float32)[None, :]
    peaks = fractal_noise((MAP, MAP), rng.uniform(4.5, 6.5), rng, octaves=8, gain=0.48, ridged=True)
    valley = smoothstep(0.04, 0.30, np.abs(across - np.float32(rng.uniform(-0.05, 0.05))) * 1.3 + away * 0.35 - 0.12)
    behind = smoothstep(0.40, 0.80, np.broadcast_to(away, valley.shape))
    height = np.asarray(0.016 * (peaks + 1.3) * valley + behind * (0.034 + 0.018 * peaks), np.float32)
    height = np.maximum(height - 0.006, 0.0)

    side = float(rng.choice([-1.0, 1.0]))
    sunlight, level = relief_light(height, (side * 0.8, -0.25, 0.25 + 0.6 * hour.height))
    patches = fractal_noise((MAP, MAP), 40, rng, octaves=4, gain=0.6)
    rock = mix(rgb("6d6660"), rgb("8c837a"), smoothstep(-1.0, 1.0, patches))
    snow_line = rng.uniform(0.036, 0.052)
    snow = smoothstep(snow_line - 0.006, snow_line + 0.010, height + 0.004 * patches) * smoothstep(0.55, 0.75, level)
    trees = (1.0 - smoothstep(0.016, 0.034, height + 0.004 * patches)) * smoothstep(0.5, 0.8, level)
    albedo = layered(
        rock, (mix(rgb("24381f"), rgb("3b5228"), smoothstep(-1, 1, patches)), trees), (rgb("f4f7fb"), snow)
    )
    ground = Ground(height, lit(albedo, sunlight, hour.sun * 0.75, hour.ambient * 1.1))

    shore = float(rng.uniform(0.08, 0.15))
    view = look(ground, frame, Viewpoint(altitude=0.004, horizon=shore - 0.012, zoom=rng.uniform(2.8, 3.6), near=0.2))
    sun = (side * float(rng.uniform(0.25, 0.5)), shore - 0.1 - 0.5 * hour.height)
    picture = sky(frame, hour, rng, horizon=shore, sun=sun, cover_share=rng.uniform(0.15, 0.5))
    cover(picture, haze(view.colour, hour.air, np.square(view.depth), 0.62), view.land)
    mirror(picture, frame, shore=shore, rng=rng, ripples=rng.uniform(0.02, 0.09))
    edge = side * -1
    for _ in range(int(rng.integers(5, 10))):
        base = (edge * float(rng.uniform(0.40, frame.right + 0.1)), float(frame.bottom + rng.uniform(-0.02, 0.12)))
        tree = polygons(frame, [pine(base, float(rng.uniform(0.35, 0.75)), rng)])
        cover(picture, rgb("0d140d") + hour.ambient * np.float32(0.05), tree)
    bloom(picture, frame)
    return picture


def pine_forest(frame: Frame, rng: np.random.Generator) -> Light:
    """Ranks of conifers fading into morning mist."""
    mist, light, dark = (
        (rgb("cfd8dc"), rgb("eef2f2"), rgb("16231d")),
        (rgb("e6c9a8"), rgb("ffe9c4"), rgb("1d2316")),
        (rgb("a9bccb"), rgb("dbe7ee"), rgb("101d22")),
        (rgb("c2cfbd"), rgb("f1f3dc"), rgb("18260f")),
    )[rng.integers(4)]
    sun: Point = (float(rng.uniform(-0.35, 0.35)), -0.36)
    height = (frame.y + np.float32(frame.bottom)) / np.float32(2 * frame.bottom)
    picture = mix(light, mist, np.broadcast_to(smoothstep(0.0, 0.6, height), frame.shape))
    shine(picture, frame, sun, 0.30, light * 0.55)
    ranks = 7
    for rank in range(ranks):
        near = rank / (ranks - 1)
        foot = -0.22 + 0.62 * near**1.25 + 0.04 * noise_line(frame.width, 1.5, rng, octaves=3)
        size = 0.13 + 0.62 * near**1.8
        count = round(2 * frame.right / (size * 0.20))
        trees = []
        for place in np.linspace(-frame.right - 0.05, frame.right + 0.05, count):
            if near > 0.8 and abs(place) < 0.18:
                continue  # a clearing, so that the depth shows
            x = float(place + rng.uniform(-0.3, 0.3) * size * 0.2)
            column = int(np.clip((x + frame.right) * frame.unit, 0, frame.width - 1))
            trees.append(pine((x, float(foot[column]) + 0.02), size * float(rng.uniform(0.65, 1.15)), rng))
        stand = np.maximum(polygons(frame, trees), below(frame, foot.astype(np.float32)))
        clear = near**1.3
        needles = (
            fractal_noise(frame.shape, 60, rng, octaves=3, gain=0.7)
            if near > 0.4
            else np.zeros(frame.shape, np.float32)
        )
        colour = mix(mist, dark, float(0.12 + 0.86 * clear)) * (1.0 + 0.16 * clear * needles)[..., None]
        cover(picture, colour.astype(np.float32), stand)
        veil = smoothstep(-0.05, 0.28, frame.y - foot[None, :] + 0.03 * fractal_noise(frame.shape, 3, rng, octaves=3))
        cover(picture, mist, np.asarray(stand * veil * (1.0 - near) ** 0.7 * 0.75, np.float32))
    return picture


def desert_dunes(frame: Frame, rng: np.random.Generator) -> Light:
    """Wind-shaped ridges of sand with one side in shadow."""
    hour = (GOLDEN, DAWN, NOON, DUSK)[rng.integers(4)]
    sand = (rgb("d8a066"), rgb("cf8a54"), rgb("e2bf8c"))[rng.integers(3)]
    height = dune_heights(rng)
    side = float(rng.choice([-1.0, 1.0]))
    sunlight, level = relief_light(height, (side, -0.15, 0.24 + 0.4 * hour.height), softness=0.004)
    grain = fractal_noise((MAP, MAP), 60, rng, octaves=3, gain=0.7)
    albedo = sand * (0.96 + 0.03 * grain)[..., None] * (0.75 + 0.25 * level)[..., None]
    ground = Ground(height, lit(np.asarray(albedo, np.float32), sunlight, hour.sun * 0.62, hour.ambient * 0.75))
    horizon = float(rng.uniform(-0.20, -0.10))
    view = look(ground, frame, Viewpoint(altitude=0.20, horizon=horizon, zoom=rng.uniform(1.0, 1.3), near=0.12))
    picture = sky(
        frame, hour, rng, horizon=horizon, sun=(side * 0.55, horizon - 0.3), cover_share=rng.uniform(0.0, 0.2)
    )
    cover(picture, haze(rippled(view.colour, view.across, view.depth, rng), hour.air, view.depth, 0.75), view.land)
    return picture


def dune_heights(rng: np.random.Generator) -> Plane:
    """Crescent ridges: folded waves bent by noise, gentle on the windward side and steep on the other."""
    away, across = np.mgrid[0 : 1 : MAP * 1j, 0 : 1 : MAP * 1j].astype(np.float32)
    bend = fractal_noise((MAP, MAP), 2.2, rng, octaves=3, gain=0.4)
    size = fractal_noise((MAP, MAP), 2.0, rng, octaves=2)
    angle = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.6, 1.0)
    phase = (across * np.float32(np.sin(angle)) + away * np.float32(np.cos(angle))) * 5.0 + 0.34 * bend
    saw = np.mod(phase + np.float32(rng.uniform()), 1.0)
    crest = np.where(saw < 0.72, saw / 0.72, (1.0 - saw) / 0.28)
    crest = crest * crest * (2.2 - 1.2 * crest)
    return np.asarray(crest * (0.055 + 0.018 * size) + 0.012 * bend, np.float32)


def rippled(colour: Light, across: Plane, depth: Plane, rng: np.random.Generator) -> Light:
    """The sand with wind ripples, each lit on one side, vanishing with distance."""
    warp = soften_noise(colour.shape[:2], rng)
    wave = np.sin((depth * 330 + across * 140 + warp * 2.6) * np.float32(1.0))
    strength = np.clip(0.16 / (depth * 8 + 0.3) - 0.04, 0.0, 0.09)
    return np.asarray(colour * (1.0 + wave * strength)[..., None], np.float32)


def soften_noise(shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    return fractal_noise(shape, 6, rng, octaves=3, stretch=2.0)


def pine(base: Point, height: float, rng: np.random.Generator) -> list[Point]:
    """Outline of a conifer standing at ``base``: drooping branches that widen towards the ground."""
    x, y = base
    tiers = int(rng.integers(20, 28))
    spread = height * float(rng.uniform(0.15, 0.20))
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        at = (tier + 0.6) / tiers
        level = y - height * (1.0 - 0.92 * at)
        for side, outline in ((-1.0, left), (1.0, right)):
            reach = spread * at**0.85 * float(rng.uniform(0.55, 1.15))
            droop = height * 0.016 * float(rng.uniform(0.4, 1.6))
            outline.append((x + side * reach, level + droop))
            outline.append((x + side * reach * 0.5, level - height * 0.004))
    trunk = height * 0.012
    top = (x, y - height)
    return [
        top,
        *right,
        (x + trunk, y - height * 0.06),
        (x + trunk, y),
        (x - trunk, y),
        (x - trunk, y - height * 0.06),
        *reversed(left),
    ]


__all__ = ["desert_dunes", "mountain_lake", "pine", "pine_forest", "soften", "OVERCAST"]
