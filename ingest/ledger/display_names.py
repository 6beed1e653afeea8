"""How photographers are shown where people have said so, by the name that they are credited by."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.tables import display_names


def displayed(connection: Connection) -> dict[str, str]:
    """Name of a photographer to what people want shown."""
    return {row.name: row.display for row in connection.execute(select(display_names))}


def store_display(connection: Connection, name: str, display: str) -> None:
    """Show a photographer as ``display`` from now on; empty for what follows from the name."""
    connection.execute(delete(display_names).where(display_names.c.name == name))
    if display:
        connection.execute(insert(display_names).values(name=name, display=display))
