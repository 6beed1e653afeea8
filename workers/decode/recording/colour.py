"""Frames as RGB pictures: plain films as FFmpeg converts them; HDR and wide gamuts are mapped to sRGB once small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from workers.decode.recording.hdr import Primaries, Transfer, to_srgb

_TRANSFERS = {16: Transfer.PQ, 18: Transfer.HLG}
_PRIMARIES = {9: Primaries.BT2020, 11: Primaries.P3, 12: Primaries.P3}
"""By the numbers of ITU-T H.273, tables 2 and 3. DCI-P3's own white is that of projectors, and taken for D65."""


class FramePainter:
    """Turns the frames of one film into pixels, uint8 (h, w, 3) RGB, not upright yet."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def shrunk(self, frame: VideoFrame, width: int, height: int) -> npt.NDArray[np.uint8]:
        """A frame of ``width`` and ``height``."""
        meaning = _meaning(frame)
        if meaning is None:
            plain = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA)
            return np.asarray(plain.to_ndarray(), np.uint8)
        deep = self._reformatter.reformat(frame, width, height, "rgb48le", interpolation=Interpolation.AREA)
        return to_srgb(np.asarray(deep.to_ndarray(), np.uint16), *meaning)

    def whole(self, frame: VideoFrame, least: int) -> npt.NDArray[np.uint8]:
        """A frame as large as it is; one that has to be mapped is shrunk to a short side of about ``least`` first."""
        if _meaning(frame) is None:
            return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        factor = max(1, min(frame.width, frame.height) // least)
        return self.shrunk(frame, max(1, frame.width // factor), max(1, frame.height // factor))


def _meaning(frame: VideoFrame) -> tuple[Transfer, Primaries] | None:
    """Transfer and primaries of a frame that is not to be taken for sRGB.

    HDR that does not name its primaries has those of BT.2020.
    """
    transfer = _TRANSFERS.get(int(frame.color_trc))
    primaries = _PRIMARIES.get(int(frame.color_primaries))
    if transfer is not None:
        known = Primaries.BT709 if int(frame.color_primaries) == 1 else Primaries.BT2020
        return transfer, primaries or known
    return (Transfer.SDR, primaries) if primaries is not None else None
