"""What the generated pictures and sounds are made of."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.sample.noise import fractal_noise, sample, smoothstep
from ingest.sample.paint import Frame, cover, mix, polygons, rgb
from ingest.sample.photographers import PHOTOGRAPHERS, EditingStyle, develop
from ingest.sample.plan import generator, moment_of
from ingest.sample.scenes import SCENES
from ingest.sample.sounds import RATE, SYNTHESISERS, find_sound, synthesise
from ingest.sample.terrain import Ground, Viewpoint, look

SMALL = Frame(240, 160)


@pytest.mark.parametrize("subject", SCENES)
def test_a_scene_fills_its_frame_and_depends_on_nothing_but_its_generator(subject: str) -> None:
    first, again, other = (SCENES[subject](SMALL, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.shape == (160, 240, 3)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() > -0.05
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.005


def test_styles_develop_one_scene_differently() -> None:
    light = SCENES["fruit-bowl"](SMALL, np.random.default_rng(1))
    prints = [develop(light, photographer.style, np.random.default_rng(0)) for photographer in PHOTOGRAPHERS]
    for i, first in enumerate(prints):
        for other in prints[:i]:
            assert np.abs(first.astype(int) - other).mean() > 4


def test_no_saturation_is_black_and_white() -> None:
    light = SCENES["flower"](SMALL, np.random.default_rng(1))
    pixels = develop(light, EditingStyle(saturation=0.0), np.random.default_rng(0)).astype(int)
    assert np.ptp(pixels, axis=2).max() <= 1


def test_one_stop_more_is_lighter_and_black_stays_black() -> None:
    light = np.linspace(0, 1, 300, dtype=np.float32).reshape(10, 10, 3)
    plain = develop(light, EditingStyle(), np.random.default_rng(0))
    lighter = develop(light, EditingStyle(exposure=1.0), np.random.default_rng(0))
    assert plain[0, 0, 0] == lighter[0, 0, 0] == 0
    assert lighter.mean() > plain.mean() + 15


def test_noise_is_standardised_and_reproducible() -> None:
    noise = fractal_noise((90, 160), 4, np.random.default_rng(2))
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    np.testing.assert_array_equal(noise, fractal_noise((90, 160), 4, np.random.default_rng(2)))


def test_a_sampled_texture_runs_on_by_mirroring() -> None:
    texture = np.arange(12, dtype=np.float32).reshape(3, 4)
    at = np.array([[0.0, 1.0, 1.25, 2.0, -0.25]], np.float32)
    taken = sample(texture, at, np.zeros_like(at))
    np.testing.assert_allclose(taken, [[0.0, 3.0, 2.25, 0.0, 0.75]], atol=1e-5)


def test_smoothstep_rises_from_0_to_1() -> None:
    np.testing.assert_allclose(smoothstep(1, 3, np.array([0.0, 1.0, 2.0, 3.0, 9.0])), [0, 0, 0.5, 1, 1])


def test_a_polygon_covers_its_area_with_smooth_edges() -> None:
    frame = Frame(300, 200)
    mask = polygons(frame, [[(-0.25, -0.25), (0.25, -0.25), (0.25, 0.25), (-0.25, 0.25)]])
    assert mask.sum() / 200**2 == pytest.approx(0.25, abs=0.01)
    picture = np.zeros((200, 300, 3), np.float32)
    cover(picture, rgb("ffffff"), mask)
    assert picture[100, 150].tolist() == [1.0, 1.0, 1.0]
    assert picture[5, 5].tolist() == [0.0, 0.0, 0.0]


def test_mix_goes_from_one_colour_to_the_other() -> None:
    black, white = rgb("000000"), rgb("ffffff")
    np.testing.assert_allclose(mix(black, white, 0.25), [0.25, 0.25, 0.25])
    assert mix(black, white, np.full((2, 3), 0.5, np.float32)).shape == (2, 3, 3)


def test_level_ground_is_seen_up_to_the_horizon() -> None:
    flat = Ground(np.zeros((64, 64), np.float32), np.ones((64, 64, 3), np.float32))
    view = look(flat, SMALL, Viewpoint(altitude=0.1, horizon=0.0, far=1.0))
    assert view.land[:80].sum() == 0
    assert view.land[100:].min() == 1
    row = 120  # y = 0.253 below the horizon: by similar triangles 0.1 / 0.253 away
    assert view.depth[row, 100] == pytest.approx(0.1 / SMALL.y[row, 0], rel=0.02)


@pytest.mark.parametrize("kind", SYNTHESISERS)
def test_a_sound_is_loud_enough_and_starts_and_ends_softly(kind: str) -> None:
    sound = synthesise(kind, f"{kind}/test")
    assert 2 * RATE <= len(sound) <= 8 * RATE
    assert np.abs(sound).max() == pytest.approx(0.8)
    assert abs(sound[0]) < 0.01
    assert abs(sound[-1]) < 0.01
    np.testing.assert_array_equal(sound, synthesise(kind, f"{kind}/test"))


def test_a_sound_is_found_by_its_title() -> None:
    assert find_sound("temple-bell") == ("bell", "sounds/bell/temple-bell.wav")


def test_randomness_and_dates_belong_to_paths() -> None:
    assert generator("a").random() == generator("a").random() != generator("b").random()
    assert moment_of("a") == moment_of("a") != moment_of("b")
