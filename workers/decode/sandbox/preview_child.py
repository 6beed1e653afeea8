"""Decoder child process of previews: reads the luminance of WebP pictures and nothing else.

The bytes of a preview come from a decoder child, which a hostile file may have taken over. They are stored and served
as they are, and decoded only here. It is started as ``child`` is, and imports less.
"""

from __future__ import annotations

import os
import sys

import numpy as np
from PIL import Image

from search.errors import CorruptMediaError, MediaTooLargeError
from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.protocol import MOST_LUMINANCE_SIDE


def decode_preview(media: OpenedMedia, kind: Kind | None, options: DecodeOptions) -> Decoded:
    """Decode a preview; ``luminance`` is all that the answer holds of its pixels.

    Raises:
        CorruptMediaError: it is no WebP picture.
        MediaTooLargeError: it has more than ``MOST_LUMINANCE_SIDE`` pixels a side.
    """
    with os.fdopen(media.descriptor, "rb", closefd=False) as file:
        try:
            with Image.open(file, formats=("WEBP",)) as picture:
                if max(picture.size) > MOST_LUMINANCE_SIDE:
                    raise MediaTooLargeError(f"'{media.name}' has {picture.width} x {picture.height} pixels.")
                luminance = np.asarray(picture.convert("L"))
        except (OSError, ValueError, SyntaxError) as error:
            raise CorruptMediaError(f"'{media.name}' is no preview: {error}.") from None
    height, width = luminance.shape
    return Decoded(Kind.IMAGE, "image/webp", MediaFacts(width=width, height=height), luminance=luminance)


def main() -> None:
    Image.preinit()  # no module can be imported once powers are given up
    from PIL import WebPImagePlugin  # noqa: F401

    serve(decode_preview, DecodeOptions.from_json(sys.argv[1]))


if __name__ == "__main__":
    main()
