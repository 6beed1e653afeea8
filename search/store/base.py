"""The ``Store`` protocol: what every vector store must do, embedded or on a server.

Two implementations, ``search.store.edge.store`` and ``search.store.server.store``, pass one contract suite
(``tests/search/store/test_contract*.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import SpaceMismatchError
from search.media import Payload
from search.spaces import CollectionSchema, Space
from search.store.filters import Filter

Array: TypeAlias = NDArray[np.float32]
"""float32 matrix ``(m, dim)``; m is 1 for a single vector."""

PayloadChoice: TypeAlias = bool | Sequence[str]
"""Whether to fetch payloads: all of each, none, or only the keys named (fetching costs more than searching)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One media record with its vectors.

    Attributes:
        id: UUID as text.
        vectors: space name to float32 ``(m, dim)``; a space the media has nothing for is left out.
        payload: JSON object, see ``MediaRecord.to_payload``.
        checksums: those that some vectors or the facts were stored with elsewhere, by the names of the spaces and
            ``facts``; what came without is given new ones. See ``search.store.checksums``.
    """

    id: str
    vectors: Mapping[str, Array]
    payload: Payload
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A point as fetched.

    Attributes:
        vectors: only what was asked for, as float32 ``(m, dim)``.
        checksums: see :class:`Point`; empty where only some keys of the payload were asked for, or where a version
            before wrote the point.
    """

    id: str
    payload: Payload
    vectors: Mapping[str, Array] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """Nearest neighbours of one vector (or, by MaxSim, of one set of vectors) in one space of one collection.

    Attributes:
        space: checked against the collection's fingerprint.
        vector: float32 ``(m, dim)``. With m > 1 the field must be a multivector; the score is the mean over the
            m vectors of their best match, so that it stays a cosine. In a sparse space its components are weights,
            and points that have none of the weighted components are no hits.
        where: conditions; the default hides what is missing.
        exact: scan instead of using the approximate index.
        ef: HNSW search width; None leaves the engine's default.
        diversity: from 0, by score alone, to 1. Among the best ``answers.MMR_CANDIDATES`` hits, one that
            is like another before it stands further back. Only for spaces of single dense vectors. Scores stay cosines,
            which then do not fall from hit to hit.
    """

    space: Space
    vector: Array
    limit: int
    where: Filter = field(default_factory=Filter)
    exact: bool = False
    with_payload: PayloadChoice = False
    ef: int | None = None
    diversity: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoredHit:
    """``score`` is the raw cosine (or dot product), higher is closer."""

    id: str
    score: float
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """Cheap facts about a collection. A server reports both numbers approximately while it optimises;
    :meth:`Store.count` is exact.

    Attributes:
        indexed: vectors under an approximate index, of all spaces together.
    """

    schema: CollectionSchema
    points: int
    indexed: int


@dataclass(frozen=True, slots=True)
class Generation:
    """One making of a collection. Questions go to the ``current`` one; another is being filled, or has been replaced.

    Attributes:
        name: what to call it by in every method that takes a collection, ``images.2``.
    """

    name: str
    schema: CollectionSchema
    points: int
    current: bool


class SpaceNotAddedError(SpaceMismatchError):
    """A collection lacks a space that its engine cannot give it.

    Attributes:
        space: its name.
    """

    def __init__(self, message: str, hint: str = "", space: str = "") -> None:
        super().__init__(message, hint)
        self.space = space


class Store(Protocol):
    """Vectors and payloads of every collection.

    All methods may be called from several threads. Writes are acknowledged only when they survive a killed process.
    ``where=None`` matches every point, ``Filter()`` every point that is not missing. Vectors of a cosine space come
    back L2-normalised, whatever length they were stored with. An id that is not a UUID is an id that does not exist.
    Vectors come back bit for bit on every read, and facts to 12 significant digits: their checksums hold.

    Sparse vectors come and go as dense ones; the zeros are not stored. A point with a vector of nothing but zeros holds
    the space (``Filter.has_space``) and is a hit of no question.

    A collection is named plainly, which means its current generation, or by the name of a generation.

    Raises:
        NotFoundError: the collection does not exist (any method that names one, except :meth:`ensure`).
        SpaceMismatchError: a vector or query is of another space or dimension than the collection, or vectors are asked
            for of a space that it lacks.
        StoreUnavailableError, DiskFullError, StoreError: as their names say.
    """

    @property
    def engine(self) -> str:
        """``edge`` or ``server``."""

    def ensure(self, schema: CollectionSchema) -> None:
        """Create the collection with its payload indexes, or check that it was made with the same spaces and add
        those that it lacks; its points hold vectors of them once they are given some.

        Raises:
            SpaceMismatchError: it has another space of that name.
            SpaceNotAddedError: the engine cannot add one.
        """

    def collections(self) -> Mapping[str, CollectionInfo]:
        """The current generation of every collection, by its plain name. What other processes have written since may
        be unknown for a few seconds; what they have promoted, for two."""

    def schema(self, collection: str) -> CollectionSchema: ...

    def upsert(self, collection: str, points: Sequence[Point]) -> None: ...

    def update_vectors(self, collection: str, vectors: Mapping[str, Mapping[str, Array]]) -> None:
        """Replace the named vectors (id to space name to ``(m, dim)``) of points that exist; others stay."""

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        """Set the given keys of each id's payload; a value of None removes the key. Ids that do not exist are
        ignored."""

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Delete points; ids that do not exist are ignored."""

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        """The points that exist among ``ids``, in the order asked."""

    def query(self, collection: str, queries: Sequence[VectorQuery]) -> list[list[ScoredHit]]:
        """Hits of each query, best first.

        Raises:
            UsageError: a diversity out of range, or above 0 in a space of many or of sparse vectors.
        """

    def scroll(
        self,
        collection: str,
        *,
        where: Filter | None = None,
        vectors: Sequence[str] = (),
        payload: PayloadChoice = True,
        page: int = 1000,
        after: str | None = None,
    ) -> Iterator[StoredPoint]:
        """Every point that matches (and whose id follows ``after``), once, in order of id, fetched ``page`` at a
        time.

        Raises:
            UsageError: ``after`` is not a UUID.
        """

    def ordered(
        self,
        collection: str,
        key: str,
        *,
        descending: bool = False,
        where: Filter | None = None,
        payload: PayloadChoice = True,
        limit: int,
    ) -> list[StoredPoint]:
        """The first ``limit`` points that match and have the payload key, in the order of its numbers. Which of those
        with the same number come first, or still come, is up to the engine.

        Raises:
            UsageError: the key has no index of numbers, or the limit is not positive.
        """

    def count(self, collection: str, where: Filter | None = None) -> int: ...

    def facet(self, collection: str, key: str, *, where: Filter | None = None, limit: int = 50) -> list[Facet]:
        """Values of an indexed payload key with their counts, most frequent first; what nothing holds is none.

        Raises:
            UsageError: the key has no index that can be counted.
        """

    def sample(self, collection: str, space: str, n: int) -> list[StoredPoint]:
        """The first ``n`` points by id that hold ``space``, missing ones too, with that space's vectors and no payload.

        An id is a hash of the content (``search.media.media_id``), so these are as good as drawn at random, and they
        are the same ones in every store that holds the same media.
        """

    def metadata(self, collection: str) -> Mapping[str, Any]:
        """JSON object kept with the collection (standardisation of ``sound``, for one); empty at first."""

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        """Set the given keys of the collection's metadata durably; None removes a key."""

    def edition(self, collection: str) -> object | None:
        """Something that is equal as long as nothing is written to the collection; None where that is not known."""

    def changed_since(self, collection: str, edition: object) -> Collection[str] | None:
        """Ids of the points written or deleted since that :meth:`edition`, perhaps of some that were written before;
        None where that is not known."""

    def optimise(self, collection: str) -> bool:
        """Build the approximate index of what has been written; True when something was built. Answers keep coming
        while it runs; safe to call from a background thread."""

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        """Build no approximate index during a bulk load, or build it again from now on. What is held stays held, also
        after a crash, until it is let go; a store that indexes only on :meth:`optimise` does nothing."""

    def is_indexing_held(self, collection: str) -> bool: ...

    def begin_generation(self, schema: CollectionSchema) -> str:
        """Make the next generation of the schema's collection, empty and unasked, or find again the one with this
        schema that is not promoted yet; its name. Metadata of the current one is copied when it is made.

        Raises:
            UsageError: a generation with another schema is being filled; drop that first.
        """

    def generations(self, collection: str) -> tuple[Generation, ...]:
        """Every generation there is, oldest first; just one, until a collection is made anew."""

    def promote(self, generation: str) -> None:
        """Let questions go to this generation from now on, in one step; the one before stays until it is dropped.
        Other processes' questions follow within two seconds, their writes at once."""

    def drop_generation(self, generation: str) -> None:
        """Delete a generation; one that does not exist (any more) is ignored.

        Raises:
            UsageError: it is the current one.
        """

    def close(self) -> None: ...
