"""Read IPTC-IIM data, alone and within Photoshop's image resources.

Source: IPTC-IIM 4.2; Adobe Photoshop File Formats Specification, "Image Resource Blocks".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from workers.decode.metadata.dates import iptc_moment
from workers.decode.metadata.sources import Source, SourceFacts
from workers.decode.metadata.texts import text

IPTC_RESOURCE, XMP_RESOURCE = 0x0404, 0x0424
"""Ids of Photoshop's resources that hold IPTC-IIM and XMP."""

_CHARSET = (1, 90)
_DATE_CREATED, _TIME_CREATED = (2, 55), (2, 60)
_DATE_DIGITISED, _TIME_DIGITISED = (2, 62), (2, 63)
_BYLINE, _RIGHTS = (2, 80), (2, 116)
_READ = frozenset({_CHARSET, _DATE_CREATED, _TIME_CREATED, _DATE_DIGITISED, _TIME_DIGITISED, _BYLINE, _RIGHTS})
"""Data sets that are read. Credit (2:110) names the provider, an agency say, and never counts as the author."""

_MOST_SETS = 4096
_MOST_OF_ONE = 16
_UTF_16 = frozenset(f"\x1b%/{final}" for final in "@CEJKL")
_ISO_8859 = {
    "A": 1, "B": 2, "C": 3, "D": 4, "L": 5, "G": 6, "F": 7, "H": 8, "M": 9, "V": 10, "_": 14, "b": 15, "f": 16,
}  # fmt: skip
"""Final byte of the escape sequence to the part of ISO 8859 (ISO-IR register)."""


def iptc_facts(raw: bytes) -> SourceFacts:
    """What IPTC-IIM data sets say. Texts are in the encoding that 1:90 names, else it is detected."""
    found: dict[tuple[int, int], list[bytes]] = {}
    for key, value in _data_sets(raw):
        if key in _READ and len(values := found.setdefault(key, [])) < _MOST_OF_ONE:
            values.append(value)
    encoding = _encoding(next(iter(found.get(_CHARSET, ())), b""))

    def texts(key: tuple[int, int]) -> list[str]:
        return [one for value in found.get(key, ()) if (one := _text(value, encoding))]

    def dates(day: tuple[int, int], clock: tuple[int, int]) -> tuple[str, ...]:
        made = iptc_moment(next(iter(texts(day)), None), next(iter(texts(clock)), None))
        return (made,) if made else ()

    return SourceFacts(
        Source.IPTC,
        authors=tuple(texts(_BYLINE)),
        rights=next(iter(texts(_RIGHTS)), None),
        original=dates(_DATE_CREATED, _TIME_CREATED),
        digitised=dates(_DATE_DIGITISED, _TIME_DIGITISED),
    )


def photoshop_resource(raw: bytes, wanted: int) -> bytes | None:
    """The content of one of Photoshop's image resources; None where it is absent."""
    at = raw.find(b"8BIM")
    for _ in range(_MOST_SETS):
        if at < 0 or raw[at : at + 4] != b"8BIM" or at + 12 > len(raw):
            return None
        (id_,) = struct.unpack_from(">H", raw, at + 4)
        at += 6 + (raw[at + 6] + 2) // 2 * 2
        if at + 4 > len(raw):
            return None
        (length,) = struct.unpack_from(">I", raw, at)
        at += 4
        if id_ == wanted:
            return raw[at : at + length]
        at += (length + 1) // 2 * 2
    return None


def _data_sets(raw: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = raw.find(b"\x1c")
    for _ in range(_MOST_SETS):
        if at < 0 or at + 5 > len(raw) or raw[at] != 0x1C:
            return
        record, number, length = struct.unpack_from(">BBH", raw, at + 1)
        at += 5
        if length & 0x8000:
            width = length & 0x7FFF
            if not 1 <= width <= 4 or at + width > len(raw):
                return
            length = int.from_bytes(raw[at : at + width], "big")
            at += width
        if at + length > len(raw):
            return
        yield (record, number), raw[at : at + length]
        at += length


def _encoding(marker: bytes) -> str | None:
    """Python's name of the encoding that 1:90 announces; None where it says nothing known.

    Source: ISO 2022; the final bytes are those of the ISO-IR register.
    """
    sign = marker.strip(b"\0 ").decode("latin-1")
    if sign.startswith("\x1b%G") or sign in ("\x1b%/G", "\x1b%/H", "\x1b%/I"):
        return "utf-8"
    if sign in _UTF_16:
        return "utf-16-be"
    if len(sign) == 3 and sign[:2] in ("\x1b-", "\x1b.", "\x1b/") and sign[2] in _ISO_8859:
        return f"iso-8859-{_ISO_8859[sign[2]]}"
    return None


def _text(raw: bytes, encoding: str | None) -> str | None:
    return (text(raw, encoding) if encoding else None) or text(raw)
