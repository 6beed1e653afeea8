"""How films move, whatever they show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workers.decode.sandbox.options import DecodeOptions
from workers.embedders.video.flow import flow_embedder
from workers.embedders.video.movements import Film, make_film


@pytest.fixture
def movement(decode, options: DecodeOptions, tmp_path: Path, write_video):
    """The numbers of frames at so many a second, once they are a file."""

    def measured(frames, rate: int):
        path = write_video(tmp_path / "film.mp4", frames, rate=rate)
        return decode(path, using=replace(options, movement=True)).movement

    return measured


def photo(seed: int) -> np.ndarray:
    """Soft blobs, uint8 (240, 320, 3)."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(0, 256, (24, 32, 3)), np.ones((10, 10, 1)))
    return ((coarse + np.roll(coarse, 4, (0, 1)) + np.roll(coarse, -3, (0, 1))) / 3).astype(np.uint8)


def film(name: str, seed: int) -> Film:
    return make_film(photo(seed), name, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("one", "other"),
    [("pan left", "pan right"), ("tilt up", "tilt down"), ("zoom in", "zoom out"), ("turn left", "turn right")],
)
def test_the_way_a_camera_moves_is_told_over_other_pictures(movement, one: str, other: str) -> None:
    embed = flow_embedder().embed
    asking, same, opposite = (
        embed(movement(made.frames, made.rate))[0] for made in (film(one, 1), film(one, 2), film(other, 3))
    )
    assert asking @ same > asking @ opposite + 0.2


def test_the_frame_rate_does_not_count(movement) -> None:
    embed, made = flow_embedder().embed, film("turn left", 4)
    whole = embed(movement(made.frames[: 2 * made.rate], made.rate))[0]
    half = embed(movement(made.frames[: 2 * made.rate : 2], made.rate // 2))[0]
    assert whole @ half > 0.8


def test_what_does_not_move_has_no_movement(movement, decode, tmp_path: Path, write_video) -> None:
    still, other = photo(5), photo(6)
    assert movement([still] * 40, 20) is None
    assert movement([still], 20) is None
    assert movement([still] * 20 + [other] * 20, 20) is None  # a cut is no movement
    assert movement([still, np.roll(still, 8, 1), np.roll(still, 16, 1), np.roll(still, 24, 1)], 10) is not None
    assert decode(write_video(tmp_path / "b.mp4", [still] * 20)).movement is None


def test_numbers_are_finite_for_tiny_and_plain_films(movement) -> None:
    flashing = [np.full((32, 32, 3), 60 + 150 * (number % 2), np.uint8) for number in range(30)]
    thin = [np.roll(photo(7)[:16], 5 * number, 1) for number in range(20)]
    for frames in (flashing, thin):
        numbers = movement(frames, 10)
        assert numbers is None or np.isfinite(flow_embedder().embed(numbers)).all()
