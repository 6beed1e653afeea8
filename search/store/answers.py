"""Turns an engine's answers into hits, and diverse ones (MMR) into pages that fit together.

Source: Carbonell and Goldstein, "The use of MMR" (SIGIR 1998). One after another the hit is taken that is best by
``(1 - diversity) * score - diversity * (its greatest likeness to one taken before)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from search.store.base import ScoredHit, VectorQuery
from search.store.payloads import from_stored

MMR_CANDIDATES = 200
"""Best hits of a question that diversity rearranges; those that follow stand in the order of their scores. An engine
compares each with each of those it gives out. It is the same for every page, so that no page repeats another."""


class EngineHit(Protocol):
    """A hit as either engine returns it."""

    @property
    def id(self) -> Any: ...

    @property
    def score(self) -> float: ...

    @property
    def payload(self) -> Any: ...


def scored(query: VectorQuery, hits: Iterable[EngineHit]) -> list[ScoredHit]:
    """The hits of a query. MaxSim is a sum over the query's vectors; divided by their number it is a cosine again."""
    with_payload = query.with_payload is not False
    return [
        ScoredHit(str(hit.id), hit.score / len(query.vector), from_stored(hit.payload) if with_payload else None)
        for hit in hits
    ]


def engine_queries(query: VectorQuery) -> Iterator[VectorQuery]:
    """What to ask an engine for the hits of ``query``, one after another: diverse ones as far as those go, then plain
    ones, of which those that were diverse already are left out (:func:`joined`)."""
    if query.diversity:
        yield replace(query, limit=min(query.limit, MMR_CANDIDATES))
    if not query.diversity or query.limit > MMR_CANDIDATES:
        yield replace(query, diversity=0.0)


def joined(queries: Sequence[VectorQuery], answers: Iterable[list[ScoredHit]]) -> list[list[ScoredHit]]:
    """The hits of each query, of the answers to all its :func:`engine_queries` in their order; each stands where it was
    first."""
    waiting = iter(answers)
    joined: list[list[ScoredHit]] = []
    for query in queries:
        found: dict[str, ScoredHit] = {}
        for _ in engine_queries(query):
            for hit in next(waiting):
                found.setdefault(hit.id, hit)
        joined.append(list(found.values())[: query.limit])
    return joined
