"""The sea: a sailing boat, a lighthouse on its rock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ingest.sample.noise import Plane, fractal_noise, noise_line, smoothstep
from ingest.sample.paint import Frame, Light, Point, below, bloom, cover, disc, mix, polygons, rgb, shine, soften
from ingest.sample.sky import DAWN, DUSK, GOLDEN, NOON, OVERCAST, Hour, Sea, paint_sea, sky, wave_texture


def sailing_boat(frame: Frame, rng: np.random.Generator) -> Light:
    """A yacht under sail on a breezy sea."""
    return next(sailing(frame, rng, (0.0,)))


def sailing(frame: Frame, rng: np.random.Generator, times: Iterable[float]) -> Iterator[Light]:
    """The yacht at one moment after another (seconds): the sea runs, the hull heaves and rolls."""
    hour = (NOON, GOLDEN, DUSK, NOON)[rng.integers(4)]
    horizon = float(rng.uniform(0.02, 0.14))
    side = float(rng.choice([-1.0, 1.0]))
    sun: Point = (side * float(rng.uniform(0.2, 0.5)), horizon - 0.12 - 0.4 * hour.height)
    backdrop = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.15, 0.5))
    far_coast(backdrop, frame, hour, horizon, rng)
    sea = Sea(
        horizon, deep=(rgb("12405c"), rgb("0f4f5a"), rgb("1b3550"))[rng.integers(3)], waves=rng.uniform(0.10, 0.2)
    )
    waves = wave_texture(rng)
    boat = Boat(
        place=(float(rng.uniform(-0.12, 0.12)), horizon + float(rng.uniform(0.10, 0.17))),
        size=float(rng.uniform(0.40, 0.50)),
        roll=float(rng.uniform(-0.09, 0.09)),
        cloth=(rgb("f4efe4"), rgb("f7f7f5"), rgb("b8473a"), rgb("e9d9b4"))[rng.integers(4)],
        hull=(rgb("f2f2ee"), rgb("1f3a57"), rgb("7a2f26"))[rng.integers(3)],
    )
    for time in times:
        picture = backdrop.copy()
        paint_sea(picture, frame, sea, hour, waves, sun=sun, time=time)
        heave = 0.008 * float(np.sin(time * 1.4 + 0.6))
        x, y = boat.place
        moved = replace(boat, place=(x, y + heave), roll=boat.roll + 0.05 * float(np.sin(time * 1.9)))
        add_boat(picture, frame, hour, moved, side)
        bloom(picture, frame)
        yield picture


@dataclass(frozen=True, slots=True)
class Boat:
    """A yacht: where its waterline is, how long it is, how far it heels (radians), and its colours."""

    place: Point
    size: float
    roll: float
    cloth: Light
    hull: Light


def far_coast(picture: Light, frame: Frame, hour: Hour, horizon: float, rng: np.random.Generator) -> None:
    """A strip of land far away, sometimes."""
    relief = np.maximum(0.012 + 0.016 * noise_line(frame.width, 3, rng), 0.0)
    cover(picture, mix(rgb("3b4a55"), hour.air, 0.72), below(frame, np.asarray(horizon - relief, np.float32)))


def add_boat(picture: Light, frame: Frame, hour: Hour, boat: Boat, side: float) -> None:
    """Hull, mast and two bellied sails, and their reflection."""
    place, size, roll, cloth, hull = boat.place, boat.size, boat.roll, boat.cloth, boat.hull

    def put(points: list[Point], *, mirrored: bool = False) -> list[Point]:
        flip = -0.62 if mirrored else 1.0
        sin, cos = float(np.sin(roll)), float(np.cos(roll))
        return [
            (place[0] + size * (x * cos - y * sin), place[1] + flip * size * (x * sin * 0.4 + y * cos))
            for x, y in points
        ]

    body = [
        (-0.40, -0.085),
        (-0.36, 0.0),
        (-0.25, 0.035),
        (0.24, 0.035),
        (0.34, 0.0),
        (0.44, -0.105),
        (0.2, -0.075),
        (-0.1, -0.07),
    ]
    cabin = [(-0.18, -0.07), (-0.15, -0.115), (0.06, -0.12), (0.13, -0.075)]
    main = curve((0.015, -1.16), (-0.34, -0.62), (-0.40, -0.17)) + curve((-0.40, -0.17), (-0.2, -0.13), (0.0, -0.16))
    jib = curve((0.035, -1.10), (0.27, -0.62), (0.43, -0.11)) + curve((0.43, -0.11), (0.23, -0.11), (0.075, -0.20))
    mast = [(0.0, -1.20), (0.014, -1.20), (0.018, -0.06), (0.0, -0.06)]
    shadow = soften(polygons(frame, [put(part, mirrored=True) for part in (body, main, jib)]), frame, 0.008)
    broken = 0.5 + 0.22 * fractal_noise(frame.shape, 30, np.random.default_rng(7), octaves=3, stretch=5)
    cover(
        picture,
        mix(cloth, rgb("1c3440"), 0.62) * hour.ambient * np.float32(1.3),
        np.clip(shadow * broken, 0, 0.75).astype(np.float32),
    )
    light = hour.ambient + hour.sun * np.float32(0.36)
    for outline, lean in ((main, -1.0), (jib, 1.0)):
        mask = polygons(frame, [put(outline)])
        toward = (frame.x - np.float32(place[0])) / np.float32(size * 0.42) * np.float32(side)
        belly = np.clip(0.78 + 0.20 * toward + 0.10 * lean * side, 0.35, 1.15)
        seams = 1.0 - 0.05 * (np.mod((frame.y - np.float32(place[1])) / np.float32(size) * 7.0, 1.0) < 0.06)
        cover(picture, cloth * light * (belly * seams)[..., None].astype(np.float32), mask)
    cover(picture, rgb("4a4038") * light, polygons(frame, [put(mast)]))
    depth = np.clip((frame.y - np.float32(place[1])) / np.float32(size * 0.12) + 0.9, 0.25, 1.0)
    paint = hull * light * (1.15 - 0.5 * depth)[..., None] * np.ones((frame.height, frame.width, 1), np.float32)
    cover(picture, paint.astype(np.float32), polygons(frame, [put(body)]))
    cover(picture, rgb("e8e2d4") * light * np.float32(0.9), polygons(frame, [put(cabin)]))
    foam = disc_row(frame, put([(-0.36, 0.03), (0.36, 0.03)]), size)
    cover(picture, rgb("ffffff") * (hour.ambient + hour.sun * np.float32(0.25)), foam)


def disc_row(frame: Frame, ends: list[Point], size: float) -> Plane:
    """The line of foam where a hull meets the water."""
    (x0, y0), (x1, y1) = ends
    level = y0 + (frame.x - x0) / max(x1 - x0, 1e-6) * (y1 - y0)
    along = smoothstep(x0 - 0.06 * size, x0 + 0.04, frame.x + 0 * frame.y) * (
        1 - smoothstep(x1 - 0.04, x1 + 0.05 * size, frame.x + 0 * frame.y)
    )
    noise = 0.5 + 0.5 * fractal_noise(frame.shape, 60, np.random.default_rng(11), octaves=3, stretch=3)
    return np.clip(np.exp(-np.square((frame.y - level) / np.float32(0.010 * size))) * along * noise, 0, 0.9).astype(
        np.float32
    )


def curve(start: Point, bend: Point, end: Point, count: int = 14) -> list[Point]:
    """Points of a quadratic Bézier curve."""
    steps = np.linspace(0, 1, count)
    return [
        (
            float((1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t * t * end[0]),
            float((1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t * t * end[1]),
        )
        for t in steps
    ]


def lighthouse(frame: Frame, rng: np.random.Generator) -> Light:
    """A banded tower on a rocky headland over the sea, its lamp lit when the light is low."""
    return next(lighthouse_watch(frame, rng, (0.0,)))


def lighthouse_watch(frame: Frame, rng: np.random.Generator, times: Iterable[float]) -> Iterator[Light]:
    """The lighthouse at one moment after another (seconds) while the sea runs beneath it."""
    hour = (DUSK, GOLDEN, OVERCAST, NOON, DAWN)[rng.integers(5)]
    horizon = float(rng.uniform(0.14, 0.22))
    side = float(rng.choice([-1.0, 1.0]))
    sun: Point = (side * float(rng.uniform(0.3, 0.5)), horizon - 0.1 - 0.4 * hour.height)
    backdrop = sky(frame, hour, rng, horizon=horizon, sun=sun, cover_share=rng.uniform(0.3, 0.65))
    sea = Sea(horizon, deep=rgb("173a4c"), waves=rng.uniform(0.12, 0.22), scale=0.7)
    waves = wave_texture(rng)
    x, ground = float(rng.uniform(-0.16, 0.16)), horizon + 0.01
    headland, rock = headland_of(frame, hour, x, ground, side, rng)
    height, width = float(rng.uniform(0.40, 0.47)), float(rng.uniform(0.036, 0.046))
    paint = Tower(
        (x, ground - 0.075),
        height,
        width,
        band=BANDS[rng.integers(len(BANDS))],
        stripes=float(rng.integers(2, 4)) + 0.5,
    )
    for time in times:
        picture = backdrop.copy()
        paint_sea(picture, frame, sea, hour, waves, sun=sun, time=time)
        cover(picture, headland, rock)
        add_tower(picture, frame, hour, paint, side)
        bloom(picture, frame)
        yield picture


def headland_of(
    frame: Frame, hour: Hour, x: float, ground: float, side: float, rng: np.random.Generator
) -> tuple[Light, Plane]:
    """Rock falling to the sea on one side, turf on its top: its picture and its mask."""
    drop = (frame.x[0] - np.float32(x)) * np.float32(side)
    shape = np.where(drop > 0, drop * 0.9 + 6.0 * np.maximum(drop - 0.12, 0) ** 2, -drop * 0.16)
    line = (ground - 0.085 + shape + 0.008 * noise_line(frame.width, 14, rng, gain=0.6)).astype(np.float32)
    mask = below(frame, line)
    rock = fractal_noise(frame.shape, 7, rng, octaves=7, gain=0.66, ridged=True)
    relief = np.clip(
        0.55 + 0.9 * (rock - np.roll(rock, (4, int(4 * side)), axis=(0, 1))) * 0.5 + 0.12 * rock, 0.08, 1.4
    )
    stone = mix(rgb("4a4642"), rgb("8a8175"), smoothstep(-1.5, 1.5, rock)) * relief[..., None]
    under = frame.y - line[None, :]
    turf = 1.0 - smoothstep(0.02, 0.06, under + 0.014 * rock)
    grass = mix(
        rgb("3d4a22"), rgb("6f7a3a"), smoothstep(-1, 1, fractal_noise(frame.shape, 50, rng, octaves=3, stretch=0.6))
    )
    wet = smoothstep(0.12, 0.40, under) * np.float32(0.55)
    light = hour.ambient * np.float32(0.9) + hour.sun * np.float32(0.30)
    return np.asarray(mix(stone, grass, turf) * light * (1 - wet)[..., None], np.float32), mask


BANDS = (rgb("b3261e"), rgb("1f2a36"), rgb("a8321e"), rgb("f0ece2"))


@dataclass(frozen=True, slots=True)
class Tower:
    """A lighthouse: its foot, size, half width at the foot, the colour of its bands and how many."""

    foot: Point
    height: float
    width: float
    band: Light
    stripes: float


def add_tower(picture: Light, frame: Frame, hour: Hour, tower: Tower, side: float) -> None:
    """A tapered round tower with bands, gallery, lamp room and dome."""
    (x, y), height, width, band = tower.foot, tower.height, tower.width, tower.band
    top = y - height
    white = rgb("f3f0e8")
    light = hour.ambient + hour.sun * np.float32(0.36)

    def around(half: float) -> Plane:
        across = np.clip((frame.x - np.float32(x)) / np.float32(half), -1, 1)
        return np.asarray(
            0.30 + 0.72 * np.clip(np.sqrt(1 - across**2) * 0.55 + across * side * 0.55 + 0.1, 0, 1), np.float32
        )

    body = polygons(
        frame, [[(x - width, y + 0.03), (x - width * 0.62, top), (x + width * 0.62, top), (x + width, y + 0.03)]]
    )
    position = np.broadcast_to((frame.y - np.float32(top)) / np.float32(height), frame.shape)
    curved = position - 0.010 * np.sqrt(np.clip(1 - np.square((frame.x - np.float32(x)) / np.float32(width)), 0, 1))
    stripe = smoothstep(-0.05, 0.05, np.sin(curved * np.float32(2 * np.pi * tower.stripes)))
    cover(picture, mix(white, band, stripe) * light * around(width)[..., None], body)
    for level in (0.3, 0.62):
        at = top + height * level
        cover(
            picture,
            rgb("20242a"),
            polygons(frame, [[(x - 0.006, at), (x + 0.006, at), (x + 0.006, at + 0.022), (x - 0.006, at + 0.022)]]),
        )
    lamp, dark = width * 0.46, rgb("2a2d31")
    deck = [
        (x - width * 0.95, top - 0.006),
        (x + width * 0.95, top - 0.006),
        (x + width * 0.8, top + 0.012),
        (x - width * 0.8, top + 0.012),
    ]
    glass = [(x - lamp, top - 0.062), (x + lamp, top - 0.062), (x + lamp, top), (x - lamp, top)]
    roof = [
        (x - lamp * 1.25, top - 0.06),
        *curve((x - lamp * 1.1, top - 0.07), (x, top - 0.125), (x + lamp * 1.1, top - 0.07)),
        (x + lamp * 1.25, top - 0.06),
    ]
    glow = rgb("ffe2a0") * np.float32(2.4 if hour.height < 0.2 else 0.5)
    cover(picture, glow, polygons(frame, [glass]))
    bars = [
        [(at - 0.0015, top - 0.062), (at + 0.0015, top - 0.062), (at + 0.0015, top), (at - 0.0015, top)]
        for at in np.linspace(x - lamp, x + lamp, 4)
    ]
    cover(picture, dark * light, polygons(frame, bars))
    for part in (deck, roof):
        cover(
            picture,
            (dark * 2 if part is deck else mix(dark, band, 0.5)) * light * around(width)[..., None],
            polygons(frame, [part]),
        )
    rails = [
        [(at - 0.001, top - 0.026), (at + 0.001, top - 0.026), (at + 0.001, top), (at - 0.001, top)]
        for at in np.linspace(x - width * 0.92, x + width * 0.92, 9)
    ]
    cover(
        picture,
        dark,
        polygons(
            frame,
            [
                *rails,
                [
                    (x - width * 0.94, top - 0.028),
                    (x + width * 0.94, top - 0.028),
                    (x + width * 0.94, top - 0.025),
                    (x - width * 0.94, top - 0.025),
                ],
            ],
        ),
    )
    if hour.height < 0.2:
        shine(picture, frame, (x, top - 0.03), 0.05, rgb("ffdf9a") * 1.3)
        beam = polygons(frame, [[(x, top - 0.03), (x + side * 1.2, top - 0.20), (x + side * 1.2, top + 0.06)]])
        fade = np.exp(-np.abs(frame.x - np.float32(x)) * 2.2) * np.float32(0.30)
        picture += (soften(beam, frame, 0.008) * fade)[..., None] * rgb("ffe9bd")


__all__ = ["disc", "lighthouse", "sailing_boat"]
