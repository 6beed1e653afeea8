"""Decode pictures, whatever their names: upright, RGB, cropped for the image models."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from search.errors import CorruptMediaError, MediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.image.geometry import WORKING_SHORT_SIDE, crop, encode_preview, fit_preview, reduction, squeeze
from workers.decode.image.handcrafted.measure import frame_of, measure
from workers.decode.image.handcrafted.shot import shot_features
from workers.decode.image.pixel_modes import to_rgb
from workers.decode.metadata.exif import orientation_of
from workers.decode.metadata.pictures import picture_facts
from workers.decode.metadata.sources import SourceFacts
from workers.decode.perceptual import picture_fingerprint
from workers.decode.sandbox.options import DecodeOptions

_LEFT_OUT = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})
"""EPS would run Ghostscript on the file; Pillow recognises the others, but cannot decode them."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that undoes each EXIF orientation."""

pillow_heif.register_heif_opener()
Image.init()
_FORMATS = tuple(name for name in Image.ID if name not in _LEFT_OUT)


def decode_image(file: IO[bytes], name: str, options: DecodeOptions, others: Sequence[SourceFacts] = ()) -> Decoded:
    """Decode the (first) picture in ``file``.

    Args:
        others: what sources outside the picture say, such as sidecars.

    Raises:
        NotAPicture: Pillow does not recognise the file.
        UnsupportedMediaError: a variant of a format that Pillow does not read.
        CorruptMediaError: the picture is broken.
        MediaTooLargeError: more pixels than allowed; nothing was allocated for them.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with _translated_errors(name, options), open_picture(file, options.max_pixels) as picture:
        orientation = orientation_of(picture)
        width, height = picture.size[::-1] if orientation >= 5 else picture.size
        facts = picture_facts(picture, width, height, others)
        mime = Image.MIME.get(picture.format or "", f"image/{(picture.format or 'unknown').lower()}")
        shot = shot_features(picture, facts.taken_at)
        upright = load_upright(picture, orientation)
    preview = fit_preview(upright)
    fingerprint = picture_fingerprint(preview)
    return Decoded(
        kind=Kind.IMAGE,
        mime=mime,
        facts=facts,
        crops=crop(upright, (width, height))[np.newaxis],
        whole=squeeze(upright)[np.newaxis],
        fingerprints=(fingerprint,) if fingerprint else (),
        features=measure(upright, frame_of(width, height, size), shot),
        preview=encode_preview(preview),
    )


class NotAPicture(Exception):
    """Pillow does not recognise the file; the caller decides whether it is broken or of another format."""


@contextmanager
def open_picture(file: IO[bytes], max_pixels: int) -> Iterator[Image.Image]:
    """A picture whose header has been read, not loaded yet.

    Raises:
        DecompressionBombError: it has more than ``max_pixels``.
    """
    # Pillow refuses twice as many, also where a format has further sizes (icons, TIFF tiles, GIF frames).
    Image.MAX_IMAGE_PIXELS = max_pixels // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file, formats=_FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise Image.DecompressionBombError
            yield picture


def load_upright(picture: Image.Image, orientation: int) -> Image.Image:
    """An opened picture as RGB, upright, shrunk when it is much larger than the crop needs.

    A JPEG is shrunk while it is decoded (DCT scaling, by 2, 4 or 8), anything else afterwards by averaging boxes.
    """
    picture.draft(None, (WORKING_SHORT_SIDE, WORKING_SHORT_SIDE))
    picture.load()
    rgb = to_rgb(picture)
    factor = reduction(*rgb.size)
    if factor > 1:
        rgb = rgb.reduce(factor)
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


@contextmanager
def _translated_errors(name: str, options: DecodeOptions) -> Iterator[None]:
    """Translate the exceptions of Pillow and its codecs into our own errors, but not MemoryError."""
    try:
        yield
    except UnidentifiedImageError:
        raise NotAPicture from None
    except Image.DecompressionBombError:
        raise MediaTooLargeError(
            f"'{name}' has more than {options.max_pixels:,} pixels.", "LIKEWISE_MAX_PIXELS sets the largest picture."
        ) from None
    except (MemoryError, MediaError):
        raise
    except Exception as error:
        reason = f"{error}".rstrip(".") or type(error).__name__
        if "unsupported" in reason.lower() or "has not been built in" in reason:
            raise UnsupportedMediaError(f"'{name}' uses a variant that cannot be read: {reason}.") from error
        raise CorruptMediaError(f"'{name}' is a broken picture: {reason}.") from error
