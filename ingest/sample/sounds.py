"""Seven kinds of synthesised sound; each is a function from a random generator to samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.sample.plan import SampleFile, SampleItem, generator
from ingest.sample.recording import encode_sound
from search.media import Kind

Samples: TypeAlias = NDArray[np.floating[Any]]
"""Mono sound, float64 (n,), at :data:`RATE`, within [-1, 1]."""

RATE = 48_000
"""Samples a second: the one rate that every encoder used here accepts."""

TITLES = {
    "bell": (("temple-bell", "wav"), ("church-bell", "mp3"), ("hand-bell", "flac"), ("ship-bell", "ogg")),
    "guitar": (
        ("guitar-morning", "flac"),
        ("guitar-waltz", "m4a"),
        ("guitar-ballad", "mp3"),
        ("guitar-lullaby", "wav"),
    ),
    "wind": (("wind-on-the-ridge", "opus"), ("wind-in-pines", "wav"), ("desert-wind", "mp3"), ("winter-wind", "flac")),
    "engine": (("engine-idle", "wav"), ("engine-street", "mp3"), ("engine-truck", "ogg"), ("engine-boat", "m4a")),
    "birds": (
        ("birds-at-dawn", "ogg"),
        ("birds-in-garden", "opus"),
        ("birds-by-the-lake", "wav"),
        ("birds-in-pines", "mp3"),
    ),
    "drums": (("drums-slow", "mp3"), ("drums-march", "wav"), ("drums-funk", "flac"), ("drums-fast", "opus")),
    "sea": (("sea-waves-calm", "m4a"), ("sea-waves-beach", "wav"), ("sea-surf", "opus"), ("sea-waves-harbour", "mp3")),
}
"""Kind of sound to the name and format of each of its variations."""


def sound_items() -> list[SampleItem]:
    """All sounds, kind by kind."""
    items = []
    for kind, titles in TITLES.items():
        for title, extension in titles:
            path = sound_path(kind, title, extension)
            file = SampleFile(path, Kind.AUDIO, sound=kind)
            items.append(SampleItem(file, partial(record, kind, path, extension)))
    return items


def sound_path(kind: str, title: str, extension: str) -> str:
    """Path of a sound in the library."""
    return f"sounds/{kind}/{title}.{extension}"


def find_sound(title: str) -> tuple[str, str]:
    """Kind and path of the sound of that title."""
    return next(
        (kind, sound_path(kind, name, extension))
        for kind, titles in TITLES.items()
        for name, extension in titles
        if name == title
    )


def record(kind: str, path: str, extension: str, folder: Path) -> bytes:
    """A synthesised sound as a file."""
    return encode_sound(synthesise(kind, path), RATE, extension)


def synthesise(kind: str, path: str) -> Samples:
    """The sound that belongs to a path: always the same, peaking at 0.8, with soft ends."""
    sound = SYNTHESISERS[kind](generator(path))
    sound *= 0.8 / max(float(np.abs(sound).max()), 1e-9)
    ramp = np.linspace(0, 1, RATE // 50)
    sound[: len(ramp)] *= ramp
    sound[-len(ramp) :] *= ramp[::-1]
    return sound


def seconds(length: float) -> Samples:
    """Times of a sound that long, in seconds."""
    return np.arange(int(length * RATE)) / RATE


def shaped_noise(count: int, shape: Callable[[Samples], Samples], rng: np.random.Generator) -> Samples:
    """White noise with its spectrum multiplied by ``shape`` (hertz to gain), at deviation 1."""
    size = 1 << (count - 1).bit_length()  # a power of two: other lengths may take many times as long
    spectrum = np.fft.rfft(rng.standard_normal(size))
    noise = np.fft.irfft(spectrum * shape(np.fft.rfftfreq(size, 1 / RATE)), size)[:count]
    return noise / float(noise.std())


def band(centre: float, octaves: float) -> Callable[[Samples], Samples]:
    """A smooth band-pass around a frequency."""
    return lambda hertz: np.exp(-np.square(np.log2(np.maximum(hertz, 1.0) / centre) / octaves))


def slow(count: int, per_second: float, rng: np.random.Generator) -> Samples:
    """A smooth random curve between 0 and 1 that changes direction about ``per_second`` times a second."""
    knots = max(4, int(count / RATE * per_second) + 3)
    at = np.linspace(0, knots - 1, count)
    values = rng.random(knots)
    index = np.minimum(at.astype(int), knots - 2)
    blend = (1 - np.cos(np.pi * (at - index))) / 2
    curve: Samples = values[index] * (1 - blend) + values[index + 1] * blend
    return curve


def bell(rng: np.random.Generator) -> Samples:
    """Struck bronze: partials of a church bell, each dying away at its own pace (Source: Risset 1969)."""
    t = seconds(rng.uniform(3.0, 4.0))
    fundamental = rng.uniform(180, 620)
    partials = (
        (0.5, 0.6, 1.0),
        (1.0, 1.0, 0.8),
        (1.19, 0.7, 0.6),
        (1.5, 0.5, 0.5),
        (2.0, 0.9, 0.45),
        (2.74, 0.5, 0.3),
        (3.76, 0.35, 0.2),
        (4.07, 0.3, 0.15),
    )
    sound = np.zeros_like(t)
    for strike in np.arange(0, t[-1] - 1.0, rng.uniform(0.9, 1.6)):
        since = np.maximum(t - strike, 0)
        for ratio, amplitude, ring in partials:
            tone = np.sin(2 * np.pi * fundamental * ratio * (1 + rng.normal(0, 0.001)) * since + rng.uniform(0, 6))
            sound += (t >= strike) * amplitude * tone * np.exp(-since / (ring * 2.2)) * rng.uniform(0.8, 1.0)
    return sound


def guitar(rng: np.random.Generator) -> Samples:
    """A plucked melody with a bass note to each bar (Source: Karplus and Strong 1983)."""
    beat = rng.uniform(0.22, 0.34)
    scale = np.array([0, 2, 4, 7, 9, 12, 14, 16])
    root = rng.uniform(150, 220)
    notes = int(4.2 / beat)
    sound = np.zeros(int((notes * beat + 1.2) * RATE))
    step = int(rng.integers(2, 6))
    for note in range(notes):
        step = int(np.clip(step + rng.integers(-2, 3), 0, len(scale) - 1))
        start = int(note * beat * RATE)
        add(sound, start, pluck(root * 2 ** (scale[step] / 12), 1.2, rng) * rng.uniform(0.7, 1.0))
        if note % 4 == 0:
            add(sound, start, pluck(root / 2 * 2 ** (scale[step % 3] / 12), 1.2, rng))
    return sound


def pluck(hertz: float, length: float, rng: np.random.Generator) -> Samples:
    """One string: a burst of noise that runs round a loop of one period and loses its edge each time."""
    period = max(2, round(RATE / hertz))
    loop = rng.uniform(-1, 1, period)
    rounds = []
    for _ in range(int(length * RATE / period)):
        rounds.append(loop)
        loop = 0.996 * 0.5 * (loop + np.roll(loop, 1))
    return np.concatenate(rounds)


def add(sound: Samples, start: int, part: Samples) -> None:
    """Mix a part into a sound, in place, as far as it fits."""
    fitting = part[: max(0, len(sound) - start)]
    sound[start : start + len(fitting)] += fitting


def wind(rng: np.random.Generator) -> Samples:
    """Air in gusts: bands of noise, the higher ones only in the stronger gusts."""
    count = int(rng.uniform(3.5, 4.5) * RATE)
    gust = slow(count, 1.2, rng)
    sound = 0.5 * shaped_noise(count, band(140, 1.0), rng) * (0.4 + 0.6 * gust)
    for centre in rng.uniform(350, 900, 3):
        sound += 0.5 * shaped_noise(count, band(centre, 0.16), rng) * gust**2 * slow(count, 2.0, rng)
    return sound


def engine(rng: np.random.Generator) -> Samples:
    """Ignitions at a changing pace, each a thump with a rattle, over the hum of the exhaust."""
    t = seconds(rng.uniform(3.2, 4.2))
    rate = rng.uniform(26, 62) * (1 + 0.25 * np.interp(t, [0, t[-1] * 0.4, t[-1]], rng.uniform(-1, 1, 3)))
    phase = 2 * np.pi * np.cumsum(rate) / RATE
    sound = np.zeros_like(t)
    for harmonic in range(1, 28):
        sound += np.sin(harmonic * phase + rng.uniform(0, 6)) * rng.uniform(0.4, 1.0) / harmonic**0.8
    rattle = shaped_noise(len(t), band(1400, 0.9), rng) * np.maximum(np.sin(phase), 0) ** 6
    running: Samples = np.tanh(sound * 0.5) + 0.16 * rattle
    return running


def birds(rng: np.random.Generator) -> Samples:
    """Two or three singers: chirps that sweep up or down, in short phrases."""
    length = rng.uniform(3.5, 4.5)
    sound = 0.004 * shaped_noise(int(length * RATE), band(3000, 1.5), rng)
    for _ in range(int(rng.integers(2, 4))):
        pitch, sweep = rng.uniform(2200, 4300), rng.uniform(-0.35, 0.35)
        chirp, gap = rng.uniform(0.05, 0.14), rng.uniform(0.06, 0.16)
        at = rng.uniform(0, 0.6)
        while at < length - 0.4:
            for _ in range(int(rng.integers(2, 7))):
                t = seconds(chirp)
                curve = pitch * (1 + sweep * t / chirp + 0.04 * np.sin(2 * np.pi * 28 * t))
                tone = np.sin(2 * np.pi * np.cumsum(curve) / RATE) * np.sin(np.pi * t / chirp) ** 2
                add(sound, int(at * RATE), tone * rng.uniform(0.5, 1.0))
                at += chirp + gap
            at += rng.uniform(0.25, 0.7)
    return sound


def drums(rng: np.random.Generator) -> Samples:
    """Two bars of bass drum, snare and hi-hat."""
    beat = 60 / rng.uniform(84, 148) / 2
    sound = np.zeros(int(beat * 16 * RATE) + RATE // 4)
    extra = rng.random(16) < 0.25
    for step in range(16):
        start = int(step * beat * RATE)
        if step % 8 in (0, 5) or (step % 2 and extra[step]):
            t = seconds(0.28)
            add(sound, start, np.sin(2 * np.pi * (52 * t + 18 * (1 - np.exp(-t * 30)))) * np.exp(-t * 14))
        if step % 4 == 2:
            t = seconds(0.22)
            snare = shaped_noise(len(t), band(1900, 1.3), rng) * 0.30 + 0.5 * np.sin(2 * np.pi * 190 * t)
            add(sound, start, snare * np.exp(-t * 18))
        t = seconds(0.07)
        add(sound, start, 0.10 * shaped_noise(len(t), band(9000, 0.6), rng) * np.exp(-t * 60))
    return sound


def sea(rng: np.random.Generator) -> Samples:
    """Waves that swell, break and run out over sand."""
    t = seconds(rng.uniform(4.0, 5.0))
    sound = 0.25 * shaped_noise(len(t), lambda hertz: 1 / np.maximum(hertz, 60) ** 0.7, rng)
    for start in np.arange(-0.8, t[-1], rng.uniform(1.4, 2.0)):
        since = t - start - rng.uniform(0, 0.3)
        swell = np.where(since < 0.8, np.clip(since / 0.8, 0, 1) ** 3, np.exp(-(since - 0.8) * 1.9))
        hiss = np.where(since > 0.7, np.exp(-(since - 0.7) * 1.1) * np.clip((since - 0.7) * 4, 0, 1), 0)
        sound += swell * shaped_noise(len(t), lambda hertz: 1 / np.maximum(hertz, 80) ** 0.5, rng)
        sound += 0.4 * hiss * shaped_noise(len(t), band(4200, 1.1), rng)
    return sound


SYNTHESISERS: dict[str, Callable[[np.random.Generator], Samples]] = {
    "bell": bell,
    "guitar": guitar,
    "wind": wind,
    "engine": engine,
    "birds": birds,
    "drums": drums,
    "sea": sea,
}
