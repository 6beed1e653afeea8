"""Choose the key frames of a video: at least one per shot and one each ten seconds.

A cut is where the colours change at once. Histograms, not pixels, are compared, so that a pan or a moving crowd is not
taken for a cut. Source: H. J. Zhang, A. Kankanhalli, S. W. Smoliar, "Automatic partitioning of full-motion video",
Multimedia Systems 1, 1993.

A film is chosen from in parts of some five minutes, so that candidates of one part at most are held, however long it
lasts.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.image.geometry import crop, fit_preview, squeeze
from workers.decode.perceptual import picture_fingerprint

FEWEST = 8
"""Least number of key frames of a video that has as many: the mean of eight is a good vector of the whole."""
SECONDS_EACH = 10.0
"""Most seconds between key frames: 360 to 375 an hour, more where there are more shots. Films too long for that have
theirs evenly spread."""
SECONDS_BETWEEN = 5.0
"""Seconds for each key frame of a film of many shots: 720 an hour at most."""
USUAL = 32
"""Key frames that a short film of many shots may have."""
CUT = 0.35
"""Share of the picture's colour histogram that changes at a cut."""

PLAIN = 2.0
"""Standard deviation of gray levels below which nothing is to be seen in a frame. Films begin and end black."""

FIRST_STEP, LAST_STEP = 0.2, 3.2
"""Seconds between candidates: of short films, and of those that last longer than a part."""
MOST_CANDIDATES = 96
"""Of one part."""
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


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A key frame, as models need it.

    Attributes:
        moment: seconds from the start.
        crop, whole: uint8 (224, 224, 3), see ``workers.decode.decoded.Decoded``.
        fingerprint: see ``workers.decode.perceptual``; None where it is too plain.
        contrast: standard deviation of its gray levels.
    """

    moment: float
    crop: npt.NDArray[np.uint8]
    whole: npt.NDArray[np.uint8]
    fingerprint: str | None
    contrast: float

    @classmethod
    def of(cls, candidate: KeyFrameCandidate) -> KeyFrame:
        fingerprint, whole = picture_fingerprint(candidate.preview), squeeze(candidate.preview)
        return cls(candidate.moment, candidate.crop, whole, fingerprint, candidate.contrast)


class Sampler:
    """Chooses the key frames of a video whose frames are offered in order of time.

    Candidates are evenly spaced: of a part with too many, every other one is dropped, until they are
    :data:`LAST_STEP` apart; then key frames are chosen of the part, and a new one begins.

    Args:
        most: key frames of the video.
        seconds: its length as far as it is known, by which key frames are spread where there are too few of them.
        step: least seconds between candidates; 0 takes all that is offered.
    """

    def __init__(self, most: int, seconds: float = 0.0, step: float = FIRST_STEP) -> None:
        self._most, self._step = most, step
        self._each = max(SECONDS_EACH, seconds / most)
        self._due = 0.0
        self._part: list[KeyFrameCandidate] = []
        self._chosen: list[KeyFrame] = []
        self._plain: list[KeyFrame] = []
        self._clearest: KeyFrameCandidate | None = None
        self._parts = 0

    def offer(self, moment: float, candidate: Callable[[], KeyFrameCandidate]) -> None:
        """Add the frame at ``moment`` if one is due; ``candidate`` is only called then."""
        if moment < self._due:
            return
        if len(self._part) >= MOST_CANDIDATES:
            self._make_room()
            if moment < self._due:
                return
        self._part.append(candidate())
        self._due = moment + self._step

    def key_frames(self) -> tuple[KeyFrame, ...]:
        """Those of the whole video, in order of time; plain ones only where there are no others."""
        self._choose()
        frames = self._chosen or self._plain
        if len(frames) > self._most:
            frames = [frames[at] for at in np.linspace(0, len(frames) - 1, self._most).round().astype(int)]
        return tuple(frames)

    @property
    def preview(self) -> Image.Image:
        """The key frame in which most can be seen, long side at most 480 pixels; to be asked once there are some."""
        assert self._clearest is not None
        return self._clearest.preview

    def _make_room(self) -> None:
        if 0 < self._step < LAST_STEP:
            self._part = self._part[::2]
            self._step *= 2
            self._due = self._part[-1].moment + self._step
        else:
            self._choose()

    def _choose(self) -> None:
        """Choose of the candidates of the part, and let go of them."""
        part, self._part = self._part, []
        if not part:
            return
        self._parts += 1
        chosen = choose_key_frames(part, self._most, self._each, fewest=FEWEST if self._parts == 1 else 1)
        clearest = max(chosen, key=lambda frame: frame.contrast)
        if self._clearest is None or clearest.contrast > self._clearest.contrast:
            self._clearest = clearest
        into = self._chosen if clearest.contrast >= PLAIN else self._plain
        into += map(KeyFrame.of, chosen)
        if len(into) > 2 * self._most:  # a film that did not say how long it is
            del into[1::2]
            self._each *= 2


def choose_key_frames(
    candidates: Sequence[KeyFrameCandidate], most: int, each: float = SECONDS_EACH, fewest: int = FEWEST
) -> tuple[KeyFrameCandidate, ...]:
    """At most ``most`` of ``candidates``, in order of time; plain ones only where there are no others.

    Args:
        each: most seconds between two, where there are as many candidates and ``most`` allows it.
        fewest: least number of them, likewise.
    """
    if not candidates:
        return ()
    candidates = [candidate for candidate in candidates if candidate.contrast >= PLAIN] or candidates
    shots = _shots(candidates)
    seconds = candidates[-1].moment - candidates[0].moment
    spacing = seconds / max(1, len(candidates) - 1)
    apart = max(1, math.floor(each / spacing + 1e-6)) if spacing else len(candidates)
    least = [math.ceil(len(shot) / apart) for shot in shots]
    allowed = max(USUAL, math.ceil(seconds / min(each, SECONDS_BETWEEN)))
    most = min(most, allowed if each <= SECONDS_EACH else math.ceil(seconds / each) + 1)
    if len(shots) > most:
        longest = sorted(shots, key=len, reverse=True)[:most]
        shots = [shot for shot in shots if shot in longest]
    wanted = min(most, max(fewest, sum(least)))
    shares = _share_out([len(shot) for shot in shots], wanted)
    chosen = [
        shot[int((part + 0.5) * len(shot) / share)]
        for shot, share in zip(shots, shares, strict=True)
        for part in range(share)
    ]
    return tuple(candidates[at] for at in _without_gaps(chosen, [one.moment for one in candidates], each, most))


def _without_gaps(chosen: Sequence[int], moments: Sequence[float], each: float, most: int) -> list[int]:
    """``chosen`` and, where candidates are unevenly spaced, others in gaps of more than ``each`` seconds."""
    chosen = list(chosen)
    while len(chosen) < most:
        pairs = itertools.pairwise([0, *chosen, len(moments) - 1])
        gaps = [(moments[after] - moments[before], before, after) for before, after in pairs if after - before > 1]
        widest, before, after = max(gaps, default=(0.0, 0, 0))
        if widest <= each:
            break
        middle = (moments[before] + moments[after]) / 2
        bisect.insort(chosen, min(range(before + 1, after), key=lambda at: abs(moments[at] - middle)))
    return chosen


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
