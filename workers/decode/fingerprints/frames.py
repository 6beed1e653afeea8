"""Fingerprints of a film's frames, four a second.

Each of the 256 bits says whether the picture gets brighter from one of 17 rows to the next, in one of 16 columns, by
more than the contrast of the whole explains. A logo changes the bits under it and no others; a mirror image has the
columns in reverse. Constant borders, as of a letterbox, are cut off before. Measured by
``tests/benchmarks/bench_reuse.py``.

Source: differences of neighbours are those of N. Krawetz, "Kind of Like That" (dHash, 2013); here along one axis, so
that flipping is a permutation, and with a threshold, so that flat parts have the same bits in every encoding.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from search.similar.reuse.footprints import FRAME_BYTES, FRAMES_A_SECOND, GRID, MOST_PRINTS
from workers.decode.recording.upright import Turn

_LONG_SIDE = 160
LEAST_CONTRAST = 2.0
"""Mean step between the 17 rows, in gray levels, below which a frame is too plain."""
_STEP = 0.8
"""Share of the usual step by which one has to be brighter."""
_BORDER_NOISE = 6
"""Gray levels by which the lines of a border may differ from the outermost, as coding makes them."""
_MOST_BORDER = 0.6
"""Share of a side above which what looks like borders is a dark picture."""


class FilmFrames:
    """Takes the frames of one film in order and keeps a fingerprint for each quarter of a second."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._rows: list[bytes] = []
        self._shown: VideoFrame | None = None
        self._moment = 0.0
        self._last: tuple[VideoFrame, bytes] | None = None

    def offer(self, moment: float, frame: VideoFrame) -> None:
        """Take a frame that is on screen from ``moment`` on, in seconds."""
        self._keep_until(moment)
        self._shown, self._moment = frame, moment

    def rows(self) -> npt.NDArray[np.uint8]:
        """uint8 (n, 32), see ``search.similar.reuse.footprints``."""
        self._keep_until(self._moment + 1 / FRAMES_A_SECOND / 2)
        return np.frombuffer(b"".join(self._rows), np.uint8).reshape(-1, FRAME_BYTES)

    def _keep_until(self, moment: float) -> None:
        while self._shown is not None and len(self._rows) < MOST_PRINTS and len(self._rows) / FRAMES_A_SECOND < moment:
            self._rows.append(self._fingerprint(self._shown))

    def _fingerprint(self, frame: VideoFrame) -> bytes:
        if self._last is None or self._last[0] is not frame:
            self._last = frame, frame_fingerprint(self._gray(frame))
        return self._last[1]

    def _gray(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        scale = _LONG_SIDE / max(frame.width, frame.height)
        size = max(GRID, round(frame.width * scale)), max(GRID, round(frame.height * scale))
        small = self._reformatter.reformat(frame, *size, "gray", interpolation=Interpolation.AREA)
        return np.ascontiguousarray(Turn.of(frame).upright(np.asarray(small.to_ndarray(), np.uint8)))


def picture_frame(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """uint8 (1, 32): the fingerprint that a film would have whose frame this picture is, whatever its size and mode."""
    scale = _LONG_SIDE / max(picture.size)
    size = max(GRID, round(picture.width * scale)), max(GRID, round(picture.height * scale))
    gray = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.uint8)
    return np.frombuffer(frame_fingerprint(gray), np.uint8).reshape(1, FRAME_BYTES)


def frame_fingerprint(gray: npt.NDArray[np.uint8]) -> bytes:
    """32 bytes of a picture, uint8 (h, w); all zeros where it is too plain."""
    inner = without_borders(gray)
    cells = cv2.resize(inner, (GRID, GRID + 1), interpolation=cv2.INTER_AREA).astype(np.float32)
    steps = np.diff(cells, axis=0)
    sizes = np.abs(steps)
    if float(sizes.mean()) < LEAST_CONTRAST:
        return bytes(FRAME_BYTES)
    usual = float(np.sqrt(sizes).mean()) ** 2  # the edges of a logo hardly change it, as they would the mean
    return np.packbits((steps > _STEP * usual).ravel()).tobytes()


def without_borders(gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture without constant lines along its sides."""
    height, width = gray.shape
    top, bottom = _border(gray), _border(gray[::-1])
    if top + bottom > _MOST_BORDER * height:
        top = bottom = 0
    left, right = _border(gray.T), _border(gray.T[::-1])
    if left + right > _MOST_BORDER * width:
        left = right = 0
    return gray[top : height - bottom, left : width - right]


def _border(lines: npt.NDArray[np.uint8]) -> int:
    """How many of the first lines are of one gray."""
    spread = lines.max(axis=1).astype(np.int64) - lines.min(axis=1)
    off = np.abs(lines.mean(axis=1) - lines[0].mean())
    constant = (spread <= 2 * _BORDER_NOISE) & (off <= _BORDER_NOISE)
    return len(lines) if constant.all() else int(np.argmin(constant))
