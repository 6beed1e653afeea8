"""Ranking quality of the one list of all kinds, as people see it.

Each labelled item whose label occurs at least twice is a query, with default settings; what has no label is left out of
the ranking. Of each set of labels (a folder given to ``likewise evaluate``):

* ``p_at_1``, ``p_at_k``: share of the first answers with the query's label;
* ``map``: mean average precision over the first :data:`DEPTH` answers, (1/R) Σ precision at each answer of the label,
  R the number of others of the label, at most :data:`DEPTH`;
* ``missing``: share of the queries without an answer of their own kind and label among the first :data:`SEEN`;
* ``row_p_at_1``, ``row_p_at_k``: the same as the first two for the row of the query's own kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluation.spaces import RankingFigures, default_k, intervals_of
from search.evaluation.statistics import average_precision
from search.similar.find import find_similar
from search.similar.questions import Question, SimilarHit
from search.store.base import Store
from search.store.filters import Filter

DEPTH, SEEN = 100, 40
MOST_QUESTIONS = 400
"""Most queries of one set, evenly spaced in all."""


@dataclass(frozen=True, slots=True)
class FusedEvaluation(RankingFigures):
    """Figures of one set; the module defines them."""

    missing: float
    row_p_at_1: float
    row_p_at_k: float


def evaluate_fused(
    store: Store,
    labels: Mapping[str, str],
    sets: Mapping[str, str],
    k: int | None,
    groups: Mapping[str, str] | None = None,
) -> dict[str, FusedEvaluation]:
    """Figures of each set.

    Args:
        labels: media id to label.  sets: media id to the set that its label is of.
        groups: as for :func:`search.evaluation.spaces.evaluate_spaces`.
    """
    kinds = {
        point.id: collection
        for collection in store.collections()
        for point in store.scroll(collection, where=Filter(), payload=False)
        if point.id in labels
    }
    sizes = Counter((labels[id_], kinds[id_]) for id_ in kinds)
    asked: dict[str, list[str]] = {}
    for id_, kind in kinds.items():
        if sizes[labels[id_], kind] > 1:
            asked.setdefault(sets[id_], []).append(id_)
    found: dict[str, FusedEvaluation] = {}
    for name, ids in sorted(asked.items()):
        if len(ids) > MOST_QUESTIONS:
            ids = [ids[at] for at in np.linspace(0, len(ids) - 1, MOST_QUESTIONS).astype(int)]
        found[name] = _of_set(store, labels, kinds, ids, k, groups or {})
    return found


def _of_set(
    store: Store,
    labels: Mapping[str, str],
    kinds: Mapping[str, str],
    ids: Sequence[str],
    k: int | None,
    groups: Mapping[str, str],
) -> FusedEvaluation:
    stored = {id_: labels[id_] for id_ in kinds}
    sizes = Counter(stored.values())
    classes = {labels[id_] for id_ in ids}
    k = k or default_k(stored, classes)
    figures = []
    for id_ in ids:
        answer = find_similar(store, Question((id_,), limit=DEPTH))
        right = _relevant(answer.hits, labels, id_)
        row = _relevant(answer.by_collection[kinds[id_]], labels, id_)
        own = [hit.id for hit in answer.hits if hit.id in labels][:SEEN]
        missing = not any(labels[hit] == labels[id_] and kinds[hit] == kinds[id_] for hit in own)
        # All others of the label count, found or not.
        precision = average_precision(right) * right.sum() / min(sizes[labels[id_]] - 1, DEPTH)
        figures.append((right[:1].sum(), right[:k].sum() / k, precision, missing, row[:1].sum(), row[:k].sum() / k))
    table = np.array(figures, np.float64)
    means = [float(value) for value in table.mean(axis=0)]
    return FusedEvaluation(
        n=len(ids),
        classes=len(classes),
        p_at_1=means[0],
        k=k,
        p_at_k=means[1],
        map=means[2],
        intervals=intervals_of(dict(zip(("p_at_1", "p_at_k", "map"), table.T, strict=False)), ids, labels, groups),
        missing=means[3],
        row_p_at_1=means[4],
        row_p_at_k=means[5],
    )


def _relevant(hits: Sequence[SimilarHit], labels: Mapping[str, str], asked: str) -> NDArray[np.bool_]:
    """Bool ``(n,)``: whether each labelled hit has the label of ``asked``."""
    return np.array([labels[hit.id] == labels[asked] for hit in hits if hit.id in labels], bool)
