"""Who took it: names by encoding and by the field they stand in, and which of several counts."""

from __future__ import annotations

import unicodedata
import zlib

import pytest

from workers.decode.metadata.texts import text

ARTIST, COPYRIGHT, XP_AUTHOR, MAKE, MODEL = 0x013B, 0x8298, 0x9C9D, 0x010F, 0x0110
BYLINE, CREDIT, RIGHTS = 80, 110, 116
NAME = "Jürgen Ørsted"
WIDER = "Зоя Łukasz 张三"
UTF_8_MARK = b"\x1b%G"


def exif_of(make, raw, tag=ARTIST, kind=2):
    return make.jpeg(exif=make.tiff({tag: (kind, raw + b"\0\0" if kind == 1 else raw + b"\0")}))


def by_line(make, raw, marker=None):
    marked = [(1, 90, marker)] if marker else []
    return make.jpeg(iptc=make.iim(*marked, (2, BYLINE, raw)))


def text_chunk(make, name, encoding="latin-1", keyword=b"Author", late=False):
    return make.png((b"tEXt", keyword + b"\0" + name.encode(encoding)), late=late)


def international(make, name, keyword=b"Author", *, packed=False, late=False):
    raw = name.encode()
    body = keyword + (b"\0\1\0\0\0" + zlib.compress(raw) if packed else b"\0\0\0\0\0" + raw)
    return make.png((b"iTXt", body), late=late)


FIELDS = {
    "exif, UTF-8": lambda make, name: exif_of(make, name.encode()),
    "exif as bytes, UTF-8": lambda make, name: exif_of(make, name.encode(), kind=7),
    "exif, UTF-8 with a mark": lambda make, name: exif_of(make, name.encode("utf-8-sig")),
    "exif XP, UCS-2": lambda make, name: exif_of(make, name.encode("utf-16-le"), XP_AUTHOR, 1),
    "exif copyright, UTF-8": lambda make, name: exif_of(make, f"© 2019 {name}".encode(), COPYRIGHT),
    "iptc, marked UTF-8": lambda make, name: by_line(make, name.encode(), UTF_8_MARK),
    "iptc, unmarked UTF-8": lambda make, name: by_line(make, name.encode()),
    "xmp, UTF-8": lambda make, name: make.jpeg(packet=make.creator(name)),
    "xmp, UTF-8 with a mark": lambda make, name: make.jpeg(packet=make.creator(name).encode("utf-8-sig")),
    "xmp, UTF-16": lambda make, name: make.jpeg(packet=make.creator(name).encode("utf-16")),
    "xmp, UTF-16 without a mark": lambda make, name: make.jpeg(packet=make.creator(name).encode("utf-16-le")),
    "xmp, UTF-16 the other way": lambda make, name: make.jpeg(packet=make.creator(name).encode("utf-16-be")),
    "xmp, UTF-32": lambda make, name: make.jpeg(packet=make.creator(name).encode("utf-32")),
    "xmp, character references": lambda make, name: make.jpeg(
        packet=make.creator("".join(f"&#x{ord(one):X};" for one in name))
    ),
    "xmp, decimal references": lambda make, name: make.jpeg(
        packet=make.creator("".join(f"&#{ord(one)};" for one in name))
    ),
    "xmp, CDATA": lambda make, name: make.jpeg(packet=make.creator(f"<![CDATA[{name}]]>")),
    "xmp tiff:Artist": lambda make, name: make.jpeg(packet=make.xmp(f"<tiff:Artist>{name}</tiff:Artist>")),
    "xmp tiff:Artist, attribute": lambda make, name: make.jpeg(packet=make.xmp(attributes=f'tiff:Artist="{name}"')),
    "xmp creator, attribute": lambda make, name: make.jpeg(packet=make.xmp(attributes=f'dc:creator="{name}"')),
    "xmp bag": lambda make, name: make.jpeg(
        packet=make.xmp(f"<dc:creator><rdf:Bag><rdf:li> {name}\n</rdf:li></rdf:Bag></dc:creator>")
    ),
    "xmp with a qualifier": lambda make, name: make.jpeg(
        packet=make.xmp(
            '<dc:creator><rdf:Seq><rdf:li rdf:parseType="Resource">'
            f"<rdf:value>{name}</rdf:value><tiff:role>cook</tiff:role></rdf:li></rdf:Seq></dc:creator>"
        )
    ),
    "xmp alternatives, default first": lambda make, name: make.jpeg(
        packet=make.xmp(
            '<dc:creator><rdf:Alt><rdf:li xml:lang="fr">Autre</rdf:li>'
            f'<rdf:li xml:lang="x-default">{name}</rdf:li></rdf:Alt></dc:creator>'
        )
    ),
    "png, international text": lambda make, name: international(make, name),
    "png, compressed international text": lambda make, name: international(make, name, packed=True),
    "png, behind the pixels": lambda make, name: international(make, name, late=True),
    "png xmp": lambda make, name: international(make, make.creator(name), b"XML:com.adobe.xmp"),
    "png xmp, compressed": lambda make, name: international(
        make, make.creator(name), b"XML:com.adobe.xmp", packed=True
    ),
    "png exif behind the pixels": lambda make, name: make.png(
        (b"eXIf", make.tiff({ARTIST: make.ascii_tag(name)})), late=True
    ),
}

LATIN = {
    "exif, Latin-1": lambda make: exif_of(make, NAME.encode("latin-1")),
    "exif as bytes, Latin-1": lambda make: exif_of(make, NAME.encode("latin-1"), kind=7),
    "iptc, unmarked Latin-1": lambda make: by_line(make, NAME.encode("latin-1")),
    "iptc, marked Latin-1": lambda make: by_line(make, NAME.encode("latin-1"), b"\x1b.A"),
    "iptc, wrongly marked UTF-8": lambda make: by_line(make, NAME.encode("latin-1"), UTF_8_MARK),
    "xmp, Latin-1": lambda make: make.jpeg(packet=make.creator(NAME).encode("latin-1", "ignore")),
    "png, text": lambda make: text_chunk(make, NAME),
    "png, UTF-8 in a Latin-1 text": lambda make: text_chunk(make, NAME, "utf-8"),
    "png, text behind the pixels": lambda make: text_chunk(make, NAME, late=True),
    "png, artist": lambda make: text_chunk(make, NAME, keyword=b"Artist"),
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", [NAME, WIDER, "Ada Lovelace"], ids=["western", "any script", "ascii"])
def test_every_field_in_every_encoding(make, facts_of, field, name) -> None:
    content = FIELDS[field](make, name)
    found = facts_of(content, "a.png" if content.startswith(b"\x89PNG") else "a.jpg").artist
    assert found == name


@pytest.mark.parametrize("field", LATIN)
def test_latin_1_and_what_is_taken_for_it(make, facts_of, field) -> None:
    assert facts_of(LATIN[field](make)).artist == NAME


@pytest.mark.parametrize(
    ("marker", "encoding", "name"),
    [
        (b"\x1b-B", "iso-8859-2", "Łukasz Żak"),
        (b"\x1b-L", "iso-8859-5", "Зоя"),
        (b"\x1b-F", "iso-8859-7", "Νίκος"),
        (b"\x1b%/E", "utf-16-be", "Zoë"),
        (b"\x1b%/I", "utf-8", "Zoë"),
    ],
)
def test_iptc_is_in_the_encoding_it_names(make, facts_of, marker, encoding, name) -> None:
    assert facts_of(by_line(make, name.encode(encoding), marker)).artist == name


def test_curly_quotes_are_windows(make, facts_of) -> None:
    assert facts_of(exif_of(make, "Seán O’Brien".encode("cp1252"))).artist == "Seán O’Brien"


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("letter", ["é", "张", "🙂"])
def test_a_long_text_is_cut_between_characters(before, letter) -> None:
    long = before + letter * 5000
    assert text(long.encode()) == text(long.encode().decode("latin-1")) == text(long) == long[:200]


def test_a_name_is_composed(make, facts_of) -> None:
    assert facts_of(exif_of(make, unicodedata.normalize("NFD", NAME).encode())).artist == NAME


BADLY = b"S\x81ren \x8dberg"
"""Neither UTF-8 nor Windows-1252."""


@pytest.mark.parametrize("replaced", ["S\ufffdren", "\ufffd\ufffd"])
def test_what_cannot_be_decoded_is_kept_out_and_the_next_source_taken(make, facts_of, replaced) -> None:
    exif = make.tiff({ARTIST: (2, BADLY + b"\0")})
    assert facts_of(make.jpeg(exif=exif)).artist is None
    assert facts_of(make.jpeg(exif=exif, iptc=make.iim((2, BYLINE, b"Otto Kern")))).artist == "Otto Kern"
    kept = make.tiff({ARTIST: make.ascii_tag("Otto Kern")})
    assert facts_of(make.jpeg(exif=kept, packet=make.creator(replaced))).artist == "Otto Kern"
    assert facts_of(make.jpeg(exif=kept, iptc=make.iim((2, BYLINE, BADLY)))).artist == "Otto Kern"


@pytest.mark.parametrize(
    "empty",
    [
        "<dc:creator><rdf:Seq><rdf:li></rdf:li></rdf:Seq></dc:creator>",
        "<dc:creator><rdf:Seq><rdf:li/></rdf:Seq></dc:creator>",
        "<dc:creator><rdf:Seq/></dc:creator>",
        "<dc:creator></dc:creator>",
        "<dc:creator/>",
        "<dc:creator> \n </dc:creator>",
        "<photoshop:Credit>Big Agency</photoshop:Credit>",
        "<dc:contributor><rdf:Seq><rdf:li>Big Agency</rdf:li></rdf:Seq></dc:contributor>",
    ],
)
def test_an_empty_list_of_creators_names_nobody(make, facts_of, empty) -> None:
    title = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Evening at the lake</rdf:li></rdf:Alt></dc:title>'
    subject = "<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>"
    packet = make.xmp(subject + empty + title + subject)
    assert facts_of(make.jpeg(packet=packet)).artist is None
    exif = make.tiff({ARTIST: make.ascii_tag("Otto Kern")})
    assert facts_of(make.jpeg(exif=exif, packet=packet)).artist == "Otto Kern"


def test_escapes(make, facts_of) -> None:
    assert facts_of(make.jpeg(packet=make.creator("Fox &amp; Hale"))).artist == "Fox & Hale"
    assert facts_of(make.jpeg(packet=make.creator("Zo&#xEB; N&#237; Bhriain"))).artist == "Zoë Ní Bhriain"
    assert facts_of(make.jpeg(packet=make.creator("<![CDATA[a < b & c]]>"))).artist == "a < b & c"


def test_other_prefixes_are_the_same_names(make, facts_of) -> None:
    packet = (
        make.creator("Ada")
        .replace("dc:", "core:")
        .replace(":dc=", ":core=")
        .replace("rdf:", "r:")
        .replace(":rdf=", ":r=")
    )
    assert facts_of(make.jpeg(packet=packet)).artist == "Ada"


def test_the_same_name_in_another_namespace_is_another(make, facts_of) -> None:
    packet = make.creator("Ada").replace("purl.org/dc/elements/1.1", "example.org/other")
    assert facts_of(make.jpeg(packet=packet)).artist is None


def test_what_is_nested_describes_something_else(make, facts_of) -> None:
    inner = "<dc:creator><rdf:Seq><rdf:li>Of the part</rdf:li></rdf:Seq></dc:creator>"
    packet = make.xmp(
        f'<photoshop:DocumentAncestors><rdf:Bag><rdf:li rdf:parseType="Resource">{inner}</rdf:li></rdf:Bag>'
        "</photoshop:DocumentAncestors>"
    )
    assert facts_of(make.jpeg(packet=packet)).artist is None


def test_who_counts_when_all_name_somebody(make, facts_of, tmp_path) -> None:
    exif = make.tiff({ARTIST: make.ascii_tag("Of Exif"), COPYRIGHT: make.ascii_tag("Of Rights")})
    iptc, packet = make.iim((2, BYLINE, b"Of Iptc"), (2, CREDIT, b"Agency")), make.creator("Of Xmp")
    beside = tmp_path / "a.xmp"
    beside.write_text(make.creator("Of Sidecar"))
    assert facts_of(make.jpeg(exif, packet, iptc)).artist == "Of Sidecar"
    beside.unlink()
    assert facts_of(make.jpeg(exif, packet, iptc)).artist == "Of Xmp"
    assert facts_of(make.jpeg(exif, b"", iptc)).artist == "Of Iptc"
    assert facts_of(make.jpeg(exif)).artist == "Of Exif"
    assert facts_of(make.jpeg(make.tiff({COPYRIGHT: make.ascii_tag("(c) Of Rights")}))).artist == "Of Rights"
    assert facts_of(make.jpeg(iptc=make.iim((2, CREDIT, b"Agency")))).artist is None


@pytest.mark.parametrize("nobody", ["Adobe Photoshop CS6 (Windows)", "NIKON CORPORATION", "unknown", "Picasa"])
def test_a_program_or_a_maker_lets_the_next_source_speak(make, facts_of, nobody) -> None:
    exif = make.tiff({ARTIST: make.ascii_tag("Otto Kern")})
    assert facts_of(make.jpeg(exif, make.creator(nobody))).artist == "Otto Kern"


def test_cameras_and_lenses_are_decoded_alike(make, facts_of) -> None:
    tags = {MAKE: make.ascii_tag("Käfer"), MODEL: (2, "Grün 3".encode("latin-1") + b"\0")}
    assert facts_of(make.jpeg(make.tiff(tags, {0xA434: make.ascii_tag("Würfel 50mm")}))).camera == "Käfer Grün 3"
    assert facts_of(make.jpeg(make.tiff(tags, {0xA434: make.ascii_tag("Würfel 50mm")}))).lens == "Würfel 50mm"
