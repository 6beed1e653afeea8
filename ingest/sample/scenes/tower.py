"""A lighthouse and the headland that it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, box, cover, curve, mix, polygons, rgb, shine, soften
from ingest.sample.sky import Hour

WHITE, IRON, PANE = rgb("f3f0e8"), rgb("2a2d31"), rgb("20242a")


@dataclass(frozen=True, slots=True)
class Tower:
    """A lighthouse: its foot, its height, half its width at the foot, the colour of its bands and how many."""

    foot: Point
    height: float
    width: float
    band: Light
    stripes: float


def headland(frame: Frame, hour: Hour, foot: Point, side: float, rng: np.random.Generator) -> tuple[Light, Plane]:
    """Rock that falls to the sea on one side, turf on its top: its picture and its mask."""
    x, y = foot
    drop = (frame.x[0] - x) * side
    fall = np.where(drop > 0, drop * 0.9 + 6.0 * np.maximum(drop - 0.12, 0) ** 2, -drop * 0.16)
    line = y - 0.010 + fall + 0.008 * noise_line(frame.width, 14, rng, gain=0.6)
    under = frame.y - line
    blocks = fractal_noise(frame.shape, 6, rng, octaves=7, gain=0.62, stretch=1.6)
    step = max(2, frame.unit // 250)
    slope = blocks - np.roll(blocks, (step, round(step * side)), axis=(0, 1))
    relief = np.clip(0.62 - 1.1 * slope + 0.10 * blocks, 0.10, 1.5)
    stone = mix(rgb("4d4843"), rgb("958a7c"), smoothstep(-1.5, 1.5, blocks)) * relief[..., None]
    tufts = fractal_noise(frame.shape, 50, rng, octaves=3, stretch=0.6)
    grass = mix(rgb("3d4a22"), rgb("6f7a3a"), smoothstep(-1, 1, tufts))
    ground = mix(stone, grass, 1.0 - smoothstep(0.015, 0.055, under + 0.012 * blocks))
    wet = 0.55 * smoothstep(0.12, 0.40, under)
    light = hour.ambient * 0.9 + hour.sun * 0.32
    return ground * light * (1 - wet)[..., None], below(frame, line)


def add_tower(picture: Light, frame: Frame, hour: Hour, tower: Tower, side: float) -> None:
    """A tapered round tower with bands, windows, gallery, lamp room and dome; the lamp shines when the sun is low."""
    (x, y), width = tower.foot, tower.width
    top = y - tower.height
    light = hour.ambient + hour.sun * 0.36
    across = np.clip((frame.x - x) / width, -1, 1)
    depth = np.sqrt(1 - across**2)
    rounded = 0.30 + 0.72 * np.clip(depth * 0.55 + across * side * 0.55 + 0.1, 0, 1)

    body = [(x - width, y + 0.03), (x - width * 0.62, top), (x + width * 0.62, top), (x + width, y + 0.03)]
    stripe = np.sin(((frame.y - top) / tower.height - 0.010 * depth) * 2 * np.pi * tower.stripes)
    walls = mix(WHITE, tower.band, smoothstep(-0.05, 0.05, stripe))
    cover(picture, walls * light * rounded[..., None], polygons(frame, [body]))
    panes = [box((x, top + tower.height * level), 0.006, 0.011) for level in (0.33, 0.65)]
    cover(picture, PANE, polygons(frame, panes))

    lamp = width * 0.46
    at_night = hour.height < 0.2
    cover(picture, rgb("ffe2a0") * (2.4 if at_night else 0.5), polygons(frame, [box((x, top - 0.031), lamp, 0.031)]))
    bars = [box((place, top - 0.031), 0.0015, 0.031) for place in np.linspace(x - lamp, x + lamp, 4)]
    cover(picture, IRON * light, polygons(frame, bars))
    deck = [
        (x - width * 0.95, top - 0.006),
        (x + width * 0.95, top - 0.006),
        (x + width * 0.8, top + 0.012),
        (x - width * 0.8, top + 0.012),
    ]
    cover(picture, IRON * 2 * light * rounded[..., None], polygons(frame, [deck]))
    dome = curve((x - lamp * 1.25, top - 0.06), (x, top - 0.14), (x + lamp * 1.25, top - 0.06))
    cover(picture, mix(IRON, tower.band, 0.5) * light * rounded[..., None], polygons(frame, [dome]))
    posts = [box((place, top - 0.013), 0.001, 0.013) for place in np.linspace(x - width * 0.92, x + width * 0.92, 9)]
    cover(picture, IRON, polygons(frame, [*posts, box((x, top - 0.0265), width * 0.94, 0.0015)]))
    if at_night:
        shine(picture, frame, (x, top - 0.03), 0.05, rgb("ffdf9a") * 1.3)
        beam = polygons(frame, [[(x, top - 0.03), (x + side * 1.2, top - 0.20), (x + side * 1.2, top + 0.06)]])
        fade = 0.30 * np.exp(-np.abs(frame.x - x) * 2.2)
        picture += (soften(beam, frame, 0.008) * fade)[..., None] * rgb("ffe9bd")
