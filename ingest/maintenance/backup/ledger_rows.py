"""The ledger's rows in a form that SQLite and PostgreSQL share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import UNFINISHED, JobState
from ingest.ledger.tables import COUNTERS, jobs, meta, metadata, planned

Row: TypeAlias = dict[str, Any]
"""Column to value: int, float, bool, str or None."""

TABLES = tuple(table for table in metadata.sorted_tables if table not in (meta, planned))
"""Those of a backup, each after the ones it refers to. ``meta`` is about the database itself, and plans are made anew
whenever a job is taken up."""

READ_ONLY_TASKS = tuple(kind.value for kind in JobKind if kind.description.read_only)
"""Jobs that leave store and ledger as they are."""

PAGE = 5_000
CUT_OFF = "It had not ended when the backup was made; run it again to go on."


def snapshot(connection: Connection) -> Connection:
    """Let everything that is read through ``connection`` be of one moment; to be called before the first read."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection  # SQLite's readers see one moment anyway


def stamp(connection: Connection) -> str:
    """Changes whenever a job has done anything to store or ledger: 64 hex digits."""
    columns = (jobs.c.id, jobs.c.seconds, *(jobs.c[name] for name in COUNTERS))
    worked = (jobs.c.seconds > 0) & jobs.c.task.not_in(READ_ONLY_TASKS)
    rows = connection.execute(select(*columns).where(worked).order_by(jobs.c.id)).all()
    return hashlib.sha256(json.dumps([list(row) for row in rows]).encode()).hexdigest()


def read_rows(connection: Connection, table: Table, own_job: int = 0) -> Iterator[list[Row]]:
    """The rows as they are to be restored, some thousands at a time.

    Args:
        own_job: number of the job that reads them, which is left out.
    """
    query = select(table).order_by(*table.primary_key.columns)
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


def renew_counters(connection: Connection) -> None:
    """Let the database number new rows from behind the restored ones: PostgreSQL does not see them by itself."""
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
    """Of a set of rows, whatever order they come in: the sum of their SHA-256 sums.

    Databases disagree about the order of texts, and all of their rows need not fit into memory.
    """

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        for row in rows:
            canonical = json.dumps(row, sort_keys=True, separators=(",", ":"))
            self._sum += int.from_bytes(hashlib.sha256(canonical.encode("ascii")).digest())
        self.rows += len(rows)

    def hex(self) -> str:
        return f"{self._sum % 2**256:064x}"


def _ended(row: Row) -> Row:
    """A job as it is to stand in a restored ledger, where nobody runs it and nothing begins by itself."""
    row |= {"wanted": "", "owner": "", "heartbeat": None, "bulk": False}
    if row["state"] in UNFINISHED:
        row |= {"state": JobState.CANCELLED.value, "message": CUT_OFF, "eta_seconds": None}
    return row
