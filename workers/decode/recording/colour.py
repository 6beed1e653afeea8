"""Frames as RGB pictures: plain films as FFmpeg converts them, HDR films mapped to sRGB once they are small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter


class FramePainter:
    """Turns the frames of one film into pixels, uint8 (h, w, 3) RGB, not upright yet."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def shrunk(self, frame: VideoFrame, width: int, height: int) -> npt.NDArray[np.uint8]:
        """A frame of ``width`` and ``height``."""
        plain = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA)
        return np.asarray(plain.to_ndarray(), np.uint8)

    def whole(self, frame: VideoFrame, least: int) -> npt.NDArray[np.uint8]:
        """A frame as large as it is; one that has to be mapped may be shrunk to a short side of ``least`` or more."""
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
