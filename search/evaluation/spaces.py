"""Ranking quality of each space on labelled media, measured through the store as every query runs.

Definitions, over the labelled items of one space in one collection; each item whose label occurs at least twice is
a query, and the others are ranked as in an answer (by the corrected best pair of vectors,
``search.likeness.best_pairs``), its own id left out:

* ``p_at_1``: share of questions whose first answer has the question's label;
* ``p_at_k``: mean share of the first k answers with that label (divided by k even where a class has fewer others);
* ``map``: mean over the questions of average precision, (1/R) Σ precision at the rank of each of the R others of the
  label, over the full ranking;
* ``index_recall``: mean share of the k exact nearest neighbours that the approximate index gives as well.

Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, §8.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from search.errors import UsageError
from search.evaluation.statistics import average_precision, grouped_mean
from search.likeness.best_pairs import best_pair, corrected, effective_rows
from search.likeness.curves import curves_of
from search.media import COLLECTIONS, KIND_OF
from search.records.lookup import asked_fields
from search.spaces import VectorField
from search.store.base import Array, ScoredHit, Store, VectorQuery
from search.store.filters import Filter

MAX_QUESTIONS = 1000
"""Most queries in one space, evenly spaced in all items; every item is ranked all the same."""

RECALL_QUESTIONS = 200
"""Most queries that the approximate index is compared on."""

_ROUND_TRIP = 16
"""Most queries a round trip."""

_ROUND_TRIP_HITS = 50_000
"""Approximate number of hits of a round trip: full rankings of a large library are requested one by one."""


@dataclass(frozen=True, slots=True)
class RankingFigures:
    """Ranking figures of one set of queries.

    Attributes:
        n: queries.  classes: labels among them.
        intervals: 95 % interval of ``p_at_1``, ``p_at_k`` and ``map``, by drawing whole groups of queries with
            replacement (``search.evaluation.statistics.grouped_mean``).
    """

    n: int
    classes: int
    p_at_1: float
    k: int
    p_at_k: float
    map: float
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SpaceEvaluation(RankingFigures):
    """Figures of one space of one collection; the module defines them."""

    index_recall: float


def evaluate_spaces(
    store: Store,
    labels: Mapping[str, str],
    *,
    groups: Mapping[str, str] | None = None,
    k: int | None = None,
    collections: Sequence[str] = COLLECTIONS,
) -> dict[str, SpaceEvaluation]:
    """Figures of every space that labelled items have, by its name; ``space:collection`` where labelled items of
    several collections share a space.

    Items without a label are left out of the ranking, not counted as wrong.

    Args:
        labels: media id to label; ids that are not stored are passed over.
        groups: media id to what it is right or wrong together with (:func:`intervals_of`).
        k: by default 10 where the median class has more than 10 items, else 5.

    Raises:
        UsageError: k is not positive, or no label has two stored items, so there is nothing to measure.
    """
    if k is not None and k < 1:
        raise UsageError(f"Precision at {k} cannot be measured.", "k is at least 1.")
    found: dict[str, dict[str, SpaceEvaluation]] = {}
    for collection, info in store.collections().items():
        if collection not in collections or not info.points:
            continue
        for field in asked_fields(info.schema):
            result = _Bench.of(store, collection, field, labels)
            if result.asked:
                found.setdefault(field.space.name, {})[collection] = result.measure(k, groups or {})
    if not found:
        raise UsageError(
            "No label has two items in the store, so there is nothing to compare.", "Ingest the labelled files first."
        )
    return {
        space if len(by_collection) == 1 else f"{space}:{collection}": result
        for space, by_collection in found.items()
        for collection, result in by_collection.items()
    }


def default_k(labels: Mapping[str, str], classes: Collection[str]) -> int:
    """10 where the median class has more than 10 items, else 5."""
    sizes = Counter(labels.values())
    return 10 if median(sizes[label] for label in classes) > 10 else 5


FEWEST_GROUPS = 5
"""Groups that an interval is drawn from at least."""


def intervals_of(
    figures: Mapping[str, Sequence[float]], asked: Sequence[str], labels: Mapping[str, str], groups: Mapping[str, str]
) -> dict[str, tuple[float, float]]:
    """95 % interval of the mean of each figure.

    Queries of a group are drawn together: those of one group in ``groups``, else of one label. Where that makes fewer
    than :data:`FEWEST_GROUPS`, each query is drawn by itself.

    Args:
        figures: name to the figure of each query, in the order of ``asked``.
        asked: media ids of the queries.
        labels, groups: by media id.
    """
    names = [("group", groups[id_]) if id_ in groups else ("label", labels[id_]) for id_ in asked]
    if len(set(names)) < FEWEST_GROUPS:
        names = [("item", id_) for id_ in asked]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    drawn = np.array([number[name] for name in names])
    found = {name: grouped_mean(np.array(values, np.float64), drawn) for name, values in figures.items()}
    return {name: (one.low, one.high) for name, one in found.items()}


@dataclass(frozen=True, slots=True)
class _Bench:
    """The labelled items of one space in one collection.

    Attributes:
        labels: of every item that has a vector there.
        asked: ids of the queries.
        where: filter that keeps unlabelled points out of a ranking.
    """

    store: Store
    collection: str
    field: VectorField
    labels: Mapping[str, str]
    asked: tuple[str, ...]
    where: Filter
    depth: int

    @classmethod
    def of(cls, store: Store, collection: str, field: VectorField, labels: Mapping[str, str]) -> _Bench:
        space = field.space.name
        everything = Filter(has_space=space, include_missing=True)
        points = [p.id for p in store.scroll(collection, where=everything, payload=False)]
        here = {i: labels[i] for i in points if i in labels}
        sizes = Counter(here.values())
        asked = [i for i in here if sizes[here[i]] > 1]
        if len(asked) > MAX_QUESTIONS:
            asked = [asked[at] for at in np.linspace(0, len(asked) - 1, MAX_QUESTIONS).astype(int)]
        # Thousands of ids in a filter cost more than passing over unlabelled hits, unless those are the great majority.
        narrow = len(here) < len(points) // 4
        where = Filter(ids=tuple(here), include_missing=True) if narrow else Filter(include_missing=True)
        return cls(store, collection, field, here, tuple(asked), where, len(here) if narrow else len(points))

    def measure(self, k: int | None, groups: Mapping[str, str]) -> SpaceEvaluation:
        classes = {self.labels[i] for i in self.asked}
        k = k or default_k(self.labels, classes)
        first, at_k, precision, asked = [], [], [], []
        held = self._held() if self.field.multi else {}
        for media_id, hits in self._answers(self.asked, self.depth, self.where):
            if held:
                hits = self._rescored(hits, held[media_id], held)
            others = [hit.id for hit in hits if hit.id != media_id and hit.id in self.labels]
            relevant = np.array([self.labels[other] == self.labels[media_id] for other in others], bool)
            asked.append(media_id)
            first.append(relevant[:1].sum())
            at_k.append(relevant[:k].sum() / k)
            precision.append(average_precision(relevant))
        return SpaceEvaluation(
            n=len(self.asked),
            classes=len(classes),
            p_at_1=float(np.mean(first)),
            k=k,
            p_at_k=float(np.mean(at_k)),
            map=float(np.mean(precision)),
            intervals=intervals_of({"p_at_1": first, "p_at_k": at_k, "map": precision}, asked, self.labels, groups),
            index_recall=self._index_recall(k),
        )

    def _held(self) -> dict[str, Array]:
        """All labelled items' vectors, float32 ``(k, dim)`` each."""
        name = self.field.space.name
        points = self.store.retrieve(self.collection, list(self.labels), vectors=[name], payload=False)
        return {point.id: point.vectors[name] for point in points}

    def _rescored(self, hits: Sequence[ScoredHit], asking: Array, held: Mapping[str, Array]) -> list[ScoredHit]:
        """Hits of a space with several vectors a point, in the order of an answer."""
        kind = KIND_OF[self.collection]
        background = curves_of(self.store).curve(self.field.space, kind, kind).background
        known = [hit.id for hit in hits if hit.id in held]
        scores = np.array([best_pair(asking, held[id_]) for id_ in known], np.float64)
        own = effective_rows(asking, background)
        tries = np.array([own * effective_rows(held[id_], background) for id_ in known])
        single = corrected(scores, tries, background)
        return [ScoredHit(known[at], float(single[at])) for at in np.argsort(-single, kind="stable")]

    def _index_recall(self, k: int) -> float:
        asked = self.asked[:: max(1, len(self.asked) // RECALL_QUESTIONS)][:RECALL_QUESTIONS]
        recalls = []
        exact = self._answers(asked, k + 1, Filter())
        approximate = self._answers(asked, k + 1, Filter(), exact=False)
        for (media_id, truth), (_, given) in zip(exact, approximate, strict=True):
            wanted = [hit for hit in truth if hit.id != media_id][:k]
            if wanted:
                # By score, not by id: which of several equally near points are given is no error of the index.
                least = wanted[-1].score - 1e-5
                good = sum(hit.score >= least for hit in given if hit.id != media_id)
                recalls.append(min(good, len(wanted)) / len(wanted))
        return float(np.mean(recalls)) if recalls else 1.0

    def _answers(
        self, asked: Sequence[str], limit: int, where: Filter, *, exact: bool = True
    ) -> Iterator[tuple[str, list[ScoredHit]]]:
        """Each query's id with its hits, a few queries a round trip."""
        space = self.field.space
        together = max(1, min(_ROUND_TRIP, _ROUND_TRIP_HITS // limit))
        for start in range(0, len(asked), together):
            ids = asked[start : start + together]
            points = self.store.retrieve(self.collection, ids, vectors=[space.name], payload=False)
            queries = [VectorQuery(space, p.vectors[space.name], limit, where, exact=exact) for p in points]
            yield from zip((p.id for p in points), self.store.query(self.collection, queries), strict=True)
