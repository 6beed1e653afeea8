"""What people call shoots, kept with each of their photos: shoots are found anew whenever photos come or go."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.entries import chunked
from ingest.ledger.tables import shoot_names


def named_shoots(connection: Connection) -> dict[str, str]:
    """Id of a photo to the name of its shoot, where people have given it one."""
    return {row.media_id: row.name for row in connection.execute(select(shoot_names))}


def store_shoot_name(connection: Connection, ids: Iterable[str], name: str) -> None:
    """Call the shoot of these photos so from now on; empty for what follows from folder, place and date."""
    for chunk in chunked(list(ids)):
        connection.execute(delete(shoot_names).where(shoot_names.c.media_id.in_(chunk)))
        if name:
            connection.execute(insert(shoot_names), [{"media_id": id_, "name": name} for id_ in chunk])
