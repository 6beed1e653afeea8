"""A checksum in a WebP picture itself, by which damage of a stored preview is found; and fingerprints over time.

Each lies in a chunk of its own behind all others, which readers leave out: whoever copies, backs up, restores or
deletes the file takes both along, the checksum covers the fingerprints, and a picture that is made anew has new ones.
Previews of an older version have none. Source: "WebP Container Specification", RIFF file format and unknown chunks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

_KIND = b"LWck"
_DIGEST = 16
_CHUNK = len(_KIND) + 4 + _DIGEST
_FOOTPRINTS = b"LWfp"
_HEAD = 12
"""Bytes of ``RIFF``, the size and ``WEBP``."""


def seal(media_id: str, webp: bytes) -> bytes:
    """The picture with its checksum; as it is where it has one, or is no WebP picture.

    Args:
        media_id: of the content that it shows, which is part of the checksum.
    """
    if complaint_of_webp(media_id, webp) or is_sealed(webp):
        return webp
    size = len(webp) - 8 + _CHUNK
    return b"RIFF" + size.to_bytes(4, "little") + webp[8:] + _chunk(media_id, webp)


def is_sealed(webp: bytes) -> bool:
    """Whether there is a checksum, whether it holds or not."""
    return len(webp) >= _HEAD + _CHUNK and webp[-_CHUNK:].startswith(_KIND + _DIGEST.to_bytes(4, "little"))


def complaint_of_webp(media_id: str, data: bytes) -> str:
    """What is wrong with a picture, as words that follow a name; empty where nothing is known to be."""
    if data[:4] != b"RIFF" or data[8:15] != b"WEBPVP8":
        return "is no WebP picture"
    wanted = int.from_bytes(data[4:8], "little") + 8
    if len(data) != wanted:
        return f"has {len(data):,} bytes and should have {wanted:,}"
    if is_sealed(data) and data[-_CHUNK:] != _chunk(media_id, data[:-_CHUNK]):
        return "is not what was written"
    return ""


def with_footprints(webp: bytes, footprints: bytes) -> bytes:
    """A picture without a checksum, with fingerprints over time (``search.similar.reuse.footprints``)."""
    padded = footprints + bytes(len(footprints) % 2)
    size = len(webp) + len(padded)  # that of the file, less the eight bytes before, plus the eight of the chunk's head
    return b"RIFF" + size.to_bytes(4, "little") + webp[8:] + _FOOTPRINTS + _length(footprints) + padded


def footprints_in(webp: bytes) -> bytes | None:
    """The fingerprints over time in a picture; None where there are none."""
    for at, end, kind in _chunks(webp):
        if kind == _FOOTPRINTS:
            return webp[at + 8 : min(end, at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little"))]
    return None


def picture_alone(webp: bytes) -> bytes:
    """The picture without fingerprints and checksum, as browsers need it."""
    body = b"".join(webp[at:end] for at, end, kind in _chunks(webp) if kind not in (_FOOTPRINTS, _KIND))
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _chunks(webp: bytes) -> Iterator[tuple[int, int, bytes]]:
    """First byte, end and kind of each chunk."""
    at = _HEAD
    while at + 8 <= len(webp):
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        end = min(len(webp), at + 8 + size + size % 2)
        yield at, end, webp[at : at + 4]
        at = end


def _length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little")


def _chunk(media_id: str, webp: bytes) -> bytes:
    digest = hashlib.blake2b(media_id.encode("ascii"), digest_size=_DIGEST)
    digest.update(webp[8:])  # the size before that grows by this chunk
    return _KIND + _DIGEST.to_bytes(4, "little") + digest.digest()
