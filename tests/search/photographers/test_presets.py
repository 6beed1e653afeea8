"""Presets do to pictures what their parameters say."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from search.photographers.develop.colours import LUMA, to_linear, to_tone
from search.photographers.develop.settings import DEVIATIONS, PARAMETERS, RANGES, Preset
from workers.photographers.benchmark.presets import JITTER, distance, draw_presets, jitter
from workers.photographers.develop.render import apply


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)


def flat(*colour: int, size: tuple[int, int] = (41, 61)) -> NDArray[np.uint8]:
    return np.full((*size, 3), colour, np.uint8)


def middle(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(np.float64)


def test_no_preset_changes_nothing(rng: np.random.Generator) -> None:
    picture = noise(rng)
    before = picture.copy()
    assert np.array_equal(apply(picture, Preset(), rng), before)


def test_the_picture_given_is_left_alone(rng: np.random.Generator) -> None:
    picture = noise(rng)
    before = picture.copy()
    for preset in draw_presets(5, rng):
        assert apply(picture, preset, rng).dtype == np.uint8
        assert np.array_equal(picture, before)


@pytest.mark.parametrize("stops", [-1.0, 0.5, 1.0])
def test_exposure_multiplies_light(stops: float, rng: np.random.Generator) -> None:
    grays = np.arange(20, 150, dtype=np.uint8)
    picture = np.repeat(grays[None, :, None], 3, axis=2)
    developed = apply(picture, Preset(exposure=stops), rng)
    expected = to_tone(to_linear(grays / 255.0) * 2**stops) * 255
    assert np.abs(developed[0, :, 0] - expected).max() <= 0.55  # rounding, and the steps of the table


def test_exposure_clips_at_white(rng: np.random.Generator) -> None:
    assert (apply(flat(230, 230, 230), Preset(exposure=1.0), rng) == 255).all()


def test_warmth_and_magenta_keep_the_luminance_of_gray(rng: np.random.Generator) -> None:
    gray = float(to_linear(np.array(90 / 255.0)))
    warm = middle(apply(flat(90, 90, 90), Preset(temperature=0.5), rng))
    assert warm[0] > 90 > warm[2]
    magenta = middle(apply(flat(90, 90, 90), Preset(tint=0.2), rng))
    assert magenta[1] < 90 < min(magenta[0], magenta[2])
    for colour in (warm, magenta):
        assert LUMA @ to_linear(colour / 255) == pytest.approx(gray, rel=0.02)


@pytest.mark.parametrize("contrast", [-1.0, -0.5, 0.8, 1.0])
def test_the_tone_curve_is_monotone_and_keeps_its_ends(contrast: float, rng: np.random.Generator) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    tones = apply(ramp, Preset(contrast=contrast), rng)[0, :, 0].astype(int)
    assert (np.diff(tones) >= 0).all()
    assert (tones[0], tones[255]) == (0, 255)
    assert np.sign(tones[200] - 200) == np.sign(contrast) == np.sign(55 - tones[55])


def test_fade_lifts_black_and_leaves_white(rng: np.random.Generator) -> None:
    assert middle(apply(flat(0, 0, 0), Preset(fade=0.1), rng)) == pytest.approx(25.5, abs=0.51)
    assert (apply(flat(255, 255, 255), Preset(fade=0.1), rng) == 255).all()


def test_saturation_scales_the_distance_from_gray(rng: np.random.Generator) -> None:
    colour = np.array((150, 110, 90.0))
    gray = LUMA @ colour
    assert np.ptp(middle(apply(flat(150, 110, 90), Preset(saturation=0.0), rng))) == 0
    richer = middle(apply(flat(150, 110, 90), Preset(saturation=1.5), rng))
    assert np.allclose(richer, gray + 1.5 * (colour - gray), atol=0.6)


def test_split_toning_tints_one_end_only_and_keeps_luma(rng: np.random.Generator) -> None:
    preset = Preset(shadow_warmth=0.06)
    dark = middle(apply(flat(25, 25, 25), preset, rng)) - 25
    light = middle(apply(flat(240, 240, 240), preset, rng)) - 240
    assert dark[0] > 5
    assert dark[2] < -5
    assert np.abs(light).max() <= 1
    assert LUMA @ dark == pytest.approx(0, abs=1)
    other = middle(apply(flat(240, 240, 240), Preset(highlight_magenta=0.03), rng)) - 240
    assert other[1] < 0 < min(other[0], other[2])


def test_a_vignette_darkens_corners_by_its_stops_and_leaves_the_centre(rng: np.random.Generator) -> None:
    developed = apply(flat(180, 180, 180), Preset(vignette=1.0), rng)
    assert (middle(developed) == 180).all()
    light = to_linear(np.array(180 / 255.0))
    for corner in (developed[0, 0], developed[0, -1], developed[-1, 0], developed[-1, -1]):
        assert to_linear(corner / 255.0) == pytest.approx(light / 2, rel=0.03)
    half_way = developed[developed.shape[0] // 4, developed.shape[1] // 4]
    assert to_linear(half_way / 255.0) == pytest.approx(light * 2 ** -(1 / 16), rel=0.03)


def test_grain_is_monochrome_of_its_deviation_and_spares_black_and_white(rng: np.random.Generator) -> None:
    size = (200, 200)
    grainy = apply(flat(128, 128, 128, size=size), Preset(grain=8.0), rng).astype(float)
    assert grainy[..., 0].std() == pytest.approx(8, rel=0.03)
    assert np.array_equal(grainy[..., 0], grainy[..., 1])
    assert grainy.mean() == pytest.approx(128, abs=0.3)
    for end in (0, 255):
        assert (apply(flat(end, end, end, size=size), Preset(grain=8.0), rng) == end).all()


def test_grain_is_the_generators(rng: np.random.Generator) -> None:
    picture, preset = noise(rng), Preset(grain=8.0)
    first = apply(picture, preset, np.random.default_rng(1))
    assert np.array_equal(first, apply(picture, preset, np.random.default_rng(1)))
    assert not np.array_equal(first, apply(picture, preset, np.random.default_rng(2)))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_slivers_are_developed_too(size: tuple[int, int], rng: np.random.Generator) -> None:
    for preset in draw_presets(3, rng):
        assert apply(flat(100, 120, 140, size=size), preset, rng).shape == (*size, 3)


def test_presets_lie_in_their_ranges_and_fill_them(rng: np.random.Generator) -> None:
    presets = draw_presets(30, rng)
    for name in PARAMETERS:
        values = np.array([getattr(preset, name) for preset in presets])
        limits = RANGES[name]
        assert limits.low <= values.min() < values.max() <= limits.high
        assert np.ptp(values) > 0.9 * (limits.high - limits.low)
    vectors = np.stack([preset.vector for preset in presets])
    assert np.allclose(vectors.std(axis=0), 1, atol=0.05)
    assert min(distance(a, b) for a, b in itertools.combinations(presets, 2)) > 1


def test_the_default_preset_is_drawn_never_but_within_every_range() -> None:
    for name, limits in RANGES.items():
        assert limits.least <= limits.low <= getattr(Preset(), name) <= limits.high <= limits.most


@pytest.mark.parametrize("level", JITTER.values())
def test_jitter_has_its_deviation(level: float, rng: np.random.Generator) -> None:
    away = replace(Preset(), fade=0.3, vignette=3.0, grain=40.0)  # so far from the limits that none is met
    moved = np.stack([jitter(away, level, rng).vector for _ in range(2000)]) - away.vector
    assert np.allclose(moved.std(axis=0), level, rtol=0.1)
    assert np.abs(moved.mean(axis=0)).max() < 0.1 * level + 0.01


def test_jitter_keeps_to_what_is_possible(rng: np.random.Generator) -> None:
    edge = Preset(contrast=1.0, fade=0.0, saturation=0.0, vignette=0.0, grain=0.0)
    for _ in range(200):
        moved = jitter(edge, 0.5, rng)
        for name, limits in RANGES.items():
            assert limits.least <= getattr(moved, name) <= limits.most


def test_distance_counts_in_deviations_between_presets() -> None:
    exposure = PARAMETERS.index("exposure")
    assert distance(Preset(), Preset(exposure=2 * float(DEVIATIONS[exposure]))) == pytest.approx(2)
    assert distance(Preset(grain=3.0), Preset(grain=3.0)) == 0
