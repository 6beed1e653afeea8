"""Photos that are probably credited to the wrong photographer.

For each photo it is asked how probable the written name is, by something that has not learnt from this photo nor from
its session: the classifier's out-of-fold prediction, where a model has been trained, and in any case the photos most
like it. A name that is merely not the first guess proves nothing, as guesses err far more often than credits do. So of
two explanations the more probable one is told: either the credit is right and the photo is unusual, or it is one of
the few (:data:`RATE`) that are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import BURST_COSINE, sessions
from search.photographers.profiles.styles import reduced
from search.store.base import Array

RATE = 0.02
"""Share of credits that are taken to be wrong before anything is looked at."""

LEAST_PROBABILITY = 0.5
"""Of the other photographer: nobody is accused in favour of someone unknown."""

NEIGHBOURS = 10
MOST_REFERENCES = 20_000
"""Photos at most that the others are compared with, as many of each photographer as can be."""

PER_PHOTOGRAPHER = 150
MOST_ASKED = 2_000
"""Photos of one photographer at most that are looked at."""

TUNED_ON = 400
TEMPERATURES = (0.02, 0.035, 0.06, 0.1, 0.17, 0.3, 0.6)
UNEXPLAINED = (0.002, 0.02, 0.05, 0.1, 0.2, 0.4)
VISUAL_DIMS, STYLE_DIMS = 48, 16
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What a classifier said of photos that it had not learnt from, nor from anything in their groups.

    Attributes:
        names: the photographers it tells apart.
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
    """Whose photos are like a photo, its own session and near duplicates left aside.

    The probability of a photographer is the mean of ``exp(cosine / t)`` over the photos of theirs, in proportion to the
    others': everybody counts the same, however many photos they have. A share ``u`` of photos is like nobody's, and
    everybody's with equal probability. ``t`` and ``u`` are those with which the names written on some photos are most
    probable; where photographers cannot be told apart that makes all of them about equally probable, and no credit is
    doubted.

    Attributes:
        right: share of those photos whose written name is the most probable one.
    """

    def __init__(self, photos: PhotoSet, rows: Mapping[str, NDArray[np.intp]], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._photos, self.names = photos, tuple(sorted(rows))
        self._number = {name: number for number, name in enumerate(self.names)}
        self._vectors = _vectors(photos, seed)
        self._session = np.zeros(len(photos), np.int64)
        for number, session in enumerate(sessions(photos)):
            self._session[session] = number
        share = max(5, min(PER_PHOTOGRAPHER, MOST_REFERENCES // max(1, len(rows))))
        drawn = [_some(rows[name], share, rng) for name in self.names]
        self._owner = np.repeat(np.arange(len(drawn)), [len(some) for some in drawn])
        self._references = np.concatenate(drawn) if drawn else np.empty(0, np.intp)
        self._starts = np.cumsum([0, *(len(some) for some in drawn[:-1])])
        self._temperature, self._unexplained, self.right = self._tuned(_some(self._references, TUNED_ON, rng))

    def probabilities(self, asked: NDArray[np.intp]) -> tuple[NDArray[np.float64], list[Counter[str]]]:
        """Of each photographer for each photo, float64 ``(n, photographers)`` in the order of ``names``, NaN for whom
        there is nothing to compare with; and whose the nearest photos are."""
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
        """To every reference; minus infinity for those that must not count."""
        cosines = self._vectors[asked] @ self._vectors[self._references].T
        visual = self._photos.visual
        aside = self._session[asked][:, None] == self._session[self._references]
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
        """Temperature, share of what is not explained, and share of written names that are found."""
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
    photos: PhotoSet, rows: NDArray[np.intp], around: Neighbourhood, said: OutOfFold | None = None, seed: int = 0
) -> list[DoubtfulCredit]:
    """Those of one photographer's photos whose credit is probably wrong, the most doubtful first."""
    asked = _some(rows, MOST_ASKED, np.random.default_rng(seed))
    near, nearest = around.probabilities(asked)
    found: list[tuple[float, DoubtfulCredit]] = []
    for row, neighbours, at in zip(near, nearest, asked.tolist(), strict=True):
        name, by_neighbours = photos.names[at] or "", dict(zip(around.names, row.tolist(), strict=True))
        says = by_neighbours
        if said is not None and photos.ids[at] in said.rows and name in said.names:
            if by_neighbours[name] >= LEAST_PROBABILITY:
                continue  # what is most like it is theirs: the classifier alone accuses nobody
            says = dict(zip(said.names, map(float, said.rows[photos.ids[at]]), strict=True))
        if odds := _odds(name, says):
            other = _first(says)
            found.append((odds, DoubtfulCredit(at, other, says[other], says[name], dict(neighbours.most_common()))))
    return [doubt for _, doubt in sorted(found, key=lambda item: -item[0])]


def _odds(name: str, says: Mapping[str, float]) -> float:
    """How much more probable it is that the credit is wrong than that it is right; 0 where that is not more."""
    own, other = says[name], says[_first(says)]
    if not np.isfinite(own) or other < LEAST_PROBABILITY or _first(says) == name:
        return 0.0
    odds = RATE * other / max(own, 1e-9)
    return odds if odds > 1 else 0.0


def _first(says: Mapping[str, float]) -> str:
    return max(says, key=lambda name: says[name] if np.isfinite(says[name]) else -1.0)


def _some(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(rng.choice(rows, most, replace=False)) if len(rows) > most else rows


def _vectors(photos: PhotoSet, seed: int) -> NDArray[np.float32]:
    """Unit rows, half what a photo shows and half how it is developed; only the former where no style is known."""
    parts: Sequence[NDArray[np.float64]] = [_unit(reduced(photos.visual, VISUAL_DIMS, seed))]
    if photos.style.shape[1]:
        parts = [*parts, _unit(reduced(photos.style, STYLE_DIMS, seed))]
    return _unit(np.nan_to_num(np.concatenate(parts, axis=1))).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.fmax(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float64)
