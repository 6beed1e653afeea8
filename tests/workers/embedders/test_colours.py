"""Pixels are called what people call them."""

from __future__ import annotations

import numpy as np
import pytest

from search.words.table import COLOURS
from workers.embedders.image.colours import colour_names, colour_shares

# Named colours of CSS Color Module Level 4, and what a person who knows eleven names calls them.
NAMED = {
    "black": ["#000000"],
    "white": ["#ffffff", "#fffafa", "#fffff0", "#f8f8ff", "#f5f5f5", "#faebd7"],
    "red": ["#ff0000", "#8b0000", "#dc143c", "#b22222", "#800000", "#cd5c5c", "#ff6347"],
    "green": ["#008000", "#006400", "#228b22", "#32cd32", "#00ff00", "#90ee90", "#556b2f", "#8fbc8f", "#2e8b57"],
    "yellow": ["#ffff00", "#ffd700", "#ffffe0", "#fafad2", "#f0e68c"],
    "blue": ["#0000ff", "#00008b", "#000080", "#191970", "#4169e1", "#87ceeb", "#add8e6", "#4682b4", "#5f9ea0"],
    "brown": ["#8b4513", "#d2691e", "#a0522d", "#d2b48c", "#654321"],
    "orange": ["#ffa500", "#ff8c00", "#ff7f50"],
    "pink": ["#ffc0cb", "#ffb6c1", "#ff69b4", "#ff1493", "#ff00ff"],
    "purple": ["#800080", "#4b0082", "#9932cc", "#9370db", "#663399", "#dda0dd"],
    "gray": ["#808080", "#a9a9a9", "#d3d3d3", "#696969", "#2f4f4f", "#708090"],
}  # fmt: skip


def rgb(*codes: str) -> np.ndarray:
    return np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in codes], np.uint8)


@pytest.mark.parametrize("name", COLOURS)
def test_named_colours_fall_under_the_basic_ones(name: str) -> None:
    codes = NAMED[name]

    called = {code: COLOURS[number] for code, number in zip(codes, colour_names(rgb(*codes)), strict=True)}

    assert called == dict.fromkeys(codes, name)


def test_brown_is_dark_orange_and_pink_is_light_red() -> None:
    names = [COLOURS[n] for n in colour_names(rgb("#ff8c00", "#7f4600", "#ff0000", "#ff9999"))]

    assert names == ["orange", "brown", "red", "pink"]


def test_grays_take_no_hue_from_the_noise_of_a_camera() -> None:
    noise = np.random.default_rng(0).integers(-4, 5, (2000, 3))

    for level, name in ((8, "black"), (128, "gray"), (245, "white")):
        numbers = colour_names(np.clip(level + noise, 0, 255).astype(np.uint8))
        assert np.mean(numbers == COLOURS.index(name)) > 0.98


def test_shares_are_those_of_the_pixels() -> None:
    pictures = np.zeros((2, 224, 224, 3), np.uint8)
    pictures[0, :, :56] = (220, 20, 30)
    pictures[1] = (30, 60, 220)

    shares = colour_shares(pictures)

    assert shares.dtype == np.float32
    assert shares.shape == (2, len(COLOURS))
    assert shares[0, COLOURS.index("red")] == pytest.approx(0.25)
    assert shares[0, COLOURS.index("black")] == pytest.approx(0.75)
    assert shares[1, COLOURS.index("blue")] == 1
    assert shares.sum(axis=1) == pytest.approx(1)


def test_no_pictures_have_no_shares() -> None:
    assert colour_shares(np.zeros((0, 224, 224, 3), np.uint8)).shape == (0, len(COLOURS))
