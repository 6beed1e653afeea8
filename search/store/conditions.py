"""Compiles a filter into the conditions of either engine.

Qdrant Edge and qdrant-client name their conditions almost alike; a :class:`Dialect` holds the few names that differ.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from search.errors import UsageError
from search.media import spellings, tokens
from search.store.filters import Filter, IndexType, Match, filter_fields
from search.store.payloads import check_numeric_key

EngineFilter = TypeVar("EngineFilter")

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_LARGEST = 1.7e308
"""No number that is kept is greater, or less than its negative."""


@dataclass(frozen=True, slots=True)
class Dialect(Generic[EngineFilter]):
    """How one engine spells its conditions.

    Attributes:
        filter: takes ``must`` and ``must_not``, lists of conditions.
        field: takes ``key`` and one of ``match``, ``range``, ``geo_radius``.
        value, any_of, text: matches; take ``value``, ``any`` (a list), ``text``.
        numbers, times: ranges; take ``gt``, ``gte``, ``lt``, ``lte``, floats or ISO 8601 text.
        circle: takes a latitude and a longitude in degrees, and a radius in metres.
        ids: takes a list of ids.
        holds: takes the name of a vector.
    """

    filter: Callable[..., EngineFilter]
    field: Callable[..., Any]
    value: Callable[..., Any]
    any_of: Callable[..., Any]
    text: Callable[..., Any]
    numbers: Callable[..., Any]
    times: Callable[..., Any]
    circle: Callable[[float, float, float], Any]
    ids: Callable[[list[str]], Any]
    holds: Callable[[str], Any]


def compile_filter(dialect: Dialect[EngineFilter], where: Filter | None) -> EngineFilter | None:
    """The engine's filter for ``where``; None when every point matches.

    Raises:
        UsageError: a range of, or the want of, a key that has no index of numbers.
    """
    if where is None:
        return None
    must = _conditions(dialect, where)
    for bounds in where.numbers:
        check_numeric_key(bounds.key)
        numbers = dialect.numbers(gt=bounds.gt, gte=bounds.gte, lt=bounds.lt, lte=bounds.lte)
        must.append(dialect.field(key=bounds.key, range=numbers))
    if where.has_space:
        must.append(dialect.holds(where.has_space))
    if where.ids:
        must.append(dialect.ids(valid_ids(where.ids)))

    must_not = []
    if not where.include_missing:
        must_not.append(dialect.field(key="missing", match=dialect.value(value=1)))
    if where.lacking:
        check_numeric_key(where.lacking)
        must_not.append(dialect.field(key=where.lacking, range=dialect.numbers(gte=-_LARGEST)))
    if where.exclude_ids:
        must_not.append(dialect.ids(valid_ids(where.exclude_ids)))
    return dialect.filter(must=must, must_not=must_not) if must or must_not else None


def _conditions(dialect: Dialect[Any], where: Filter) -> list[Any]:
    """The conditions of the table of filters, one for each payload key."""
    made: list[Any] = []
    ranges: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
    for name, row in filter_fields(type(where)).items():
        value = getattr(where, name)
        if not row.is_set(value):
            continue
        match row.match:
            case Match.ANY_OF:
                made.append(dialect.field(key=row.key, match=dialect.any_of(any=_spelt(value))))
            case Match.BELOW:
                made.append(dialect.field(key=row.key, match=dialect.any_of(any=_spelt([value.rstrip("/") or "/"]))))
            case Match.WORDS:
                # As the words of a record are kept; what holds none is left to the engine, which finds nothing.
                text = " ".join(tokens(value)) or value
                made.append(dialect.field(key=row.key, match=dialect.text(text=text)))
            case Match.NEAR:
                made.append(dialect.field(key=row.key, geo_radius=dialect.circle(*value)))
            case Match.AT_LEAST | Match.AT_MOST:
                timed = row.index is IndexType.DATETIME
                key = row.local_key if timed and row.local_key and value.tzinfo is None else row.key
                _, bounds = ranges.setdefault(key, (dialect.times if timed else dialect.numbers, {}))
                bounds["gte" if row.match is Match.AT_LEAST else "lte"] = _instant(value) if timed else value
    return made + [dialect.field(key=key, range=make(**bounds)) for key, (make, bounds) in ranges.items()]


def _spelt(values: Iterable[str]) -> list[str]:
    """The values in every spelling that a payload may hold them in."""
    return list(dict.fromkeys(spelling for value in values for spelling in spellings(value)))


def valid_ids(ids: Iterable[str]) -> list[str]:
    """The ids that are UUIDs, each once, in the order given: no point can have another id."""
    return [id_ for id_ in dict.fromkeys(ids) if _is_uuid(id_)]


def following_id(id_: str) -> str:
    """The least UUID after ``id_``: where a scroll that comes after it starts.

    Raises:
        UsageError: it is no UUID, so nothing can come after it.
    """
    if not _is_uuid(id_):
        raise UsageError(f"'{id_}' is not an id that a listing could go on from.")
    # No media id is the last UUID of all, so that it need not have a successor.
    return str(uuid.UUID(int=min(uuid.UUID(id_).int + 1, 2**128 - 1)))


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _instant(moment: datetime) -> str:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
