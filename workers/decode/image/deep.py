"""Read what Pillow does not: merged pictures of deep and large Photoshop files, TIFFs of floats or wide integers.

Source: Adobe Photoshop File Formats Specification (2019), "File Header Section" to "Image Data Section"; TIFF Revision
6.0, and Adobe Photoshop TIFF Technical Note 3 for floats, which OpenCV's libtiff reads.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from search.errors import CorruptMediaError, MediaTooLargeError, UnsupportedMediaError
from workers.decode.image.pixel_modes import eight_bits
from workers.decode.image.truncated import ends_early

PSD, TIFF = "image/vnd.adobe.photoshop", "image/tiff"

_PSD_START = b"8BPS"
_TIFF_STARTS = (b"II*\0", b"MM\0*")
_MODES = {1: "L", 3: "RGB", 4: "CMYK", 9: "LAB"}
_ICC_RESOURCE, _ICC_TAG = 1039, 34675
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_RAW, _PACKED = 0, 1
_MOST_SIDE = 300_000


@dataclass(frozen=True, slots=True)
class DeepPicture:
    """A picture that Pillow could not open, and what kind of file it is."""

    picture: Image.Image
    mime: str


@dataclass(frozen=True, slots=True)
class _Header:
    large: bool
    channels: int
    width: int
    height: int
    depth: int
    mode: str


def read_deep(file: IO[bytes], name: str, max_pixels: int) -> DeepPicture | None:
    """The picture in a file that Pillow does not recognise; None where this module does not either.

    Raises:
        UnsupportedMediaError: a variant that cannot be read; the file may be sound.
        CorruptMediaError: it ends early.
        MediaTooLargeError: more than ``max_pixels``.
    """
    file.seek(0)
    head = file.read(26)
    if head.startswith(_PSD_START):
        header = _header(head, name)
        return None if header is None else DeepPicture(_photoshop(file, header, name, max_pixels), PSD)
    if head.startswith(_TIFF_STARTS):
        return _tiff(file, head, name, max_pixels)
    return None


def _header(head: bytes, name: str) -> _Header | None:
    if len(head) < 26:
        return None
    version, channels, height, width, depth, mode = struct.unpack(">H6xHIIHH", head[4:26])
    if version not in (1, 2) or not (0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE) or not 0 < channels <= 56:
        return None
    known = _MODES.get(mode)
    if depth not in (8, 16, 32) or known is None:
        raise UnsupportedMediaError(
            f"'{name}' is a Photoshop file of a kind that cannot be read: {depth} bits, mode {mode}."
        )
    return _Header(version == 2, channels, width, height, depth, known)


def _photoshop(file: IO[bytes], header: _Header, name: str, max_pixels: int) -> Image.Image:
    _check_size(header.width, header.height, max_pixels, name)
    profile = _skip_to_pixels(file, header)
    wanted = {"L": 1, "RGB": 3, "CMYK": 4, "LAB": 3}[header.mode]
    if header.channels < wanted:
        raise CorruptMediaError(f"'{name}' is a broken picture: it has {header.channels} channels of {wanted}.")
    compression = int.from_bytes(file.read(2), "big")
    if compression == _RAW:
        samples = _raw_planes(file, header, wanted)
    elif compression == _PACKED:
        samples = _packed_planes(file, header, wanted)
    else:
        raise UnsupportedMediaError(
            f"'{name}' is a Photoshop file whose pixels are packed in a way that cannot be read."
        )
    if samples is None:
        raise CorruptMediaError(f"'{name}' is a broken picture: its file ends before its pixels do.")
    levels = np.asarray(samples, np.uint8) if samples.dtype == np.uint8 else eight_bits(samples)
    picture = _assembled(np.moveaxis(levels, 0, -1), header.mode)
    if profile:
        picture.info["icc_profile"] = profile
    return picture


def _assembled(levels: npt.NDArray[np.uint8], mode: str) -> Image.Image:
    """Photoshop stores inks inverted, and a and b of Lab shifted by 128, which Pillow keeps as signed."""
    if mode == "L":
        return Image.fromarray(np.ascontiguousarray(levels[..., 0]))
    if mode == "RGB":
        return Image.fromarray(np.ascontiguousarray(levels))
    stored = 255 - levels if mode == "CMYK" else levels ^ np.array([0, 128, 128], np.uint8)
    size = (levels.shape[1], levels.shape[0])
    return Image.frombytes(mode, size, np.ascontiguousarray(stored).tobytes())


def _skip_to_pixels(file: IO[bytes], header: _Header) -> bytes | None:
    """Move past colour table, resources and layers; the ICC profile among the resources."""
    _skip(file, 4)
    length = int.from_bytes(file.read(4), "big")
    end = file.tell() + length
    profile = None
    while file.tell() + 12 <= end and profile is None:
        head = file.read(7)
        if len(head) < 7:
            break
        number, name_length = int.from_bytes(head[4:6], "big"), head[6]
        file.seek(name_length + (name_length + 1) % 2, os.SEEK_CUR)
        size = int.from_bytes(file.read(4), "big")
        if number == _ICC_RESOURCE and size <= end - file.tell():
            profile = file.read(size)
        file.seek(size + size % 2 if number != _ICC_RESOURCE else size % 2, os.SEEK_CUR)
    file.seek(end)
    _skip(file, 8 if header.large else 4)
    return profile


def _skip(file: IO[bytes], width: int) -> None:
    """Move past a section that begins with its length in ``width`` bytes."""
    file.seek(int.from_bytes(file.read(width), "big"), os.SEEK_CUR)


def _kind(header: _Header) -> np.dtype[np.generic]:
    return np.dtype({8: ">u1", 16: ">u2", 32: ">f4"}[header.depth])


def _raw_planes(file: IO[bytes], header: _Header, wanted: int) -> npt.NDArray[np.generic] | None:
    kind = _kind(header)
    count = wanted * header.width * header.height
    data = file.read(count * kind.itemsize)
    if len(data) < count * kind.itemsize:
        return None
    planes = np.frombuffer(data, kind).reshape(wanted, header.height, header.width)
    return planes.astype(kind.newbyteorder("="))


def _packed_planes(file: IO[bytes], header: _Header, wanted: int) -> npt.NDArray[np.generic] | None:
    """Planes in PackBits, after the lengths of all rows of all channels."""
    width = 4 if header.large else 2
    rows = header.channels * header.height
    table = file.read(rows * width)
    if len(table) < rows * width:
        return None
    lengths = np.frombuffer(table, f">u{width}").reshape(header.channels, header.height)[:wanted].sum(axis=1)
    kind = _kind(header)
    across = header.width * kind.itemsize
    planes = []
    for length in lengths:
        data = file.read(int(length))
        if len(data) < int(length):
            return None
        try:
            plane = Image.frombytes("L", (across, header.height), data, "packbits", "L")
        except ValueError:
            return None
        planes.append(np.frombuffer(plane.tobytes(), kind).reshape(header.height, header.width))
    return np.stack(planes).astype(kind.newbyteorder("="))


def _tiff(file: IO[bytes], head: bytes, name: str, max_pixels: int) -> DeepPicture | None:
    """A TIFF by OpenCV, whose tags can be read and whose size is allowed."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(head[:8])
        file.seek(tags.next)
        tags.load(file)
        width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])
        profile, orientation = tags.get(_ICC_TAG), tags.get(_ORIENTATION)
    except Exception:  # whatever a broken directory makes Pillow raise
        return None
    if width < 1 or height < 1:
        return None
    _check_size(width, height, max_pixels, name)
    file.seek(0)
    samples = _by_opencv(file.read())
    if samples is None or samples.ndim not in (2, 3) or samples.shape[0] < 1:
        early = ends_early(file)
        if early is not None:
            raise CorruptMediaError(f"'{name}' is a broken picture: {early}.")
        raise UnsupportedMediaError(f"'{name}' is a TIFF of a kind that cannot be read.")
    levels = samples if samples.dtype == np.uint8 else eight_bits(samples)
    if levels.ndim == 3:
        levels = levels[..., 0] if levels.shape[2] < 3 else levels[..., (2, 1, 0, 3)[: levels.shape[2]]]
    picture = Image.fromarray(np.ascontiguousarray(levels))
    if isinstance(profile, bytes):
        picture.info["icc_profile"] = profile
    if isinstance(orientation, int) and 1 < orientation <= 8:
        picture.getexif()[_ORIENTATION] = orientation
    return DeepPicture(picture, TIFF)


def _by_opencv(data: bytes) -> npt.NDArray[np.generic] | None:
    try:
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return None if read is None else np.asarray(read)


def _check_size(width: int, height: int, max_pixels: int, name: str) -> None:
    if width * height > max_pixels:
        raise MediaTooLargeError(
            f"'{name}' has {width:,} x {height:,} pixels.", "LIKEWISE_MAX_PIXELS sets the largest picture."
        )
