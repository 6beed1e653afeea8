"""Decode pictures, whatever their names: upright, sRGB, cropped for the image models."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, UnidentifiedImageError

from search.errors import CorruptMediaError, MediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from search.similar.reuse.footprints import Footprints
from workers.decode.decoded import Decoded
from workers.decode.fingerprints.frames import picture_frame
from workers.decode.image.borders.find import find_borders, without_borders
from workers.decode.image.colours import Colours, as_srgb, colours_of
from workers.decode.image.deep import read_deep
from workers.decode.image.geometry import WORKING_SHORT_SIDE, crop, encode_preview, fit_preview, reduction, squeeze
from workers.decode.image.handcrafted.measure import frame_of, measure
from workers.decode.image.handcrafted.shot import shot_features
from workers.decode.image.hdr import colour_codes
from workers.decode.image.orientation import remaining_orientation, upright, upright_size
from workers.decode.image.pages import choose_page, frame_with_content
from workers.decode.image.pixel_hash import array_hash, pixel_hash
from workers.decode.image.pixel_modes import to_rgb, with_alpha
from workers.decode.image.truncated import Salvaged, ends_early, salvaged, tolerant_of_cuts
from workers.decode.metadata.pictures import picture_facts
from workers.decode.metadata.sources import SourceFacts
from workers.decode.perceptual import picture_fingerprint
from workers.decode.sandbox.options import DecodeOptions

_LEFT_OUT = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})
"""EPS would run Ghostscript on the file; Pillow recognises the others, but cannot decode them."""
_MIME = {"MPO": "image/jpeg"}
"""MIME types other than Pillow's: a JPEG with further pictures behind the first is shown by whatever shows a JPEG."""
_PNG_START = b"\x89PNG\r\n\x1a\n"

pillow_heif.register_heif_opener()
Image.init()
_FORMATS = tuple(name for name in Image.ID if name not in _LEFT_OUT)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture whose header has been read, turned to its page, set to be decoded small.

    Attributes:
        size: width and height as stored, before it is decoded smaller.
        mime: MIME type.
    """

    picture: Image.Image
    size: tuple[int, int]
    mime: str


def decode_image(file: IO[bytes], name: str, options: DecodeOptions, others: Sequence[SourceFacts] = ()) -> Decoded:
    """Decode the picture in ``file``: the first one, or the one that stands for it (see ``pages``).

    Args:
        others: what sources outside the picture say, such as sidecars.

    Raises:
        NotAPicture: Pillow does not recognise the file.
        UnsupportedMediaError: a variant of a format that cannot be read.
        CorruptMediaError: the picture is broken, or less than half of it is there.
        MediaTooLargeError: more pixels than allowed; nothing was allocated for them.
    """
    size = file.seek(0, os.SEEK_END)
    with _translated_errors(file, name, options):
        opened = _open(file, name, options.max_pixels)
        picture = opened.picture
        codes = colour_codes(picture, file)
        facts = None if picture.format == "PNG" else picture_facts(picture, 0, 0, others)
        loaded = _load(opened, file, name, options.max_pixels)
        picture = loaded.picture
        frame_with_content(picture)
        orientation = remaining_orientation(picture)
        full = picture.size if picture.format == "TIFF" else opened.size
        width, height = upright_size(full, orientation)
        colours = colours_of(picture, codes)
        facts = replace(
            facts or picture_facts(picture, width, height, others),
            width=width,
            height=height,
            damaged=loaded.missing,
            remark=colours.remark,
        )
        shot = shot_features(picture, facts.taken_at)
        rgb, pixels, hashed = _upright(picture, orientation, colours)
    preview = fit_preview(rgb)
    fingerprint = picture_fingerprint(preview)
    borders = find_borders(np.asarray(preview)) if options.cut_borders else None
    inner = None if borders is None else without_borders(rgb, borders)
    return Decoded(
        kind=Kind.IMAGE,
        mime=opened.mime,
        facts=facts,
        crops=crop(rgb, (width, height))[np.newaxis],
        whole=squeeze(rgb)[np.newaxis],
        inner=None if inner is None else squeeze(inner)[np.newaxis],
        borders=borders or (),
        fingerprints=(fingerprint,) if fingerprint else (),
        pixel_hash=hashed,
        footprints=Footprints(picture_frame(preview)),
        features=measure(pixels if inner is None else np.asarray(inner), frame_of(width, height, size), shot),
        preview=encode_preview(preview),
    )


class NotAPicture(Exception):
    """Pillow does not recognise the file; the caller decides whether it is broken or of another format."""


def _open(file: IO[bytes], name: str, max_pixels: int) -> _Opened:
    """The picture in ``file``, not loaded yet (but for those of ``deep``).

    Raises:
        DecompressionBombError: it has more than ``max_pixels``.
    """
    # Pillow refuses twice as many, also where a format has further sizes (icons, TIFF tiles, GIF frames).
    Image.MAX_IMAGE_PIXELS = max_pixels // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = _recognised(file)
        except UnidentifiedImageError:
            deep = read_deep(file, name, max_pixels)
            if deep is None:
                raise
            return _Opened(deep.picture, deep.picture.size, deep.mime)
        choose_page(picture)
    size = picture.size
    if size[0] * size[1] > max_pixels:
        raise Image.DecompressionBombError
    form = picture.format or "unknown"
    picture.draft(None, (WORKING_SHORT_SIDE, WORKING_SHORT_SIDE))
    return _Opened(picture, size, _MIME.get(form) or Image.MIME.get(form, f"image/{form.lower()}"))


def _recognised(file: IO[bytes]) -> Image.Image:
    """The picture as Pillow opens it; a PNG also if a text in it is too long or a checksum of such is wrong."""
    file.seek(0)
    try:
        return Image.open(file, formats=_FORMATS)
    except (UnidentifiedImageError, ValueError, SyntaxError):
        file.seek(0)
        if file.read(len(_PNG_START)) != _PNG_START:
            raise
        file.seek(0)
        with tolerant_of_cuts():
            return Image.open(file, formats=("PNG",))


def _load(opened: _Opened, file: IO[bytes], name: str, max_pixels: int) -> Salvaged:
    """The pixels of an opened picture, as far as they are there."""
    try:
        opened.picture.load()
    except Image.DecompressionBombError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        return salvaged(opened.picture, lambda: _open(file, name, max_pixels).picture, error, name, ends_early(file))
    return Salvaged(opened.picture, None)


def _upright(
    picture: Image.Image, orientation: int, colours: Colours
) -> tuple[Image.Image, npt.NDArray[np.uint8], str]:
    """A loaded picture in sRGB, upright, its pixels, uint8 (h, w, 3), and the hash of all that it had.

    One that is much larger than the crop needs is shrunk: a JPEG was while it was decoded (DCT scaling, by 2, 4 or 8),
    anything else is afterwards by averaging boxes, before its colours are converted.
    """
    factor = reduction(*picture.size)
    if not colours.converts:
        picture = to_rgb(picture)
        if factor == 1:
            picture = upright(picture, orientation)
            pixels = np.asarray(picture)
            return picture, pixels, array_hash(pixels, picture.mode)
    hashed = pixel_hash(picture, orientation, colours.key)
    if factor > 1:
        picture = (with_alpha(picture) if colours.converts else picture).reduce(factor)
    picture = upright(as_srgb(picture, colours) if colours.converts else picture, orientation)
    return picture, np.asarray(picture), hashed


@contextmanager
def _translated_errors(file: IO[bytes], name: str, options: DecodeOptions) -> Iterator[None]:
    """Translate the exceptions of Pillow and its codecs into our own errors, but not MemoryError."""
    try:
        yield
    except UnidentifiedImageError:
        early = ends_early(file)
        if early is not None:
            raise CorruptMediaError(f"'{name}' is a broken picture: {early}.") from None
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
        raise CorruptMediaError(f"'{name}' is a broken picture: {ends_early(file) or reason}.") from error
