"""Compare two pictures by their previews: is something in one that is not in the other, once they are aligned?

An edit of a picture changes all of it: size, colour, sharpness, what is cut off at the edges. In another shot of the
scene what moved is elsewhere. Both pictures are cut into blocks, and each block is correlated with its counterpart,
which neither brightness nor contrast changes. First as they lie, one stretched to the size of the other, which most
edits pass; else aligned by a homography between local features.

Source: Lowe 2004, "Distinctive image features from scale-invariant keypoints" (SIFT and the ratio test); Fischler and
Bolles 1981, "Random sample consensus". Constants: chosen on 797 edits of 57 pictures and 54 pairs of frames of four
scenes of video_scenes; ``tests/benchmarks/bench_bursts.py`` measures on others.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from concurrent.futures import CancelledError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.errors import LikewiseError, MediaError
from search.settings import Settings
from search.similar.shots import Shot
from workers.decode.sandbox.pool import PREVIEW_COMMAND, DecodePool
from workers.storage.previews import Previews

Gray = NDArray[np.uint8]
"""uint8 ``(height, width)``: luminance."""

MOST_BYTES = 2 << 20
"""Largest preview that is decoded."""

_SECONDS, _MEMORY_MB = 10.0, 256
"""What the decoder of previews may take for one."""

_BLOCK, _LARGE = 24, 320
"""Side of a block in pixels, half of it in pictures whose long side is below ``_LARGE``."""

_BLUR = 1.5
"""Deviation in pixels of the Gaussian that evens out noise and artefacts of compression."""

_PLAIN = 6.0
"""Deviation in gray levels below which a block is plain in both pictures, and says nothing; a quarter of it in either
makes its correlation noise."""

_UNLIKE = 0.5
"""Correlation below which a block shows something else."""

_LEAST_UNLIKE, _LEAST_SHARE = 2, 0.01
"""Number and share of unlike blocks from which something moved. Edits have one at most, but for the harshest
sharpening; frames in which somebody moved have 3 and .02 or more."""

_STANDING_OUT, _LEAST_RESIDUE, _SAME_TONE, _SAME_GAIN = 3.0, 4.0, 5.0, 0.1
"""When tone and sharpness are as before (nine of ten blocks within ``_SAME_TONE`` gray levels, the contrast of half of
them within a tenth), only movement explains that three blocks differ by ``_LEAST_RESIDUE`` gray levels, and three times
as much as half of all blocks do: somebody hardly moved. Of 756 edits 4 pass for that."""

_LEAST_FOR_HALF = 12
"""Blocks from which the median says what is usual."""

_LEAST_OVERLAP = 0.8
"""Least share of one of two aligned pictures that the other shows as well: of a picture and what was cut out of it, all
of the smaller; parts of a panorama have less in common."""

_LEAST_BLOCKS = 6
"""Blocks below which a comparison says nothing."""

_KEYPOINTS, _RATIO, _REPROJECTION, _LEAST_INLIERS = 1500, 0.75, 2.0, 12

_SINGULAR = 1e-6
"""Determinant below which a homography crushes a picture, and cannot be inverted."""

_REMEMBERED = 50_000
"""Pairs whose comparison is remembered."""


class PreviewComparer:
    """A ``search.similar.shots.ShotComparer`` that reads stored previews and remembers what it has compared.

    Previews are decoded in a child process without powers, which is started with the first and ends with this object.
    """

    def __init__(self, settings: Settings) -> None:
        self._previews = Previews(settings)
        limits = {"decode_workers": 1, "decode_timeout": _SECONDS, "decode_memory_mb": _MEMORY_MB}
        self._pool = DecodePool(settings.model_copy(update=limits), command=PREVIEW_COMMAND)
        weakref.finalize(self, self._pool.close)
        self._known: OrderedDict[frozenset[object], bool | None] = OrderedDict()
        self._lock = threading.Lock()

    def moved(self, one: Shot, other: Shot) -> bool | None:
        """Whether something moved; None where a preview is missing, or shows too little to tell."""
        pair = frozenset((_identity(one), _identity(other)))
        with self._lock:
            if pair in self._known:
                self._known.move_to_end(pair)
                return self._known[pair]
        pictures = [self._read(shot) for shot in (one, other)]
        if pictures[0] is None or pictures[1] is None:
            return None  # may be there next time
        answer = moved(pictures[0], pictures[1])
        with self._lock:
            self._known[pair] = answer
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return answer

    def _read(self, shot: Shot) -> Gray | None:
        if shot.preview is None:
            return None
        try:
            if isinstance(shot.preview, bytes):
                return self.decoded(shot.preview)
            path = self._previews.path(shot.preview)
            if path is None:
                return self.decoded(self._previews.read(shot.preview))
            with path.open("rb") as file:
                return self.decoded(file.read(MOST_BYTES + 1))
        except (OSError, LikewiseError):
            return None

    def decoded(self, webp: bytes) -> Gray | None:
        """A preview as luminance; None if it is none.

        Raises:
            DecoderStartError, DecoderSandboxError: no decoder can be started.
        """
        if len(webp) > MOST_BYTES:
            return None
        try:
            return self._pool.submit_bytes(webp, "preview.webp").result().luminance
        except (MediaError, CancelledError):
            return None


def _identity(shot: Shot) -> object:
    """Of a stored preview its key, and the pixels it was made of: decoded anew, a picture may look otherwise."""
    return (shot.preview, shot.pixel_hash)


@dataclass(frozen=True, slots=True)
class Blocks:
    """How many blocks two pictures could be compared in, and how many of them show something else.

    Attributes:
        stands_out: a few differ far more than all others do, and tone and sharpness do not explain it.
        overlap: how much of one picture the other shows, as a share, of the one of which that is more.
    """

    compared: int
    unlike: int
    stands_out: bool = False
    overlap: float = 1.0

    @property
    def enough(self) -> bool:
        return self.compared >= _LEAST_BLOCKS

    @property
    def share(self) -> float:
        return self.unlike / max(1, self.compared)

    @property
    def many_unlike(self) -> bool:
        return self.unlike >= _LEAST_UNLIKE and self.share > _LEAST_SHARE

    @property
    def moved(self) -> bool:
        return self.many_unlike or self.stands_out or self.overlap < _LEAST_OVERLAP


def moved(one: Gray, other: Gray) -> bool | None:
    """Whether two pictures show the same scene with something elsewhere; None where too little can be compared."""
    blocks = compare(one, other)
    return None if blocks is None else blocks.moved


def compare(one: Gray, other: Gray) -> Blocks | None:
    """The better of two comparisons: as the pictures lie, and aligned. None where neither compares enough blocks."""
    import cv2

    if min(one.shape + other.shape) < _BLOCK:
        return None
    large, small = (one, other) if one.size >= other.size else (other, one)
    height, width = small.shape
    large = np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    as_they_lie = _blocks(large, small, np.full(small.shape, 255, np.uint8))
    if as_they_lie.enough and not as_they_lie.many_unlike:
        return as_they_lie
    homography = _homography(large, small)
    found = [as_they_lie]
    if homography is not None:
        warped = cv2.warpPerspective(large, homography, (width, height), flags=cv2.INTER_LINEAR)
        covered = _covered(homography, small.shape)
        back = _covered(np.asarray(np.linalg.inv(homography), np.float64), small.shape)
        overlap = max(float((covered > 0).mean()), float((back > 0).mean()))
        inside = cv2.erode(covered, np.ones((5, 5), np.uint8))
        found.append(_blocks(np.asarray(warped, np.uint8), small, np.asarray(inside, np.uint8), overlap))
    usable = (blocks for blocks in found if blocks.enough)
    return min(usable, key=lambda blocks: (blocks.moved, blocks.share), default=None)


def _covered(homography: NDArray[np.float64], shape: tuple[int, int]) -> Gray:
    """Where in a picture of this shape another of the same shape lands: 255, else 0."""
    import cv2

    full = np.full(shape, 255, np.uint8)
    return np.asarray(cv2.warpPerspective(full, homography, (shape[1], shape[0]), flags=cv2.INTER_NEAREST), np.uint8)


def _homography(one: Gray, other: Gray) -> NDArray[np.float64] | None:
    """The homography, float64 ``(3, 3)``, that maps one picture onto the other; None without enough that agrees."""
    import cv2

    sift = cv2.SIFT.create(_KEYPOINTS)
    (points, described), (others, also) = (sift.detectAndCompute(picture, None) for picture in (one, other))
    if described is None or also is None or min(len(described), len(also)) < _LEAST_INLIERS:
        return None
    matches = cv2.BFMatcher(cv2.NORM_L2).knnMatch(described, also, k=2)
    good = [pair[0] for pair in matches if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < _LEAST_INLIERS:
        return None
    here = np.array([points[match.queryIdx].pt for match in good], np.float32)
    there = np.array([others[match.trainIdx].pt for match in good], np.float32)
    homography, agreeing = cv2.findHomography(here, there, cv2.RANSAC, _REPROJECTION, maxIters=1000)
    if homography is None or int(agreeing.sum()) < _LEAST_INLIERS or abs(np.linalg.det(homography)) < _SINGULAR:
        return None
    return np.asarray(homography, np.float64)


def _blocks(one: Gray, other: Gray, inside: Gray, overlap: float = 1.0) -> Blocks:
    """Pictures of one size compared in the blocks that lie wholly where ``inside`` is not 0."""
    side = _BLOCK if max(other.shape) >= _LARGE else _BLOCK // 2
    x, y = _cut(_even(one), side), _cut(_even(other), side)
    tones = np.stack([x.mean(axis=1), y.mean(axis=1)])
    x, y = x - tones[0, :, None], y - tones[1, :, None]
    deviations = np.stack([x.std(axis=1), y.std(axis=1)])
    whole = (_cut(inside, side) > 0).all(axis=1)
    counted = whole & (deviations.max(axis=0) > _PLAIN) & (deviations.min(axis=0) > _PLAIN / 4)
    deviations = deviations[:, counted]
    correlation = (x * y).mean(axis=1)[counted] / deviations.prod(axis=0)
    stands_out = _stands_out(correlation, deviations, np.abs(tones[0] - tones[1])[whole])
    return Blocks(int(counted.sum()), int((correlation < _UNLIKE).sum()), stands_out, overlap)


def _stands_out(correlation: NDArray[np.float32], deviations: NDArray[np.float32], tones: NDArray[np.float32]) -> bool:
    """Whether a few blocks differ more than the rest does, of pictures of the same tone and sharpness.

    Args:
        correlation: of each block, float32 ``(n,)``.  deviations: in gray levels in both pictures, float32 ``(2, n)``.
        tones: difference of the means of blocks, plain ones too, float32 ``(m,)``.
    """
    if len(correlation) < _LEAST_FOR_HALF or np.percentile(tones, 90) >= _SAME_TONE:
        return False
    if np.median(np.abs(np.log(deviations[0] / deviations[1]))) >= _SAME_GAIN:
        return False
    residue = deviations.max(axis=0) * np.sqrt(np.maximum(1 - correlation**2, 0))
    third = float(np.sort(residue)[-3])
    return third > _LEAST_RESIDUE and third > _STANDING_OUT * (float(np.median(residue)) + 0.5)


def _even(picture: Gray) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR), np.float32)


def _cut(picture: NDArray[np.generic], side: int) -> NDArray[np.float32]:
    """The blocks of a picture, float32 ``(n, side · side)``; what is left at the right and below is left out."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    grid = picture[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return np.asarray(grid.transpose(0, 2, 1, 3).reshape(rows * columns, side * side), np.float32)
