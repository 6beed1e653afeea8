"""Parameters of a request that make a filter, derived from the table in ``search.store.filters``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field, fields, make_dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import BeforeValidator, Field, WithJsonSchema

from search.errors import UsageError
from search.store.filters import Filter, FilterField, IndexType, Match, end_of_day, filter_fields
from web import near

_INTERNAL = frozenset({"numbers", "lacking"})
"""Fields of a filter that no request can set."""

_PLUS_LOST = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")

_NEAR_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "description": "Within so many metres of a place (degrees, WGS 84): LAT,LON,METRES.",
    "examples": ["52.52,13.405,1000"],
}

_DESCRIPTION = """All conditions hold together; several values of one condition are alternatives. An empty filter
matches all whose files are there. Times that name no zone are those of the clock where it was taken; times that name
one are moments.

Attributes:
    has_space: there is a vector of this space.
    ids, exclude_ids: restrict to, or leave out, these.
    include_missing: also match records whose files have gone.
"""


def is_filter(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Filter)


@cache
def filter_parameters(type_: Any) -> Any:
    """The dataclass that requests fill for a filter of this type: its fields, with how their texts are read."""
    hints, rows = get_type_hints(type_), filter_fields(type_)
    parameters = [
        (one.name, _annotated(hints[one.name], rows.get(one.name)), field(default=one.default))
        for one in fields(type_)
        if one.name not in _INTERNAL
    ]
    return make_dataclass("FilterParameters", parameters, namespace={"__doc__": _DESCRIPTION}, frozen=True, slots=True)


def filter_of(type_: type[Filter], parameters: object) -> Filter:
    """The filter of what :func:`filter_parameters` has been filled with.

    Raises:
        UsageError: a value is none of those that its condition can have, or ``near`` is no place on Earth.
    """
    for name, row in filter_fields(type_).items():
        if row.choices:
            _check_choices(name, getattr(parameters, name), row.choices)
    return type_(**{one.name: getattr(parameters, one.name) for one in fields(type_) if one.name not in _INTERNAL})


def _annotated(hint: Any, row: FilterField | None) -> Any:
    if row is None:
        return hint
    if row.match is Match.NEAR:
        return Annotated[hint, BeforeValidator(_near), WithJsonSchema(_NEAR_SCHEMA)]
    if row.index is IndexType.DATETIME:
        hint = Annotated[hint, BeforeValidator(_whole_day if row.match is Match.AT_MOST else _time)]
    if row.choices:
        items = {"type": "string", "enum": list(row.choices)}
        hint = Annotated[hint, WithJsonSchema({"type": "array", "items": items})]
    return Annotated[hint, Field(description=row.meaning)]


def _near(value: object) -> object:
    if isinstance(value, str):
        return near.read(value)
    return tuple(value) if isinstance(value, list) else value


def _time(value: object) -> object:
    """A date or time in ISO 8601. Numbers are refused, because it cannot be known what they count.

    The plus of a zone arrives as a space where an address was written by hand.
    """
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("it is no date or time in ISO 8601, like 2024-12-31")
    text = _PLUS_LOST.sub(r"\1+\2", value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("it is no date or time in ISO 8601, like 2024-12-31 or 2024-12-31T18:00:00Z") from None


def _whole_day(value: object) -> object:
    """A date alone as the upper end means the whole of that day."""
    if isinstance(value, str):
        with suppress(ValueError):
            return end_of_day(date.fromisoformat(value))
    return _time(value)


def _check_choices(name: str, given: Sequence[str], allowed: Sequence[str]) -> None:
    for value in given:
        if value not in allowed:
            raise UsageError(f"'{name}' cannot be {value!r}.", f"Choose from {', '.join(allowed)}.")
