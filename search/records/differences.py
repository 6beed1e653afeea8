"""Lists the facts in which records differ, and tells which record says most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from search.media import MediaRecord

Fact: TypeAlias = str | int | float | None

_SHOWN_AS_STORED = ("taken_at", "photographer", "artist", "camera", "lens", "iso", "aperture", "exposure")
FACT_KEYS = (*_SHOWN_AS_STORED, "focal_length", "latitude", "longitude", "tags", "mime", "size")
"""Payload keys that this module needs."""


@dataclass(frozen=True, slots=True)
class FactDifference:
    """A fact in which records differ.

    Attributes:
        field: its name in ``search.media.MediaRecord``; ``place`` for latitude and longitude.
        values: one a record, in their order; None where it is not known.
    """

    field: str
    values: tuple[Fact, ...]


def differences(records: Sequence[MediaRecord]) -> tuple[FactDifference, ...]:
    """The facts of files, apart from their paths, that are not the same in all of the records."""
    listed = [facts(record) for record in records]
    columns = {name: tuple(one[name] for one in listed) for name in listed[0]} if listed else {}
    return tuple(FactDifference(name, values) for name, values in columns.items() if len(set(values)) > 1)


def facts(record: MediaRecord) -> dict[str, Fact]:
    """What a file says of its picture, how it is stored and how large it is, by name."""
    known: dict[str, Fact] = {name: getattr(record, name) for name in _SHOWN_AS_STORED}
    known["focal_length"] = record.focal_length
    known["place"] = f"{record.latitude:.5f}, {record.longitude:.5f}" if _has_place(record) else None
    known["tags"] = ", ".join(record.tags) or None
    known["mime"] = record.mime or None
    known["size"] = record.size
    return known


def known_facts(record: MediaRecord) -> int:
    """How many facts a file says of its picture."""
    return sum(value is not None for value in facts(record).values())


def _has_place(record: MediaRecord) -> bool:
    return record.latitude is not None and record.longitude is not None
