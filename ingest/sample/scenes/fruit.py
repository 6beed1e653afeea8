"""A bowl of fruit on a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ingest.sample.noise import Plane, fractal_noise, smoothstep
from ingest.sample.paint import Frame, Light, Point, cover, mix, polygons, rgb, soften


@dataclass(frozen=True, slots=True)
class Skin:
    """The look of a fruit: two colours that blend over it, how rough it is, how wide for its height, and its stalk."""

    colour: Light
    blush: Light
    rough: float
    wide: float = 1.0
    stalk: bool = False


FRUIT = (
    Skin(rgb("e87a10"), rgb("f5a030"), rough=0.16),
    Skin(rgb("b01818"), rgb("d9a43a"), rough=0.05, stalk=True),
    Skin(rgb("7fae22"), rgb("b7d04a"), rough=0.05, stalk=True),
    Skin(rgb("f0c818"), rgb("f7e05a"), rough=0.12, wide=1.19),
    Skin(rgb("3a1a3e"), rgb("6a3a66"), rough=0.04),
    Skin(rgb("e8875a"), rgb("f3c070"), rough=0.08, stalk=True),
)
"""Orange, red apple, green apple, lemon, plum and peach."""

HEAP = (
    (-0.20, -0.03, 0.10), (0.20, -0.03, 0.10), (-0.07, -0.075, 0.105), (0.09, -0.07, 0.105), (0.0, -0.17, 0.10),
    (-0.26, 0.01, 0.085), (0.27, 0.015, 0.085), (-0.14, 0.03, 0.10), (0.15, 0.03, 0.10), (0.0, 0.025, 0.11),
)  # fmt: skip
"""Where each fruit lies from the middle of the bowl's rim, and its radius; those behind come first."""

WALLS = (rgb("3a3f42"), rgb("574a3e"), rgb("7f8a86"), rgb("2b2926"))
WOODS = ((rgb("6a3f1e"), rgb("a06c3a")), (rgb("8f7a5c"), rgb("c7b28c")), (rgb("3d2817"), rgb("6f4a2a")))
GLAZES = (rgb("e9e4d8"), rgb("35557a"), rgb("6b4a33"), rgb("8fa39a"))


def fruit_bowl(frame: Frame, rng: np.random.Generator) -> Light:
    """Fruit heaped in a bowl on a wooden table, lit from one side, one that rolled away beside it."""
    side = float(rng.choice([-1.0, 1.0]))
    picture = room(frame, rng.uniform(0.0, 0.08), side, rng)
    x, rim = rng.uniform(-0.06, 0.06), rng.uniform(0.09, 0.13)
    wide, deep = rng.uniform(0.34, 0.40), rng.uniform(0.20, 0.25)
    glaze = GLAZES[rng.integers(len(GLAZES))]
    shade(picture, frame, (x - side * 0.16, rim + deep), (wide * 0.95, 0.07), 0.78)
    cover(picture, glaze * 0.16, ellipse(frame, (x, rim), wide, 0.075))
    kinds = [FRUIT[i] for i in rng.choice(len(FRUIT), 3, replace=False)]
    for dx, dy, size in HEAP:
        kind = kinds[rng.choice(3, p=[0.5, 0.3, 0.2])]
        at = (x + dx * wide / 0.36 + rng.uniform(-0.015, 0.015), rim + dy + rng.uniform(-0.012, 0.012))
        add_fruit(picture, frame, at, size * rng.uniform(0.92, 1.08), kind, side, rng)
    add_bowl(picture, frame, (x, rim), wide, deep, glaze, side)
    astray: Point = (x + side * rng.uniform(0.40, 0.50), rim + deep - 0.06)
    shade(picture, frame, (astray[0] - side * 0.05, astray[1] + 0.085), (0.11, 0.03), 0.7)
    add_fruit(picture, frame, astray, 0.095, kinds[0], side, rng)
    return picture


def room(frame: Frame, edge: float, side: float, rng: np.random.Generator) -> Light:
    """A wall in soft window light, and a plank table in perspective from its ``edge`` towards the viewer."""
    wall = WALLS[rng.integers(len(WALLS))]
    falloff = np.clip(0.75 + 0.55 * frame.x * side - 0.25 * frame.y, 0.15, 1.4)
    picture = wall * (falloff * (1.0 + 0.05 * fractal_noise(frame.shape, 3, rng)))[..., None]
    wood, pale = WOODS[rng.integers(len(WOODS))]
    y = frame.y[frame.row(edge) :]
    distance = 0.30 / (y - edge + 0.22)
    across = frame.x * distance * 6.4
    plank = np.floor(across)
    within = across - plank
    fibres = fractal_noise((900, 300), 6, rng, octaves=7, gain=0.65, stretch=0.08)
    grain: Plane = cv2.remap(
        fibres,
        (within * 90 + np.mod(plank * 77, 200)).astype(np.float32),
        np.broadcast_to(np.clip(distance, 0, 1) * 890, across.shape).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    planks = mix(wood, pale, np.clip(0.45 + 0.22 * grain + 0.09 * np.sin(plank * 12.9), 0, 1))
    seams = 1.0 - 0.7 * np.exp(-np.square((np.abs(within - 0.5) - 0.5) / 0.012))
    light = seams * np.clip(0.85 + 0.5 * frame.x * side, 0.3, 1.4)
    picture[frame.row(edge) :] = planks * light[..., None]
    return soften(picture, frame, 0.0015)


def ellipse(frame: Frame, centre: Point, wide: float, tall: float) -> Plane:
    """Mask of an upright ellipse with half axes ``wide`` and ``tall``."""
    angle = np.linspace(0, 2 * math.pi, 96)
    return polygons(frame, [np.stack([centre[0] + wide * np.cos(angle), centre[1] + tall * np.sin(angle)], axis=1)])


def shade(picture: Light, frame: Frame, centre: Point, axes: tuple[float, float], darkness: float) -> None:
    """A soft shadow on the table."""
    picture *= (1.0 - darkness * soften(ellipse(frame, centre, *axes), frame, axes[1] * 0.5))[..., None]


def add_fruit(
    picture: Light, frame: Frame, centre: Point, radius: float, skin: Skin, side: float, rng: np.random.Generator
) -> None:
    """A round fruit: its skin, window light, a highlight, a dimple, and the shade that it throws on its neighbours."""
    rows, columns = frame.window(centre, radius * 1.6)
    u, v = (frame.x[:, columns] - centre[0]) / radius / skin.wide, (frame.y[rows] - centre[1]) / radius
    squared = u**2 + v**2 * 1.06
    distance = np.sqrt(squared)
    inside = np.clip((1.0 - distance) * radius * frame.unit + 0.5, 0, 1)
    z = np.sqrt(np.clip(1.0 - squared, 0, 1))
    pores = fractal_noise(inside.shape, 16 if skin.rough > 0.1 else 7, rng, octaves=3, gain=0.7)
    facing = np.clip(u * side * 0.62 - v * 0.50 + z * 0.60 + skin.rough * 0.16 * pores, 0, 1)
    from_above = 0.30 + 0.70 * smoothstep(-1.1, 0.7, 0.3 * z - v)
    dimple = np.exp(-(np.square(u - 0.12) + np.square((v + 0.80) / 0.35)) / 0.03)
    blush = smoothstep(-0.4, 1.6, fractal_noise(inside.shape, 2, rng, octaves=4) + 0.5 * v)
    light = (0.16 + 1.05 * facing) * from_above * (1 - 0.55 * dimple)
    sharp, strength = (0.06, 0.25) if skin.rough > 0.1 else (0.020, 0.75)
    highlight = strength * np.exp(-(np.square(u - side * 0.38) + np.square(v + 0.42)) / sharp)
    colour = mix(skin.colour, skin.blush, blush) * light[..., None] + highlight[..., None]
    place = picture[rows, columns]
    around = np.square(np.clip(1.0 - (distance - 0.95) / 0.45, 0, 1)) * (1 - inside)
    place *= (1.0 - 0.45 * around)[..., None]
    cover(place, colour, inside)
    if skin.stalk:
        corners = ((0.10, -0.78), (0.15, -0.78), (0.27, -1.12), (0.20, -1.14))
        stalk = [(centre[0] + dx * radius, centre[1] + dy * radius) for dx, dy in corners]
        cover(picture, rgb("3a2812"), polygons(frame, [stalk]))


def add_bowl(picture: Light, frame: Frame, rim: Point, wide: float, deep: float, glaze: Light, side: float) -> None:
    """The front of a glazed bowl: everything below the nearer half of its rim."""
    x, y = rim
    angle = np.linspace(0, math.pi, 60)
    sin, cos = np.sin(angle), np.cos(angle)
    lip = np.stack([x + wide * cos, y + 0.075 * sin], axis=1)
    belly = np.stack([x - wide * cos * (1 - 0.55 * sin**3), y + deep * sin**0.75], axis=1)
    across, down = np.clip((frame.x - x) / wide, -1, 1), np.clip((frame.y - y) / deep, 0, 1)
    light = np.clip(np.sqrt(1 - across**2) * 0.55 + across * side * 0.55 - 0.55 * down + 0.32, 0.04, 1.2)
    gloss = 0.35 * np.exp(-(np.square(across - side * 0.45) / 0.012 + np.square(down - 0.42) / 0.05))
    cover(picture, glaze * light[..., None] + gloss[..., None], polygons(frame, [np.concatenate([lip, belly])]))
    edge = polygons(frame, [np.concatenate([lip, lip[::-1] + np.array([0.0, 0.014])])])
    cover(picture, mix(glaze, rgb("ffffff"), 0.35) * (light * 1.15 + 0.1)[..., None], edge)
