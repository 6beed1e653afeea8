"""The store on a Qdrant server or cluster: points and queries, through qdrant-client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from search.media import Payload
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store import checksums
from search.store.answers import EngineHit, engine_queries, joined, scored
from search.store.base import (
    Array,
    CollectionInfo,
    Facet,
    Generation,
    PayloadChoice,
    Point,
    ScoredHit,
    StoredPoint,
    VectorQuery,
)
from search.store.conditions import following_id, valid_ids
from search.store.filters import Filter
from search.store.payloads import check_facet_key, check_order, counted, group_patches
from search.store.server.collections import PhysicalCollection, ServerCollections
from search.store.server.connection import make_breaker, make_client
from search.store.server.errors import PointGoneError, TooLargeError, server_errors
from search.store.server.filters import server_filter
from search.store.server.limits import USUAL_ROWS, BatchLimit, Limits, exhaust
from search.store.server.points import PointsApi, RestPoints, Wanted, numbers_of, selected, sparse_vector, stored_point
from search.store.server.questions import Piece, pieces_of
from search.store.vectors import as_stored, asked_vectors, query_vector, to_engine

_T = TypeVar("_T")

_EDITS = 5
"""How often an edit is tried when others delete what it is about."""


def connect(settings: Settings) -> ServerStore:
    """A store on the server that the settings name.

    Raises:
        StoreUnavailableError: the server does not answer.
        StoreError: it refuses us.
        SettingsError: the certificates that they name cannot be read.
    """
    store = make_store(settings)
    store.collections()
    return store


def make_store(settings: Settings) -> ServerStore:
    """The same, without asking whether it answers.

    Raises:
        SettingsError: as :func:`connect`.
    """
    breaker = make_breaker()
    client = make_client(settings, breaker)
    if settings.qdrant_grpc == "off":
        return ServerStore(client, settings)
    from search.store.server.grpc_points import GrpcPoints

    return ServerStore(client, settings, GrpcPoints.of(settings, RestPoints(client), breaker))


class ServerStore:
    """The :class:`~search.store.base.Store` behind a client; ``QdrantClient(":memory:")`` is its double in tests."""

    def __init__(self, client: QdrantClient, settings: Settings | None = None, points: PointsApi | None = None) -> None:
        """Take over ``client`` and ``points``: :meth:`close` closes them.

        Args:
            points: how vectors are sent and fetched, if not by ``client``.
        """
        self._client = client
        self._rest = RestPoints(client)
        self._points = points or self._rest
        self._settings = settings or Settings.model_validate({})
        self._collections = ServerCollections(client, self._settings)
        self._limits = Limits()

    @property
    def engine(self) -> str:
        return "server"

    def ensure(self, schema: CollectionSchema) -> None:
        self._collections.ensure(schema)

    def collections(self) -> Mapping[str, CollectionInfo]:
        return self._collections.collections()

    def schema(self, collection: str) -> CollectionSchema:
        return self._collections.find(collection).schema

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        if not points:
            self._collections.find(collection, to_write=True)

        def send(some: Sequence[Point]) -> None:
            convert = partial(self._points.made_of, some)
            place, made = self._collections.find_for(collection, convert, to_write=True)
            self._ask(collection, place, partial(self._points.upsert, place.physical, made))
            self._collections.touched(place.physical)

        exhaust(self._limits.points.each(points, send, lambda point: numbers_of(point.vectors)))

    def update_vectors(self, collection: str, vectors: Mapping[str, Mapping[str, Array]]) -> None:
        def convert(schema: CollectionSchema) -> dict[str, dict[str, Array]]:
            return {id_: as_stored(schema, named) for id_, named in vectors.items()}

        place, stored = self._collections.find_for(collection, convert, to_write=True)
        sums = checksums.vector_patches(place.schema, stored)

        def send(ids: Sequence[str]) -> None:
            edits = [
                models.PointVectors(id=id_, vector=to_engine(place.schema, stored[id_], sparse_vector)) for id_ in ids
            ]
            # Killed in between, the vectors are unproven, not damaged.
            self._patch(collection, place, checksums.without(sums, ids))
            self._ask(collection, place, partial(self._client.update_vectors, place.physical, edits, wait=True))
            self._patch(collection, place, {id_: sums[id_] for id_ in ids})

        def edit(existing: Sequence[str]) -> None:
            exhaust(self._limits.points.each(existing, send, lambda id_: numbers_of(stored[id_])))

        self._edit_existing(collection, place, valid_ids(vectors), edit)

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        place = self._collections.find(collection, to_write=True)

        def edit(existing: Sequence[str]) -> None:
            wanted = {id_: patches[id_] for id_ in existing}
            if changing := checksums.changing_facts(wanted):
                fetch = partial(self._client.retrieve, place.physical, changing, with_payload=checksums.facts_keys())
                records = self._ask(collection, place, fetch)
                wanted = checksums.with_facts_checksums(wanted, [(str(each.id), each.payload) for each in records])
            self._patch(collection, place, wanted)

        def send(ids: Sequence[str]) -> None:
            self._edit_existing(collection, place, ids, edit)

        exhaust(self._limits.ids.each(valid_ids(patches), send))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        place = self._collections.find(collection, to_write=True)

        def send(doomed: list[str]) -> None:
            points = models.PointIdsList(points=list(doomed))
            self._ask(collection, place, partial(self._client.delete, place.physical, points, wait=True))
            self._collections.touched(place.physical)

        exhaust(self._limits.ids.each(valid_ids(ids), send))

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        place, names = self._collections.find_for(collection, lambda schema: asked_vectors(schema, vectors))
        found = {point.id: point for point in self._fetch(collection, place, ids, names, payload)}
        return [found[id_] for id_ in ids if id_ in found]

    def query(self, collection: str, queries: Sequence[VectorQuery]) -> list[list[ScoredHit]]:
        if not queries:
            return []
        place, vectors = self._collections.find_for(
            collection, lambda schema: [query_vector(schema, query, sparse_vector) for query in queries]
        )
        asked = [
            (part, vector) for query, vector in zip(queries, vectors, strict=True) for part in engine_queries(query)
        ]

        def send(some: Sequence[Piece]) -> Sequence[Sequence[EngineHit]]:
            requests = [piece.request for piece in some]
            return self._ask(collection, place, partial(self._points.query, place.physical, requests))

        def ask(page: int) -> list[list[ScoredHit]]:
            pieces = [piece for query, vector in asked for piece in pieces_of(query, vector, page, self._settings)]
            answers = chain.from_iterable(self._limits.questions.each(pieces, send, lambda piece: piece.floats))
            found = []
            for query, _ in asked:
                pages = islice(answers, -(-query.limit // page))
                found.append(scored(query, chain.from_iterable(pages)))
            return joined(queries, found)

        return self._limits.in_pages(ask)

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
        place, names = self._collections.find_for(collection, lambda schema: asked_vectors(schema, vectors))
        condition = server_filter(where)
        offset = following_id(after) if after else None
        wanted = Wanted(place.schema, names, payload)
        api = self._points if names else self._rest

        def ask(most: int) -> tuple[list[StoredPoint], str | None]:
            limit = min(page, self._points_in_answer(place.schema, names), most)
            try:
                return self._ask(
                    collection, place, partial(api.scroll, place.physical, condition, limit, offset, wanted)
                )
            except TooLargeError as error:
                if error.of_page or not names or limit == 1:
                    raise
                self._limits.answer_floats = limit // 2 * self._floats_of_point(place.schema, names)
                return ask(most)

        while True:
            points, offset = self._limits.in_pages(ask)
            yield from points
            if offset is None:
                return

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
        check_order(key, limit)
        place = self._collections.find(collection)
        direction = models.Direction.DESC if descending else models.Direction.ASC
        narrowed = where or Filter(include_missing=True)
        found: list[models.Record] = []

        def ask(most: int) -> tuple[int, list[models.Record]]:
            """A page of what follows: from the last number on, without those that have it and are found."""
            last = found[-1].order_value if found else None
            known = tuple(str(record.id) for record in found if record.order_value == last) if found else ()
            wanted = min(limit - len(found), most)
            page = partial(
                self._client.scroll,
                place.physical,
                scroll_filter=server_filter(replace(narrowed, exclude_ids=(*narrowed.exclude_ids, *known))),
                limit=wanted,
                order_by=models.OrderBy(key=key, direction=direction, start_from=last),
                with_payload=selected(payload),
                with_vectors=False,
            )
            return wanted, self._ask(collection, place, page)[0]

        while len(found) < limit:
            wanted, records = self._limits.in_pages(ask)
            found += records
            if len(records) < wanted:
                break
        return [stored_point(place.schema, each.id, each.payload, each.vector) for each in found]

    def count(self, collection: str, where: Filter | None = None) -> int:
        place = self._collections.find(collection)
        condition = server_filter(where)
        return self._ask(collection, place, partial(self._client.count, place.physical, condition, exact=True)).count

    def facet(self, collection: str, key: str, *, where: Filter | None = None, limit: int = 50) -> list[Facet]:
        check_facet_key(key)
        place = self._collections.find(collection)
        condition = server_filter(where)

        def ask(most: int) -> models.FacetResponse:
            """As many values as are given at once: those that follow cannot be asked for."""
            values = partial(self._client.facet, place.physical, key, facet_filter=condition, exact=True)
            return self._ask(collection, place, partial(values, limit=min(limit, most)))

        return counted((str(hit.value), hit.count) for hit in self._limits.in_pages(ask).hits)

    def sample(self, collection: str, space: str, n: int) -> list[StoredPoint]:
        holding = Filter(has_space=space, include_missing=True)
        found = self.scroll(collection, where=holding, vectors=[space], payload=False, page=max(1, n))
        return list(islice(found, n))

    def metadata(self, collection: str) -> Mapping[str, Any]:
        return self._collections.metadata(collection)

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        self._collections.set_metadata(collection, values)

    def edition(self, collection: str) -> None:
        """Others write to a server, too."""

    def changed_since(self, collection: str, edition: object) -> None:
        """Nobody tells."""

    def optimise(self, collection: str) -> bool:
        """Nothing to do here: a server indexes by itself, in the background, once a segment is large enough."""
        self._collections.find(collection)
        return False

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        self._collections.hold_indexing(collection, held=held)

    def is_indexing_held(self, collection: str) -> bool:
        return self._collections.is_indexing_held(collection)

    def begin_generation(self, schema: CollectionSchema) -> str:
        return self._collections.begin_generation(schema)

    def generations(self, collection: str) -> tuple[Generation, ...]:
        return self._collections.generations(collection)

    def promote(self, generation: str) -> None:
        self._collections.promote(generation)

    def drop_generation(self, generation: str) -> None:
        self._collections.drop_generation(generation)

    def close(self) -> None:
        self._points.close()
        self._client.close()

    def _ask(self, collection: str, place: PhysicalCollection, call: Callable[[], _T]) -> _T:
        """What a request about a collection gives, in Likewise's errors."""
        with server_errors(collection, place.forget):
            return self._collections.ask(place.physical, call)

    def _edit_existing(
        self, collection: str, place: PhysicalCollection, ids: Sequence[str], edit: Callable[[Sequence[str]], None]
    ) -> None:
        """Let ``edit`` change those of ``ids`` that exist.

        The server refuses a whole operation for one id that it does not know, also when another process has deleted
        that point just now; then those that are left are edited, some of them a second time.
        """
        for left in reversed(range(_EDITS)):
            existing = [point.id for point in self._fetch(collection, place, ids, (), False)]
            try:
                edit(existing)
                return
            except PointGoneError:
                if not left:
                    raise

    def _patch(self, collection: str, place: PhysicalCollection, patches: Mapping[str, Payload]) -> None:
        operations: list[Any] = []
        for patch in group_patches(patches):
            if patch.set:
                change = models.SetPayload(payload=patch.set, points=list(patch.ids))
                operations.append(models.SetPayloadOperation(set_payload=change))
            if patch.remove:
                removal = models.DeletePayload(keys=patch.remove, points=list(patch.ids))
                operations.append(models.DeletePayloadOperation(delete_payload=removal))

        def send(some: list[Any]) -> None:
            self._ask(collection, place, partial(self._client.batch_update_points, place.physical, some, wait=True))

        exhaust(self._limits.edits.each(operations, send))

    def _fetch(
        self,
        collection: str,
        place: PhysicalCollection,
        ids: Iterable[str],
        vectors: Sequence[str],
        payload: PayloadChoice,
    ) -> list[StoredPoint]:
        most = self._points_in_answer(place.schema, vectors)
        limit = BatchLimit(most) if vectors else self._limits.ids
        wanted = Wanted(place.schema, vectors, payload)
        api = self._points if vectors else self._rest

        def send(some: list[str]) -> list[StoredPoint]:
            return self._ask(collection, place, partial(api.retrieve, place.physical, some, wanted))

        found = list(chain.from_iterable(limit.each(valid_ids(ids), send)))
        if vectors and limit.count < most:
            self._limits.answer_floats = limit.count * self._floats_of_point(place.schema, vectors)
        return found

    def _points_in_answer(self, schema: CollectionSchema, vectors: Sequence[str]) -> int:
        """How many points may be asked for at once, with these vectors."""
        limits, floats = self._limits, self._floats_of_point(schema, vectors)
        return max(1, min(limits.ids.count, limits.answer_floats // floats)) if floats else limits.page

    def _floats_of_point(self, schema: CollectionSchema, vectors: Sequence[str]) -> int:
        """Components of these vectors of a point, as far as can be told beforehand."""
        asked = [field for name, field in schema.by_name.items() if name in vectors]
        rows = min(self._settings.key_frames, USUAL_ROWS)
        return sum(field.numbers * (rows if field.multi else 1) for field in asked)
