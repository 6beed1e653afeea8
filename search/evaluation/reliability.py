"""Reliability of likeness: of pairs given the probability p of sharing a label, a share p should do so.

Pairs are drawn as for learning curves (``search.likeness.labelled_pairs``), with equal weight for same and other
labels, but by another seed. Both figures are weighted alike. ECE is the mean over all pairs of the difference between
the predicted and the true share in the bin that each falls in. Source: Guo et al. 2017, "On Calibration of Modern
Neural Networks".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import BINS, bin_of, calibration_error
from search.likeness.curves import curves_of
from search.likeness.labelled_pairs import Labelled, draw_pairs, labels_are_about
from search.media import KIND_OF, Kind
from search.records.lookup import asked_fields
from search.spaces import Space
from search.store.base import Store

MOST_ITEMS = 2000
"""Most labelled media of one space and kind, evenly spaced in all."""

SEED = 20_261_129
"""Seed of the drawing; learning has another."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs whose likeness lies within a tenth.

    Attributes:
        said: mean likeness; None without pairs.  true: share that has the same label; None without pairs.
    """

    said: float | None
    true: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """One space.

    Attributes:
        items: media that queried.  pairs: pairs of which as many (by weight) share a label as do not.
        ece: expected calibration error.
        bins: ten, from 0 to 1.
    """

    items: int
    pairs: int
    ece: float
    bins: tuple[ReliabilityBin, ...]


def evaluate_likeness(store: Store, labels: Mapping[str, str], sets: Mapping[str, str]) -> dict[str, Reliability]:
    """Reliability by space, over all pairs of kinds that share labels in it.

    Args:
        labels: media id to label.  sets: media id to the folder that its label is of, whose name says which spaces it
            tells of (``search.likeness.labelled_pairs``).
    """
    media: dict[Space, list[Labelled]] = {}
    for collection, info in store.collections().items():
        kind = KIND_OF[collection]
        ids = [id_ for id_ in labels if info.points]
        if len(ids) > MOST_ITEMS:
            ids = [ids[at] for at in np.linspace(0, len(ids) - 1, MOST_ITEMS).astype(int)]
        fields = [field.space for field in asked_fields(info.schema)]
        for point in store.retrieve(collection, ids, vectors=[space.name for space in fields], payload=False):
            for space in fields:
                if space.name in point.vectors and labels_are_about(space.name, sets[point.id]):
                    found = Labelled(kind, labels[point.id], point.vectors[space.name], point.id)
                    media.setdefault(space, []).append(found)
    measured = {space.name: _of_space(store, space, some) for space, some in media.items()}
    return {name: reliability for name, reliability in measured.items() if reliability is not None}


def _of_space(store: Store, space: Space, media: list[Labelled]) -> Reliability | None:
    rng = np.random.default_rng(SEED)
    predicted, same, weights, items = [], [], [], 0
    for one, other in combinations_with_replacement(Kind, 2):
        curve = curves_of(store).curve(space, one, other)
        querying, held = ([item for item in media if item.kind is kind] for kind in (one, other))
        pairs = draw_pairs(querying, held, curve.background, rng)
        if pairs is not None:
            predicted.append(curve.likenesses(pairs.scores))
            same.append(pairs.same)
            weights.append(pairs.weights)
            items += pairs.items
    if not items:
        return None
    return reliability(np.concatenate(predicted), np.concatenate(same), np.concatenate(weights), items)


def reliability(
    predicted: NDArray[np.float64], same: NDArray[np.float64], weights: NDArray[np.float64], items: int
) -> Reliability:
    """Reliability of pairs, float64 ``(n,)`` each.

    Args:
        predicted: likeness.  same: 1 for the same label.
    """
    at = bin_of(predicted)
    bins = []
    for number in range(BINS):
        inside = at == number
        if not inside.any():
            bins.append(ReliabilityBin(None, None, 0))
            continue
        mean, truth = (float(np.average(values[inside], weights=weights[inside])) for values in (predicted, same))
        bins.append(ReliabilityBin(mean, truth, int(inside.sum())))
    return Reliability(items, len(predicted), calibration_error(predicted, same, weights), tuple(bins))
