"""Where it was taken: both halves of a place, with a fix, in range, or none."""

from __future__ import annotations

import pytest

from workers.decode.metadata.quantities import iso_6709, number, xmp_degrees

LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, STATUS = 1, 2, 3, 4, 9


def gps(make, latitude=None, longitude=None, refs=("N", "E"), **more):
    tags = {}
    if latitude is not None:
        tags |= {LATITUDE_REF: make.ascii_tag(refs[0]), LATITUDE: make.rationals(*latitude)}
    if longitude is not None:
        tags |= {LONGITUDE_REF: make.ascii_tag(refs[1]), LONGITUDE: make.rationals(*longitude)}
    if status := more.get("status"):
        tags[STATUS] = make.ascii_tag(status)
    return make.jpeg(make.tiff({}, tags, pointers=[0x8825]))


WHOLE = ((48, 1), (12, 1), (0, 1)), ((16, 1), (30, 1), (0, 1))

PLACES = {
    "degrees and minutes": (WHOLE, {}, (48.2, 16.5)),
    "south and west": (WHOLE, {"refs": ("S", "W")}, (-48.2, -16.5)),
    "decimal degrees in one value": ((((485, 10),), ((925, 100),)), {}, (48.5, 9.25)),
    "decimal degrees and zeros": ((((485, 10), (0, 1), (0, 1)), ((925, 100), (0, 1), (0, 1))), {}, (48.5, 9.25)),
    "decimal minutes": ((((48, 1), (3050, 100), (0, 1)), ((9, 1), (1525, 100), (0, 1))), {}, (48.5083333, 9.2541667)),
    "two values": ((((48, 1), (30, 1)), ((9, 1), (15, 1))), {}, (48.5, 9.25)),
    "seconds": ((((48, 1), (30, 1), (3600, 100)), ((9, 1), (15, 1), (0, 1))), {}, (48.51, 9.25)),
    "seconds of nothing": ((((48, 1), (30, 1), (0, 0)), ((9, 1), (15, 1), (0, 0))), {}, (48.5, 9.25)),
    "a fix": (WHOLE, {"status": "A"}, (48.2, 16.5)),
    "no fix": (WHOLE, {"status": "V"}, (None, None)),
    "zeros": ((((0, 1),) * 3, ((0, 1),) * 3), {}, (None, None)),
    "zeros in the south": ((((0, 1),) * 3, ((0, 1),) * 3), {"refs": ("S", "W")}, (None, None)),
    "on the equator": ((((0, 1),) * 3, WHOLE[1]), {}, (0.0, 16.5)),
    "on the prime meridian": ((WHOLE[0], ((0, 1),) * 3), {}, (48.2, 0.0)),
    "latitude only": ((WHOLE[0], None), {}, (None, None)),
    "longitude only": ((None, WHOLE[1]), {}, (None, None)),
    "latitude out of range": ((((91, 1), (0, 1), (0, 1)), WHOLE[1]), {}, (None, None)),
    "longitude out of range": ((WHOLE[0], ((181, 1), (0, 1), (0, 1))), {}, (None, None)),
    "minutes out of range": ((((48, 1), (99, 1), (0, 1)), WHOLE[1]), {}, (None, None)),
    "no number": ((((48, 0), (0, 1), (0, 1)), WHOLE[1]), {}, (None, None)),
    "minutes that are no number": ((((48, 1), (0, 0), (0, 1)), WHOLE[1]), {}, (None, None)),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(make, facts_of, name) -> None:
    halves, more, expected = PLACES[name]
    facts = facts_of(gps(make, *halves, **more))
    assert (facts.latitude, facts.longitude) == (
        pytest.approx(expected, abs=1e-6) if expected[0] is not None else (None, None)
    )


def test_the_place_of_xmp_is_whole_too(make, facts_of) -> None:
    half = "<exif:GPSLatitude>48,12.0N</exif:GPSLatitude>"
    whole = half + "<exif:GPSLongitude>16,30,0W</exif:GPSLongitude>"
    assert facts_of(make.jpeg(packet=make.xmp(half))).latitude is None
    facts = facts_of(make.jpeg(packet=make.xmp(whole)))
    assert (facts.latitude, facts.longitude) == (48.2, -16.5)
    void = facts_of(make.jpeg(packet=make.xmp(whole + "<exif:GPSStatus>V</exif:GPSStatus>")))
    assert (void.latitude, void.longitude) == (None, None)


@pytest.mark.parametrize(
    ("written", "degrees"),
    [
        ("48,12.5N", 48.2083333),
        ("48,12,30S", -48.2083333),
        ("48.5", 48.5),
        ("-48.5", -48.5),
        ("91,0N", None),
        ("north", None),
        ("", None),
        (None, None),
    ],
)
def test_degrees_of_xmp(written, degrees) -> None:
    assert xmp_degrees(written, 90.0) == degrees


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("+48.2000+016.5000/", (48.2, 16.5)),
        ("+48.2000-016.5000+010.0/", (48.2, -16.5)),
        ("-4812.0+01630.0/", (-48.2, 16.5)),
        ("+481200+0163000/", (48.2, 16.5)),
        ("+00.0000+000.0000/", None),
        ("+91.0000+016.5000/", None),
        ("+48.2000", None),
        ("somewhere", None),
        (None, None),
    ],
)
def test_places_of_recordings(written, place) -> None:
    assert iso_6709(written) == place


@pytest.mark.parametrize(
    ("value", "expected"),
    [("28/10", 2.8), ("1/0", None), ("a/b", None), (float("inf"), None), ((4, 5), 4.0), ((), None), (None, None)],
)
def test_numbers(value, expected) -> None:
    assert number(value) == expected
