"""A flower close up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ingest.sample.noise import Plane, fractal_noise, smoothstep
from ingest.sample.paint import Frame, Light, Point, cover, mix, polygons, rgb, soften

PALETTES = (
    (rgb("f7f4ee"), rgb("dfe6cf"), rgb("e0a21a")),
    (rgb("f2b414"), rgb("d9780c"), rgb("4a2d14")),
    (rgb("e56a92"), rgb("b83264"), rgb("d9b23a")),
    (rgb("f0803a"), rgb("c6401c"), rgb("5a3416")),
)
"""Colours of a petal at its tip and at its base, and of the seed head."""

GREENS = ((rgb("17301a"), rgb("7fa83f")), (rgb("1c2f12"), rgb("a9b84a")), (rgb("10281f"), rgb("5c9a66")))

SEEDS = 420


@dataclass(frozen=True, slots=True)
class CutOut:
    """A piece of a picture: where it belongs, what it shows, and how far it covers what is there."""

    rows: slice
    columns: slice
    colour: Light
    mask: Plane


def flower(frame: Frame, rng: np.random.Generator) -> Light:
    """A daisy-like blossom before blurred green, others of its kind behind it out of focus."""
    palette = PALETTES[rng.integers(len(PALETTES))]
    picture = foliage(frame, rng)
    for _ in range(rng.integers(1, 4)):
        away: Point = (rng.choice([-1, 1]) * rng.uniform(0.38, 0.75), rng.uniform(-0.4, 0.35))
        behind = blossom(frame, away, rng.uniform(0.14, 0.24), palette, rng)
        blur = rng.uniform(0.018, 0.035)
        mask = soften(behind.mask, frame, blur)
        colour = soften(behind.colour * behind.mask[..., None], frame, blur) / np.maximum(mask, 1e-3)[..., None]
        cover(picture[behind.rows, behind.columns], colour * 0.8, np.clip(mask, 0, 1))
    x, y = rng.uniform(-0.08, 0.08), rng.uniform(-0.06, 0.06)
    stem = [(x - 0.012, y), (x + 0.012, y), (x + 0.09, frame.bottom), (x + 0.055, frame.bottom)]
    cover(picture, rgb("3f6b24") * 0.7, soften(polygons(frame, [stem]), frame, 0.003))
    main = blossom(frame, (x, y), rng.uniform(0.34, 0.42), palette, rng)
    place = picture[main.rows, main.columns]
    shade = soften(np.roll(main.mask, frame.unit // 33, axis=0), frame, 0.03)
    place *= (1.0 - 0.35 * np.clip(shade, 0, 1))[..., None]
    cover(place, main.colour, main.mask)
    return picture


def foliage(frame: Frame, rng: np.random.Generator) -> Light:
    """A green background far out of focus, with discs of light."""
    dark, fresh = GREENS[rng.integers(len(GREENS))]
    blotches = soften(fractal_noise(frame.shape, 4, rng, octaves=3), frame, 0.03, signed=True)
    picture = mix(dark, fresh, np.clip(0.38 + 0.28 * blotches - 0.25 * frame.y, 0, 1))
    for _ in range(26):
        x, y = rng.uniform(-frame.right, frame.right), rng.uniform(-frame.bottom, frame.bottom * 0.6)
        radius = rng.uniform(0.02, 0.055)
        rows, columns = frame.window((x, y), radius + 0.01)
        distance = np.hypot(frame.x[:, columns] - x, frame.y[rows] - y)
        disc = (1.0 - smoothstep(radius - 0.006, radius + 0.006, distance)) * rng.uniform(0.05, 0.30)
        picture[rows, columns] += disc[..., None] * rgb("eef0b8")
    return picture


def blossom(
    frame: Frame, centre: Point, radius: float, palette: tuple[Light, Light, Light], rng: np.random.Generator
) -> CutOut:
    """Three rings of petals around a seed head, seen slightly from the side."""
    tip, base, heart = palette
    rows, columns = frame.window(centre, radius * 1.2)
    dx, dy = frame.x[:, columns] - centre[0], frame.y[rows] - centre[1]
    turn, squash = rng.uniform(0, math.pi), rng.uniform(0.78, 1.0)
    sin, cos = math.sin(turn), math.cos(turn)
    u, v = dx * cos + dy * sin, (dy * cos - dx * sin) / squash
    distance, angle = np.hypot(u, v), np.arctan2(v, u)
    sunward = (dx * -0.55 - dy * 0.83) / np.maximum(np.hypot(dx, dy), 1e-4)
    colour = np.full((*distance.shape, 3), base, np.float32)
    mask = np.zeros(distance.shape, np.float32)
    petals = int(rng.integers(15, 24))
    for ring, (reach, tone) in enumerate(((1.0, 0.66), (0.93, 0.86), (0.82, 1.05))):
        slot = angle * (petals / (2 * math.pi)) + (ring / 3 + rng.uniform(-0.08, 0.08))
        petal = np.floor(slot).astype(int) % petals
        length, lean, shade = (
            rng.uniform(low, high, petals).astype(np.float32)[petal]
            for low, high in ((0.90, 1.06), (-0.07, 0.07), (0.86, 1.10))
        )
        along = distance / (length * (reach * radius))
        aside = np.mod(slot, 1.0) - 0.5 + lean * along
        outline = 0.47 * np.sqrt(np.clip(1.0 - along**5, 0, 1)) * (0.72 + 0.28 * smoothstep(0.15, 0.7, along))
        pixels_inside = (outline - np.abs(aside)) * distance * (2 * math.pi / petals * frame.unit)
        inside = np.clip(pixels_inside / 1.4 + 0.5, 0, 1) * (along < 1.0)
        streaks = np.sin(aside * 46 + petal * 1.7) * 0.035 * smoothstep(0.1, 0.5, along)
        crease = 1.0 - 0.16 * np.exp(-np.square(aside / 0.05)) - 0.34 * np.square(aside / np.maximum(outline, 0.05))
        light = (
            tone * shade * (crease + streaks) * (0.92 + 0.16 * sunward) * (0.62 + 0.38 * smoothstep(0.2, 0.75, along))
        )
        dropped = np.clip(soften(inside, frame, radius * 0.05) - inside, 0, 1)
        colour *= (1.0 - 0.42 * dropped)[..., None]
        cover(colour, mix(base, tip, smoothstep(0.15, 0.75, along)) * light[..., None], inside)
        mask = np.maximum(mask, inside)
    size = radius * rng.uniform(0.24, 0.32)
    add_seed_head(colour, frame, distance / size, seed_places(dx, dy, size, (sin, cos, squash), rng), size, heart)
    return CutOut(rows, columns, colour, np.maximum(mask, distance < radius * 0.2))


def seed_places(
    dx: Plane, dy: Plane, size: float, tilt: tuple[float, float, float], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Where each seed lies, in pixels of the cut whose distances from the centre are ``dx`` and ``dy``.

    Source: Vogel (1979), "A better way to construct the sunflower head": each seed a golden angle on from the last.
    """
    sin, cos, squash = tilt
    number = np.arange(SEEDS)
    angle = number * math.pi * (3 - math.sqrt(5)) + rng.uniform(0, 6)
    away = np.sqrt((number + 0.5) / SEEDS) * size
    u, v = away * np.cos(angle), away * np.sin(angle) * squash
    pixel = dx[0, 1] - dx[0, 0]
    x, y = (u * cos - v * sin - dx[0, 0]) / pixel, (u * sin + v * cos - dy[0, 0]) / pixel
    return list(zip(x.tolist(), y.tolist(), strict=True))


def add_seed_head(
    colour: Light, frame: Frame, away: Plane, seeds: list[tuple[float, float]], size: float, heart: Light
) -> None:
    """A dome of seeds, each a small bump; ``away`` is the distance from its middle, 1 at its rim."""
    dome = 1.0 - smoothstep(0.94, 1.02, away)
    rim = np.exp(-np.square(np.maximum(away - 0.95, 0) / 0.22)) * (1 - dome)
    colour *= (1.0 - 0.55 * rim)[..., None]
    radius, fine = max(1.0, size * frame.unit * 0.042), 16
    dots = np.zeros(away.shape, np.uint8)
    for x, y in seeds:
        cv2.circle(dots, (round(x * fine), round(y * fine)), round(radius * fine), 255, -1, cv2.LINE_AA, 4)
    bumps = soften(dots / np.float32(255), frame, radius * 0.35 / frame.unit)
    relief = bumps - np.roll(bumps, (2, 2), axis=(0, 1))
    light = (0.34 + 0.72 * bumps + 0.55 * relief) * (0.72 + 0.45 * np.clip(away, 0, 1))
    cover(colour, heart * light[..., None], dome)
