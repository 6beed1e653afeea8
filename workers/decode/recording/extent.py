"""What a recording's own headers say of its bytes: how many there should be, and whether some in between are gone.

Only what is certain is told. Headers of streams that were written without going back (all ones, zeros, sizes near the
largest) say nothing.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from workers.decode.recording.packets import unsynchronised

_MOST_BOXES = 100_000
_SEARCHED = 1 << 16
"""Bytes at the start in which headers of flat formats are looked for."""
_LARGEST = 0x7FFF0000
"""Sizes of 32 bits from here on are written by programs that do not know the size."""
_NAME = re.compile(rb"[ -~\xa9][ -~]{3}")
_SEARCHED_FRAGMENTS = 128 << 20
"""Bytes behind a broken box in which more fragments are looked for."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of a file against those its headers promise.

    Attributes:
        size: bytes of the file.
        missing: share of the promised bytes that lie behind its end, in [0, 1).
        unsynchronised: of transport and programme streams, share of the packets that are none; of an MP4 in fragments,
            of the bytes in which its boxes cannot be followed.
        broken_order: of those, packets are missing.
        tagged: a tag stands at the end, as programs append to sounds.
        frames: frames of an MP3 by its Xing header, samples of a FLAC; 0 where not told.
    """

    size: int
    missing: float = 0.0
    unsynchronised: float = 0.0
    broken_order: bool = False
    tagged: bool = False
    frames: int = 0


def measure_extent(file: IO[bytes], family: str) -> Extent:
    """Compare a file's size with its headers.

    Args:
        family: first name of FFmpeg's demuxer, for example ``mov``.
    """
    size = os.fstat(file.fileno()).st_size
    if family in ("mpeg", "mpegts"):
        lost, broken_order = unsynchronised(file)
        return Extent(size, unsynchronised=lost, broken_order=broken_order)
    if family == "mp3":
        promised, frames = _xing(file)
        return Extent(size, _share(size, promised), frames=frames if size < promised else 0)
    if family == "flac":
        return Extent(size, frames=_flac_samples(file))
    if family == "mov":
        last, found = _boxes(file, size)
        return Extent(size, _share(size, last), unsynchronised=_lost_fragments(file, size, last, found))
    reader = _READERS.get(family)
    promised = reader(file) if reader else 0
    file.seek(max(0, size - 160))
    end = file.read(160)
    return Extent(size, _share(size, promised), tagged=b"APETAGEX" in end or end[-128:-125] == b"TAG")


def lacks_index(file: IO[bytes]) -> bool:
    """Whether a file is an MP4 or MOV with data, but without all of ``moov``, by which anything can be found in it."""
    _, found = _boxes(file, os.fstat(file.fileno()).st_size)
    return b"mdat" in found and not found & {b"moov", b"moof"}


def _share(size: int, promised: int) -> float:
    return 1 - size / promised if promised > size else 0.0


def _boxes(file: IO[bytes], size: int) -> tuple[int, set[bytes]]:
    """Where the last box on the outermost level of an MP4 ends, and their kinds. Source: ISO/IEC 14496-12, 4.2."""
    at, found = 0, set[bytes]()
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8 or not _NAME.match(head, 4):
            break
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:
            length = size - at
        if length < 8:
            break
        at += length
        if at <= size or head[4:8] != b"moov":
            found.add(head[4:8])
        if at >= size:
            break
    return at, found


def _lost_fragments(file: IO[bytes], size: int, end: int, found: set[bytes]) -> float:
    """Share of a film in fragments behind ``end``, where its boxes cease to make sense, if there are more fragments."""
    if b"moof" not in found or end >= size:
        return 0.0
    file.seek(end)
    return 1 - end / size if b"moof" in file.read(_SEARCHED_FRAGMENTS) else 0.0


def _chunks(file: IO[bytes], order: str) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and length of the chunks of a RIFF or AIFF file."""
    at = 12
    for _ in range(1000):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = struct.unpack(order + "I", head[4:])[0]
        yield head[:4], at + 8, length
        at += 8 + length + length % 2


def _sampled(order: str, kind: bytes) -> Callable[[IO[bytes]], int]:
    """Reader of the end of WAV and AIFF: that of the whole, if the chunk of samples agrees with it."""

    def end(file: IO[bytes]) -> int:
        file.seek(0)
        head = file.read(12)
        whole = struct.unpack(order + "I", head[4:8])[0] + 8 if len(head) == 12 else 0
        for name, first, length in _chunks(file, order):
            if name == kind:
                agrees = 0 < length < _LARGEST and first + length <= whole + 1 and whole < _LARGEST
                return first + length if agrees else 0
        return 0

    return end


def _avi(file: IO[bytes]) -> int:
    file.seek(4)
    length = int.from_bytes(file.read(4), "little")
    return length + 8 if length < _LARGEST else 0


def _matroska(file: IO[bytes]) -> int:
    """Source: RFC 8794 (EBML), 4 to 6."""
    file.seek(0)
    head = file.read(_SEARCHED)
    at = head.find(b"\x18\x53\x80\x67")
    if at < 0 or len(head) < at + 12:
        return 0
    width = 9 - head[at + 4].bit_length()
    if width > 8:
        return 0
    value = int.from_bytes(head[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    return 0 if value in (0, (1 << 7 * width) - 1) else at + 4 + width + value


def _asf(file: IO[bytes]) -> int:
    """Source: Advanced Systems Format, 3.2: file properties. A broadcast's size is not valid."""
    file.seek(0)
    head = file.read(_SEARCHED)
    at = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    if at < 0 or len(head) < at + 92:
        return 0
    broadcast = head[at + 88] & 1
    return 0 if broadcast else int.from_bytes(head[at + 40 : at + 48], "little")


def _au(file: IO[bytes]) -> int:
    file.seek(4)
    head = file.read(8)
    first, length = struct.unpack(">II", head) if len(head) == 8 else (0, 0)
    return first + length if 0 < length < _LARGEST else 0


def _caf(file: IO[bytes]) -> int:
    at = 8
    for _ in range(1000):
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:], "big", signed=True)
        if len(head) < 12 or length < 0:
            return 0
        at += 12 + length
        if head[:4] == b"data":
            return at
    return 0


def _flv(file: IO[bytes]) -> int:
    """The size that the writer noted among the metadata."""
    file.seek(0)
    head = file.read(_SEARCHED)
    at = head.find(b"filesize\0")
    if at < 0 or len(head) < at + 17:
        return 0
    size = float(struct.unpack(">d", head[at + 9 : at + 17])[0])
    return int(size) if 0 < size < 1 << 62 else 0


_READERS: dict[str, Callable[[IO[bytes]], int]] = {
    "wav": _sampled("<", b"data"),
    "aiff": _sampled(">", b"SSND"),
    "avi": _avi,
    "matroska": _matroska,
    "asf": _asf,
    "au": _au,
    "caf": _caf,
    "flv": _flv,
}
"""Readers of where a file should end, 0 where that is not known."""


def _xing(file: IO[bytes]) -> tuple[int, int]:
    """End of an MP3's sound, bytes, and its frames, by its Xing header; zeros without both. Source: the LAME tag."""
    file.seek(0)
    head = file.read(10)
    tag = 0
    if head[:3] == b"ID3" and len(head) == 10:
        tag = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(tag)
    start = file.read(4096)
    at = max(start.find(b"Xing"), start.find(b"Info"))
    if at < 0 or len(start) < at + 16 or start[at + 7] & 3 != 3:
        return 0, 0
    frames, length = struct.unpack(">II", start[at + 8 : at + 16])
    return (tag + length, frames) if frames and length < _LARGEST else (0, 0)


def _flac_samples(file: IO[bytes]) -> int:
    """Samples by a FLAC's STREAMINFO, 0 where its writer did not know. Source: RFC 9639, 8.2."""
    file.seek(0)
    head = file.read(_SEARCHED)
    at = head.find(b"fLaC")
    return int.from_bytes(head[at + 21 : at + 26], "big") & ((1 << 36) - 1) if at >= 0 else 0
