"""The table of filters: what a question can be narrowed by, on either store.

To add a filter, add one field to :class:`Filter`, with a :func:`row` in its metadata. The payload index, the conditions
of both engines (``search.store.conditions``), the parameter of API and pages (``web.api.filtering``), the command-line
option (``web.commands.questions.filters``), the facet and the label on the page follow from that row; only where on the
page it stands is said in ``web/templates/_filters.html``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from enum import StrEnum
from math import isfinite
from types import MappingProxyType

from search.errors import UsageError
from search.media import Kind


class IndexType(StrEnum):
    """Kinds of payload index, by the names both engines give them."""

    KEYWORD = "keyword"
    INTEGER = "integer"
    FLOAT = "float"
    DATETIME = "datetime"
    TEXT = "text"
    GEO = "geo"


class Match(StrEnum):
    """How a filter's value is compared with what the payload key holds."""

    ANY_OF = "any of"
    """One of several values."""
    BELOW = "below"
    """The folder, or one below it."""
    WORDS = "words"
    """All words of a text."""
    AT_LEAST = "at least"
    AT_MOST = "at most"
    """A number or a time, both inclusive."""
    NEAR = "near"
    """A circle on Earth."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """One row of the table of filters.

    Attributes:
        key: payload key. Several filters may share one (``min_size``, ``max_size``).
        local_key: of a time, the payload key that a time without a zone is compared with.
        index: the payload index of that key.
        meaning: what it does, in a sentence.
        label: what the page calls the filter while it is in force; empty where the page does not offer it.
        option: the command-line option; empty where there is none.
        choices: the values there are; empty where any value is possible.
        unit: ``bytes`` or ``seconds``, of a number.
        facet: whether its values are counted, to be offered.
    """

    key: str
    index: IndexType
    match: Match
    meaning: str
    local_key: str = ""
    label: str = ""
    option: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    facet: bool = False

    def is_set(self, value: object) -> bool:
        """Whether a filter with this value narrows anything."""
        return value is not None and value != () and not (isinstance(value, str) and not value.strip())


KEYWORD, INTEGER, FLOAT, DATETIME, TEXT, GEO = IndexType
ANY_OF, BELOW, WORDS, AT_LEAST, AT_MOST, NEAR = Match

_ROW = "filter field"
_MOST = 2**63 - 1


def row(
    key: str,
    index: IndexType,
    match: Match,
    meaning: str,
    *,
    local_key: str = "",
    label: str = "",
    option: str = "",
    choices: tuple[str, ...] = (),
    unit: str = "",
    facet: bool = False,
) -> Mapping[str, FilterField]:
    """The ``metadata`` that make a field of :class:`Filter` a row of the table; see :class:`FilterField`."""
    return {_ROW: FilterField(key, index, match, meaning, local_key, label, option, choices, unit, facet)}


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A payload key that must have a number within all the bounds that are given.

    Attributes:
        key: one with an index of numbers (``search.store.payloads.PAYLOAD_INDEXES``).
    """

    key: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions hold together; several values of one condition are alternatives.

    An empty filter matches everything that is not missing.

    Attributes:
        taken_from, taken_to: a time that names no zone is compared with what the clock showed where it was taken, so
            that a day is the day there; one that names its zone is compared as a moment, where a record whose own clock
            names no zone counts as UTC.
        near: latitude and longitude in degrees (WGS 84) and a radius in metres around that place. A circle that holds
            a pole may miss what lies beyond it.
        has_space: the point holds a vector of this space.
        numbers: ranges of payload keys, for paging.
        lacking: a payload key, with an index of numbers, that holds none.
        ids, exclude_ids: restrict to, or leave out, these points.
        include_missing: also match records whose files have gone.

    Raises:
        UsageError: a number is none, or larger than the engines take; ``near`` is no place on Earth, or its radius is
            not positive.
    """

    # fmt: off
    kinds: tuple[str, ...] = field(default=(), metadata=row(
        "kind", KEYWORD, ANY_OF, "Only of this kind.", choices=tuple(Kind)))
    libraries: tuple[str, ...] = field(default=(), metadata=row(
        "libraries", KEYWORD, ANY_OF, "Only this library.", label="Library", option="--library", facet=True))
    path_prefix: str | None = field(default=None, metadata=row(
        "folders", KEYWORD, BELOW, "Only below this folder.", label="Folder", option="--under"))
    taken_from: datetime | None = field(default=None, metadata=row(
        "taken_at", DATETIME, AT_LEAST, "Only taken on this day or later, by the clock where it was taken.",
        local_key="taken_local", label="Taken from", option="--from"))
    taken_to: datetime | None = field(default=None, metadata=row(
        "taken_at", DATETIME, AT_MOST, "Only taken on this day or before, by the clock where it was taken.",
        local_key="taken_local", label="Taken until", option="--to"))
    cameras: tuple[str, ...] = field(default=(), metadata=row(
        "camera", KEYWORD, ANY_OF, "Only by this camera.", label="Camera", option="--camera", facet=True))
    lenses: tuple[str, ...] = field(default=(), metadata=row(
        "lens", KEYWORD, ANY_OF, "Only with this lens.", label="Lens", option="--lens", facet=True))
    photographers: tuple[str, ...] = field(default=(), metadata=row(
        "photographer", KEYWORD, ANY_OF, "Only by this photographer.",
        label="Photographer", option="--photographer", facet=True))
    tags: tuple[str, ...] = field(default=(), metadata=row(
        "tags", KEYWORD, ANY_OF, "Only with this tag.", label="Tag", option="--tag", facet=True))
    min_size: int | None = field(default=None, metadata=row(
        "size", INTEGER, AT_LEAST, "At least so many bytes.", label="At least", option="--min-size", unit="bytes"))
    max_size: int | None = field(default=None, metadata=row(
        "size", INTEGER, AT_MOST, "At most so many bytes.", label="At most", option="--max-size", unit="bytes"))
    min_duration: float | None = field(default=None, metadata=row(
        "duration", FLOAT, AT_LEAST, "At least so many seconds.",
        label="Lasts at least", option="--min-duration", unit="seconds"))
    max_duration: float | None = field(default=None, metadata=row(
        "duration", FLOAT, AT_MOST, "At most so many seconds.",
        label="Lasts at most", option="--max-duration", unit="seconds"))
    orientations: tuple[str, ...] = field(default=(), metadata=row(
        "orientation", KEYWORD, ANY_OF, "Only so oriented.",
        label="Orientation", option="--orientation", choices=("landscape", "portrait", "square"), facet=True))
    words: str | None = field(default=None, metadata=row(
        "words", TEXT, WORDS,
        "Every word must occur among the record's names and tags; of 'similar', it may also be shown."))
    near: tuple[float, float, float] | None = field(default=None, metadata=row(
        "location", GEO, NEAR, "Only taken within so many metres of a place: 52.52,13.405,1000.",
        label="Taken", option="--near"))
    # fmt: on
    has_space: str | None = None
    numbers: tuple[NumberRange, ...] = field(default=(), repr=False)
    lacking: str | None = field(default=None, repr=False)
    ids: tuple[str, ...] = field(default=(), repr=False)
    exclude_ids: tuple[str, ...] = field(default=(), repr=False)
    include_missing: bool = False

    def __post_init__(self) -> None:
        for name, row in filter_fields(type(self)).items():
            number = getattr(self, name)
            if row.index in (INTEGER, FLOAT) and number is not None and not -_MOST <= number <= _MOST:
                raise UsageError(f"'{name}' cannot be {str(number)[:40]}: nothing is that much.")
        if self.near is None:
            return
        if len(self.near) != 3:
            raise UsageError(f"A place is a latitude, a longitude and a radius, not {len(self.near)} numbers.")
        latitude, longitude, radius = self.near
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise UsageError(
                f"There is no place at latitude {latitude} and longitude {longitude}.",
                "Latitudes go from -90 to 90 degrees, longitudes from -180 to 180.",
            )
        if not (isfinite(radius) and radius > 0):
            raise UsageError(f"A radius around a place is a positive number of metres, not {radius}.")


_tables: dict[type[Filter], Mapping[str, FilterField]] = {}


def filter_fields(type_: type[Filter] = Filter) -> Mapping[str, FilterField]:
    """The table: every filter by the name of its field and parameter, in the order of the fields."""
    if type_ not in _tables:  # every question asks several times
        rows = {one.name: one.metadata[_ROW] for one in fields(type_) if _ROW in one.metadata}
        _tables[type_] = MappingProxyType(rows)
    return _tables[type_]


def filter_indexes(type_: type[Filter] = Filter) -> dict[str, IndexType]:
    """The payload index of every key that a filter asks about."""
    rows = filter_fields(type_).values()
    return {key: one.index for one in rows for key in (one.key, one.local_key) if key}


def facet_keys(type_: type[Filter] = Filter) -> tuple[str, ...]:
    """The payload keys whose values are counted, to be offered as filters."""
    return tuple(one.key for one in filter_fields(type_).values() if one.facet)


def end_of_day(day: date) -> datetime:
    """What a day alone means as the last moment of a range: the whole of that day."""
    return datetime.combine(day, time.max)
