"""Turns the engine's scores into likenesses and match percentages of best pairs of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from search.likeness.best_pairs import Background, best_pair, corrected, effective_rows
from search.likeness.curve import LikenessCurve
from search.likeness.curves import LikenessCurves, curves_of
from search.likeness.percentile_curves import PercentileCurves, percentile_curves_of
from search.media import KIND_OF
from search.similar.examples import SpaceQuery
from search.similar.fusion import Finding
from search.similar.questions import Via
from search.spaces import Space
from search.store.base import Array, CollectionInfo, Store


@dataclass(frozen=True, slots=True)
class Scorer:
    """Turns scores into findings, for one question.

    Attributes:
        infos: the store's collections, as of this question.
        provisional: names of the spaces, of those that were compared in, whose likeness has not been learnt.
        outdated: names of those whose curves, learnt by this library, are ignored as the formula has changed since.
    """

    curves: LikenessCurves
    percentiles: PercentileCurves
    infos: Mapping[str, CollectionInfo]
    provisional: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, store: Store, infos: Mapping[str, CollectionInfo]) -> Scorer:
        return cls(curves_of(store), percentile_curves_of(store), infos)

    def needed(self, asked: SpaceQuery, ids: Sequence[str]) -> list[str]:
        """Those of these hits, in a space of several vectors a point, whose vectors :meth:`findings` needs.

        The engine's score of one asking vector is the cosine of the best pair already.
        """
        if len(asked.rows) > 1:
            return list(ids)
        curve = self._curve(asked)
        return self.curves.effective.unknown((asked.space.fingerprint, curve.background), ids)

    def findings(
        self,
        asked: SpaceQuery,
        hits: Mapping[str, float],
        held: Mapping[str, Array] | None = None,
        via: Via | None = None,
    ) -> list[Finding]:
        """One finding a hit.

        Args:
            hits: id to the engine's score, which is the cosine of the best pair where ``held`` is None.
            held: where points hold several vectors, those of the hits that are :meth:`needed`, float32 ``(k, dim)``.
                The best pair is looked for among them: the engine's score is a mean over the question's vectors.
        """
        if not hits:
            return []
        space, rows = asked.space, asked.rows
        curve = self._curve(asked)
        if self.curves.is_outdated(space):
            self.outdated.add(space.name)
        elif curve.provisional:
            self.provisional.add(space.name)
        match = self.percentiles.curve(space.name, asked.asking, asked.collection, self.infos).match
        ids = list(hits)
        own = effective_rows(rows, curve.background)
        if held is None:
            scores = np.fromiter(hits.values(), np.float64, len(hits))
            tries = np.full(len(hits), own)
        else:
            scores = np.array([best_pair(rows, held[id_]) if id_ in held else hits[id_] for id_ in ids], np.float64)
            tries = np.array([own * self._effective(space, id_, held.get(id_), curve.background) for id_ in ids])
        likenesses = curve.likenesses(corrected(scores, tries, curve.background))
        return [
            Finding(id_, asked.collection, space.name, float(score), float(likeness), match(float(score)), via)
            for id_, score, likeness in zip(ids, scores, likenesses, strict=True)
        ]

    def _curve(self, asked: SpaceQuery) -> LikenessCurve:
        return self.curves.curve(asked.space, KIND_OF[asked.asking], KIND_OF[asked.collection])

    def _effective(self, space: Space, id_: str, rows: Array | None, background: Background) -> float:
        counted = (space.fingerprint, background)
        known = self.curves.effective.get(counted, id_)
        if known is None:
            known = 1.0 if rows is None else effective_rows(rows, background)
            if rows is not None:
                self.curves.effective.put(counted, id_, known)
        return known
