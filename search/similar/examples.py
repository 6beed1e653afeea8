"""Resolves the examples of a question to vectors, and blends them to one query a space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from search.errors import SpaceMismatchError
from search.likeness.best_pairs import MOST_ASKING
from search.media import Kind
from search.records.lookup import probes_of
from search.records.sound_rows import Spans, spans_of
from search.similar.moments import TimedRows, best_span, part_of
from search.similar.questions import Probe, Question
from search.spaces import Space, VectorField
from search.store.base import Array, PayloadChoice, Store, VectorQuery
from search.store.filters import Filter
from search.vectors import unit_rows

_Number = TypeVar("_Number", np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class SpaceQuery:
    """The vectors that ask in one space of one collection.

    Attributes:
        field: the space as the collection holds it.
        rows: float32 ``(m, dim)``, L2-normalised.
        asking: the collection whose scores these resemble: that of the positive example with most vectors.
    """

    collection: str
    field: VectorField
    rows: Array
    asking: str

    @property
    def space(self) -> Space:
        return self.field.space

    def vector_queries(
        self,
        limit: int,
        where: Filter,
        *,
        exact: bool = False,
        diversity: float = 0.0,
        with_payload: PayloadChoice = False,
    ) -> list[VectorQuery]:
        """The queries to a store: one of all rows where points hold several vectors, else one a row."""
        parts = [self.rows] if self.field.multi else np.split(self.rows, len(self.rows))
        return [
            VectorQuery(self.space, part, limit, where, exact=exact, diversity=diversity, with_payload=with_payload)
            for part in parts
        ]


@dataclass(frozen=True, slots=True)
class Examples:
    """Like and unlike, as probes.

    Attributes:
        stored: ids the question names; they are no answers to it.
        uploaded: ids of the contents of probes brought along; a hit with one is the same content.
    """

    like: tuple[Probe, ...]
    unlike: tuple[Probe, ...]
    stored: frozenset[str]
    uploaded: frozenset[str]

    @classmethod
    def of(cls, store: Store, question: Question) -> Examples:
        """Resolve ids to probes.

        Raises:
            NotFoundError: an id is not stored.
            UsageError: it has no such part.
        """
        everything = (*question.like, *question.unlike)
        named = list(dict.fromkeys(e for e in everything if isinstance(e, str)))
        probes = dict(zip(named, probes_of(store, named), strict=True)) if named else {}
        resolved = [probes[e] if isinstance(e, str) else e for e in everything]
        if question.part is not None:
            resolved[0] = part_of(resolved[0], *question.part)
        return cls(
            like=tuple(resolved[: len(question.like)]),
            unlike=tuple(resolved[len(question.like) :]),
            stored=frozenset(probes),
            uploaded=frozenset(
                e.media_id for e in question.like if isinstance(e, Probe) and e.media_id and e.media_id not in probes
            ),
        )

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of the positive examples."""
        return frozenset(probe.kind for probe in self.like)

    @property
    def fingerprinted(self) -> bool:
        """Whether copies of a positive example can be recognised."""
        return any(probe.fingerprints for probe in self.like)

    def having(self, space: str) -> tuple[Probe, ...]:
        """The positive examples that have a vector there."""
        return tuple(probe for probe in self.like if len(probe.vectors.get(space, ())))

    def query(self, field: VectorField, collection: str) -> SpaceQuery | None:
        """What to ask a collection in one of its spaces; None when no positive example has the space.

        At most :data:`~search.likeness.best_pairs.MOST_ASKING` vectors of one example ask, evenly spread.

        Raises:
            SpaceMismatchError: an example was encoded with another model or preprocessing than the collection.
        """
        space = field.space
        having = self.having(space.name)
        if not having:
            return None
        like = [_checked(probe, space, collection) for probe in having]
        unlike = [_checked(p, space, collection) for p in self.unlike if len(p.vectors.get(space.name, ()))]
        longest = max(having, key=lambda probe: len(probe.vectors[space.name]))
        return SpaceQuery(collection, field, blend(like, unlike), longest.kind.collection)

    def moment(self, frames: Array | None, moments: Sequence[float]) -> float | None:
        """Seconds of the key frame most like any picture or key frame among the positive examples.

        Args:
            frames: a video's ``visual`` vectors, float32 ``(m, dim)``; None when not fetched.
            moments: their times; None is returned when the two do not belong together.
        """
        if frames is None or len(frames) != len(moments):
            return None
        seen = [probe.vectors["visual"] for probe in self.having("visual")]
        if not seen:
            return None
        return float(moments[int((frames @ np.concatenate(seen).T).max(axis=1).argmax())])

    def span(self, space: str, held: Array | None, spans: Spans) -> tuple[float, float] | None:
        """Seconds between which a hit matches the positive examples best by its sound; see ``moments.best_span``.

        Args:
            held: the hit's rows in the space; None when not fetched.
            spans: when each is heard; None is returned when the two do not belong together.
        """
        heard = [_segments(probe, space) for probe in self.having(space)]
        if held is None or not len(held) or len(held) != len(spans) or not heard:
            return None
        return best_span(TimedRows(held, spans), heard)


def blend(like: Sequence[Array], unlike: Sequence[Array]) -> Array:
    """One query out of several examples, float32 ``(m, dim)`` with rows of length 1.

    Single vectors are averaged and pushed away from the average negative, ``2 · mean(like) − mean(unlike)``: Rocchio's
    feedback formula with the weights of Qdrant's ``average_vector`` recommendation. It is chosen over ``best_score``
    because it stays one ordinary query, served by the index, whose score is still a cosine. When a positive example has
    several vectors (a video's key frames) the rows of all positives are kept, for MaxSim, and each is pushed away.

    Source: Rocchio 1971, "Relevance feedback in information retrieval"; Qdrant documentation, "Recommendation API".
    """
    rows = [unit_rows(vectors) for vectors in like]
    positive = np.concatenate(rows) if any(len(r) > 1 for r in rows) else np.mean(rows, axis=0)
    if not unlike:
        return unit_rows(positive)
    negative = np.mean([unit_rows(vectors).mean(axis=0) for vectors in unlike], axis=0)
    return unit_rows(2.0 * positive - negative)


def _checked(probe: Probe, space: Space, collection: str) -> Array:
    fingerprint = probe.spaces.get(space.name)
    if fingerprint != space.fingerprint:
        raise SpaceMismatchError(
            f"The example '{probe.name or probe.media_id or 'upload'}' was encoded as {space.name} {fingerprint}, "
            f"but collection '{collection}' was made with {space}.",
            "Use the model the collection was made with, or a new data directory (LIKEWISE_HOME).",
        )
    return _spread(probe.vectors[space.name])


def _segments(probe: Probe, space: str) -> TimedRows:
    """What asks of a recording, with its times as far as they are known."""
    rows, spans = probe.vectors[space], spans_of(probe, space)
    return TimedRows(_spread(rows), _spread(spans) if len(spans) == len(rows) else spans[:0])


def _spread(rows: NDArray[_Number]) -> NDArray[_Number]:
    """At most :data:`~search.likeness.best_pairs.MOST_ASKING` of the rows, evenly spread."""
    if len(rows) <= MOST_ASKING:
        return rows
    spread: NDArray[_Number] = rows[np.linspace(0, len(rows) - 1, MOST_ASKING).round().astype(int)]
    return spread
