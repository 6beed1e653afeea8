"""Shoots are found from clocks, places, file names, folders and looks, and in libraries whose shoots are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import groups, shoots
from search.photographers.photos.shoots import find_shoots
from tests.plugins.planted_shoots import bcubed, pair_errors, planted_shoots

MakePhotos = Callable[..., PhotoSet]
DAY = "2021-06-01T"


@pytest.fixture
def apart(make_photos: MakePhotos) -> PhotoSet:
    """Six photos that have nothing to do with one another."""
    return replace(make_photos(2, 3, 1), visual=np.eye(6, 24, dtype=np.float32))


def _named(photos: PhotoSet, *names: str, **facts: object) -> list[list[int]]:
    """Shoots of several photos among photos with these names."""
    named = replace(photos, paths=tuple(names), **facts)  # type: ignore[arg-type]
    return [shoot for shoot in shoots(named) if len(shoot) > 1]


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_planted_shoots_are_found(seed: int) -> None:
    photos, truth = planted_shoots(seed)
    found = groups(photos)
    precision, recall = bcubed(found, truth)
    split, joined = pair_errors(found, truth)
    assert min(precision - 0.88, recall - 0.87) > 0, (precision, recall)
    assert max(split, joined) < 0.25, (split, joined)


def test_a_counter_that_wraps_is_of_one_shoot(apart: PhotoSet) -> None:
    names = [f"/a/IMG_{number:04d}.jpg" for number in (9998, 9999, 1, 2, 500, 501)]
    assert _named(apart, *names) == [[0, 1, 2, 3], [4, 5]]


def test_a_camera_goes_on_in_the_next_folder(apart: PhotoSet) -> None:
    names = ["/100CANON/IMG_9999.jpg", "/101CANON/IMG_0001.jpg", "/x/IMG_0200.jpg", *(f"/{at}.tif" for at in "abc")]
    times = (DAY + "10:00:00", DAY + "10:01:00", DAY + "10:02:00", None, None, None)
    assert _named(apart, *names, taken_at=times, cameras=("C",) * 6) == [[0, 1]]


def test_a_move_ends_a_shoot_and_a_walk_does_not(apart: PhotoSet) -> None:
    names = [f"/a/IMG_{number:04d}.jpg" for number in range(6)]
    minutes = (0, 5, 35, 40, 44, 48)
    times = tuple(f"{DAY}10:{minute:02d}:00" for minute in minutes)
    places = ((48.85, 2.35), (48.85, 2.36), (48.95, 2.35), None, (48.98, 2.35), (48.98, 2.35))
    assert _named(apart, *names, taken_at=times, places=places) == [[0, 1], [2, 3, 4, 5]]


def test_a_photo_without_time_goes_to_the_nearer_of_two_shoots(apart: PhotoSet) -> None:
    names = [f"/a/IMG_{number:04d}.jpg" for number in (10, 11, 13, 14, 15, 90)]
    times = (DAY + "08:00:00", None, None, DAY + "18:00:00", DAY + "18:01:00", DAY + "08:01:00")
    assert _named(apart, *names, taken_at=times, cameras=("C", None, None, "C", "C", "C")) == [[0, 1, 5], [2, 3, 4]]


def test_names_tell_the_time_or_begin_with_a_title(apart: PhotoSet) -> None:
    names = [
        "IMG_20190301_153012.jpg",
        "2019-03-01 15.45.00.png",
        "20190302_153012.jpg",
        "lake_one.jpg",
        "lake_two.jpg",
    ]
    assert _named(apart, *(f"/a/{name}" for name in (*names, "IMG_x.jpg"))) == [[0, 1], [3, 4]]


def test_looks_part_neighbouring_numbers_and_join_cameras_with_clocks_apart() -> None:
    photos, truth = _two_scenes()
    assert groups(photos).tolist() == truth.tolist(), "numbers alone would make one shoot of two"
    clock = tuple(f"{2020 + at % 2}-06-01T{3 + 5 * (at // 20):02d}:{at % 20:02d}:00" for at in range(80))
    timed = replace(photos, taken_at=clock, cameras=tuple("AB"[at % 2] for at in range(80)))
    assert groups(timed).tolist() == truth.tolist(), "a second camera a year behind"


def _two_scenes() -> tuple[PhotoSet, np.ndarray]:
    """80 photos with consecutive numbers, of four shoots in two folders that look different."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(4), 20)
    visual = rng.normal(size=(4, 64))[truth] + rng.normal(size=(80, 64)) * 0.5
    planted, _ = planted_shoots(0, people=3, days=4)
    photos = planted.take(np.arange(80))
    paths = tuple(f"/{'ab'[at // 40]}/IMG_{at + 1:04d}.jpg" for at in range(80))
    nothing = (None,) * 80
    unit = (visual / np.linalg.norm(visual, axis=1, keepdims=True)).astype(np.float32)
    made = replace(photos, visual=unit, paths=paths, taken_at=nothing, places=nothing, cameras=nothing)
    return replace(made, fingerprints=tuple(rng.bytes(32).hex() for _ in range(80))), truth


def test_numbers_of_any_length_are_compared(apart: PhotoSet) -> None:
    """Keys of an object store are up to 1,024 characters long."""
    names = ["/a/7.jpg", f"/a/{'9' * 1000}.jpg", f"/a/{'9' * 999}8.jpg", *(f"/{at}.tif" for at in "abc")]
    assert _named(apart, *names) == [[2, 1]]


def test_a_long_run_of_equal_photos_is_split(apart: PhotoSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.photographers.photos.shoots.LONGEST_RUN", 4)
    count = 1_200
    equal = apart.take(np.zeros(count, int))
    found = find_shoots(replace(equal, paths=tuple(f"/a/scan_{at:04d}.tif" for at in range(count))))
    assert sorted(at for shoot in found for at in shoot) == list(range(count))
    assert max(map(len, found)) == 4
