"""Developing a photo like somebody's: settings, their change, words, and the files that other programs open."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from search.errors import ModelError, NotFoundError, SpaceMismatchError, UsageError
from search.photographers.develop import lut
from search.photographers.develop.colours import developed
from search.photographers.develop.developing import DevelopQuestion, courses, develop
from search.photographers.develop.reading import SettingsReader, shipped_reader
from search.photographers.develop.settings import PARAMETERS, Preset, change
from search.photographers.develop.words import WORDS, in_words
from search.photographers.develop.xmp import xmp
from search.photographers.photos.dataset import PhotoSet
from search.photographers.profiles.people import People

WARM = Preset(exposure=0.5, temperature=0.3, contrast=-0.3, fade=0.05, saturation=0.8, shadow_warmth=0.04, grain=5.0)
CRS = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def reader_of(photos: PhotoSet) -> SettingsReader:
    """Reads the first twelve components of a vector as settings, and half of them from one photo."""
    assert photos.style_space is not None
    maps = np.eye(photos.style.shape[1], len(PARAMETERS), dtype=np.float32)
    nothing = np.zeros(len(PARAMETERS), np.float32)
    return SettingsReader(photos.style_space.fingerprint, maps, nothing, maps / 2, nothing)


@pytest.fixture(scope="module")
def people(make_photos: Callable[..., PhotoSet]) -> People:
    photos = make_photos(photographers=2, sessions=4, each=5, told=3.0)
    dates = tuple(f"{1940 + at // 5 % 4}-06-1{at % 5}T10:00:00" for at in range(len(photos)))
    return People(replace(photos, taken_at=dates))


def test_the_change_from_nothing_is_what_is_wanted() -> None:
    assert change(Preset(), WARM) == WARM
    assert change(Preset(), WARM, 0.0) == Preset()
    half = change(Preset(), WARM, 0.5)
    assert (half.exposure, half.saturation) == (0.25, 0.9)


def test_the_change_takes_back_what_was_done_and_never_removes_grain() -> None:
    back = change(WARM, Preset(exposure=0.5))
    assert (back.exposure, back.temperature, back.fade, back.grain) == (0.0, -0.3, -0.05, 0.0)
    assert back.saturation == pytest.approx(1 / 0.8)
    assert change(WARM, WARM) == Preset()
    assert change(Preset(grain=3.0), Preset(grain=5.0)).grain == pytest.approx(4.0)


def test_a_change_of_settings_of_gray_is_right_to_a_level() -> None:
    """Undoing what was done to tones in the middle, within what steps of contrast allow."""
    tones = np.linspace(0.2, 0.8, 7)[:, None].repeat(3, axis=1)
    source, target = Preset(exposure=0.3, temperature=0.2), Preset(exposure=-0.2, tint=0.1, contrast=0.2)
    there = developed(developed(tones, source), change(source, target))
    np.testing.assert_allclose(there, developed(tones, target), atol=1 / 255)


def test_words_are_an_editors() -> None:
    assert in_words(Preset()) == ()
    assert in_words(Preset(exposure=0.5, contrast=-0.3, shadow_warmth=0.02)) == (
        "half a stop brighter", "less contrast", "warmer shadows",
    )  # fmt: skip
    assert in_words(Preset(exposure=-2.0))[0] == "2.0 stops darker"
    assert in_words(Preset(exposure=0.05, grain=0.5)) == ()
    assert list(WORDS) == list(PARAMETERS)


def test_a_cube_lists_red_fastest_and_leaves_colours_alone_without_a_change() -> None:
    lines = lut.cube(Preset(vignette=1.0, grain=9.0), 'a "hostile"\n LUT_3D_SIZE 2 ☃').splitlines()
    assert lines[:2] == ['TITLE "a _hostile__ LUT_3D_SIZE 2 _"', "LUT_3D_SIZE 33"]
    table = np.array([[float(part) for part in line.split()] for line in lines[4:]])
    assert table.shape == (33**3, 3)
    np.testing.assert_allclose(table[1], (1 / 32, 0, 0), atol=1e-6)
    np.testing.assert_allclose(table[-1], (1, 1, 1), atol=1e-6)
    steps = np.linspace(0, 1, 33)
    np.testing.assert_allclose(table.reshape(33, 33, 33, 3)[:, 5, 7, 2], steps, atol=1e-6)


def points(tree: ET.Element, name: str) -> NDArray[np.float64]:
    items = tree.iterfind(f".//{CRS}{name}/{RDF}Seq/{RDF}li")
    return np.array([[float(part) for part in (item.text or "").split(",")] for item in items])


def test_a_lightroom_preset_makes_grays_what_they_are_to_be() -> None:
    """Its curves, the main one first, then those of the channels, against the maths."""
    settings = replace(WARM, highlight_magenta=0.02, exposure=0.0)
    tree = ET.fromstring(xmp(settings, "<Ada> & \x00 Grace"))
    main = points(tree, "ToneCurvePV2012")
    assert (np.diff(main[:, 0]) > 0).all()
    levels = np.array([16.0, 64.0, 128.0, 200.0, 240.0])
    tones = np.interp(levels, *main.T)
    wanted = developed((levels / 255)[:, None].repeat(3, axis=1), settings)
    for channel, name in enumerate(("Red", "Green", "Blue")):
        curve = points(tree, f"ToneCurvePV2012{name}")
        np.testing.assert_allclose(np.interp(tones, *curve.T), 255 * wanted[:, channel], atol=4)
    facts = next(tree.iter(f"{RDF}Description")).attrib
    assert (facts[f"{CRS}Saturation"], facts[f"{CRS}PresetType"]) == ("-20", "Normal")
    assert [name.text for name in tree.iterfind(f".//{CRS}Name//{RDF}li")] == ["<Ada> & _ Grace"]


def test_settings_are_means_of_the_photos_that_are_meant(people: People) -> None:
    reader, photos = reader_of(people.photos), people.photos
    name = next(iter(people.rows))
    rows = people.rows[name]
    made = develop(people, reader, DevelopQuestion(name, developed=False), None)
    theirs = Preset.of_vector(photos.style[rows, :12].mean(axis=0))
    assert (made.photos, made.photographer) == (len(rows), name)
    read = [one.theirs for one in made.settings]
    assert read == pytest.approx([getattr(theirs, one) for one in PARAMETERS], abs=1e-6)
    assert [one.change for one in made.settings] == pytest.approx(read, abs=1e-6)
    era = develop(people, reader, DevelopQuestion(name, taken_from="1941", taken_to="1942-06"), None)
    assert era.photos == 10
    style = develop(people, reader, DevelopQuestion(name, style=1), None)
    assert style.photos == len(people.style_members(name)[0])


def test_the_photos_own_settings_are_taken_off(people: People) -> None:
    reader, name = reader_of(people.photos), next(iter(people.rows))
    own = np.zeros(12, np.float32)
    own[0] = 2.0
    brighter = develop(people, reader, DevelopQuestion(name), own)
    as_taken = develop(people, reader, DevelopQuestion(name, developed=False), own)
    assert brighter.change.exposure < as_taken.change.exposure
    at = people.rows[name][0]
    style = people.photos.style[at]
    known, unknown = (
        develop(people, reader, DevelopQuestion(name), style, id_) for id_ in (people.photos.ids[at], None)
    )
    sizes = [np.linalg.norm(one.change.vector - Preset().vector) for one in (known, unknown)]
    assert sizes[0] < sizes[1] / 2  # nothing is left to do to a photo of theirs but what sets it apart


def test_what_cannot_be_asked_is_said(people: People) -> None:
    reader, name = reader_of(people.photos), next(iter(people.rows))
    for question, error in (
        (DevelopQuestion("nobody"), NotFoundError),
        (DevelopQuestion(name, style=9), NotFoundError),
        (DevelopQuestion(name, taken_from="1999"), NotFoundError),
        (DevelopQuestion(name, taken_from="last year"), UsageError),
        (DevelopQuestion(name, strength=4.0), UsageError),
    ):
        with pytest.raises(error):
            develop(people, reader, question, None)
    with pytest.raises(SpaceMismatchError, match="reembed"):
        develop(people, shipped_reader(), DevelopQuestion(name), None)


def test_settings_over_time(people: People) -> None:
    reader, name = reader_of(people.photos), next(iter(people.rows))
    course = courses(people, reader, name)[0]
    assert (course.style, course.photos) == (None, 20)
    assert [(period.label, period.photos) for period in course.periods] == [
        ("1940-Q2", 5), ("1941-Q2", 5), ("1942-Q2", 5), ("1943-Q2", 5),
    ]  # fmt: skip
    rows = people.rows[name][:5]
    first = Preset.of_vector(people.photos.style[rows, :12].mean(axis=0))
    assert course.periods[0].settings["exposure"] == pytest.approx(first.exposure, abs=1e-6)


def test_a_reader_is_what_was_written(people: People) -> None:
    reader = reader_of(people.photos)
    again = SettingsReader.of(reader.arrays())
    styles = people.photos.style[:3]
    np.testing.assert_array_equal(again.readings(styles), reader.readings(styles))
    with pytest.raises(ModelError, match="no weights"):
        SettingsReader.of(reader.arrays() | {"many": reader.many[:, :3]})
