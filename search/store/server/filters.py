"""Spells filters as a Qdrant server takes them."""

from __future__ import annotations

from qdrant_client import models

from search.store.conditions import Dialect, compile_filter
from search.store.filters import Filter

_DIALECT: Dialect[models.Filter] = Dialect(
    filter=models.Filter,
    field=models.FieldCondition,
    value=models.MatchValue,
    any_of=models.MatchAny,
    text=models.MatchText,
    numbers=models.Range,
    times=models.DatetimeRange,
    circle=lambda latitude, longitude, radius: models.GeoRadius(
        center=models.GeoPoint(lat=latitude, lon=longitude), radius=radius
    ),
    ids=lambda ids: models.HasIdCondition(has_id=list(ids)),
    holds=lambda name: models.HasVectorCondition(has_vector=name),
)


def server_filter(where: Filter | None) -> models.Filter | None:
    """See :func:`~search.store.conditions.compile_filter`."""
    return compile_filter(_DIALECT, where)
