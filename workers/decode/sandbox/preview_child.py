"""Decoder child process of previews: reads the luminance, or the colours, of WebP pictures and nothing else.

The bytes of a preview come from a decoder child, which a hostile file may have taken over. They are stored and served
as they are, and decoded only here. It is started as ``child`` is, and imports less.
"""

from __future__ import annotations

import os
import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search.errors import CorruptMediaError, MediaTooLargeError
from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.protocol import MOST_LUMINANCE_SIDE
from workers.decode.sound import Sound

COLOURS = "colours"
"""Argument before the options of a child that is asked for colours."""


def decode_preview(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    """Decode a preview; ``luminance`` is all that the answer holds of its pixels.

    Raises:
        CorruptMediaError: it is no WebP picture.
        MediaTooLargeError: it has more than ``MOST_LUMINANCE_SIDE`` pixels a side.
    """
    luminance = _pixels(media, "L")
    return Decoded(Kind.IMAGE, "image/webp", _size_of(luminance), luminance=luminance)


def decode_colours(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    """As :func:`decode_preview`, but the answer holds ``colours``."""
    colours = _pixels(media, "RGB")
    return Decoded(Kind.IMAGE, "image/webp", _size_of(colours), colours=colours)


def _pixels(media: OpenedMedia, mode: str) -> NDArray[np.uint8]:
    with os.fdopen(media.descriptor, "rb", closefd=False) as file:
        try:
            with Image.open(file, formats=("WEBP",)) as picture:
                if max(picture.size) > MOST_LUMINANCE_SIDE:
                    raise MediaTooLargeError(f"'{media.name}' has {picture.width} x {picture.height} pixels.")
                return np.asarray(picture.convert(mode))
        except (OSError, ValueError, SyntaxError) as error:
            raise CorruptMediaError(f"'{media.name}' is no preview: {error}.") from None


def _size_of(pixels: NDArray[np.uint8]) -> MediaFacts:
    return MediaFacts(width=pixels.shape[1], height=pixels.shape[0])


def main() -> None:
    Image.preinit()  # no module can be imported once powers are given up
    from PIL import WebPImagePlugin  # noqa: F401

    serve(decode_colours if COLOURS in sys.argv[1:-1] else decode_preview, DecodeOptions.from_json(sys.argv[-1]))


if __name__ == "__main__":
    main()
