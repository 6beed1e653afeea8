"""XMP sidecars beside a file are part of its facts, and come first."""

from __future__ import annotations

import os
import unicodedata

import pytest

from workers.decode.metadata.xmp import MOST_BYTES
from workers.decode.opened import open_media

DATE = "2018-01-30T20:30:48-05:00"
DATED = f"<photoshop:DateCreated>{DATE}</photoshop:DateCreated>"
BY = "<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>"


@pytest.mark.parametrize("name", ["a.xmp", "a.XMP", "a.Xmp", "a.jpg.xmp", "a.jpg.XMP"])
def test_either_name_in_any_case(make, facts_of, tmp_path, name) -> None:
    (tmp_path / name).write_text(make.xmp(BY.format("Astrid Falk") + DATED))
    facts = facts_of(make.jpeg())
    assert (facts.artist, facts.taken_at) == ("Astrid Falk", DATE)


def test_the_sidecar_of_the_whole_name_comes_first(make, facts_of, tmp_path) -> None:
    (tmp_path / "a.xmp").write_text(make.xmp(BY.format("Of the raw") + DATED))
    (tmp_path / "a.jpg.xmp").write_text(make.xmp(BY.format("Of the picture")))
    facts = facts_of(make.jpeg())
    assert (facts.artist, facts.taken_at) == ("Of the picture", DATE)


def test_what_it_does_not_say_comes_from_the_file(make, facts_of, tmp_path) -> None:
    exif = make.tiff({0x0110: make.ascii_tag("Mark I"), 0x013B: make.ascii_tag("Otto")}, {0x8827: (3, b"\x90\x01")})
    place = "<exif:GPSLatitude>48,12N</exif:GPSLatitude><exif:GPSLongitude>16,30E</exif:GPSLongitude>"
    (tmp_path / "a.xmp").write_text(make.xmp(DATED + place))
    facts = facts_of(make.jpeg(exif))
    assert (facts.artist, facts.camera, facts.iso, facts.taken_at) == ("Otto", "Mark I", 400.0, DATE)
    assert (facts.latitude, facts.longitude) == (48.2, 16.5)
    assert (facts.width, facts.height) == (20, 10)


def test_of_other_files_it_says_nothing(make, facts_of, tmp_path) -> None:
    for name in ("b.xmp", "aa.xmp", "a.png.xmp", ".xmp", "._a.xmp"):
        (tmp_path / name).write_text(make.creator("Nobody here"))
    assert facts_of(make.jpeg()).artist is None


def test_names_that_are_no_unicode_or_long(make, decode, tmp_path) -> None:
    for stem in (os.fsdecode(b"bad\xff"), unicodedata.normalize("NFD", "é"), "x" * 250, "two\nlines"):
        path = tmp_path / f"{stem}.jpg"
        path.write_bytes(make.jpeg())
        beside = tmp_path / f"{stem}.xmp"
        beside.write_text(make.creator("Ada"))
        assert decode(path).facts.artist == "Ada"


def test_what_is_no_small_regular_file_is_not_waited_for(make, facts_of, tmp_path) -> None:
    os.mkfifo(tmp_path / "a.xmp")
    (tmp_path / "a.jpg.xmp").mkdir()
    assert facts_of(make.jpeg()).artist is None
    (tmp_path / "a.xmp").unlink()
    with (tmp_path / "a.xmp").open("wb") as file:
        file.write(make.creator("Ada").encode())
        file.truncate(MOST_BYTES + 1)
    with open_media(str(tmp_path / "a.jpg"), MOST_BYTES) as media:
        assert media.sidecars == ()
    (tmp_path / "a.XMP").symlink_to(tmp_path / "nothing")
    assert facts_of(make.jpeg()).artist is None


def test_a_broken_one_fails_nothing(make, facts_of, tmp_path) -> None:
    (tmp_path / "a.xmp").write_bytes(b"\x80<not xml")
    assert facts_of(make.jpeg(packet=make.creator("Ada"))).artist == "Ada"


@pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
def test_recordings_have_them_too(make, decode, tmp_path, write_sound, write_video, sine, scene, name) -> None:
    path = tmp_path / name
    if name.endswith("wav"):
        write_sound(path, sine(0.5, 8000)[None], 8000, "pcm_s16le")
    else:
        write_video(path, [scene(1)] * 5)
    (tmp_path / "a.xmp").write_text(make.xmp(BY.format("Astrid Falk") + DATED))
    facts = decode(path).facts
    assert (facts.artist, facts.taken_at) == ("Astrid Falk", DATE)
