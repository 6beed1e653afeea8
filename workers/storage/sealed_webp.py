"""A checksum in a WebP picture itself, by which damage of a stored preview is found.

It lies in a chunk of its own behind all others, which readers leave out: whoever copies, backs up or restores the file
takes it along, and a picture that is made anew has a new one. Previews of an older version have none. Source: "WebP
Container Specification", RIFF file format and unknown chunks.
"""

from __future__ import annotations

import hashlib

_KIND = b"LWck"
_DIGEST = 16
_CHUNK = len(_KIND) + 4 + _DIGEST
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


def _chunk(media_id: str, webp: bytes) -> bytes:
    digest = hashlib.blake2b(media_id.encode("ascii"), digest_size=_DIGEST)
    digest.update(webp[8:])  # the size before that grows by this chunk
    return _KIND + _DIGEST.to_bytes(4, "little") + digest.digest()
