"""Payload indexes, and the form in which either engine stores payloads."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from search.errors import StoreError, UsageError
from search.media import FACTS, Payload
from search.store.base import Facet
from search.store.filters import IndexType, filter_indexes

PAYLOAD_INDEXES: Mapping[str, IndexType] = filter_indexes() | {
    "missing": IndexType.INTEGER,
    "sort_time": IndexType.FLOAT,
    "sort_name": IndexType.INTEGER,
    "added": IndexType.FLOAT,
    "decoding": IndexType.INTEGER,
}
"""Every payload key that a Filter asks about, or that media are ordered or counted by. A collection that lacks an
index, as a version before made it, gets it from :meth:`Store.ensure <search.store.base.Store.ensure>`."""

FACT_DIGITS = 12
"""Significant digits of the numbers of facts."""

CHECKSUM = "checksum_"
"""What the payload keys of checksums begin with (``search.store.checksums``); only stores see them."""

_FACETABLE = frozenset({IndexType.KEYWORD, IndexType.INTEGER})
_NUMERIC = frozenset({IndexType.INTEGER, IndexType.FLOAT})


def check_facet_key(key: str) -> None:
    """Raises:
    UsageError: values of ``key`` cannot be counted.
    """
    if PAYLOAD_INDEXES.get(key) not in _FACETABLE:
        known = ", ".join(sorted(name for name, index in PAYLOAD_INDEXES.items() if index in _FACETABLE))
        raise UsageError(f"Values of '{key}' cannot be counted.", f"These can: {known}.")


def check_numeric_key(key: str) -> None:
    """Raises:
    UsageError: ``key`` has no index of numbers, so that nothing can be ordered or narrowed by it.
    """
    if PAYLOAD_INDEXES.get(key) not in _NUMERIC:
        known = ", ".join(sorted(name for name, index in PAYLOAD_INDEXES.items() if index in _NUMERIC))
        raise UsageError(f"'{key}' is not a number that media could be ordered by.", f"These are: {known}.")


def check_order(key: str, limit: int) -> None:
    """Raises:
    UsageError: media cannot be ordered by ``key``, or the limit is not positive.
    """
    check_numeric_key(key)
    if limit < 1:
        raise UsageError(f"A listing cannot have {limit} entries.")


def counted(hits: Iterable[tuple[str, int]]) -> list[Facet]:
    """Values and counts as an engine gives them, as facets. An engine still lists a value that no record holds any
    more, with a count of 0."""
    return sorted((Facet(value, count) for value, count in hits if count), key=lambda one: (-one.count, one.value))


def to_stored(payload: Mapping[str, object]) -> Payload:
    """The payload as an engine keeps it: no None, and ``missing`` as 0 or 1.

    Qdrant Edge 0.9 evaluates a condition on a bool point by point (21 ms over 20,000 points, with or without a bool
    index) but one on an integer through its index (0.5 ms), and nearly every question asks about ``missing``.

    Numbers of facts are kept to 12 significant digits: an engine may read the last one or two of 17 digits wrongly
    from JSON (serde_json does), and checksums have to hold.

    Raises:
        StoreError: a number is not finite, which JSON cannot say: a server would be sent null instead.
    """
    stored = {key: value for key, value in payload.items() if value is not None}
    for key, value in stored.items():
        if not _is_finite(value):
            raise StoreError(f"'{key}' of a record holds NaN or infinity.")
        if key in FACTS:
            stored[key] = _rounded(value)
    if "missing" in stored:
        stored["missing"] = int(bool(stored["missing"]))
    return stored


def _is_finite(value: object) -> bool:
    if isinstance(value, str | int):  # most are, and a check for Mapping takes ten times as long
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, Mapping) or all(map(_is_finite, value.values()))


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.{FACT_DIGITS}g}")
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def from_stored(payload: Mapping[str, object] | None) -> Payload:
    """Inverse of :func:`to_stored`, without the checksums."""
    restored = {key: value for key, value in (payload or {}).items() if not key.startswith(CHECKSUM)}
    if "missing" in restored:
        restored["missing"] = bool(restored["missing"])
    return restored


@dataclass(frozen=True, slots=True)
class Patch:
    """One payload edit of many points: keys to set, in stored form, and keys to remove."""

    ids: list[str]
    set: Payload
    remove: list[str]


def group_patches(patches: Mapping[str, Payload]) -> list[Patch]:
    """Equal edits together, so that marking ten thousand records costs one operation."""
    grouped: dict[str, Patch] = {}
    for id_, values in patches.items():
        key = json.dumps(values, sort_keys=True)
        if key not in grouped:
            grouped[key] = Patch([], to_stored(values), [name for name, value in values.items() if value is None])
        grouped[key].ids.append(id_)
    return list(grouped.values())
