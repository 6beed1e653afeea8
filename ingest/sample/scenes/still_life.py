"""Close things: a flower, a bowl of fruit."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.sample.noise import Plane, fractal_noise, smoothstep
from ingest.sample.paint import Frame, Light, Point, blank, bloom, cover, disc, mix, polygons, rgb, soften


def flower(frame: Frame, rng: np.random.Generator) -> Light:
    """A daisy-like blossom close up against blurred green."""
    petal, base, heart = (
        (rgb("f7f4ee"), rgb("dfe6cf"), rgb("e0a21a")),
        (rgb("f2b414"), rgb("d9780c"), rgb("4a2d14")),
        (rgb("e56a92"), rgb("b83264"), rgb("d9b23a")),
        (rgb("f0803a"), rgb("c6401c"), rgb("5a3416")),
    )[rng.integers(4)]
    picture = foliage(frame, rng)
    for _ in range(int(rng.integers(1, 4))):  # others in the background, out of focus
        away: Point = (float(rng.choice([-1, 1]) * rng.uniform(0.38, 0.75)), float(rng.uniform(-0.4, 0.35)))
        layer, mask = blossom(frame, away, float(rng.uniform(0.14, 0.24)), petal, base, heart, rng)
        blur = float(rng.uniform(0.018, 0.035))
        soft = soften(mask, frame, blur)
        colour = soften(layer * mask[..., None], frame, blur) / np.maximum(soft, 1e-3)[..., None]
        cover(picture, colour * np.float32(0.8), np.clip(soft, 0, 1))
    centre: Point = (float(rng.uniform(-0.08, 0.08)), float(rng.uniform(-0.06, 0.06)))
    radius = float(rng.uniform(0.34, 0.42))
    stem = polygons(
        frame,
        [
            [
                (centre[0] - 0.012, centre[1]),
                (centre[0] + 0.012, centre[1]),
                (centre[0] + 0.09, frame.bottom),
                (centre[0] + 0.055, frame.bottom),
            ]
        ],
    )
    cover(picture, rgb("3f6b24") * np.float32(0.7), soften(stem, frame, 0.003))
    layer, mask = blossom(frame, centre, radius, petal, base, heart, rng)
    shadow = soften(np.roll(mask, int(0.03 * frame.unit), axis=0), frame, 0.03)
    picture *= (1.0 - 0.35 * np.clip(shadow, 0, 1))[..., None]
    cover(picture, layer, mask)
    return picture


def foliage(frame: Frame, rng: np.random.Generator) -> Light:
    """A green background far out of focus, with discs of light."""
    dark, fresh = ((rgb("17301a"), rgb("7fa83f")), (rgb("1c2f12"), rgb("a9b84a")), (rgb("10281f"), rgb("5c9a66")))[
        rng.integers(3)
    ]
    blotches = soften(fractal_noise(frame.shape, 4, rng, octaves=3), frame, 0.03)
    picture = mix(dark, fresh, np.clip(0.38 + 0.28 * blotches - 0.25 * frame.y, 0, 1).astype(np.float32))
    lights = np.zeros(frame.shape, np.float32)
    for _ in range(26):
        at: Point = (
            float(rng.uniform(-frame.right, frame.right)),
            float(rng.uniform(-frame.bottom, frame.bottom * 0.6)),
        )
        lights += disc(frame, at, float(rng.uniform(0.02, 0.055)), 0.006) * np.float32(rng.uniform(0.05, 0.30))
    picture += lights[..., None] * rgb("eef0b8")
    return picture


def blossom(
    frame: Frame, centre: Point, radius: float, petal: Light, base: Light, heart: Light, rng: np.random.Generator
) -> tuple[Light, Plane]:
    """Rings of petals around a seed head, seen slightly from the side: its picture and its mask."""
    turn = float(rng.uniform(0, np.pi))
    across = np.array([np.cos(turn), np.sin(turn)], np.float32)
    along_tilt = np.array([-np.sin(turn), np.cos(turn)], np.float32) * np.float32(rng.uniform(0.78, 1.0))
    dx, dy = frame.x - np.float32(centre[0]), frame.y - np.float32(centre[1])
    u = dx * across[0] + dy * across[1]
    v = (dx * along_tilt[0] + dy * along_tilt[1]) / np.float32(along_tilt @ along_tilt)
    distance, angle = np.hypot(u, v), np.arctan2(v, u)
    sunward = (dx * -0.55 - dy * 0.83) / np.maximum(np.hypot(dx, dy), 1e-4)
    picture, mask = blank(frame, base), np.zeros(frame.shape, np.float32)
    number = int(rng.integers(15, 24))
    for ring, (reach, tone) in enumerate(((1.0, 0.66), (0.93, 0.86), (0.82, 1.05))):
        slot = angle * np.float32(number / (2 * np.pi)) + np.float32(ring / 3 + rng.uniform(-0.08, 0.08))
        index = np.floor(slot).astype(int) % number
        lengths = reach * radius * rng.uniform(0.90, 1.06, number).astype(np.float32)
        lean = rng.uniform(-0.07, 0.07, number).astype(np.float32)
        shade = rng.uniform(0.86, 1.10, number).astype(np.float32)
        along = distance / lengths[index]
        aside = np.mod(slot, 1.0) - 0.5 + lean[index] * along
        profile = 0.47 * np.sqrt(np.clip(1.0 - along**5, 0, 1)) * (0.72 + 0.28 * smoothstep(0.15, 0.7, along))
        edge = (profile - np.abs(aside)) * distance * np.float32(2 * np.pi / number * frame.unit)
        inside = np.asarray(np.clip(edge / 1.4 + 0.5, 0, 1) * (along < 1.0), np.float32)
        streaks = np.sin(aside * 46 + index * 1.7) * 0.035 * smoothstep(0.1, 0.5, along)
        crease = 1.0 - 0.16 * np.exp(-np.square(aside / 0.05)) - 0.34 * np.square(aside / np.maximum(profile, 0.05))
        light = (
            tone
            * shade[index]
            * (crease + streaks)
            * (0.92 + 0.16 * sunward)
            * (0.62 + 0.38 * smoothstep(0.2, 0.75, along))
        )
        colour = mix(base, petal, smoothstep(0.15, 0.75, along)) * light[..., None]
        dropped = soften(inside, frame, radius * 0.05)
        picture *= (1.0 - 0.42 * np.clip(dropped - inside, 0, 1))[..., None]
        cover(picture, np.asarray(colour, np.float32), inside)
        mask = np.maximum(mask, inside)
    add_seed_head(
        picture, frame, centre, radius * float(rng.uniform(0.24, 0.32)), heart, (u, v), (across, along_tilt), rng
    )
    return picture, np.maximum(mask, disc(frame, centre, radius * 0.2))


def add_seed_head(
    picture: Light,
    frame: Frame,
    centre: Point,
    radius: float,
    colour: Light,
    flat: tuple[Plane, Plane],
    axes: tuple[Plane, Plane],
    rng: np.random.Generator,
) -> None:
    """Seeds set at the golden angle on a shallow dome (Source: Vogel 1979, "A better way to construct the sunflower head").

    ``flat`` are the blossom's own coordinates at every pixel; ``axes`` are their directions in the frame.
    """
    away = np.hypot(*flat) / np.float32(radius)
    dome = 1.0 - smoothstep(0.94, 1.02, away)
    picture *= (1.0 - 0.55 * np.exp(-np.square(np.maximum(away - 0.95, 0) / 0.22)) * (1 - dome))[..., None]
    count, fine = 420, 16
    k = np.arange(count)
    theta = k * np.pi * (3 - np.sqrt(5)) + rng.uniform(0, 6)
    spread = (np.sqrt((k + 0.5) / count) * radius)[:, None]
    places = centre + spread * (np.cos(theta)[:, None] * axes[0] + np.sin(theta)[:, None] * axes[1])
    seeds = (places + (frame.right, frame.bottom)) * frame.unit - 0.5
    size = max(1.0, radius * frame.unit * 0.042)
    height = np.zeros(frame.shape, np.uint8)
    for x, y in seeds:
        cv2.circle(height, (round(x * fine), round(y * fine)), round(size * fine), 255, -1, cv2.LINE_AA, 4)
    bumps = soften(height.astype(np.float32) / 255, frame, size * 0.35 / frame.unit)
    relief = bumps - np.roll(bumps, (2, 2), axis=(0, 1))
    light = (0.34 + 0.72 * bumps + 0.55 * relief) * (0.72 + 0.45 * np.clip(away, 0, 1))
    cover(picture, np.asarray(colour * light[..., None], np.float32), np.asarray(dome, np.float32))


FRUIT = {
    "orange": (rgb("e87a10"), rgb("f5a030"), 0.16),
    "apple": (rgb("b01818"), rgb("d9a43a"), 0.05),
    "granny smith": (rgb("7fae22"), rgb("b7d04a"), 0.05),
    "lemon": (rgb("f0c818"), rgb("f7e05a"), 0.12),
    "plum": (rgb("3a1a3e"), rgb("6a3a66"), 0.04),
    "peach": (rgb("e8875a"), rgb("f3c070"), 0.08),
}


def fruit_bowl(frame: Frame, rng: np.random.Generator) -> Light:
    """Fruit heaped in a bowl on a wooden table, lit from one side."""
    side = float(rng.choice([-1.0, 1.0]))
    table = float(rng.uniform(0.06, 0.14))
    picture = room(frame, table, side, rng)
    x, rim = float(rng.uniform(-0.06, 0.06)), float(rng.uniform(0.09, 0.13))
    wide, deep = float(rng.uniform(0.34, 0.40)), float(rng.uniform(0.20, 0.25))
    glaze = (rgb("e9e4d8"), rgb("35557a"), rgb("6b4a33"), rgb("8fa39a"))[rng.integers(4)]
    shadow = ellipse(frame, (x - side * 0.16, rim + deep + 0.0), wide * 0.95, 0.07)
    picture *= (1.0 - 0.78 * soften(shadow, frame, 0.03))[..., None]
    cover(picture, glaze * np.float32(0.16), ellipse(frame, (x, rim), wide, 0.075))
    kinds = rng.choice(list(FRUIT), 3, replace=False)
    places = [
        (-0.20, -0.03, 0.10),
        (0.20, -0.03, 0.10),
        (-0.07, -0.075, 0.105),
        (0.09, -0.07, 0.105),
        (0.0, -0.17, 0.10),
    ]
    places += [(-0.26, 0.01, 0.085), (0.27, 0.015, 0.085), (-0.14, 0.03, 0.10), (0.15, 0.03, 0.10), (0.0, 0.025, 0.11)]
    for dx, dy, size in places:
        kind = str(kinds[rng.choice(3, p=[0.5, 0.3, 0.2])])
        at = (x + dx * wide / 0.36 + float(rng.uniform(-0.015, 0.015)), rim + dy + float(rng.uniform(-0.012, 0.012)))
        add_fruit(picture, frame, at, size * float(rng.uniform(0.92, 1.08)), kind, side, rng)
    add_bowl(picture, frame, (x, rim), wide, deep, glaze, side)
    kind = str(kinds[0])
    ground: Point = (x + side * float(rng.uniform(0.40, 0.50)), rim + deep - 0.06)
    drop = ellipse(frame, (ground[0] - side * 0.05, ground[1] + 0.085), 0.11, 0.03)
    picture *= (1.0 - 0.7 * soften(drop, frame, 0.018))[..., None]
    add_fruit(picture, frame, ground, 0.095, kind, side, rng)
    return picture


def room(frame: Frame, table: float, side: float, rng: np.random.Generator) -> Light:
    """A wall in soft window light and a plank table in perspective."""
    wall = (rgb("3a3f42"), rgb("574a3e"), rgb("7f8a86"), rgb("2b2926"))[rng.integers(4)]
    falloff = np.clip(0.75 + 0.55 * frame.x * side - 0.25 * frame.y, 0.15, 1.4)
    plaster = 1.0 + 0.05 * fractal_noise(frame.shape, 3, rng, octaves=6)
    picture = (wall * (falloff * plaster)[..., None]).astype(np.float32)
    wood, pale = ((rgb("6a3f1e"), rgb("a06c3a")), (rgb("8f7a5c"), rgb("c7b28c")), (rgb("3d2817"), rgb("6f4a2a")))[
        rng.integers(3)
    ]
    first = frame.row(table - 0.06)
    y = frame.y[first:]
    distance = 0.30 / (y - np.float32(table) + 0.28)
    across = frame.x * distance * 4.0
    grain = fractal_noise((900, 300), 6, rng, octaves=7, gain=0.65, stretch=0.08)
    board = np.floor(across * 1.6)
    from_texture = cv2.remap(
        grain,
        (np.mod(across * 1.6, 1.0) * 90 + np.mod(board * 77, 200)).astype(np.float32),
        np.broadcast_to(np.clip(distance, 0, 1) * 890, across.shape).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    seam = 1.0 - 0.7 * np.exp(-np.square((np.mod(across * 1.6 + 0.5, 1.0) - 0.5) / 0.012))
    planks = mix(wood, pale, np.clip(0.45 + 0.22 * from_texture + 0.09 * np.sin(board * 12.9), 0, 1).astype(np.float32))
    light = seam * np.clip(0.85 + 0.5 * frame.x * side, 0.3, 1.4)
    edge = np.asarray(smoothstep(-0.001, 0.002, np.broadcast_to(y - np.float32(table - 0.055), seam.shape)), np.float32)
    cover(picture[first:], np.asarray(planks * light[..., None], np.float32), edge)
    return soften(picture, frame, 0.0015)


def ellipse(frame: Frame, centre: Point, wide: float, tall: float) -> Plane:
    """Mask of an upright ellipse with half axes ``wide`` and ``tall``."""
    angle = np.linspace(0, 2 * np.pi, 96)
    return polygons(
        frame, [np.stack([centre[0] + wide * np.cos(angle), centre[1] + tall * np.sin(angle)], 1).astype(np.float32)]
    )


def add_fruit(
    picture: Light, frame: Frame, centre: Point, radius: float, kind: str, side: float, rng: np.random.Generator
) -> None:
    """A round fruit: skin, soft light from the window, a highlight, a dimple, and the shade it throws on its neighbours."""
    skin, blush, bumps = FRUIT[kind]
    rows, columns = frame.window(centre, radius * 1.6)
    u = (frame.x[:, columns] - np.float32(centre[0])) / np.float32(radius)
    v = (frame.y[rows] - np.float32(centre[1])) / np.float32(radius)
    if kind == "lemon":
        u = u * np.float32(0.84)
    squared = u**2 + v**2 * np.float32(1.06)
    inside = np.clip((1.0 - np.sqrt(squared)) * np.float32(radius * frame.unit) + 0.5, 0, 1).astype(np.float32)
    z = np.sqrt(np.clip(1.0 - squared, 0, 1))
    dent = np.exp(-(np.square(u - 0.12) + np.square((v + 0.80) / 0.35)) / 0.03)
    pores = fractal_noise(inside.shape, 16 if bumps > 0.1 else 7, rng, octaves=3, gain=0.7)
    facing = np.clip(u * side * 0.62 - v * 0.50 + z * 0.60 + bumps * 0.16 * pores, 0, 1)
    occlusion = 0.30 + 0.70 * smoothstep(-1.1, 0.7, -v + 0.3 * z + 0 * u)
    patch = smoothstep(-0.4, 1.6, fractal_noise(inside.shape, 2, rng, octaves=4) + 0.5 * v)
    colour = mix(skin, blush, patch) * (0.16 + 1.05 * facing)[..., None] * (occlusion * (1 - 0.55 * dent))[..., None]
    spot = np.exp(-(np.square(u - side * 0.38) + np.square(v + 0.42)) / (0.020 if bumps < 0.1 else 0.06))
    colour = colour + (spot * (0.75 if bumps < 0.1 else 0.25))[..., None]
    halo = np.clip(1.0 - (np.sqrt(squared) - 0.95) / 0.45, 0, 1) ** 2 * (1 - inside)
    patch_of = picture[rows, columns]
    patch_of *= (1.0 - 0.45 * halo)[..., None].astype(np.float32)
    cover(patch_of, np.asarray(colour, np.float32), inside)
    if kind in ("apple", "granny smith", "peach"):
        stalk = [
            (centre[0] + 0.10 * radius, centre[1] - 0.78 * radius),
            (centre[0] + 0.15 * radius, centre[1] - 0.78 * radius),
            (centre[0] + 0.27 * radius, centre[1] - 1.12 * radius),
            (centre[0] + 0.20 * radius, centre[1] - 1.14 * radius),
        ]
        cover(picture, rgb("3a2812"), polygons(frame, [stalk]))


def add_bowl(picture: Light, frame: Frame, rim: Point, wide: float, deep: float, glaze: Light, side: float) -> None:
    """The front of a glazed bowl: everything below the nearer half of its rim."""
    x, y = rim
    angle = np.linspace(0, np.pi, 60)
    front = np.stack([x + wide * np.cos(angle), y + 0.075 * np.sin(angle)], 1)
    belly = np.stack([x - wide * np.cos(angle) * (1 - 0.55 * np.sin(angle) ** 3), y + deep * np.sin(angle) ** 0.75], 1)
    body = polygons(frame, [np.concatenate([front, belly]).astype(np.float32)])
    across = np.clip((frame.x - np.float32(x)) / np.float32(wide), -1, 1)
    down = np.clip((frame.y - np.float32(y)) / np.float32(deep), 0, 1)
    round_light = np.clip(np.sqrt(1 - across**2) * 0.55 + across * side * 0.55 - 0.55 * down + 0.32, 0.04, 1.2)
    gloss = np.exp(-(np.square(across - side * 0.45) / 0.012 + np.square(down - 0.42) / 0.05)) * 0.35
    cover(picture, np.asarray(glaze * round_light[..., None] + gloss[..., None], np.float32), body)
    lip = polygons(frame, [np.concatenate([front, front[::-1] + (0, 0.014)]).astype(np.float32)])
    cover(picture, np.asarray(mix(glaze, rgb("ffffff"), 0.35) * (round_light * 1.15 + 0.1)[..., None], np.float32), lip)


__all__ = ["bloom", "flower", "fruit_bowl"]
