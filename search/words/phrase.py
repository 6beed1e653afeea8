"""A phrase asked as a whole in the space that pictures and words share (``meaning``), where a library has it.

How like the phrase a record is says a likeness curve (``LikenessCurves.text_curve``): a probability, as the value of a
concept is one. Of a video its best key frame counts, corrected for how many there are (``search.evidence``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from search.errors import LikewiseError
from search.evidence import corrected, effective_rows
from search.likeness_curves import LikenessCurves, curves_of
from search.media import KIND_OF
from search.spaces import MEANING, Space, VectorField
from search.store.base import Array, Store, VectorQuery
from search.store.filters import Filter
from search.words.answers import HOLDS
from search.words.evidence import MOST, pictured


class TextEncoder(Protocol):
    """Whatever embeds words for questions."""

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``, L2-normalised.

        Raises:
            ModelError: there is no model of words, or it cannot be loaded or run.
            SpaceMismatchError: it makes vectors of another space.
            LikewiseError: whatever embeds is away or busy.
        """


@dataclass(frozen=True, slots=True)
class Meant:
    """What the space says of a phrase.

    Attributes:
        likenesses: collection to id to likeness, from ``HOLDS``; best first.
        asked: collection to the field and the phrase's vector in it.
        complete: no record that is like it is missing.
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
        """Number of the row, of those of one record, that is most like the phrase."""
        return int(np.argmax(rows @ self.asked[collection][1][0]))


def ask_phrase(
    store: Store, phrase: str, encoder: TextEncoder | None, where: Filter, collections: Sequence[str]
) -> Meant:
    """What is like a phrase, in those collections that have the space.

    Nothing that goes wrong with embedding the words is raised: concepts and texts answer without.

    Args:
        encoder: None asks nothing.
        where: which records are asked for.

    Raises:
        StoreError: the store does not answer.
    """
    if encoder is None or not phrase:
        return Meant()
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
                return Meant(notes=(note,))
        asked[collection] = held, vectors[space.fingerprint]
        found = _like(store, collection, held, vectors[space.fingerprint], where)
        likenesses[collection] = found
        complete &= len(found) < MOST
    return Meant(likenesses, asked, complete)


def _like(store: Store, collection: str, held: VectorField, vector: Array, where: Filter) -> dict[str, float]:
    """Id to likeness from ``HOLDS``, best first, of at most ``MOST`` records."""
    curves = curves_of(store)
    curve = curves.text_curve(held.space, KIND_OF[collection])
    [hits] = store.query(collection, [VectorQuery(held.space, vector, MOST, where)])
    # The correction only lowers a score: what is not like the phrase without it is not with it.
    worth = {hit.id: hit.score for hit in hits if curve.likeness(hit.score) >= HOLDS}
    if not worth:
        return {}
    tries = _tries(store, collection, held, curves, list(worth))
    scores = corrected(np.array([*worth.values()], np.float64), tries, curve.background)
    found = {id_: float(one) for id_, one in zip(worth, curve.likenesses(scores), strict=True) if one >= HOLDS}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _tries(
    store: Store, collection: str, held: VectorField, curves: LikenessCurves, ids: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Effective numbers of vectors of records, see ``search.evidence``; 1 where each has one."""
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


def lacking(store: Store, collections: Sequence[str], where: Filter) -> int:
    """Pictures and videos without a vector of the space, of collections that have it."""
    missing = 0
    for collection in collections:
        if store.schema(collection).space(MEANING) is not None:
            missing += pictured(store, collection, where) - store.count(collection, replace(where, has_space=MEANING))
    return missing
