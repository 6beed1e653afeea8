"""Turn and mirror frames upright, as a film's display matrix says.

The matrix comes from the container (``tkhd`` of MP4 and MOV, projections of Matroska) or from the stream itself
(display orientation of H.264 and HEVC); FFmpeg hands either on with each frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from av.buffer import Buffer
from av.video.frame import VideoFrame

_D = TypeVar("_D", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight ways a frame can lie: rows and columns exchanged, then mirrored left to right, top to bottom."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """The turn closest to the frame's display matrix.

        Source: FFmpeg, ``libavutil/display.h``: the rows of the matrix are (a, b, u), (c, d, v), (x, y, w) in fixed
        point, and a pixel at (p, q), q downwards, is shown at (ap + cq, bp + dq).
        """
        held = cast("Mapping[str, Buffer]", frame.side_data)
        if "DISPLAYMATRIX" not in held:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(held["DISPLAYMATRIX"]), np.int32).tolist()[:5]
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def upright(self, pixels: npt.NDArray[_D]) -> npt.NDArray[_D]:
        """A view of ``pixels``, (h, w, …), as they are to be seen."""
        seen = pixels.swapaxes(0, 1) if self.transposed else pixels
        return seen[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a frame once it is upright."""
        return (height, width) if self.transposed else (width, height)
