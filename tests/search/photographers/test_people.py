"""What is told of photographers whose ways are known, because they were planted."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from search.errors import NotFoundError
from search.media import Credit, media_id
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import INDEX
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.profiles.people import People
from search.spaces import Space

VISUAL = Space("visual", "planted", "1", "none", 32)
STYLE = Space("style", "planted", "1", "none", 16)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Planted:
    """Photos drawn around known middles; every photo is a session of its own unless said otherwise."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows: list[dict[str, Any]] = []

    def add(
        self,
        name: str | None,
        count: int,
        style: np.ndarray | float = 0.0,
        subject: np.ndarray | float = 0.0,
        *,
        noise: float = 1.0,
        features: dict[str, float] | None = None,
        **facts: Any,
    ) -> None:
        for _ in range(count):
            number = len(self.rows)
            values = self.rng.normal(100, 10, 78)
            for feature, shift in (features or {}).items():
                values[INDEX[feature]] += shift
            self.rows.append(
                {
                    "ids": media_id(f"{number:064}"),
                    "names": name,
                    "features": values,
                    "visual": self.rng.normal(size=32) + subject,
                    "style": noise * self.rng.normal(size=16) + style,
                    **dict.fromkeys(("taken_at", "places", "place_names", "cameras", "lenses")),
                    "paths": f"/photos/{number}/x.jpg",
                    "fingerprints": None,
                    "credits": None if name is None else "exif",
                    "thumbnails": None,
                    **{key: value(number) if callable(value) else value for key, value in facts.items()},
                }
            )

    def direction(self, size: int, length: float) -> np.ndarray:
        row = self.rng.normal(size=size)
        return length * row / np.linalg.norm(row)

    @property
    def photos(self) -> PhotoSet:
        columns = {name: tuple(row[name] for row in self.rows) for name in self.rows[0]}
        for name in ("visual", "style"):
            columns[name] = unit(np.stack(columns[name]))
        columns["features"] = np.stack(columns["features"]).astype(np.float32)
        return PhotoSet(visual_space=VISUAL, style_space=STYLE, **columns)


@pytest.fixture
def planted() -> Planted:
    return Planted()


def test_everyone_is_listed_with_what_is_known(planted: Planted) -> None:
    planted.add("Ada", 3, taken_at=lambda n: f"201{n}-05-01T10:00:00", thumbnails="key")
    planted.add("Bo", 5, credits="csv")
    planted.add(None, 4)
    bo, ada = People(planted.photos).listed()
    assert (bo.name, bo.photos, bo.first, bo.credits) == ("Bo", 5, None, {Credit.CSV: 5})
    assert (ada.id, ada.first, ada.last) == (photographer_id("Ada"), "2010-05-01T10:00:00", "2012-05-01T10:00:00")
    assert {photo.id for photo in ada.samples} == {media_id(f"{n:064}") for n in range(3)}
    assert ada.samples[0].thumbnail == f"/media/{ada.samples[0].id}/preview"
    assert bo.samples[0].thumbnail is None


def test_somebody_is_found_by_id_and_by_name_in_any_case(planted: Planted) -> None:
    planted.add("Ada Lee", 1)
    people = People(planted.photos)
    for who in ("Ada Lee", "ada  lee", photographer_id("Ada Lee")):
        assert people.name_of(who) == "Ada Lee"
    with pytest.raises(NotFoundError):
        people.shown("Bo")


def test_a_name_that_looks_like_an_id_hides_nobody(planted: Planted) -> None:
    planted.add("Ada Lee", 3)
    planted.add(photographer_id("Ada Lee"), 3)
    assert People(planted.photos).name_of(photographer_id("Ada Lee")) == "Ada Lee"


def test_the_planted_traits_are_named_first_and_chance_finds_few(planted: Planted) -> None:
    planted.add("Ada", 40, features={"saturation": -30, "gray_mean": 20, "aperture": 50})
    for name in ("Bo", "Cleo", "Dora"):
        planted.add(name, 40)
    people = People(planted.photos)
    saturation, brightness, *chance, aperture = people.shown("Ada").traits
    assert (saturation.feature, brightness.feature, aperture.feature) == ("saturation", "gray_mean", "aperture")
    assert len(chance) <= 1
    assert saturation.words == "less saturated"
    assert saturation.effect == pytest.approx(-3, abs=0.6)
    assert saturation.percentile < 2
    assert brightness.words == "brighter"
    assert brightness.mine - brightness.others == pytest.approx(20, abs=5)
    assert len(people.shown("Bo").traits) <= 2, "what others are not, by chance or because of Ada"


def test_bins_of_histograms_are_told_only_where_little_else_is(planted: Planted) -> None:
    bins = {"red_hist_2": 50.0, "green_hist_5": -50.0}
    planted.add("Ada", 40, features=bins)
    planted.add("Bo", 40, features={**bins, "saturation": 30, "noise": 30, "contrast": -30})
    planted.add("Cleo", 400)
    people = People(planted.photos)
    assert {"red_hist_2", "green_hist_5"} <= {trait.feature for trait in people.shown("Ada").traits}
    assert not bins.keys() & {trait.feature for trait in people.shown("Bo").traits}


def test_features_that_tell_the_same_are_told_once(planted: Planted) -> None:
    planted.add("Ada", 40)
    planted.add("Bo", 40)
    photos = planted.photos
    dark = planted.rng.normal(size=80) * 10 - 40 * (np.arange(80) < 40)
    features = photos.features.copy()
    for name in ("gray_mean", "red_mean", "green_mean", "blue_mean"):
        features[:, INDEX[name]] = 100 + dark + planted.rng.normal(size=80)
    (trait, *rest) = People(replace(photos, features=features)).shown("Ada").traits
    assert trait.feature.endswith("_mean")
    assert not [other for other in rest if other.feature.endswith("_mean")]


def test_two_styles_are_found_and_one_is_not_parted(planted: Planted) -> None:
    one, other = planted.direction(16, 8), planted.direction(16, 8)
    planted.add("Ada", 30, one, features={"gray_mean": 40})
    planted.add("Ada", 15, other)
    planted.add("Bo", 45, planted.direction(16, 8))
    planted.add("Cleo", 45, planted.direction(16, 8))
    people = People(planted.photos)
    large, small = people.shown("Ada").styles
    assert (large.photos, small.photos) == (30, 15)
    assert large.share == pytest.approx(2 / 3)
    assert "brighter" in large.words
    assert "darker" in small.words
    assert {int(photo.path.split("/")[2]) < 30 for photo in large.samples} == {True}
    assert {int(photo.path.split("/")[2]) >= 30 for photo in small.samples} == {True}
    assert len(people.shown("Bo").styles) == 1


def test_who_works_alike_is_told_by_style_and_by_subject(planted: Planted) -> None:
    styles = [planted.direction(16, 6) for _ in range(6)]
    subjects = [planted.direction(32, 8) for _ in range(6)]
    for number, name in enumerate(("Ada", "Bo", "Cleo", "Dora", "Eve", "Finn")):
        same = 0 if name == "Bo" else number
        twin = 0 if name == "Cleo" else number
        planted.add(name, 30, styles[same], subjects[twin])
    found = People(planted.photos).alike("Ada")
    by = {view: [other for other in found if other.by == view] for view in ("style", "subject")}
    assert by["style"][0].name == "Bo"
    assert by["subject"][0].name == "Cleo"
    assert len(by["style"]) == len(by["subject"]) == 5
    assert by["style"][0].similarity > 0.9 > by["style"][1].similarity
    assert by["style"][-1].similarity < 0.5
    (mine, theirs), *_ = by["style"][0].pairs
    assert int(mine.path.split("/")[2]) < 30 <= int(theirs.path.split("/")[2]) < 60
    assert (mine.space, mine.score) == ("style", theirs.score)
    assert len({photo.id for pair in by["style"][0].pairs for photo in pair}) == 6


def test_likeness_is_of_the_styles_and_not_of_their_mean(planted: Planted) -> None:
    """Ada has two styles; Bo has the same two; Cleo has one, which lies just between."""
    one, other = planted.direction(16, 9), planted.direction(16, 9)
    planted.add("Ada", 20, one)
    planted.add("Ada", 20, other)
    planted.add("Bo", 10, one)
    planted.add("Bo", 30, other)
    planted.add("Cleo", 40, (one + other) / 1.4)
    planted.add("Dora", 40, planted.direction(16, 9))
    assert next(a.name for a in People(planted.photos).alike("Ada") if a.by == "style") == "Bo"


def test_the_same_photo_credited_twice_is_no_sign_of_likeness(planted: Planted) -> None:
    planted.add("Ada", 12)
    planted.add("Bo", 12)
    photos = planted.photos
    visual, style = photos.visual.copy(), photos.style.copy()
    visual[12], style[12] = visual[0], style[0]
    for found in People(replace(photos, visual=visual, style=style)).alike("Ada"):
        assert {photos.ids[0], photos.ids[12]} not in [{a.id, b.id} for a, b in found.pairs]


def _six(planted: Planted, subjects: float) -> list[str]:
    names = ["Ada", "Bo", "Cleo", "Dora", "Eve", "Finn"]
    for name in names:
        planted.add(name, 40, planted.direction(16, 6), planted.direction(32, subjects))
    return names


def test_planted_miscredits_are_found_and_little_else(planted: Planted) -> None:
    names = _six(planted, 6)
    wrong = {5: "Bo", 17: "Finn", 45: "Ada", 130: "Ada", 200: "Cleo", 238: "Dora"}
    true = [row["names"] for row in planted.rows]
    for at, name in wrong.items():
        planted.rows[at]["names"] = name
    people = People(planted.photos)
    found = {int(doubt.photo.path.split("/")[2]): doubt for name in names for doubt in people.shown(name).miscredits}
    assert wrong.keys() <= found.keys()
    assert len(found) <= len(wrong) + 3
    for at, name in wrong.items():
        assert (found[at].credited, found[at].predicted) == (name, true[at])
        assert found[at].probability > 0.5 > 0.02 > found[at].own_probability
        assert found[at].neighbours[true[at]] >= 5


def test_where_not_all_photos_are_looked_at_it_is_said(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("Ada", 9), ("Bo", 8)):
        planted.add(name, count)
    for module in ("people", "miscredits"):
        monkeypatch.setattr(f"search.photographers.profiles.{module}.MOST_ASKED", 8)
    people = People(planted.photos)
    assert "Doubtful credits were looked for among 8 of these photos, drawn at random." in people.shown("Ada").notes
    assert not [note for note in people.shown("Bo").notes if "looked for among" in note]


def test_where_nobody_can_be_told_apart_no_credit_is_doubted(planted: Planted) -> None:
    names = ["Ada", "Bo", "Cleo", "Dora"]
    for name in names:
        planted.add(name, 40)
    people = People(planted.photos)
    assert sum(len(people.shown(name).miscredits) for name in names) <= 1


def test_what_lies_in_the_same_session_speaks_for_nobody(planted: Planted) -> None:
    """Each of two has one session, all alike: without that there is nothing of theirs left to compare with."""
    for name in ("Ada", "Bo"):
        planted.add(
            name,
            12,
            planted.direction(16, 9),
            planted.direction(32, 9),
            paths=lambda n, name=name: f"/{name}/{n:03}.jpg",
            taken_at="2019-05-01T10:00:00",
        )
    people = People(planted.photos)
    assert people.shown("Ada").miscredits == people.shown("Bo").miscredits == ()
    assert people.shown("Ada").sessions[0].photos == 12


def test_the_classifier_is_heard_where_there_is_one(planted: Planted) -> None:
    _six(planted, 6)
    planted.rows[5]["names"] = "Bo"
    photos = planted.photos
    sure = np.eye(6, dtype=np.float32) * 0.94 + 0.01
    names = ("Ada", "Bo", "Cleo", "Dora", "Eve", "Finn")
    says = {id_: sure[names.index(name or "")] for id_, name in zip(photos.ids, photos.names, strict=True)}
    people = People(photos)
    assert people.shown("Bo", OutOfFold(names, says)).miscredits == (), "it finds the written name probable"
    says[photos.ids[5]] = np.array([0.98, 0.004, 0.004, 0.004, 0.004, 0.004], np.float32)
    says[photos.ids[41]] = says[photos.ids[5]]
    (doubt,) = people.shown("Bo", OutOfFold(names, says)).miscredits
    assert doubt.photo.id == photos.ids[5]
    assert doubt.probability == pytest.approx(0.98)


def test_sessions_cameras_and_periods(planted: Planted) -> None:
    def day(month: int) -> Any:
        return lambda n: f"2019-{month:02}-03T10:{n % 60:02}:00"

    for month, camera in ((1, "Nikon F3"), (2, "Leica M6"), (3, "Leica M6")):
        planted.add(
            "Ada",
            10,
            taken_at=day(month),
            cameras=camera,
            lenses="50 mm",
            paths=lambda n: f"/ada/{n:03}.jpg",
            features={"saturation": 40.0 * month},
        )
    planted.add("Ada", 1)
    shown = People(planted.photos).shown("Ada")
    assert shown.cameras == {"Leica M6": 20, "Nikon F3": 10}
    assert list(shown.cameras) == ["Leica M6", "Nikon F3"]
    assert shown.lenses == {"50 mm": 30}
    assert [(s.start, s.photos, s.folder) for s in shown.sessions] == [
        ("2019-03-03T10:20:00", 10, "/ada"),
        ("2019-02-03T10:10:00", 10, "/ada"),
        ("2019-01-03T10:00:00", 10, "/ada"),
    ]
    assert len(shown.sessions[0].samples) == 4
    assert [(p.label, p.photos) for p in shown.periods] == [("2019-01", 10), ("2019-02", 10), ("2019-03", 10)]
    saturation = [p.values["saturation"] for p in shown.periods]
    assert np.diff(saturation) == pytest.approx([40, 40], abs=20)
    assert next(iter(shown.periods[0].values)) == "saturation", "what changed most comes first"


@pytest.mark.parametrize(
    ("years", "labels"), [((2015, 2016, 2018), ["2015-Q1", "2016-Q1", "2018-Q1"]), ((1999, 2019), ["1999", "2019"])]
)
def test_longer_spans_are_told_by_the_quarter_and_the_year(
    planted: Planted, years: tuple[int, ...], labels: list[str]
) -> None:
    for year in years:
        planted.add("Ada", 4, taken_at=f"{year}-02-03T10:00:00+02:00")
    planted.add("Ada", 1, taken_at="nonsense")
    assert [period.label for period in People(planted.photos).shown("Ada").periods] == labels


def plain(**changes: Any) -> PhotoSet:
    planted = Planted()
    for name in ("Ada", "Bo"):
        planted.add(name, 3)
    return replace(planted.photos, **changes)


ODD = {
    "three photos each": plain(),
    "all black": plain(
        visual=unit(np.ones((6, 32))), style=unit(np.ones((6, 16))), features=np.zeros((6, 78), np.float32)
    ),
    "no style space": plain(style=np.empty((6, 0), np.float32), style_space=None),
    "no style yet": plain(style=np.full((6, 16), np.nan, np.float32)),
    "some without style": plain(style=np.r_[np.full((4, 16), np.nan, np.float32), unit(np.ones((2, 16)))]),
    "no features": plain(features=np.full((6, 78), np.nan, np.float32)),
    "neither": plain(
        features=np.full((6, 78), np.nan, np.float32), style=np.empty((6, 0), np.float32), style_space=None
    ),
    "hostile names": plain(names=("../../x",) * 3 + ("<script>alert(1)</script>",) * 3),
    "one photographer": plain(names=("Ada",) * 6),
    "one photographer and strangers": plain(names=("Ada",) * 3 + (None,) * 3),
    "one photo each": plain(names=("A", "B", "C", "D", "E", "F")),
}


@pytest.mark.parametrize("photos", ODD.values(), ids=ODD)
def test_odd_libraries_are_told_of_all_the_same(photos: PhotoSet) -> None:
    people = People(photos)
    for listed in people.listed():
        shown = people.shown(listed.id)
        assert shown.name == listed.name
        assert shown.notes
        json.dumps(asdict(shown), allow_nan=False)


def test_nobody_is_credited_at_all(planted: Planted) -> None:
    planted.add(None, 5)
    assert People(planted.photos).listed() == ()


def test_notes_say_what_is_lacking() -> None:
    def notes(name: str) -> str:
        return " ".join(People(ODD[name]).shown("Ada").notes)

    assert "only 3" in notes("three photos each")
    assert "no style vectors" in notes("no style yet")
    assert "no features" in notes("no features")
    assert "Nobody else" in notes("one photographer")
    assert "no features" not in notes("one photographer"), "there are; it is others that are lacking"
    assert "There is only 1 of them" in " ".join(People(ODD["one photo each"]).shown("A").notes)
    spelled = People(plain(names=("Ada",) * 3 + ("ADA",) * 3))
    assert "Also written ADA" in " ".join(spelled.shown("Ada").notes)
    grouped = People(plain(credits=("kmeans",) * 6))
    assert "not known to be one person's" in " ".join(grouped.shown("Ada").notes)


def test_one_photographer_with_nearly_all_photos(planted: Planted) -> None:
    planted.add("Ada", 495, planted.direction(16, 5), planted.direction(32, 5))
    planted.add("Bo", 5, planted.direction(16, 5), planted.direction(32, 5))
    people = People(planted.photos)
    assert [listed.photos for listed in people.listed()] == [495, 5]
    assert len(people.shown("Ada").miscredits) <= 5
    assert people.shown("Bo").miscredits == ()
    (by_style, by_subject) = people.alike("Bo")
    assert by_style.similarity == by_subject.similarity == 0.5, "of one pair there is nothing usual"


def test_the_same_photos_are_told_of_the_same_way(planted: Planted) -> None:
    _six(planted, 3)
    assert People(planted.photos).shown("Ada") == People(planted.photos).shown("Ada")
