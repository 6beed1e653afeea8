"""Spans of films and sounds that are in others, and which contents were compared for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select

from ingest.ledger.entries import chunked
from ingest.ledger.tables import compared, overlaps
from search.similar.reuse.overlaps import Overlap

_COLUMNS = [column for column in overlaps.columns if column.name != "id"]


def compared_contents(connection: Connection) -> dict[str, int]:
    """Id of a content that was compared with all others, to the revision that had decoded it."""
    return {row.media_id: row.decoding for row in connection.execute(select(compared))}


def forget_overlaps(connection: Connection, ids: Iterable[str]) -> None:
    """Delete what was found of these contents; they count as not compared."""
    for chunk in chunked(list(ids)):
        connection.execute(delete(overlaps).where(or_(overlaps.c.one.in_(chunk), overlaps.c.other.in_(chunk))))
        connection.execute(delete(compared).where(compared.c.media_id.in_(chunk)))


def store_overlaps(connection: Connection, found: Sequence[Overlap], revisions: Mapping[str, int]) -> None:
    """Keep what was found.

    Args:
        revisions: contents that are compared with all others now, and the revision that decoded each.
    """
    if found:
        connection.execute(insert(overlaps), [asdict(one) for one in found])
    if revisions:
        rows = [{"media_id": id_, "decoding": revision} for id_, revision in revisions.items()]
        connection.execute(insert(compared), rows)


def overlap_count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(overlaps)).scalar_one())


def list_overlaps(connection: Connection, limit: int, after: int = 0) -> list[tuple[int, Overlap]]:
    """Spans with their numbers, in the order in which they were found, behind the one with the number ``after``."""
    query = select(overlaps).where(overlaps.c.id > after).order_by(overlaps.c.id).limit(limit)
    return [(row.id, _overlap(row)) for row in connection.execute(query)]


def overlaps_of(connection: Connection, ids: Sequence[str]) -> list[Overlap]:
    """Spans that these contents share with any, longest first."""
    found: dict[int, Overlap] = {}
    for chunk in chunked(list(ids)):
        query: Select[tuple[object, ...]] = select(overlaps).where(
            or_(overlaps.c.one.in_(chunk), overlaps.c.other.in_(chunk))
        )
        found |= {row.id: _overlap(row) for row in connection.execute(query)}
    return sorted(found.values(), key=lambda one: -one.seconds)


def _overlap(row: Row[tuple[object, ...]]) -> Overlap:
    return Overlap(**{column.name: row._mapping[column] for column in _COLUMNS})
