"""Frames as RGB pictures: plain films as FFmpeg converts them; HDR and wide gamuts are mapped to sRGB once small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from workers.decode.image.geometry import reduction
from workers.decode.tone_mapping import BT2020, HLG, PQ, needs_mapping, to_srgb

MAPPED_SHORT_SIDE = 320
"""Least short side after cheap shrinking of frames that are mapped, which takes longer than all else per pixel."""
_UNSPECIFIED = (0, 2, 3)


class FramePainter:
    """Turns the frames of one film into pixels, uint8 (h, w, 3) RGB, not upright yet."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def shrunk(self, frame: VideoFrame, width: int, height: int) -> npt.NDArray[np.uint8]:
        """A frame of ``width`` x ``height`` square pixels, shrunk cheaply when that is larger than needed."""
        if _is_mapped(frame):
            return self._mapped(frame, width, height, MAPPED_SHORT_SIDE)
        factor = reduction(width, height)
        size = width // factor, height // factor
        plain = self._reformatter.reformat(frame, *size, "rgb24", interpolation=Interpolation.AREA)
        return np.asarray(plain.to_ndarray(), np.uint8)

    def whole(self, frame: VideoFrame, least: int) -> npt.NDArray[np.uint8]:
        """A frame as large as it is; one that is mapped is shrunk to a short side of ``least`` or more first."""
        if _is_mapped(frame):
            return self._mapped(frame, frame.width, frame.height, least)
        return np.asarray(self._reformatter.reformat(frame, format="rgb24").to_ndarray(), np.uint8)

    def _mapped(self, frame: VideoFrame, width: int, height: int, least: int) -> npt.NDArray[np.uint8]:
        factor = max(1, min(width, height) // least)
        size = max(1, width // factor), max(1, height // factor)
        deep = self._reformatter.reformat(frame, *size, "rgb48le", interpolation=Interpolation.AREA)
        return to_srgb(np.asarray(deep.to_ndarray(), np.uint16), *_codes(frame), depth=16)


def _codes(frame: VideoFrame) -> tuple[int, int]:
    """Transfer and primaries by ITU-T H.273. HDR that does not name its primaries has those of BT.2020."""
    transfer, primaries = int(frame.color_trc), int(frame.color_primaries)
    return transfer, BT2020 if transfer in (PQ, HLG) and primaries in _UNSPECIFIED else primaries


def _is_mapped(frame: VideoFrame) -> bool:
    return needs_mapping(*_codes(frame))
