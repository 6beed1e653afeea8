"""A raw file's own directories say when, where and by whom it was taken, with and without a preview."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from workers.decode.metadata.raws import raw_sources
from workers.decode.metadata.sources import merged

BASE = {0x010F: b"Pomelo", 0x0110: b"P9", 0x013B: "Hedda Møen".encode(), 0x0132: b"2019:05:06 10:00:00"}


def directories(make):
    base = {tag: make.ascii_tag(raw) for tag, raw in BASE.items()}
    shot = {0x9003: make.ascii_tag("2019:05:06 09:08:07"), 0x829D: make.rationals((28, 10)), 0x8827: (3, b"\x90\x01")}
    place = {
        1: make.ascii_tag("N"),
        2: make.rationals((48, 1), (12, 1), (0, 1)),
        3: make.ascii_tag("E"),
        4: make.rationals((16, 1), (30, 1), (0, 1)),
    }
    return make.tiff(base, shot, place)


@pytest.mark.parametrize("magic", [b"II*\0", b"IIRO", b"IIRS", b"IIU\0"], ids=["TIFF", "ORF", "ORF 2", "RW2"])
def test_its_directories(make, magic) -> None:
    file = io.BytesIO(magic + directories(make)[4:])
    file.seek(7)
    facts = merged(raw_sources(file))
    assert (facts.artist, facts.camera, facts.taken_at) == ("Hedda Møen", "Pomelo P9", "2019-05-06T09:08:07")
    assert (facts.latitude, facts.longitude, facts.iso, facts.aperture) == (48.2, 16.5, 400.0, 2.8)
    assert file.tell() == 7


def test_xmp_and_iptc_in_it(make) -> None:
    packet = make.creator("Of Xmp").encode()
    iptc = make.iim((2, 80, b"Of Iptc"), (2, 55, b"20010203"))
    facts = merged(raw_sources(io.BytesIO(make.tiff({700: (1, packet), 33723: (7, iptc)}))))
    assert (facts.artist, facts.taken_at) == ("Of Xmp", "2001-02-03")
    facts = merged(raw_sources(io.BytesIO(make.tiff({33723: (7, iptc)}))))
    assert facts.artist == "Of Iptc"
    resources = make.photoshop({0x0404: iptc})
    assert merged(raw_sources(io.BytesIO(make.tiff({34377: (7, resources)})))).artist == "Of Iptc"


@pytest.mark.parametrize(
    "raw", [b"", b"II", b"FUJIFILMCCD-RAW 0201", b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_what_is_no_tiff_says_nothing(raw) -> None:
    assert merged(raw_sources(io.BytesIO(raw))).taken_at is None


def test_iptc_declared_as_numbers(make) -> None:
    """Old writers call the bytes 32-bit numbers, which keeps them in their order."""
    iptc = make.iim((1, 90, b"\x1b%G"), (2, 80, "Zoë".encode()), (2, 55, b"20010203"))
    padded = iptc + b"\0" * (-len(iptc) % 4)
    facts = merged(raw_sources(io.BytesIO(make.tiff({33723: (4, padded)}))))
    assert (facts.artist, facts.taken_at) == ("Zoë", "2001-02-03")


def test_a_tiff_keeps_xmp_in_a_tag_of_its_own(make, facts_of) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, "TIFF", tiffinfo={700: make.creator("Zoë").encode()})
    assert facts_of(buffer.getvalue(), "a.tif").artist == "Zoë"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_formats_that_keep_xmp(make, facts_of, format_) -> None:
    buffer = io.BytesIO()
    packet = make.creator("Zoë").encode()
    options = {"tiffinfo": {700: packet}} if format_ == "TIFF" else {"xmp": packet}
    if format_ == "PNG":
        content = make.png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    else:
        Image.new("RGB", (64, 64)).save(buffer, format_, **options)
        content = buffer.getvalue()
    assert facts_of(content, f"a.{format_.lower()}").artist == "Zoë"
