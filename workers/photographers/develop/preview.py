"""Developed previews of photos: their WebP previews, decoded in a child process, rendered, and encoded as JPEG."""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import NDArray

from search.errors import MediaError, MediaTooLargeError
from search.photographers.develop.settings import Preset
from search.settings import Settings
from workers.decode.sandbox.pool import COLOUR_PREVIEW_COMMAND, DecodePool
from workers.photographers.develop.render import BAND, bands
from workers.storage.previews import Previews

QUALITY = 92
"""Of the JPEG coding."""

MOST_BYTES = 2 << 20
"""Largest preview that is decoded."""

_SECONDS, _MEMORY_MB = 10.0, 256
"""What the decoder of previews may take for one."""


class DevelopedPreviews:
    """Renders previews with settings. Safe to use from several threads.

    The child process that decodes is started with the first preview and ends with this object.
    """

    def __init__(self, settings: Settings) -> None:
        self._previews = Previews(settings)
        limits = {"decode_workers": 1, "decode_timeout": _SECONDS, "decode_memory_mb": _MEMORY_MB}
        self._pool = DecodePool(settings.model_copy(update=limits), command=COLOUR_PREVIEW_COMMAND)
        weakref.finalize(self, self._pool.close)

    def render(self, preview: str | bytes, preset: Preset) -> bytes:
        """JPEG bytes of a preview as the preset develops it, of the same size.

        Args:
            preview: its key in the shared place, or its WebP bytes.

        Raises:
            NotFoundError: there is no preview of this key.
            MediaError: it is no preview, or has too many bytes.
        """
        return encoded(self.pixels(preview), preset)

    def pixels(self, preview: str | bytes) -> NDArray[np.uint8]:
        """Colours of a preview, uint8 ``(h, w, 3)`` sRGB.

        Raises:
            NotFoundError, MediaError: as :meth:`render`.
        """
        webp = preview if isinstance(preview, bytes) else self._previews.read(preview)
        if len(webp) > MOST_BYTES:
            raise MediaTooLargeError(
                f"The preview has {len(webp):,} bytes.", "`likewise verify --repair` makes it anew."
            )
        colours = self._pool.submit_bytes(webp, "preview.webp").result().colours
        if colours is None:
            raise MediaError("The preview was decoded without its colours.")
        return colours


def encoded(picture: NDArray[np.uint8], preset: Preset) -> bytes:
    """JPEG bytes of a picture, uint8 ``(h, w, 3)`` sRGB, as the preset develops it; its grain is always the same."""
    import cv2  # on demand: a process that serves pages needs no OpenCV until then

    made = np.empty_like(picture)
    for at, band in enumerate(bands(picture, preset)):
        made[at * BAND : at * BAND + len(band)] = band[..., ::-1]
    done, data = cv2.imencode(".jpg", made, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not done:
        raise MediaError("The developed preview cannot be encoded.")
    return data.tobytes()
