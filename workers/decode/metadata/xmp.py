"""Read XMP packets: XML is parsed as XML, within bounds, and a document type (so any entity of its own) is refused.

Source: ISO 16684-1 (XMP data model, RDF/XML serialization); Exif 2.32 metadata for XMP (CIPA DC-010).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from workers.decode.metadata.dates import moment
from workers.decode.metadata.quantities import Place, place, positive, xmp_degrees
from workers.decode.metadata.sources import Source, SourceFacts, camera_name
from workers.decode.metadata.texts import cleaned

MOST_BYTES = 16 << 20
"""A packet that is longer is cut: editors write histories of megabytes."""

_DEEPEST = 64
_MOST_VALUES = 32
_LONGEST_VALUE = 4000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ROOT, _DESCRIPTION = f"{_RDF} RDF", f"{_RDF} Description"
_ITEMS = frozenset({f"{_RDF} li", f"{_RDF} value"})
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": "xmpDM",
}
_LISTED = """
    dc:creator dc:rights tiff:Artist tiff:Copyright tiff:Make tiff:Model tiff:DateTime exif:DateTimeOriginal
    exif:DateTimeDigitized exif:OffsetTimeOriginal exif:ISOSpeedRatings exif:FNumber exif:ExposureTime exif:FocalLength
    exif:GPSLatitude exif:GPSLongitude exif:GPSStatus exifEX:PhotographicSensitivity exifEX:LensModel
    exifEX:OffsetTimeOriginal aux:Lens photoshop:DateCreated xmp:CreateDate xmp:ModifyDate xmpDM:shotDate
    """
_PROPERTIES = frozenset(_LISTED.split())
"""Properties that are read. ``photoshop:Credit`` names the provider, an agency say, and never counts as the author."""

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""First bytes of a packet to its encoding."""


def xmp_facts(packet: bytes | str, source: Source = Source.XMP) -> SourceFacts:
    """What an XMP packet says; what stands before the first error in its XML counts."""
    said = xmp_properties(packet)

    def first(*names: str) -> str | None:
        return next((one for name in names for value in said.get(name, ()) if (one := cleaned(value))), None)

    def dates(*names: str, zone: str | None = None) -> tuple[str, ...]:
        return tuple(one for name in names if (one := moment(first(name), zone)))

    authors = (cleaned(value) for name in ("dc:creator", "tiff:Artist") for value in said.get(name, ()))
    zone = first("exif:OffsetTimeOriginal", "exifEX:OffsetTimeOriginal")
    return SourceFacts(
        source,
        authors=tuple(author for author in authors if author),
        rights=first("dc:rights", "tiff:Copyright"),
        original=dates("exif:DateTimeOriginal", "photoshop:DateCreated", "xmpDM:shotDate", zone=zone),
        digitised=dates("exif:DateTimeDigitized", "xmp:CreateDate"),
        modified=dates("tiff:DateTime", "xmp:ModifyDate"),
        camera=camera_name(first("tiff:Make"), first("tiff:Model")),
        lens=first("exifEX:LensModel", "aux:Lens"),
        iso=positive(first("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings")),
        aperture=positive(first("exif:FNumber")),
        exposure=positive(first("exif:ExposureTime")),
        focal_length=positive(first("exif:FocalLength")),
        place=_place(first("exif:GPSStatus"), first("exif:GPSLatitude"), first("exif:GPSLongitude")),
    )


def xmp_properties(packet: bytes | str) -> Mapping[str, tuple[str, ...]]:
    """Values of the properties in ``_PROPERTIES`` by their names with the usual prefixes, whatever prefixes the packet
    uses; of alternatives by language the default first. Empty where the packet declares a document type."""
    written = (packet if isinstance(packet, str) else _decoded(packet[:MOST_BYTES]))[:MOST_BYTES]
    start = written.find("<")
    reader = _Reader()
    try:
        reader.read(written[max(start, 0) :])
    except _Refused:
        return {}
    except expat.ExpatError:
        pass
    return {name: tuple(values) for name, values in reader.found.items()}


class _Refused(Exception):
    """The packet is built to do harm."""


@dataclass(slots=True)
class _Reader:
    """Collects the properties of every ``rdf:Description`` that stands directly in ``rdf:RDF``.

    Attributes:
        open: names of the elements that are open.
        name: the property that is open.
        depth: number of elements that were open when it was opened.
        text: text of the item that is open, and its language.
    """

    found: dict[str, list[str]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    name: str | None = None
    depth: int = 0
    items: list[tuple[str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    language: str = ""
    itemised: bool = False

    def read(self, written: str) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.refuse
        parser.EntityDeclHandler = self.refuse
        parser.Parse(written, True)

    def refuse(self, *_: object) -> None:
        raise _Refused

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= _DEEPEST:
            raise _Refused
        if self.open[-2:] == [_ROOT, _DESCRIPTION] and self.name is None:
            self._start_property(name)
        elif self.name is not None and name in _ITEMS:
            self.text, self.language, self.itemised = [], attributes.get(_LANGUAGE, ""), True
        if name == _DESCRIPTION and self.open[-1:] == [_ROOT]:
            for attribute, value in attributes.items():
                self._keep(_prefixed(attribute), [value])
        self.open.append(name)

    def _start_property(self, name: str) -> None:
        self.name, self.depth = _prefixed(name), len(self.open)
        self.items, self.text, self.language, self.itemised = [], [], "", False

    def end(self, name: str) -> None:
        self.open.pop()
        if self.name is None:
            return
        if name in _ITEMS:
            self.items.append((self.language, "".join(self.text)))
            self.text = []
        if len(self.open) == self.depth:
            values = self.items if self.itemised else [("", "".join(self.text))]
            values = sorted(values[:_MOST_VALUES], key=lambda item: item[0] != "x-default")
            self._keep(self.name, [value for _, value in values])
            self.name = None

    def characters(self, data: str) -> None:
        if self.name not in _PROPERTIES or sum(map(len, self.text)) > _LONGEST_VALUE:
            return
        if len(self.open) == self.depth + 1 or self.open[-1] in _ITEMS:
            self.text.append(data[:_LONGEST_VALUE])

    def _keep(self, name: str, values: Iterable[str]) -> None:
        if name in _PROPERTIES:
            kept = self.found.setdefault(name, [])
            kept += [value for value in values if value.strip()][: _MOST_VALUES - len(kept)]


def _prefixed(name: str) -> str:
    """``namespace local`` as ``prefix:local``; the prefix is empty where the namespace is not known."""
    namespace, _, local = name.rpartition(" ")
    return f"{_PREFIXES.get(namespace, '')}:{local}"


def _decoded(packet: bytes) -> str:
    """The packet as text: by its byte order mark or its first character, else UTF-8, else Windows-1252."""
    head = packet.lstrip(b" \r\n\t")
    encoding = next((name for start, name in _ENCODINGS if head.startswith(start)), None)
    return head.decode(encoding, "replace") if encoding else head.decode("utf-8-sig", _MIXED)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, as Windows-1252: some programs write Latin-1 into packets of UTF-8."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_MIXED = "utf-8 or windows-1252"
codecs.register_error(_MIXED, _as_windows)


def _place(status: str | None, latitude: str | None, longitude: str | None) -> Place | None:
    if (status or "").upper() == "V":
        return None
    return place(xmp_degrees(latitude, 90.0), xmp_degrees(longitude, 180.0))
