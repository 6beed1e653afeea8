"""Choose the key frames of a video: at least one per shot, more of long shots.

A cut is where the colours change at once. Histograms, not pixels, are compared, so that a pan or a moving crowd is not
taken for a cut. Source: H. J. Zhang, A. Kankanhalli, S. W. Smoliar, "Automatic partitioning of full-motion video",
Multimedia Systems 1, 1993.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.image.geometry import crop, fit_preview

FEWEST = 8
"""Least number of key frames of a video that has as many: the mean of eight is a good vector of the whole."""
SECONDS_EACH = 15.0
"""Seconds between key frames of a long shot, about."""
CUT = 0.35
"""Share of the picture's colour histogram that changes at a cut."""

PLAIN = 2.0
"""Standard deviation of gray levels below which nothing is to be seen in a frame. Films begin and end black."""

FIRST_STEP = 0.2
MOST_CANDIDATES = 96
_THUMB = 32
_LEVELS = 4


@dataclass(frozen=True, slots=True)
class KeyFrameCandidate:
    """A frame that may become a key frame.

    Attributes:
        moment: seconds from the start.
        crop: uint8 (224, 224, 3).  preview: long side at most 480.
        colours: float32 (64,), RGB histogram that sums to 1.
        contrast: standard deviation of its gray levels.
    """

    moment: float
    crop: npt.NDArray[np.uint8]
    preview: Image.Image
    colours: npt.NDArray[np.float32]
    contrast: float

    @classmethod
    def of(cls, moment: float, picture: Image.Image, full_size: tuple[int, int]) -> KeyFrameCandidate:
        thumb = np.asarray(picture.resize((_THUMB, _THUMB), Image.Resampling.BOX))
        red, green, blue = np.moveaxis(thumb.astype(np.int32) * _LEVELS // 256, -1, 0)
        cells = (red * _LEVELS + green) * _LEVELS + blue
        colours = np.bincount(cells.ravel(), minlength=_LEVELS**3).astype(np.float32) / cells.size
        return cls(moment, crop(picture, full_size), fit_preview(picture), colours, float(thumb.mean(axis=2).std()))


class Sampler:
    """Evenly spaced candidates of a video of unknown length: when there are too many, every other one is dropped."""

    def __init__(self, step: float = FIRST_STEP, most: int = MOST_CANDIDATES) -> None:
        self._step, self._most = step, most
        self._due = 0.0
        self.candidates: list[KeyFrameCandidate] = []

    def offer(self, moment: float, candidate: Callable[[], KeyFrameCandidate]) -> None:
        """Add the frame at ``moment`` if one is due; ``candidate`` is only called then."""
        if moment < self._due:
            return
        self.candidates.append(candidate())
        self._due = moment + self._step
        if len(self.candidates) > self._most:
            self.candidates = self.candidates[::2]
            self._step *= 2
            self._due = self.candidates[-1].moment + self._step


def choose_key_frames(candidates: Sequence[KeyFrameCandidate], most: int) -> tuple[KeyFrameCandidate, ...]:
    """At most ``most`` of ``candidates``, in order of time; plain ones only where there are no others."""
    if not candidates:
        return ()
    candidates = [candidate for candidate in candidates if candidate.contrast >= PLAIN] or candidates
    shots = _shots(candidates)
    if len(shots) > most:
        longest = sorted(shots, key=len, reverse=True)[:most]
        shots = [shot for shot in shots if shot in longest]
    seconds = candidates[-1].moment - candidates[0].moment
    wanted = min(most, max(FEWEST, math.ceil(seconds / SECONDS_EACH)))
    shares = _share_out([len(shot) for shot in shots], wanted)
    return tuple(
        candidates[shot[int((part + 0.5) * len(shot) / share)]]
        for shot, share in zip(shots, shares, strict=True)
        for part in range(share)
    )


def _shots(candidates: Sequence[KeyFrameCandidate]) -> list[range]:
    """Runs of candidates without a cut between them."""
    colours = np.stack([candidate.colours for candidate in candidates])
    change = np.abs(np.diff(colours, axis=0)).sum(axis=1) / 2
    starts = [0, *(int(i) + 1 for i in np.flatnonzero(change >= CUT)), len(candidates)]
    return [range(start, end) for start, end in itertools.pairwise(starts)]


def _share_out(lengths: Sequence[int], wanted: int) -> list[int]:
    """Number of key frames of each shot: one, then one more where the gaps are longest, until there are ``wanted``."""
    shares = [1] * len(lengths)
    for _ in range(min(wanted, sum(lengths)) - len(lengths)):
        gaps = [length / share if share < length else 0.0 for length, share in zip(lengths, shares, strict=True)]
        shares[int(np.argmax(gaps))] += 1
    return shares
