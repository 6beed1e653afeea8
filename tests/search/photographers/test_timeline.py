"""Changes of style are told from what shoots vary by; shoots have names that say where and when."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from search.errors import NotFoundError
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import INDEX
from search.photographers.profiles.drift import FALSE_ALARMS, LEAST_SHOOTS, drift
from search.photographers.profiles.people import People
from search.photographers.profiles.shoots import derived_names, shoots_of
from search.photographers.profiles.timeline import photos_of_shoot, timeline

MakePhotos = Callable[..., PhotoSet]


def _shoots(seed: int, count: int = 24, change: int | None = None) -> list[np.ndarray]:
    """Features of shoots that vary, darker and warmer from ``change`` on by more than that."""
    rng = np.random.default_rng(seed)
    made = []
    for at in range(count):
        features = 120 + 10 * rng.normal(size=78) + 15 * rng.normal(size=(int(rng.integers(3, 9)), 78))
        if change is not None and at >= change:
            features[:, INDEX["gray_mean"]] -= 60
            features[:, INDEX["red_mean"]] += 60
            features[:, INDEX["blue_mean"]] -= 60
        made.append(features.astype(np.float32))
    return made


def test_a_change_is_found_where_it_was_made_with_its_size() -> None:
    found = drift(_shoots(3, change=14))
    assert found is not None
    assert found.at == 14
    assert (found.before, found.after) == (14, 10)
    assert found.p_value <= FALSE_ALARMS
    assert {shift.words for shift in found.shifts} >= {"darker", "warmer"}
    for shift in found.shifts:
        assert shift.low < shift.difference < shift.high
        assert shift.difference == pytest.approx(shift.after - shift.before)
        if shift.feature == "gray_mean":
            assert shift.low < -60 < shift.high


def test_shuffled_shoots_raise_few_alarms() -> None:
    rng = np.random.default_rng(0)
    changed = _shoots(0, change=12)
    alarms = sum(drift([changed[at] for at in rng.permutation(len(changed))], seed) is not None for seed in range(40))
    assert alarms <= 2, "one in a hundred is expected"


def test_shuffled_orders_of_many_shoots_fit_into_memory() -> None:
    shoots = [np.random.default_rng(at).normal(100, 20, (1, 78)).astype(np.float32) for at in range(300)]
    tracemalloc.start()
    drift(shoots)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6, "all orders at once would take 180 MB"


def test_photos_of_one_shoot_are_no_evidence() -> None:
    """A thousand photos in few shoots say no more than the shoots."""
    few = [np.repeat(shoot, 100, axis=0) for shoot in _shoots(1, LEAST_SHOOTS - 1, change=5)]
    assert drift(few) is None
    assert drift([np.full((3, 78), np.nan, np.float32)] * LEAST_SHOOTS) is None


def _dated(photos: PhotoSet, days: int = 1) -> PhotoSet:
    """Photos of one person, four a shoot, a shoot every ``days`` days of 2019."""
    start = np.datetime64("2019-01-05T10:00:00")
    times = [start + np.timedelta64(days * (at // 4), "D") + np.timedelta64(at % 4, "m") for at in range(len(photos))]
    order = np.argsort(photos.ids)
    return replace(photos, taken_at=tuple(str(times[at]) for at in order))


def test_a_timeline_tells_each_shoot_and_the_change(make_photos: MakePhotos) -> None:
    plain = make_photos(1, 24, 4, names=("Ada",), told=0)
    photos = _dated(replace(plain, ids=tuple(f"{at:04d}" for at in range(len(plain)))), days=9)
    features = photos.features.copy()
    features[56:, INDEX["gray_mean"]] -= 60
    people = People(replace(photos, features=features))
    found = timeline(people, "Ada", {photos.ids[57]: "Harvest"})
    assert [shoot.photos for shoot in found.shoots] == [4] * 24
    assert [shoot.start for shoot in found.shoots] == sorted(shoot.start for shoot in found.shoots)
    assert found.shoots[0].unlike is None
    assert np.median([shoot.unlike for shoot in found.shoots[1:] if shoot.unlike is not None]) == pytest.approx(1)
    assert found.shoots[14].name == "Harvest"
    assert set(found.shoots[0].values) == {"gray_mean", "warmth", "saturation", "contrast"}
    assert found.change is not None
    assert found.change.sentence.startswith("Since May 2019 the photos are darker")
    assert found.change.shoot == found.shoots[14].id == photos.ids[56]
    assert photos_of_shoot(people, photos.ids[58]) == photos.ids[56:60]
    with pytest.raises(NotFoundError, match="No shoot"):
        photos_of_shoot(people, "nothing")


def test_too_few_shoots_are_said_to_be(make_photos: MakePhotos) -> None:
    photos = _dated(make_photos(1, 3, 4, names=("Ada",)))
    found = timeline(People(photos), "Ada", {})
    assert found.change is None
    assert any("from 20 shoots on; 3 have a date" in note for note in found.notes)


@pytest.mark.parametrize(
    ("paths", "days", "place", "names"),
    [
        ("/photos/2019/washington/{}.jpg", 40, None, ["Washington, March 2019", "Washington, February 2019"]),
        (
            "/photos/2019-03-01 Ohio_wedding/RAW/{}.jpg",
            2,
            None,
            ["Ohio wedding, 9 January 2019", "Ohio wedding, 7 January 2019"],
        ),
        ("/photos/ada/{}.jpg", 0, "Nome", ["Nome, January 2019"]),
        ("/photos/ada/{}.jpg", 40, None, ["March 2019", "February 2019"]),
    ],
)
def test_shoots_are_called_by_place_or_folder_and_date(
    make_photos: MakePhotos, paths: str, days: int, place: str | None, names: list[str]
) -> None:
    photos = make_photos(1, 3, 4, names=("Ada",))
    photos = replace(
        _dated(replace(photos, ids=tuple(f"{at:04d}" for at in range(12))), days),
        paths=tuple(paths.format(at) for at in range(12)),
        place_names=(place,) * 12,
    )
    assert derived_names(photos, shoots_of(photos, np.arange(12)))[: len(names)] == names


def test_shoots_without_a_date_go_by_the_names_of_their_files(make_photos: MakePhotos) -> None:
    photos = make_photos(1, 2, 3, names=("Ada",))
    paths = tuple(f"/DCIM/IMG_{at:04d}.jpg" for at in (1, 2, 3, 501, 502, 503))
    named = derived_names(replace(photos, paths=paths), shoots_of(replace(photos, paths=paths), np.arange(6)))
    assert sorted(named) == ["IMG_0001 to IMG_0003", "IMG_0501 to IMG_0503"]
