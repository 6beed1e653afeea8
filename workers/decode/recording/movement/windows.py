"""Choose the parts of a film whose movement is measured: at most five of 1.6 s, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from workers.decode.recording.movement.flow import LEAST_SIDE, WIDTH, Frame, movement_of
from workers.decode.recording.upright import Turn

MOST, SECONDS = 5, 1.6
"""Windows of a film, and how long each lasts."""

_STEP = 0.07
"""Least seconds between two frames: flow of less is lost in rounding."""
_ROUNDING = 1e-3


class MovementWindows:
    """Collects the frames of a film's windows, and measures its movement.

    Args:
        seconds: length of the film.
        aspect: width of its pixels by their height.
    """

    def __init__(self, seconds: float, aspect: float) -> None:
        count = min(MOST, max(1, int(seconds / SECONDS)))
        last = max(0.0, seconds - SECONDS)
        self.starts = tuple(np.linspace(0.0, last, count).tolist()) if count > 1 else (last / 2,)
        self._aspect, self._size = aspect, (0, 0)
        self._windows: list[list[Frame]] = [[] for _ in self.starts]
        self._current = 0
        self._reformatter = VideoReformatter()

    def offer(self, moment: float, frame: VideoFrame) -> None:
        """Take the frame at ``moment``, seconds, if it is of a window; frames come in order of time."""
        while self._current < len(self.starts) and moment > self.starts[self._current] + SECONDS:
            self._current += 1
        if self._current < len(self.starts) and moment >= self.starts[self._current] - _ROUNDING:
            self._take(self._windows[self._current], moment, frame)

    def read(self, number: int, frames: Iterator[tuple[float, VideoFrame]]) -> None:
        """Take a window from ``frames``, which begin near its start: where decoding can begin, not earlier."""
        began = None
        for moment, frame in frames:
            began = moment if began is None else began
            if moment > began + SECONDS:
                return
            self._take(self._windows[number], moment, frame)

    def movement(self) -> NDArray[np.float32] | None:
        """How the film moves, see :func:`~workers.decode.recording.movement.flow.movement_of`."""
        return movement_of(self._windows)

    def _take(self, window: list[Frame], moment: float, frame: VideoFrame) -> None:
        if not window or moment - window[-1][0] >= _STEP - _ROUNDING:
            window.append((moment, self._small(frame)))

    def _small(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Gray levels of the whole frame, upright, its longer side 160 square pixels; thin films are stretched."""
        width, height = frame.width * self._aspect, float(frame.height)
        scale = WIDTH / max(width, height)
        size = max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale))
        gray = self._reformatter.reformat(frame, *size, "gray", interpolation=Interpolation.AREA)
        pixels = np.ascontiguousarray(Turn.of(frame).upright(np.asarray(gray.to_ndarray(), np.uint8)))
        if self._size == (0, 0):
            self._size = pixels.shape[1], pixels.shape[0]
        if pixels.shape != self._size[::-1]:  # a film may change its size in between
            pixels = np.asarray(cv2.resize(pixels, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        return pixels
