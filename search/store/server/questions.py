"""Cuts the query for hits into requests that a Qdrant server answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from qdrant_client import models

from search.settings import Settings
from search.store.answers import MMR_CANDIDATES
from search.store.base import VectorQuery
from search.store.server.filters import server_filter
from search.store.server.layout import search_params
from search.store.server.points import selected
from search.store.vectors import numbers_in


class Piece(NamedTuple):
    """A request for some hits of a query, and the vector components in it."""

    request: models.QueryRequest
    floats: int


def pieces_of(query: VectorQuery, vector: Any, page: int, settings: Settings) -> Iterator[Piece]:
    """The requests for the hits of a query, ``page`` at a time.

    Args:
        vector: the query's, as the server takes it.
    """
    for offset in range(0, query.limit, page):
        request = models.QueryRequest(
            query=_diverse(vector, query.diversity),
            using=query.space.name,
            limit=min(page, query.limit - offset),
            offset=offset or None,
            filter=server_filter(query.where),
            params=search_params(settings, exact=query.exact, ef=query.ef),
            with_payload=selected(query.with_payload),
        )
        yield Piece(request, numbers_in(query.vector))


def _diverse(vector: Any, diversity: float) -> Any:
    if not diversity:
        return vector
    return models.NearestQuery(nearest=vector, mmr=models.Mmr(diversity=diversity, candidates_limit=MMR_CANDIDATES))
