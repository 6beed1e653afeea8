"""Two photographers beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.photographers.photos.features import INDEX
from search.photographers.profiles.comparison import compare
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.profiles.people import People


@pytest.fixture
def people(make_photos: Any) -> People:
    """The second photographer's photos have deeper shadows; nothing else is told apart by features."""
    photos = make_photos(3, sessions=8, each=3, told=0.0, session=0.0, names=("ada_b", "bo", "cy"))
    features = photos.features.copy()
    features[[name == "bo" for name in photos.names], INDEX["shadows"]] += 6
    features[0, INDEX["saturation"]] = np.nan
    paths = tuple(f"/archive/{at // 3}/IMG_{at}.jpg" for at in range(len(photos)))
    return People(replace(photos, features=features, paths=paths))


def test_what_tells_two_apart_comes_first_with_its_interval(people: People) -> None:
    found = compare(people, "ada_b", "bo", None, {})
    first = found.traits[0]
    assert (first.feature, first.certain, first.effect < -2) == ("shadows", True, True)
    assert first.one.low < first.one.value < first.one.high < first.other.low
    assert first.difference.high < 0
    assert first.difference.value == pytest.approx(first.one.value - first.other.value)
    assert sum(trait.certain for trait in found.traits) <= 5  # the others differ by chance alone
    assert found.one.display_name == "Ada B."
    assert set(found.similarity) == set(found.pairs) == {"style", "subject"}
    assert found.one.styles
    turned = compare(people, "bo", "ada_b", None, {})
    assert turned.traits[0].words != first.words
    assert turned.traits[0].difference.value == pytest.approx(-first.difference.value)


def test_who_is_taken_for_whom_is_counted_among_photos_that_were_asked_about(people: People) -> None:
    photos = people.photos
    mine = [id_ for id_, name in zip(photos.ids, photos.names, strict=True) if name == "ada_b"][:6]
    rows = {id_: np.eye(3, dtype=np.float32)[at] for id_, at in zip(mine, (0, 0, 0, 1, 2, 1), strict=True)}
    found = compare(people, "ada_b", "bo", OutOfFold(("ada_b", "bo", "cy"), rows), {})
    ada, bo = found.taken_for
    assert (ada.photos, ada.as_one, ada.as_other, ada.as_others) == (6, 3, 2, 1)
    assert (bo.photographer, bo.photos) == ("bo", 0)
    assert compare(people, "ada_b", "bo", OutOfFold(("cy",), rows), {}).taken_for == ()


def test_nobody_is_compared_with_themselves(people: People) -> None:
    with pytest.raises(UsageError, match="themselves"):
        compare(people, "bo", "bo", None, {})
