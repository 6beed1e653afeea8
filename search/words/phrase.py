"""Compares a whole phrase with pictures, in the space that both share (``meaning``).

A likeness curve gives the probability that a record looks like the phrase (``LikenessCurves.text_curve``), as the value
of a concept is one. Of a video its best key frame counts, corrected for how many there are
(``search.likeness.best_pairs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from search.errors import LikewiseError
from search.likeness.best_pairs import corrected, effective_rows
from search.likeness.curve import SIMILAR
from search.likeness.curves import LikenessCurves, curves_of
from search.media import KIND_OF
from search.spaces import MEANING, Space, VectorField
from search.store.base import Array, Store, VectorQuery
from search.store.filters import Filter
from search.words.answers import HOLDS
from search.words.evidence import MOST, without_vector


class TextEncoder(Protocol):
    """Embeds the words of questions."""

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``, L2-normalised.

        Raises:
            ModelError: there is no model of words, or it cannot be loaded or run.
            SpaceMismatchError: it makes vectors of another space.
            LikewiseError: the encoder is away or busy.
        """


@dataclass(frozen=True, slots=True)
class PhraseAnswer:
    """What the space says of a phrase.

    Attributes:
        likenesses: collection to id to likeness, from ``HOLDS``; best first.
        asked: collection to the field and the phrase's vector in it.
        complete: no record is missing that likely looks like it (likeness from ``SIMILAR``).
        notes: in words, why a collection that has the space was not asked.
    """

    likenesses: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    asked: Mapping[str, tuple[VectorField, Array]] = field(default_factory=dict)
    complete: bool = True
    notes: tuple[str, ...] = ()

    def among(self, collection: str, id_: str) -> float:
        """Likeness of one record; 0 where it is not like the phrase."""
        return self.likenesses.get(collection, {}).get(id_, 0.0)

    def frame(self, collection: str, rows: Array) -> int:
        """Number of the row, of those of one record, float32 ``(m, dim)``, that is most like the phrase."""
        return int(np.argmax(rows @ self.asked[collection][1][0]))


def ask_phrase(
    store: Store, phrase: str, encoder: TextEncoder | None, where: Filter, collections: Sequence[str]
) -> PhraseAnswer:
    """What is like a phrase, in those collections that have the space.

    Nothing that goes wrong with embedding the words is raised: concepts and texts answer without.

    Args:
        encoder: None asks nothing.
        where: which records are asked for.

    Raises:
        StoreError: the store does not answer.
    """
    if encoder is None or not phrase:
        return PhraseAnswer()
    vectors: dict[str, Array] = {}
    likenesses: dict[str, Mapping[str, float]] = {}
    asked: dict[str, tuple[VectorField, Array]] = {}
    complete = True
    for collection in collections:
        held = store.schema(collection).by_name.get(MEANING)
        if held is None:
            continue
        space = held.space
        if space.fingerprint not in vectors:
            try:
                vectors[space.fingerprint] = encoder.text(phrase, space)
            except LikewiseError as error:
                note = f"Whole pictures were not compared with the words, only concepts and texts: {error}"
                return PhraseAnswer(notes=(note,))
        asked[collection] = held, vectors[space.fingerprint]
        likenesses[collection], all_similar = _like(store, collection, held, vectors[space.fingerprint], where)
        complete &= all_similar
    return PhraseAnswer(likenesses, asked, complete)


def _like(
    store: Store, collection: str, held: VectorField, vector: Array, where: Filter
) -> tuple[dict[str, float], bool]:
    """Id to likeness from ``HOLDS``, best first, of at most ``MOST`` records; whether none from ``SIMILAR`` is
    missing."""
    curves = curves_of(store)
    curve = curves.text_curve(held.space, KIND_OF[collection])
    [hits] = store.query(collection, [VectorQuery(held.space, vector, MOST, where)])
    # The correction only lowers a score: what is not like the phrase without it is not with it.
    worth = {hit.id: hit.score for hit in hits if curve.likeness(hit.score) >= HOLDS}
    all_similar = len(hits) < MOST or curve.likeness(hits[-1].score) < SIMILAR
    if not worth:
        return {}, all_similar
    tries = _tries(store, collection, held, curves, list(worth))
    scores = corrected(np.array([*worth.values()], np.float64), tries, curve.background)
    found = {id_: float(one) for id_, one in zip(worth, curve.likenesses(scores), strict=True) if one >= HOLDS}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))), all_similar


def _tries(
    store: Store, collection: str, held: VectorField, curves: LikenessCurves, ids: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Effective numbers of vectors of records, see ``search.likeness.best_pairs``; 1 where each has one."""
    if not held.multi:
        return np.ones(len(ids), np.float64)
    fingerprint, kind = held.space.fingerprint, KIND_OF[collection]
    background = curves.curve(held.space, kind, kind).background
    for point in store.retrieve(
        collection, curves.effective.unknown(fingerprint, ids), vectors=[MEANING], payload=False
    ):
        if MEANING in point.vectors:
            curves.effective.put(fingerprint, point.id, effective_rows(point.vectors[MEANING], background))
    return np.array([curves.effective.get(fingerprint, id_) or 1.0 for id_ in ids], np.float64)


def without_phrase_vector(store: Store, collections: Sequence[str], where: Filter) -> int:
    """Pictures and videos without a vector of the space, of collections that have it."""
    return sum(
        without_vector(store, collection, where, MEANING)
        for collection in collections
        if store.schema(collection).space(MEANING) is not None
    )
