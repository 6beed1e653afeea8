"""Photos that must not be parted by a test are found, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import (
    groups,
    near_duplicate_groups,
    of_known_shoots,
    shoots,
    widened,
)
from search.photographers.photos.shoots import LONGEST_RUN

MakePhotos = Callable[..., PhotoSet]


@pytest.fixture
def apart(make_photos: MakePhotos) -> PhotoSet:
    """Six photos that have nothing to do with one another."""
    photos = make_photos(2, 3, 1)
    return replace(photos, visual=np.eye(6, 24, dtype=np.float32))


def _together(photos: PhotoSet) -> list[list[int]]:
    grouped = groups(photos)
    return [np.flatnonzero(grouped == group).tolist() for group in np.unique(grouped) if (grouped == group).sum() > 1]


def test_photos_apart_are_groups_of_their_own(apart: PhotoSet) -> None:
    assert groups(apart).tolist() == [0, 1, 2, 3, 4, 5]


def test_edits_of_one_picture_are_together(apart: PhotoSet) -> None:
    prints = list(apart.fingerprints)
    prints[4] = f"{int(prints[1] or '', 16) ^ 0b111:064x}"
    edited = replace(apart, fingerprints=tuple(prints))
    assert _together(edited) == [], "close fingerprints alone may be mere layout"
    visual = apart.visual.copy()
    visual[4] = (visual[1] + visual[4]) / np.sqrt(2)
    assert _together(replace(edited, visual=visual)) == [[1, 4]]


def test_frames_of_a_burst_are_together_whatever_they_are_called(apart: PhotoSet) -> None:
    visual = apart.visual.copy()
    visual[5] = visual[0]
    assert _together(replace(apart, visual=visual)) == [[0, 5]]


def test_a_shoot_ends_with_a_pause_and_has_one_folder(apart: PhotoSet) -> None:
    day = "2021-06-01T"
    at = [day + "10:00:00", day + "11:30:00", day + "13:00:00", day + "16:00:00", day + "10:10:00", day + "10:20:00"]
    cameras = ("K", "K", "K", "K", "other", "K")
    paths = ("/a/1.jpg", "/a/x.jpg", "/a/3.jpg", "/a/4.jpg", "/a/5.jpg", "/b/6.jpg")
    timed = replace(apart, taken_at=tuple(at), cameras=cameras, paths=paths)
    assert _together(timed) == [[0, 1, 2, 4]], "a second camera in the folder is of the same shoot"


def test_times_with_and_without_zone_and_nonsense_are_borne(apart: PhotoSet) -> None:
    at = ("2021-06-01T10:00:00+02:00", "2021-06-01T10:30:00", "", "soon", None, "0001-01-01T00:00:00")
    assert _together(replace(apart, taken_at=at)) == [[0, 1]]


def test_neighbouring_numbers_are_one_session_where_no_time_is_known(apart: PhotoSet) -> None:
    names = ("IMG_0007.jpg", "IMG_0009.jpg", "IMG_0030.jpg", "DSC_0008.jpg", "IMG_0011.png", "view.jpg")
    assert _together(replace(apart, paths=tuple(f"/a/{name}" for name in names))) == [[0, 1]]


def test_a_long_run_of_numbers_is_parted_where_neighbours_are_least_alike(make_photos: MakePhotos) -> None:
    n = LONGEST_RUN + 8
    photos = make_photos(1, 1, n, told=0, session=0)
    visual = np.zeros((n, 24), np.float32)
    visual[:18, 0] = visual[18:, 1] = 1
    found = shoots(replace(photos, visual=visual))
    assert found == [list(range(18)), list(range(18, n))]


def test_names_play_no_part(make_photos: MakePhotos) -> None:
    photos = make_photos(3, 3, 3)
    swapped = replace(photos, names=tuple(reversed(photos.names)))
    np.testing.assert_array_equal(groups(photos), groups(swapped))


def test_every_photo_is_in_one_session(make_photos: MakePhotos) -> None:
    photos = make_photos(3, 4, 5)
    assert sorted(at for session in shoots(photos) for at in session) == list(range(len(photos)))


def test_one_long_session_is_parted_in_shooting_order_when_there_must_be_more(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 1, 6)
    parted = widened(groups(photos), photos.names, photos, 3)
    for own in (parted[:6], parted[6:]):
        assert len(np.unique(own)) == 3
        assert (np.diff(own) >= 0).all(), "parts follow one another"
    assert not set(parted[:6]) & set(parted[6:])


def test_three_photos_make_three_groups_at_most(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 1, 3)
    assert len(np.unique(widened(groups(photos), photos.names, photos, 5))) == 6


def test_enough_groups_are_left_as_they_are(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 3, 3)
    grouped = groups(photos)
    np.testing.assert_array_equal(widened(grouped, photos.names, photos, 3), grouped)


def test_tested_photos_are_of_a_known_shoot_or_of_a_new_one(apart: PhotoSet) -> None:
    names = ("IMG_0001.jpg", "IMG_0002.jpg", "IMG_0100.jpg", "IMG_0101.jpg", "IMG_0102.jpg", "IMG_0900.jpg")
    found = groups(replace(apart, paths=tuple(f"/a/{name}" for name in names)))
    trained, tested = np.array([0, 2]), np.array([5, 3, 1, 4])
    assert of_known_shoots(found, trained, tested).tolist() == [False, True, True, True]
    halves = np.arange(6) < 3
    assert of_known_shoots(found, halves, ~halves).tolist() == [True, True, False]
    assert not of_known_shoots(found, trained[:0], tested).any()


def test_near_duplicates_are_grouped_without_the_rest_of_their_shoot(apart: PhotoSet) -> None:
    visual = apart.visual.copy()
    visual[2] = visual[0]
    alike = replace(apart, visual=visual, paths=tuple(f"/a/IMG_000{at}.jpg" for at in range(6)))
    assert len(np.unique(groups(alike))) == 1
    assert near_duplicate_groups(alike).tolist() == [0, 1, 0, 2, 3, 4]
