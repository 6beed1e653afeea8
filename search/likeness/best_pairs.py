"""Scores two media by their best pair of vectors, corrected for how many pairs were tried.

A picture has one vector, a video one a key frame. Two media are compared by the most similar pair of their vectors.
Of many pairs, the best is more similar than of one, by chance alone: a video of 32 key frames would be found before a
photo that shows the same. So the score s of the best of n pairs is replaced by the score that one pair would have to
reach to be as remarkable,

    P(one unrelated pair scores below s') = P(one unrelated pair scores below s) ^ n,

the correction of Šidák, with scores of unrelated pairs taken as normal (mean μ and deviation σ of the space's model,
see ``search.likeness.curve``). High scores hardly change, chance ones much.

Key frames of one shot are nearly the same picture and give hardly more chances than one of them. So n is the product of
the two *effective* numbers of vectors: for k vectors with cosines c, of which g = (c − μ) / (1 − μ), at least 0, is in
excess of chance, k² / Σ g² over all pairs. It is 1 when all are equal and k when each is as unlike the others as
unrelated pictures are.

Source: Šidák 1967, "Rectangular confidence regions for the means of multivariate normal distributions"; the
participation ratio as an effective number, e.g. Bretherton et al. 1999, "The effective number of spatial degrees of
freedom of a time-varying field".
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.store.base import Array

MOST_ASKING = 32
"""Most vectors of one example that ask: of a longer video evenly spread ones."""

MOST_COUNTED = 256
"""Most vectors that are compared with each other; of more, evenly spread ones tell how alike all are. Comparing all of
a recording of ten hours would take ten seconds."""

_SINGLE = 1.0 + 1e-9


@dataclass(frozen=True, slots=True)
class Background:
    """Scores of unrelated pairs of single vectors: mean and standard deviation, cosines."""

    mean: float
    deviation: float


def effective_rows(rows: Array, background: Background) -> float:
    """How many independent vectors these amount to, between 1 and their number.

    Args:
        rows: float32 ``(k, dim)``, L2-normalised, k at least 1. See :data:`MOST_COUNTED`.
    """
    if len(rows) == 1:
        return 1.0
    count = len(rows)
    if count > MOST_COUNTED:
        rows = rows[np.linspace(0, count - 1, MOST_COUNTED).round().astype(int)]
    excess = np.clip((rows @ rows.T - background.mean) / (1.0 - background.mean), 0.0, 1.0)
    squares = np.square(excess, dtype=np.float64)
    if count == len(rows):
        return float(count**2 / squares.sum())
    own = float(np.trace(squares))
    of_a_pair = (float(squares.sum()) - own) / (len(rows) * (len(rows) - 1))
    return count**2 / (count * own / len(rows) + count * (count - 1) * of_a_pair)


def best_pair(asking: Array, held: Array) -> float:
    """Cosine of the most similar pair.

    Args:
        asking, held: float32 ``(m, dim)`` and ``(k, dim)``, rows L2-normalised.
    """
    return float((asking @ held.T).max())


def corrected(scores: NDArray[np.float64], tries: NDArray[np.float64], background: Background) -> NDArray[np.float64]:
    """Scores of best pairs as those of single pairs, see the module; increasing in the score, decreasing in the tries.

    Args:
        scores: float64 ``(n,)``.
        tries: float64 ``(n,)``, effective numbers of pairs that each is the best of, at least 1.
    """
    if not (tries > _SINGLE).any():
        return scores
    from scipy.special import log_ndtr, ndtri_exp  # takes half a second to import: workers never ask

    levels = (scores - background.mean) / background.deviation
    single = background.mean + background.deviation * ndtri_exp(tries * log_ndtr(levels))
    return np.where(tries > _SINGLE, np.clip(single, -1.0, 1.0), scores)


MOST_REMEMBERED = 200_000
"""Effective numbers of vectors that are kept in memory, some 30 MB; fetching a video's vectors to count them anew costs
more than a question does."""


class EffectiveRows:
    """Effective numbers of vectors by id and what they were counted in (a space, against a background), the latest
    used. Thread-safe."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[tuple[Hashable, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def unknown(self, counted_in: Hashable, ids: Iterable[str]) -> list[str]:
        with self._lock:
            return [id_ for id_ in ids if (counted_in, id_) not in self._known]

    def get(self, counted_in: Hashable, id_: str) -> float | None:
        with self._lock:
            return self._known.get((counted_in, id_))

    def put(self, counted_in: Hashable, id_: str, value: float) -> None:
        with self._lock:
            self._known[counted_in, id_] = value
            self._known.move_to_end((counted_in, id_))
            while len(self._known) > self._most:
                self._known.popitem(last=False)
