"""Photos that are probably credited to the wrong photographer.

The probability of the credited name is computed without this photo and its shoot: by the classifier's out-of-fold
prediction, where a model has been trained, and in any case by the most similar photos. A name that is merely not the
first candidate proves nothing, as predictions err far more often than credits do. So the more probable of two
explanations is chosen: either the credit is right and the photo is unusual, or it is one of the few (:data:`RATE`) that
are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import BURST_COSINE
from search.photographers.photos.shoots import find_shoots
from search.photographers.profiles.styles import reduced
from search.store.base import Array

RATE = 0.02
"""Prior share of wrong credits."""

LEAST_PROBABILITY = 0.5
"""Least probability of the other photographer."""

NEIGHBOURS = 10
MOST_REFERENCES = 20_000
"""Reference photos at most, as many of each photographer as possible."""

PER_PHOTOGRAPHER = 150
MOST_ASKED = 2_000
"""Photos of one photographer at most that are checked."""

TUNED_ON = 400
TEMPERATURES = (0.02, 0.035, 0.06, 0.1, 0.17, 0.3, 0.6)
UNEXPLAINED = (0.002, 0.02, 0.05, 0.1, 0.2, 0.4)
VISUAL_DIMS, STYLE_DIMS = 48, 16
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold predictions: each photo's by a classifier that was not trained on its group.

    Attributes:
        names: the photographers of the classifier.
        rows: id of a photo to their calibrated probabilities, float ``(len(names),)``.
    """

    names: tuple[str, ...]
    rows: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class DoubtfulCredit:
    """A doubtful credit; ``at`` is the photo's position. The rest as in ``answers.Miscredit``."""

    at: int
    predicted: str
    probability: float
    own_probability: float
    neighbours: Mapping[str, int]


class Neighbourhood:
    """Photographer probabilities from the photos most similar to a photo, without its own shoot and near duplicates.

    The probability of a photographer is the mean of ``exp(cosine / t)`` over their photos, in proportion to the
    others': every photographer has equal weight, however many photos they have. A share ``u`` of photos resembles no
    photographer, and is each one's with equal probability. ``t`` and ``u`` maximise the likelihood of the credits of
    some photos; where photographers cannot be separated, that makes all of them about equally probable, and no credit
    is doubted.

    Attributes:
        right: share of those photos whose credited name is the most probable one.
    """

    def __init__(self, photos: PhotoSet, rows: Mapping[str, NDArray[np.intp]], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._photos, self.names = photos, tuple(sorted(rows))
        self._number = {name: number for number, name in enumerate(self.names)}
        self._vectors = _vectors(photos, seed)
        self._shoot = np.zeros(len(photos), np.int64)
        for number, shoot in enumerate(find_shoots(photos)):
            self._shoot[shoot] = number
        share = max(5, min(PER_PHOTOGRAPHER, MOST_REFERENCES // max(1, len(rows))))
        drawn = [_some(rows[name], share, rng) for name in self.names]
        self._owner = np.repeat(np.arange(len(drawn)), [len(some) for some in drawn])
        self._references = np.concatenate(drawn) if drawn else np.empty(0, np.intp)
        self._starts = np.cumsum([0, *(len(some) for some in drawn[:-1])])
        self._temperature, self._unexplained, self.right = self._tuned(_some(self._references, TUNED_ON, rng))

    def probabilities(self, asked: NDArray[np.intp]) -> tuple[NDArray[np.float64], list[Counter[str]]]:
        """Probabilities float64 ``(n, photographers)`` in the order of ``names``, NaN for a photographer without a
        photo to compare with; and the photographers of the nearest photos.

        Args:
            asked: positions of the photos, intp ``(n,)``.
        """
        found = np.empty((len(asked), len(self.names)))
        nearest: list[Counter[str]] = []
        for begin in range(0, len(asked), _BLOCK):
            cosines = self._cosines(asked[begin : begin + _BLOCK])
            found[begin : begin + _BLOCK] = self._with_unexplained(
                self._posterior(cosines, self._temperature), self._unexplained
            )
            k = min(NEIGHBOURS, cosines.shape[1])
            for row, best in zip(cosines, np.argpartition(-cosines, k - 1, axis=1)[:, :k], strict=True):
                nearest.append(Counter(self.names[self._owner[at]] for at in best if row[at] > -np.inf))
        return found, nearest

    def _cosines(self, asked: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines to every reference, float32 ``(n, references)``; minus infinity for excluded ones."""
        cosines = self._vectors[asked] @ self._vectors[self._references].T
        visual = self._photos.visual
        aside = self._shoot[asked][:, None] == self._shoot[self._references]
        aside |= visual[asked] @ visual[self._references].T >= BURST_COSINE
        cosines[aside] = -np.inf
        return np.asarray(cosines, np.float32)

    def _posterior(self, cosines: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        top = cosines.max(axis=1, initial=-1.0, where=np.isfinite(cosines))[:, None]
        weights = np.exp((cosines.astype(np.float64) - top) / temperature)
        counted = np.add.reduceat(np.isfinite(cosines), self._starts, axis=1)
        with np.errstate(invalid="ignore"):
            means = np.add.reduceat(weights, self._starts, axis=1) / np.where(counted > 0, counted, np.nan)
            return np.asarray(means / np.nansum(means, axis=1, keepdims=True), np.float64)

    def _with_unexplained(self, posterior: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        return (1 - share) * posterior + share / len(self.names)

    def _tuned(self, some: NDArray[np.intp]) -> tuple[float, float, float]:
        """Temperature, unexplained share, and share of credited names that are most probable."""
        cosines = self._cosines(some)
        own = np.array([self._number[self._photos.names[at] or ""] for at in some], np.intp)
        best = (-np.inf, TEMPERATURES[-1], UNEXPLAINED[-1], 0.0)
        for temperature in TEMPERATURES:
            posterior = self._posterior(cosines, temperature)
            mine = posterior[np.arange(len(some)), own]
            known = np.isfinite(mine)
            if not known.any():
                continue
            right = float((mine[known] >= np.nanmax(posterior[known], axis=1)).mean())
            for share in UNEXPLAINED:
                likelihood = float(np.log(self._with_unexplained(mine[known], share)).mean())
                best = max(best, (likelihood, temperature, share, right))
        return best[1:]


def doubtful_credits(
    photos: PhotoSet, rows: NDArray[np.intp], around: Neighbourhood, predictions: OutOfFold | None = None, seed: int = 0
) -> list[DoubtfulCredit]:
    """Photos of one photographer whose credit is probably wrong, the most doubtful first.

    Args:
        rows: positions of the photographer's photos, intp ``(n,)``.
        predictions: of the classifier, where one has been trained.
    """
    asked = _some(rows, MOST_ASKED, np.random.default_rng(seed))
    near, nearest = around.probabilities(asked)
    found: list[tuple[float, DoubtfulCredit]] = []
    for row, neighbours, at in zip(near, nearest, asked.tolist(), strict=True):
        name, by_neighbours = photos.names[at] or "", dict(zip(around.names, row.tolist(), strict=True))
        probabilities = by_neighbours
        if predictions is not None and photos.ids[at] in predictions.rows and name in predictions.names:
            if by_neighbours[name] >= LEAST_PROBABILITY:
                continue  # the most similar photos are theirs: the classifier alone is no proof
            probabilities = dict(zip(predictions.names, map(float, predictions.rows[photos.ids[at]]), strict=True))
        if odds := _odds(name, probabilities):
            other = _first(probabilities)
            found.append(
                (
                    odds,
                    DoubtfulCredit(
                        at, other, probabilities[other], probabilities[name], dict(neighbours.most_common())
                    ),
                )
            )
    return [doubt for _, doubt in sorted(found, key=lambda item: -item[0])]


def _odds(name: str, probabilities: Mapping[str, float]) -> float:
    """Odds that the credit is wrong against that it is right; 0 where these are not above 1."""
    own, other = probabilities[name], probabilities[_first(probabilities)]
    if not np.isfinite(own) or other < LEAST_PROBABILITY or _first(probabilities) == name:
        return 0.0
    odds = RATE * other / max(own, 1e-9)
    return odds if odds > 1 else 0.0


def _first(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda name: probabilities[name] if np.isfinite(probabilities[name]) else -1.0)


def _some(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(rng.choice(rows, most, replace=False)) if len(rows) > most else rows


def _vectors(photos: PhotoSet, seed: int) -> NDArray[np.float32]:
    """Unit rows, float32 ``(n, d)``: half of ``visual`` and half of ``style``; ``visual`` alone without styles."""
    parts: Sequence[NDArray[np.float64]] = [_unit(reduced(photos.visual, VISUAL_DIMS, seed))]
    if photos.style.shape[1]:
        parts = [*parts, _unit(reduced(photos.style, STYLE_DIMS, seed))]
    return _unit(np.nan_to_num(np.concatenate(parts, axis=1))).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.fmax(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float64)
