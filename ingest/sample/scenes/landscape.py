"""Land: a mountain lake, desert dunes."""

from __future__ import annotations

import math

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, sample, smoothstep
from ingest.sample.paint import Frame, Light, bloom, cover, haze, mix, polygons, rgb
from ingest.sample.scenes.forest import pine
from ingest.sample.sky import DAWN, DUSK, GOLDEN, NOON, mirror, sky
from ingest.sample.terrain import MAP, Ground, View, Viewpoint, layered, lit, look, relief_light


def mountain_lake(frame: Frame, rng: np.random.Generator) -> Light:
    """Snowy peaks over a lake that mirrors them, pines on the near shore."""
    hour = (DUSK, DAWN, GOLDEN, NOON)[rng.integers(4)]
    side = float(rng.choice([-1.0, 1.0]))
    height = mountain_heights(rng)
    sunlight, level = relief_light(height, (side, -0.35, 0.35 + 0.5 * hour.height), softness=0.004)
    patches = fractal_noise(height.shape, 40, rng, octaves=5, gain=0.65)
    rock = mix(rgb("5d5852"), rgb("8c847a"), smoothstep(-1.5, 1.5, patches))
    snow_line = rng.uniform(0.026, 0.040)
    snow = smoothstep(snow_line - 0.004, snow_line + 0.006, height + 0.005 * patches) * smoothstep(0.55, 0.70, level)
    trees = (1.0 - smoothstep(0.012, 0.022, height + 0.004 * patches)) * smoothstep(0.55, 0.75, level)
    woods = mix(rgb("1d2f1a"), rgb("3b5228"), smoothstep(-1, 1, patches))
    albedo = layered(rock, (woods, trees), (rgb("f4f7fb"), snow))
    ground = Ground(height, lit(albedo, sunlight, hour.sun * 0.75, hour.ambient * 0.95))

    shore = float(rng.uniform(0.08, 0.15))
    eye = Viewpoint(altitude=0.004, horizon=shore - 0.012, zoom=rng.uniform(3.2, 4.2), near=0.2)
    view = look(ground, frame, eye)
    sun = (side * float(rng.uniform(0.3, 0.5)), shore - 0.1 - 0.5 * hour.height)
    picture = sky(frame, hour, rng, horizon=shore, sun=sun, cover_share=rng.uniform(0.15, 0.5))
    cover(picture, haze(weathered(view, rng), hour.air, np.square(view.depth), 0.42), view.land)
    mirror(picture, frame, shore=shore, rng=rng, ripples=rng.uniform(0.02, 0.09))
    grove = [
        pine(
            (-side * rng.uniform(0.40, frame.right + 0.1), frame.bottom + rng.uniform(-0.02, 0.12)),
            rng.uniform(0.3, 0.7),
            rng,
        )
        for _ in range(rng.integers(5, 10))
    ]
    cover(picture, rgb("0d140d") + hour.ambient * 0.05, polygons(frame, grove))
    bloom(picture, frame)
    return picture


def mountain_heights(rng: np.random.Generator) -> Plane:
    """A valley that leads to a range, its flanks eroded into ridges and gullies."""
    away, across = np.linspace(0, 1, MAP, dtype=np.float32)[:, None], np.linspace(-0.5, 0.5, MAP, dtype=np.float32)
    ridges = fractal_noise((MAP, MAP), rng.uniform(5.0, 7.0), rng, octaves=8, gain=0.52, ridged=True)
    rough = fractal_noise((MAP, MAP), 24, rng, octaves=6, gain=0.6)
    valley = smoothstep(0.05, 0.34, np.abs(across - rng.uniform(-0.05, 0.05)) * 1.3 + away * 0.35 - 0.14)
    behind = smoothstep(0.42, 0.82, np.broadcast_to(away, valley.shape))
    height = 0.010 * (ridges + 1.3) * valley + behind * (0.026 + 0.014 * ridges) + 0.0012 * rough * (valley + behind)
    return np.maximum(height - 0.004, 0.0)


def weathered(view: View, rng: np.random.Generator) -> Light:
    """The mountains with gullies and strata finer than their map, running down their flanks."""
    grain = fractal_noise((768, 768), 24, rng, octaves=6, gain=0.7)
    strata = sample(grain, view.across * 3.2 + view.height * 2.0, view.height * 9.0 + view.depth * 1.4)
    return view.colour * (1.0 + 0.13 * strata * smoothstep(0.006, 0.03, view.height))[..., None]


def desert_dunes(frame: Frame, rng: np.random.Generator) -> Light:
    """Wind-shaped ridges of sand with one side in shadow."""
    hour = (GOLDEN, DAWN, NOON, GOLDEN)[rng.integers(4)]
    sand = (rgb("dba765"), rgb("d2935c"), rgb("e2bf8c"))[rng.integers(3)]
    side = float(rng.choice([-1.0, 1.0]))
    height = dune_heights(rng)
    sunlight, _ = relief_light(height, (side, -0.10, 0.20 + 0.30 * hour.height), softness=0.008)
    grain = fractal_noise(height.shape, 60, rng, octaves=3, gain=0.7)
    albedo = sand * (0.96 + 0.03 * grain)[..., None]
    ground = Ground(height, lit(albedo, sunlight, hour.sun * 0.95, hour.ambient * 0.75))
    horizon = float(rng.uniform(-0.22, -0.12))
    view = look(ground, frame, Viewpoint(altitude=0.20, horizon=horizon, zoom=rng.uniform(1.1, 1.4), near=0.12))
    sun = (side * 0.5, horizon - 0.06 - 0.35 * hour.height)
    picture = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.0, 0.15))
    cover(picture, haze(rippled(view, rng), hour.air, np.square(view.depth), 0.7), view.land)
    return picture


def dune_heights(rng: np.random.Generator) -> Plane:
    """Crescent ridges: folded waves bent by noise, gentle on the windward side and steep on the other."""
    away, across = np.linspace(0, 1, MAP, dtype=np.float32)[:, None], np.linspace(-0.5, 0.5, MAP, dtype=np.float32)
    bend = fractal_noise((MAP, MAP), 2.0, rng, octaves=3, gain=0.4)
    size = fractal_noise((MAP, MAP), 2.0, rng, octaves=2)
    angle = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.7, 1.1))
    phase = (across * math.sin(angle) + away * math.cos(angle)) * 5.0 + 0.36 * bend + rng.uniform()
    saw = np.mod(phase, 1.0)
    crest = np.where(saw < 0.70, saw / 0.70, (1.0 - saw) / 0.30)
    crest = crest * crest * (2.2 - 1.2 * crest)
    heights: Plane = crest * (0.055 + 0.018 * size) + 0.012 * bend
    return heights


def rippled(view: View, rng: np.random.Generator) -> Light:
    """The sand with wind ripples, each lit on one side, vanishing with distance."""
    warp = fractal_noise(view.depth.shape, 6, rng, octaves=3, stretch=2.0)
    wave = np.sin(view.depth * 330 + view.across * 140 + warp * 2.6)
    strength = np.clip(0.16 / (view.depth * 8 + 0.3) - 0.04, 0.0, 0.09)
    rippled_sand: Light = view.colour * (1.0 + wave * strength)[..., None]
    return rippled_sand
