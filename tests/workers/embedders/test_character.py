"""Words that are said of sounds by what is measured of them."""

from __future__ import annotations

import numpy as np
import pytest

from workers.embedders.sound.character import SoundCharacter
from workers.embedders.sound.rows import RATE, Samples, segments

SECONDS = np.arange(6 * RATE) / RATE


def tone(hertz: float, level: float = 0.1) -> Samples:
    orders = np.arange(1, 6)[:, None]
    return (level * (np.sin(2 * np.pi * hertz * orders * SECONDS) / orders).sum(axis=0)).astype(np.float32)


def clicks(a_second: float) -> Samples:
    rng = np.random.default_rng(0)
    phase = (SECONDS * a_second) % 1 / a_second
    return (0.3 * rng.normal(size=len(SECONDS)) * np.exp(-phase / 0.01)).astype(np.float32)


def noise() -> Samples:
    return (0.1 * np.random.default_rng(0).normal(size=len(SECONDS))).astype(np.float32)


def words(sound: Samples, *, speech: bool = False) -> tuple[str, ...]:
    character = SoundCharacter()
    for segment in segments([sound]):
        character.add(segment.samples, speech)
    return character.words()


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (tone(220), ("tonal",)),
        (tone(90), ("tonal", "low-pitched")),
        (tone(700), ("tonal", "high-pitched")),
        (tone(220, 0.002), ("tonal", "quiet")),
        (tone(220, 0.5), ("tonal", "loud")),
        (clicks(6), ("percussive", "noise", "fast")),
        (clicks(0.8), ("percussive", "noise", "slow")),
        (np.zeros(RATE, np.float32), ("silence",)),
        (np.zeros(0, np.float32), ("silence",)),
    ],
)
def test_what_a_sound_is_like_is_said_in_words(sound: Samples, said: tuple[str, ...]) -> None:
    assert words(sound) == said


def test_noise_is_neither_tonal_nor_a_beat() -> None:
    assert "noise" in words(noise())
    assert not {"tonal", "fast", "slow"} & set(words(noise()))


@pytest.mark.parametrize(
    ("hertz", "said"), [(110, ("speech", "low voice")), (155, ("speech",)), (220, ("speech", "high voice"))]
)
def test_speech_has_a_high_or_a_low_voice_or_neither(hertz: float, said: tuple[str, ...]) -> None:
    assert words(tone(hertz), speech=True) == said


def test_a_click_of_a_few_samples_and_a_constant_are_measured_without_a_warning() -> None:
    words(np.array([0.5, -0.5, 0.1], np.float32))
    words(np.full(RATE, 0.25, np.float32))
