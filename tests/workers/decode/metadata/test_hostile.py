"""Metadata that is broken, or built to do harm, fails no picture and costs little."""

from __future__ import annotations

import struct

import pytest

from workers.decode.metadata.iptc import iptc_facts, photoshop_resource
from workers.decode.metadata.xmp import xmp_facts, xmp_properties

ARTIST = 0x013B
LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))

HOSTILE = {
    "a billion laughs": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>%s',
    "an outer entity": '<!DOCTYPE x [<!ENTITY l12 SYSTEM "file:///etc/passwd">]>%s',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY %% p SYSTEM "http://example.org/x.dtd"> %%p;]>%s',
    "a document type": "<!DOCTYPE x>%s",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_document_type_is_refused(make, facts_of, kind) -> None:
    packet = HOSTILE[kind] % make.creator("&l12;").partition("?>")[2]
    assert xmp_properties(packet) == {}
    exif = make.tiff({ARTIST: make.ascii_tag("Otto Kern")})
    assert facts_of(make.jpeg(exif, packet)).artist == "Otto Kern"


def test_deep_packets_are_refused(make) -> None:
    deep = make.xmp("<dc:title>" + "<rdf:li>" * 50_000 + "</rdf:li>" * 50_000 + "</dc:title>")
    assert xmp_properties(deep) == {}


def test_long_packets_and_long_values_are_bounded(make) -> None:
    many = "".join(f"<rdf:li>Name {n}</rdf:li>" for n in range(50_000))
    found = xmp_properties(make.xmp(f"<dc:creator><rdf:Seq>{many}</rdf:Seq></dc:creator>"))
    assert found["dc:creator"][0] == "Name 0"
    assert len(found["dc:creator"]) <= 32
    facts = xmp_facts(make.creator("x" * 3_000_000))
    assert facts.authors == ("x" * 200,)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "<",
        "not xml at all",
        "\0" * 100,
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
        "<a><b></a></b>",
        "<rdf:RDF>no namespace</rdf:RDF>",
        b"\xff\xfe",
        b"\xff\xfe<",
        b"\0<\0",
    ],
)
def test_broken_packets_say_nothing(broken) -> None:
    assert xmp_properties(broken) == {}


def test_what_stands_before_the_break_counts(make) -> None:
    whole = make.creator("Ada")
    assert xmp_properties(whole[: whole.index("</rdf:Description>")])["dc:creator"] == ("Ada",)
    assert xmp_properties(whole + "\0\0\0 and more")["dc:creator"] == ("Ada",)
    assert xmp_properties(whole.replace("?>", "?>\n\n", 1))["dc:creator"] == ("Ada",)


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_iptc_that_is_cut_anywhere(make, cut) -> None:
    raw = make.iim((1, 90, b"\x1b%G"), (2, 80, b"Ada Lovelace"), (2, 55, b"19980706"), (2, 60, b"101500+0200"))
    assert iptc_facts(raw[:cut]).authors in ((), ("Ada Lovelace",))
    assert len(iptc_facts(raw[:cut] + b"\xff" * 9).authors) <= 1


def test_iptc_lengths_that_lie() -> None:
    assert iptc_facts(b"\x1c\x02\x50\xff\xff" + b"x" * 10).authors == ()
    assert iptc_facts(b"\x1c\x02\x50\x80\x04\xff\xff\xff\xffx").authors == ()
    long = b"A" * 40_000
    assert iptc_facts(b"\x1c\x02\x50\x80\x04" + struct.pack(">I", len(long)) + long).authors == ("A" * 200,)


@pytest.mark.parametrize(
    "raw", [b"", b"8BIM", b"8BIM\x04\x04", b"8BIM\x04\x04\xff", b"8BIM\x04\x04\0\0\xff\xff\xff\xffab"]
)
def test_photoshop_blocks_that_lie(raw) -> None:
    assert photoshop_resource(raw, 0x0404) in (None, b"ab")


def test_a_broken_directory_takes_nothing_else_with_it(make, facts_of) -> None:
    packet = make.creator("Ada")
    for exif in (
        b"II*\0\xff\xff\xff\xff",
        b"garbage",
        b"MM\0*\0\0\0\x08\xff\xff",
    ):
        assert facts_of(make.jpeg(exif, packet)).artist == "Ada"


def test_one_bad_tag_takes_no_other_with_it(make, facts_of) -> None:
    exif = make.tiff(
        {ARTIST: make.ascii_tag("Ada"), 0x010F: (2, b"\x81\x8d\0"), 0x0110: make.ascii_tag("Mark I")},
        {0x829D: make.rationals((1, 0)), 0x8827: (3, struct.pack("<H", 400)), 0x9003: make.ascii_tag("never")},
    )
    facts = facts_of(make.jpeg(exif))
    assert (facts.artist, facts.camera, facts.aperture, facts.iso, facts.taken_at) == (
        "Ada",
        "Mark I",
        None,
        400.0,
        None,
    )
