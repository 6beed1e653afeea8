"""Rows of the ledger in a form that SQLite and PostgreSQL share, with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import UNFINISHED, JobState
from ingest.ledger.tables import COUNTERS, SCHEMA_VERSION, access, files, jobs, meta, metadata, planned, request_keys
from ingest.ledger.upgrade import ADDED_IN_4

Row: TypeAlias = dict[str, Any]
"""Column to value: int, float, bool, str or None."""

TABLES = tuple(table for table in metadata.sorted_tables if table not in (access, meta, planned, request_keys))
"""Tables of a backup, each after those that it refers to. ``meta`` is about the database itself, a resumed job makes
its plan again, and whoever may enter a node may not thereby enter the one that is restored from its backup. What was
asked of the one node was not asked of the other."""

READ_ONLY_TASKS = tuple(kind.value for kind in JobKind if kind.description.read_only)
"""Kinds of job that do not change store or ledger."""

PAGE = 5_000
CUT_OFF = "It had not ended when the backup was made; run it again to go on."


def snapshot(connection: Connection) -> Connection:
    """A connection whose reads all see the same moment; called before the first read."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection  # in SQLite every reading transaction does


def stamp(connection: Connection) -> str:
    """64 hex digits that change whenever a job has changed store or ledger."""
    columns = (jobs.c.id, jobs.c.seconds, *(jobs.c[name] for name in COUNTERS))
    worked = (jobs.c.seconds > 0) & jobs.c.task.not_in(READ_ONLY_TASKS)
    rows = connection.execute(select(*columns).where(worked).order_by(jobs.c.id)).all()
    return hashlib.sha256(json.dumps([list(row) for row in rows]).encode()).hexdigest()


def read_rows(
    connection: Connection, table: Table, own_job: int = 0, layout: int = int(SCHEMA_VERSION)
) -> Iterator[list[Row]]:
    """The rows as they are to be restored, ``PAGE`` at a time.

    Args:
        own_job: number of the job that reads them, which is left out.
        layout: columns that this layout of the ledger did not have are left out.
    """
    later = ADDED_IN_4 if table is files and layout < 4 else ()
    columns = [column for column in table.columns if column.name not in later]
    query = select(*columns).order_by(*table.primary_key.columns)
    for page in connection.execution_options(yield_per=PAGE).execute(query).mappings().partitions():
        rows = [dict(row) for row in page]
        if table is jobs:
            rows = [_ended(row) for row in rows if row["id"] != own_job]
        if rows:
            yield rows


def write_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of :func:`read_rows`, of this layout or an older one: columns they lack get their defaults."""
    known = {column.name for column in table.columns}
    connection.execute(insert(table), [{name: row[name] for name in row.keys() & known} for row in rows])


def advance_sequences(connection: Connection) -> None:
    """Let PostgreSQL number new rows after the restored ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or not isinstance(column.type, Integer):
            continue
        last = connection.execute(select(func.max(column))).scalar()
        if last is not None:
            renew = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
            connection.execute(renew, {"table": table.name, "column": column.name, "last": last})


class Digest:
    """Digest of a set of rows, independent of their order: the sum of their SHA-256 digests modulo 2**256.

    Databases order texts differently, and not all rows fit into memory.
    """

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows to the set."""
        for row in rows:
            canonical = json.dumps(row, sort_keys=True, separators=(",", ":"))
            self._sum += int.from_bytes(hashlib.sha256(canonical.encode("ascii")).digest())
        self.rows += len(rows)

    def hex(self) -> str:
        """The digest of all rows added so far: 64 hex digits."""
        return f"{self._sum % 2**256:064x}"


def _ended(row: Row) -> Row:
    """Row of a job in a restored ledger, where no coordinator runs it and nothing starts by itself."""
    row |= {"wanted": "", "owner": "", "heartbeat": None, "bulk": False}
    if row["state"] in UNFINISHED:
        row |= {"state": JobState.CANCELLED.value, "message": CUT_OFF, "eta_seconds": None}
    return row
