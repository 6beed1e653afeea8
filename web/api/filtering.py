"""The filter as a request spells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from search.store import filters
from search.store.filters import NumberRange
from web import near as places


def _near(value: object) -> object:
    return places.read(value) if isinstance(value, str) else value


_NEAR_SCHEMA = {
    "type": "string",
    "description": "Within so many metres of a place (degrees, WGS 84): LAT,LON,METRES.",
    "examples": ["52.52,13.405,1000"],
}


@dataclass(frozen=True, slots=True)
class Filter(filters.Filter):
    """All conditions hold together; several values of one condition are alternatives. An empty filter matches all whose
    files are there.

    Attributes:
        path_prefix: a folder (absolute POSIX path); matches everything below it.
        taken_from, taken_to: both inclusive; naive times are taken as UTC.
        min_size, max_size: bytes.  min_duration, max_duration: seconds.
        orientations: landscape, portrait, square.
        words: every word must occur among the record's names and tags; of 'similar', it may also be shown.
        has_space: there is a vector of this space.
        near: a place and a radius around it, LAT,LON,METRES.
        ids, exclude_ids: restrict to, or leave out, these.
        include_missing: also match records whose files have gone.
    """

    near: Annotated[places.Near | None, BeforeValidator(_near), WithJsonSchema(_NEAR_SCHEMA)] = None
    numbers: SkipJsonSchema[tuple[NumberRange, ...]] = field(default=(), repr=False)
    lacking: SkipJsonSchema[str | None] = field(default=None, repr=False)
