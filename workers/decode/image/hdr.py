"""Find how HDR and wide-gamut stills code their colours where no ICC profile says so: cICP of PNG, nclx of HEIF, AVIF.

Source: PNG 3rd edition, 11.3.2.6 (cICP); ISO/IEC 14496-12, 12.1.5 (colr).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

from PIL import Image

from workers.decode.tone_mapping import HLG, PQ, needs_mapping

_PNG_START = 8
_MOST_CHUNKS = 200
_SEARCHED = 1 << 18
"""Bytes of an AVIF in which its item properties lie."""
_NCLX = b"colrnclx"


@dataclass(frozen=True, slots=True)
class ColourCodes:
    """Transfer and primaries as code points of H.273."""

    transfer: int
    primaries: int

    @property
    def hdr(self) -> bool:
        return self.transfer in (PQ, HLG)


def colour_codes(picture: Image.Image, file: IO[bytes]) -> ColourCodes | None:
    """What an opened picture says of its colours; None where it says nothing or what is shown as sRGB."""
    if picture.format == "PNG":
        found = _cicp(file)
    elif picture.format == "AVIF":
        found = _nclx(file)
    elif picture.format == "HEIF":
        profile = picture.info.get("nclx_profile") or {}
        found = ColourCodes(int(profile.get("transfer_characteristics", 2)), int(profile.get("color_primaries", 2)))
    else:
        return None
    return found if found is not None and needs_mapping(found.transfer, found.primaries) else None


def _cicp(file: IO[bytes]) -> ColourCodes | None:
    at = file.tell()
    try:
        file.seek(_PNG_START)
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
                return None
            if head[4:] == b"cICP":
                primaries, transfer = file.read(2).ljust(2, b"\2")
                return ColourCodes(transfer, primaries)
            file.seek(struct.unpack(">I", head[:4])[0] + 4, os.SEEK_CUR)
    finally:
        file.seek(at)
    return None


def _nclx(file: IO[bytes]) -> ColourCodes | None:
    at = file.tell()
    file.seek(0)
    head = file.read(_SEARCHED)
    file.seek(at)
    found = head.find(_NCLX)
    if found < 0 or found + len(_NCLX) + 4 > len(head):
        return None
    primaries, transfer = struct.unpack_from(">HH", head, found + len(_NCLX))
    return ColourCodes(transfer, primaries)
