"""Holds what one question needs in find, pivot and subject_style, and makes its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.similar.examples import Examples, SpaceQuery
from search.similar.questions import Question
from search.similar.scores import Scorer
from search.similar.shots import Comparisons
from search.store.base import Array, CollectionInfo, PayloadChoice, ScoredHit, Store, VectorQuery
from search.store.filters import Filter


@dataclass(frozen=True, slots=True)
class QueryContext:
    """One question, its examples as vectors, and the store it is put to."""

    store: Store
    question: Question
    examples: Examples
    scorer: Scorer
    comparisons: Comparisons

    @classmethod
    def of(
        cls, store: Store, question: Question, infos: Mapping[str, CollectionInfo], comparisons: Comparisons
    ) -> QueryContext:
        """
        Args:
            infos: the store's collections that hold anything, as of this question.
            comparisons: of pixels.

        Raises:
            NotFoundError: an example is not stored.
        """
        return cls(store, question, Examples.of(store, question), Scorer.of(store, infos), comparisons)

    @property
    def infos(self) -> Mapping[str, CollectionInfo]:
        return self.scorer.infos

    @property
    def last(self) -> int:
        """How many answers, from the best on, the question reaches to."""
        return self.question.offset + self.question.limit

    def space_query(self, collection: str, space: str) -> SpaceQuery | None:
        """What to ask a collection in a space; None where the collection or the examples lack it.

        Raises:
            SpaceMismatchError: an example was encoded with another model or preprocessing than the collection.
        """
        field = self.infos[collection].schema.by_name.get(space)
        return None if field is None else self.examples.query(field, collection)

    def vector_queries(
        self, asked: SpaceQuery, limit: int, *, diversity: float = 0.0, with_payload: PayloadChoice = False
    ) -> list[VectorQuery]:
        """Queries under the question's filter, for ``limit`` hits that are none of the examples."""
        return asked.vector_queries(
            limit + len(self.examples.stored),
            self.question.where,
            exact=self.question.exact,
            diversity=diversity,
            with_payload=with_payload,
        )

    def best_scores(self, asked: SpaceQuery, limit: int, where: Filter) -> dict[str, float]:
        """Id to the best score of any row that asks, under a filter other than the question's."""
        queries = asked.vector_queries(limit + len(self.examples.stored), where)
        return best_of(self.store.query(asked.collection, queries))

    def held_vectors(self, collection: str, space: str, ids: Sequence[str]) -> dict[str, Array]:
        """Id to the vectors of stored points in a space, float32 ``(k, dim)`` each."""
        points = self.store.retrieve(collection, ids, vectors=[space], payload=False)
        return {point.id: point.vectors[space] for point in points}


def best_of(answers: Sequence[Sequence[ScoredHit]]) -> dict[str, float]:
    """Id to its best score in any of the answers."""
    best: dict[str, float] = {}
    for answer in answers:
        for hit in answer:
            best[hit.id] = max(hit.score, best.get(hit.id, -1.0))
    return best
