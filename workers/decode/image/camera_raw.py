"""Decode raw files of cameras by their embedded preview; needs the optional package rawpy (LibRaw)."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from PIL import Image

from search.errors import CorruptMediaError, MediaTooLargeError, UnsupportedMediaError
from workers.decode.decoded import Decoded
from workers.decode.image.handcrafted.measure import frame_of, reframed
from workers.decode.image.picture import decode_image
from workers.decode.metadata.raws import raw_sources
from workers.decode.metadata.sources import SourceFacts
from workers.decode.sandbox.options import DecodeOptions

if TYPE_CHECKING:
    import rawpy

_ORIENTATION_OF_FLIP = {3: 3, 5: 8, 6: 6}
"""LibRaw's ``flip`` to EXIF orientation."""


def decode_raw(file: IO[bytes], name: str, options: DecodeOptions, others: Sequence[SourceFacts] = ()) -> Decoded:
    """Decode the embedded preview; without one, develop the sensor data at half size.

    Raises:
        UnsupportedMediaError: rawpy is not installed, or does not know this camera.
        CorruptMediaError: broken.
        MediaTooLargeError: more pixels than allowed.
    """
    try:
        import rawpy
    except ImportError:
        raise UnsupportedMediaError(
            f"'{name}' is a camera's raw file.", "Install the optional reader: pip install 'likewise[raw]'."
        ) from None
    try:
        with rawpy.imread(file) as raw:
            width, height = raw.sizes.width, raw.sizes.height
            if width * height > options.max_pixels:
                raise MediaTooLargeError(
                    f"'{name}' has {width} x {height} pixels.", "LIKEWISE_MAX_PIXELS sets the largest picture."
                )
            flip = raw.sizes.flip
            picture = _embedded(raw) or _developed(raw)
    except rawpy.LibRawFileUnsupportedError:
        raise UnsupportedMediaError(f"'{name}' is a raw file of a camera that cannot be read.") from None
    except rawpy.LibRawError as error:
        raise CorruptMediaError(f"'{name}' is a broken raw file: {_reason(error)}.") from None
    size = file.seek(0, os.SEEK_END)
    decoded = decode_image(io.BytesIO(_oriented(picture, flip)), name, options, (*others, *raw_sources(file)))
    upright = (height, width) if flip in (5, 6) else (width, height)
    return replace(
        decoded,
        mime="image/x-raw",
        facts=replace(decoded.facts, width=upright[0], height=upright[1]),
        features=reframed(decoded.features, frame_of(*upright, size)),
    )


def _embedded(raw: rawpy.RawPy) -> bytes | None:
    import rawpy

    try:
        thumbnail = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    return bytes(thumbnail.data) if thumbnail.format == rawpy.ThumbFormat.JPEG else None


def _developed(raw: rawpy.RawPy) -> bytes:
    buffer = io.BytesIO()
    pixels = raw.postprocess(half_size=True, use_camera_wb=True, user_flip=0)
    Image.fromarray(pixels).save(buffer, "PPM")
    return buffer.getvalue()


def _oriented(picture: bytes, flip: int) -> bytes:
    """Bytes of the preview, with the orientation of the raw file where it has none of its own."""
    with Image.open(io.BytesIO(picture)) as opened:
        if flip not in _ORIENTATION_OF_FLIP or opened.getexif().get(0x0112):
            return picture
        exif = opened.getexif()
        exif[0x0112] = _ORIENTATION_OF_FLIP[flip]
        buffer = io.BytesIO()
        opened.convert("RGB").save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
