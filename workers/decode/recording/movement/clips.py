"""Cut short clips from a video, as R3D-18 was trained on them.

Source: torchvision's Kinetics-400 preset: 16 frames at 15 a second, 128 x 171 bilinear without antialias, centre crop
112, clips spread evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from workers.decode.decoded import CLIP_FRAMES, CLIP_SIDE
from workers.decode.recording.colour import FramePainter
from workers.decode.recording.keyframes import PLAIN
from workers.decode.recording.upright import Turn

RATE = 15
CLIPS = 5
_HEIGHT, _WIDTH = 128, 171
_SEEK_BEYOND = 10.0
"""Seconds to the next clip above which seeking is cheaper than decoding on."""

Frames = Callable[[float], Iterator[tuple[float, VideoFrame]]]


def clip_ticks(seconds: float) -> npt.NDArray[np.int64]:
    """Frames of each clip in fifteenths of a second, int64 (clips, 16). A video shorter than a clip is looped."""
    ticks = max(1, int(seconds * RATE))
    if ticks <= CLIP_FRAMES:
        return (np.arange(CLIP_FRAMES) % ticks)[np.newaxis]
    starts = np.unique(np.rint(np.linspace(0, ticks - CLIP_FRAMES, CLIPS)).astype(np.int64))
    return np.asarray(starts[:, np.newaxis] + np.arange(CLIP_FRAMES))


def cut_clips(frames: Frames, seconds: float) -> npt.NDArray[np.uint8] | None:
    """Clips of a video, uint8 (c, 16, 112, 112, 3) RGB; None when no frame could be read.

    Args:
        frames: frames with their moments from a given moment on (or a little before).
        seconds: length of the video.
    """
    ticks = clip_ticks(seconds)
    wanted = np.unique(ticks)
    painter = FramePainter()
    seen: dict[int, npt.NDArray[np.uint8]] = {}
    for group in np.split(wanted, np.flatnonzero(np.diff(wanted) > _SEEK_BEYOND * RATE) + 1):
        seen.update(_gather(frames(float(group[0]) / RATE), [int(tick) for tick in group], painter))
    if not seen:
        return None
    known = np.array(sorted(seen))
    nearest = known[np.clip(np.searchsorted(known, ticks, side="right") - 1, 0, None)]
    return _without_blank(np.stack([np.stack([seen[int(tick)] for tick in clip]) for clip in nearest]))


def _gather(
    frames: Iterator[tuple[float, VideoFrame]], ticks: list[int], painter: FramePainter
) -> dict[int, npt.NDArray[np.uint8]]:
    """The frame on screen at each of ``ticks`` (rising)."""
    found: dict[int, npt.NDArray[np.uint8]] = {}
    shown: VideoFrame | None = None
    for moment, frame in frames:
        while ticks and shown is not None and moment > ticks[0] / RATE + 1e-6:
            found[ticks.pop(0)] = _small(shown, painter)
        if not ticks:
            break
        shown = frame
    if shown is not None:
        found.update((tick, _small(shown, painter)) for tick in ticks[:1])
    return found


def _small(frame: VideoFrame, painter: FramePainter) -> npt.NDArray[np.uint8]:
    upright = Turn.of(frame).upright(painter.whole(frame, _HEIGHT))
    resized = cv2.resize(np.ascontiguousarray(upright), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR)
    top, left = round((_HEIGHT - CLIP_SIDE) / 2), round((_WIDTH - CLIP_SIDE) / 2)
    return np.asarray(resized[top : top + CLIP_SIDE, left : left + CLIP_SIDE], np.uint8)


def _without_blank(clips: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """``clips`` without those in which nothing is to be seen, unless that is so in all: a film may begin black."""
    contrast = np.array([clip.mean(axis=3).std(axis=(1, 2)).max() for clip in clips])
    return clips[contrast >= PLAIN] if (contrast >= PLAIN).any() else clips
