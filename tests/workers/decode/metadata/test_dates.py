"""When it was taken: dates by source and form, and which of several counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from workers.decode.metadata.dates import iptc_moment, moment, offset

MODIFIED, ORIGINAL, DIGITISED = 0x0132, 0x9003, 0x9004
OFFSET, OFFSET_ORIGINAL, OFFSET_DIGITISED = 0x9010, 0x9011, 0x9012
FRACTION_ORIGINAL = 0x9291
WHEN = "2019-05-06T09:08:07"


def digits(iso):
    return re.sub(r"\D", "", iso)


def exif_form(iso):
    return iso[:10].replace("-", ":") + " " + iso[11:19]


def in_exif(make, iso):
    zone = {OFFSET_ORIGINAL: make.ascii_tag(iso[19:])} if iso[19:] else {}
    return make.jpeg(make.tiff({}, {ORIGINAL: make.ascii_tag(exif_form(iso)), **zone}))


def in_first_directory(make, iso):
    zone = {OFFSET_ORIGINAL: make.ascii_tag(iso[19:])} if iso[19:] else {}
    tags = {MODIFIED: make.ascii_tag("2021:04:01 08:22:44"), ORIGINAL: make.ascii_tag(exif_form(iso))}
    return make.jpeg(make.tiff(tags | zone))


def in_iptc(make, iso):
    clock = digits(iso[11:19]) + ("+0000" if iso[19:] == "Z" else iso[19:].replace(":", ""))
    return make.jpeg(iptc=make.iim((2, 55, digits(iso[:10]).encode()), (2, 60, clock.encode())))


def in_xmp(name):
    return lambda make, iso: make.jpeg(packet=make.xmp(f"<{name}>{iso}</{name}>"))


def in_xmp_attribute(make, iso):
    return make.jpeg(packet=make.xmp(attributes=f'photoshop:DateCreated="{iso}"'))


def in_png_xmp(make, iso):
    packet = make.xmp(f"<photoshop:DateCreated>{iso}</photoshop:DateCreated>")
    return make.png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode()))


def in_png_text(make, iso):
    return make.png((b"tEXt", b"Creation Time\0" + iso.encode()))


def in_png_exif(make, iso):
    return make.png((b"eXIf", make.tiff({}, {ORIGINAL: make.ascii_tag(exif_form(iso))})), late=True)


def digitised_in_exif(make, iso):
    zone = {OFFSET_DIGITISED: make.ascii_tag(iso[19:])} if iso[19:] else {}
    return make.jpeg(make.tiff({}, {DIGITISED: make.ascii_tag(exif_form(iso)), **zone}))


def modified_in_exif(make, iso):
    zone = {OFFSET: make.ascii_tag(iso[19:])} if iso[19:] else {}
    return make.jpeg(make.tiff({MODIFIED: make.ascii_tag(exif_form(iso))}, zone))


SOURCES = {
    "exif": in_exif,
    "exif, first directory": in_first_directory,
    "iptc": in_iptc,
    "xmp exif:DateTimeOriginal": in_xmp("exif:DateTimeOriginal"),
    "xmp photoshop:DateCreated": in_xmp("photoshop:DateCreated"),
    "xmp attribute": in_xmp_attribute,
    "xmp xmp:CreateDate": in_xmp("xmp:CreateDate"),
    "xmp exif:DateTimeDigitized": in_xmp("exif:DateTimeDigitized"),
    "xmp xmp:ModifyDate": in_xmp("xmp:ModifyDate"),
    "png xmp": in_png_xmp,
    "png text": in_png_text,
    "exif digitised": digitised_in_exif,
    "exif modified": modified_in_exif,
}
ZONES = {"none": "", "west": "-05:00", "half an hour": "+05:30", "UTC": "Z"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_in_every_zone(make, facts_of, source, zone) -> None:
    iso = WHEN + ZONES[zone]
    found = facts_of(SOURCES[source](make, iso)).taken_at
    assert found == (iso.replace("Z", "+00:00") if source == "iptc" else iso)


def test_exif_behind_the_pixels_of_a_png(make, facts_of) -> None:
    assert facts_of(in_png_exif(make, WHEN), "a.png").taken_at == WHEN


IMPOSSIBLE = {
    "zeros": "0000-00-00T00:00:00",
    "year 0": "0000-01-01T00:00:00",
    "year 3000": "3000-01-01T00:00:00",
    "year 9999": "9999-12-31T23:59:59",
    "before photography": "1825-12-31T00:00:00",
    "no such month": "2021-13-01T00:00:00",
    "no such day": "2021-02-30T00:00:00",
    "no such hour": "2021-02-03T25:00:00",
    "in two days": (datetime.now(UTC) + timedelta(days=2)).replace(tzinfo=None, microsecond=0).isoformat(),
}


@pytest.mark.parametrize("date", IMPOSSIBLE)
@pytest.mark.parametrize("source", [name for name in SOURCES if name not in ("iptc", "exif, first directory")])
def test_impossible_dates_are_none(make, facts_of, source, date) -> None:
    assert facts_of(SOURCES[source](make, IMPOSSIBLE[date])).taken_at is None


def test_an_impossible_date_lets_the_next_source_speak(make, facts_of) -> None:
    exif = make.tiff({}, {ORIGINAL: make.ascii_tag("2019:05:06 09:08:07")})
    packet = make.xmp("<exif:DateTimeOriginal>3000-01-01T00:00:00</exif:DateTimeOriginal>")
    assert facts_of(make.jpeg(exif, packet)).taken_at == WHEN


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024:08:16 23:30:00", "2024-08-16T23:30:00"),
        ("2024-08-16T23:30:00Z", "2024-08-16T23:30:00Z"),
        ("2024-08-16T23:30:00z", "2024-08-16T23:30:00Z"),
        ("2024-08-16T23:30:00+0530", "2024-08-16T23:30:00+05:30"),
        ("2024-08-16T23:30:00+05:30", "2024-08-16T23:30:00+05:30"),
        ("2024-08-16T23:30:00-05", "2024-08-16T23:30:00-05:00"),
        ("2024-08-16T23:30:00+99:00", "2024-08-16T23:30:00"),
        ("2024:08:16 23:30:00-10:00", "2024-08-16T23:30:00-10:00"),
        ("2024-08-16T23:30", "2024-08-16T23:30:00"),
        ("2024-08-16T23:30+02:00", "2024-08-16T23:30:00+02:00"),
        ("2024-08-16T23:30:00.25", "2024-08-16T23:30:00.250"),
        ("2024-08-16T23:30:00.123456789Z", "2024-08-16T23:30:00.123456Z"),
        ("2024-08-16T23:30:00.000", "2024-08-16T23:30:00"),
        ("2024/08/16 23:30:00", "2024-08-16T23:30:00"),
        ("20240816T233000Z", "2024-08-16T23:30:00Z"),
        ("2024:08:16 23:30:60", "2024-08-16T23:30:59"),
        ("1975:06:01", "1975-06-01"),
        ("1975-06-01", "1975-06-01"),
        ("1975:06:01   :  :  ", "1975-06-01"),
        ("  1975-06-01 ", "1975-06-01"),
        ("Sat, 05 Jun 2021 10:00:00 +0200", "2021-06-05T10:00:00+02:00"),
        ("5 Jun 2021 10:00:00", "2021-06-05T10:00:00"),
        ("1975", None),
        ("1975-06", None),
        ("1975:06:00", None),
        ("    :  :     :  :  ", None),
        ("soon", None),
        ("May", None),
        ("-1", None),
        ("99999999999999999999", None),
        ("", None),
        (None, None),
    ],
)
def test_forms(written, iso) -> None:
    assert moment(written) == iso


def test_now_and_the_clocks_around_it() -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    assert moment(now.isoformat()) == now.isoformat()
    ahead = (now + timedelta(hours=14)).isoformat()
    assert moment(ahead + "+14:00") == ahead + "+14:00"
    assert moment((now + timedelta(days=3)).isoformat()) is None


@pytest.mark.parametrize(
    ("written", "zone"),
    [("Z", "Z"), ("+05:30", "+05:30"), ("+0530", "+05:30"), ("-10", "-10:00"), ("+14:00", "+14:00"), ("+14:01", None)]
    + [(bad, None) for bad in ("+05:60", "05:30", "   :  ", "UTC", "", None)],
)
def test_offsets(written, zone) -> None:
    assert offset(written) == zone


@pytest.mark.parametrize(
    ("day", "clock", "iso"),
    [
        ("19980706", "101500+0200", "1998-07-06T10:15:00+02:00"),
        ("19980706", "101500", "1998-07-06T10:15:00"),
        ("19980706", None, "1998-07-06"),
        ("19980706", "999999+0000", "1998-07-06"),
        ("1998-07-06", "10:15:00-05:00", "1998-07-06T10:15:00-05:00"),
        ("19980700", "101500+0200", None),
        ("00000000", None, None),
        (None, "101500", None),
    ],
)
def test_iptc(day, clock, iso) -> None:
    assert iptc_moment(day, clock) == iso


def test_the_fraction_and_zone_that_stand_apart(make, facts_of) -> None:
    shot = {ORIGINAL: make.ascii_tag("2019:05:06 09:08:07"), FRACTION_ORIGINAL: make.ascii_tag("05")}
    zone = {OFFSET_ORIGINAL: make.ascii_tag("+0530")}
    assert facts_of(make.jpeg(make.tiff({}, shot | zone))).taken_at == "2019-05-06T09:08:07.050+05:30"
    assert facts_of(make.jpeg(make.tiff(zone, shot))).taken_at == "2019-05-06T09:08:07.050+05:30"


def original(name, when):
    return f"<{name}>{when}</{name}>"


def test_which_date_counts_when_all_say_one(make, facts_of, tmp_path) -> None:
    """Sidecar, XMP, IPTC, EXIF; but that of the original before others, whichever source has it."""
    exif = make.tiff(
        {MODIFIED: make.ascii_tag("2004:04:04 04:04:04")}, {ORIGINAL: make.ascii_tag("2003:03:03 03:03:03")}
    )
    iptc = make.iim((2, 55, b"20020202"), (2, 60, b"020202"))
    packet = make.xmp(original("exif:DateTimeOriginal", "2001-01-01T01:01:01"))
    beside = tmp_path / "a.jpg.xmp"
    beside.write_text(make.xmp(original("photoshop:DateCreated", "2000-10-10T10:10:10")))
    assert facts_of(make.jpeg(exif, packet, iptc)).taken_at == "2000-10-10T10:10:10"
    beside.write_text(make.xmp(original("xmp:ModifyDate", "2020-10-10T10:10:10")))
    assert facts_of(make.jpeg(exif, packet, iptc)).taken_at == "2001-01-01T01:01:01"
    assert facts_of(make.jpeg(exif, b"", iptc)).taken_at == "2002-02-02T02:02:02"
    assert facts_of(make.jpeg(exif)).taken_at == "2003-03-03T03:03:03"
    only_modified = make.jpeg(make.tiff({MODIFIED: make.ascii_tag("2004:04:04 04:04:04")}))
    assert facts_of(only_modified).taken_at == "2020-10-10T10:10:10"
    beside.unlink()
    assert facts_of(only_modified).taken_at == "2004-04-04T04:04:04"


@pytest.mark.parametrize("name", ["xmp:CreateDate", "exif:DateTimeDigitized", "xmp:ModifyDate", "tiff:DateTime"])
def test_an_original_in_exif_comes_before_later_dates_in_xmp(make, facts_of, name) -> None:
    exif = make.tiff({}, {ORIGINAL: make.ascii_tag("2003:03:03 03:03:03")})
    assert facts_of(make.jpeg(exif, make.xmp(original(name, "2020-02-02T02:02:02")))).taken_at == "2003-03-03T03:03:03"


def test_digitised_comes_before_modified(make, facts_of) -> None:
    exif = make.tiff(
        {MODIFIED: make.ascii_tag("2004:04:04 04:04:04")}, {DIGITISED: make.ascii_tag("2003:03:03 03:03:03")}
    )
    packet = make.xmp(original("xmp:ModifyDate", "2020-02-02T02:02:02"))
    assert facts_of(make.jpeg(exif, packet)).taken_at == "2003-03-03T03:03:03"


def test_a_source_that_says_the_same_more_precisely_completes_it(make, facts_of) -> None:
    exif = make.tiff({}, {ORIGINAL: make.ascii_tag("2003:03:03 03:03:03"), OFFSET_ORIGINAL: make.ascii_tag("+01:00")})
    same = make.xmp(original("exif:DateTimeOriginal", "2003-03-03T03:03:03"))
    day = make.xmp(original("photoshop:DateCreated", "2003-03-03"))
    other = make.xmp(original("exif:DateTimeOriginal", "2003-03-03T03:03:04"))
    assert facts_of(make.jpeg(exif, same)).taken_at == "2003-03-03T03:03:03+01:00"
    assert facts_of(make.jpeg(exif, day)).taken_at == "2003-03-03T03:03:03+01:00"
    assert facts_of(make.jpeg(exif, other)).taken_at == "2003-03-03T03:03:04"
