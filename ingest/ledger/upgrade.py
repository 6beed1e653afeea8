"""Upgrade a ledger of an older version to the present layout, in place and in one transaction."""

from __future__ import annotations

from sqlalchemy import Connection, Table, insert, inspect, select, update
from sqlalchemy.schema import CreateColumn

from ingest.ledger.tables import SCHEMA_VERSION, files, jobs, meta, metadata, planned, unsettled

OLDER = ("1", "2", "3", "4", "5", "6", "7")
ADDED_IN_2 = ("task", "options", "priority", "wanted", "owner", "heartbeat", "bulk")
ADDED_IN_4 = ("ctime_ns", "sidecars")


def upgrade(connection: Connection) -> str:
    """Create missing tables, and upgrade existing ones.

    Returns:
        The layout that the ledger has now: that of this version, unless a newer version wrote it.
    """
    found = _version(connection)
    if found in OLDER:
        if found == "1":
            _from_1_to_2(connection)
        if found in ("1", "2", "3"):
            _from_3_to_4(connection)  # from 2 to 3 and since 4 only tables were added, which create_all makes
        found = SCHEMA_VERSION
        connection.execute(update(meta).where(meta.c.key == "schema").values(value=found))
    if found in (None, SCHEMA_VERSION):
        metadata.create_all(connection)
    if found is None:
        found = SCHEMA_VERSION
        connection.execute(insert(meta).values(key="schema", value=found))
    return found


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar()


def _from_1_to_2(connection: Connection) -> None:
    """Add kinds, priorities and leases to jobs, and the job to unsettled records."""
    for name in ADDED_IN_2:
        _add_column(connection, jobs, name)
    left = connection.execute(select(unsettled.c.media_id)).scalars().all()
    unsettled.drop(connection)
    unsettled.create(connection)
    if left:
        connection.execute(insert(unsettled), [{"media_id": media_id, "job": 0} for media_id in left])


def _from_3_to_4(connection: Connection) -> None:
    """Add to files when their metadata changed, which the next scan notes, and their sidecars.

    Plans are deleted: a job makes its plan again when it is resumed.
    """
    for name in ADDED_IN_4:
        _add_column(connection, files, name)
    planned.drop(connection, checkfirst=True)
    for index in files.indexes:
        index.create(connection, checkfirst=True)


def _add_column(connection: Connection, table: Table, name: str) -> None:
    column = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column}")
