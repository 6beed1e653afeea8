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
from workers.decode.image.orientation import upright_size
from workers.decode.image.picture import decode_image
from workers.decode.metadata.raws import raw_sources
from workers.decode.metadata.sources import SourceFacts
from workers.decode.sandbox.options import DecodeOptions

if TYPE_CHECKING:
    import rawpy

_ORIENTATION_OF_FLIP = {3: 3, 5: 8, 6: 6}
"""LibRaw's ``flip`` to EXIF orientation."""
_ORIENTATION = 0x0112


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
    upright = (height, width) if flip in (5, 6) else (width, height)
    turned = _oriented(picture, flip, upright)
    decoded = decode_image(io.BytesIO(turned), name, options, (*others, *raw_sources(file)))
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


def _oriented(picture: bytes, flip: int, size: tuple[int, int]) -> bytes:
    """Bytes of the preview, with the orientation by which it lies as the raw file does.

    Some cameras store a preview as the sensor saw it, some upright already; some say so in it, and not all rightly. Its
    proportions tell: of what it says, nothing, and what the raw file says, the first by which it gets those of ``size``
    (pixels, upright) holds.
    """
    with Image.open(io.BytesIO(picture)) as opened:
        exif = opened.getexif()
        own = exif.get(_ORIENTATION)
        wanted = _ORIENTATION_OF_FLIP.get(flip, 1)
        possible = [own] if isinstance(own, int) and 1 <= own <= 8 else []
        possible += [wanted, 1] if wanted in (1, 3) or not possible else [1, wanted]
        chosen = next((turn for turn in possible if _alike(upright_size(opened.size, turn), size)), possible[0])
        if chosen == (own or 1):
            return picture
        exif[_ORIENTATION] = chosen
        buffer = io.BytesIO()
        profile = opened.info.get("icc_profile")
        opened.convert("RGB").save(buffer, "JPEG", quality=95, exif=exif, icc_profile=profile)
    return buffer.getvalue()


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether both lie, or both stand; squares do either."""
    return (one[0] - one[1]) * (other[0] - other[1]) >= 0


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
