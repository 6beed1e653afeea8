"""Failed files in the ledger: listing them, and the libraries that have some."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ingest.jobs.progress import Failure
from ingest.ledger.tables import FileState, files, libraries

FAILED = files.c.state == FileState.FAILED.value


def failed_files(
    connection: Connection, *, job: int | None, library: str | None, code: str | None, limit: int | None, after: str
) -> list[Failure]:
    """See :meth:`ingest.jobs.service.JobService.failures`."""
    columns = (files.c.path, files.c.code, files.c.detail, files.c.attempts, libraries.c.name, files.c.job)
    query = select(*columns).join(libraries).where(FAILED, files.c.path > after)
    if job is not None:
        query = query.where(files.c.job == job)
    if library is not None:
        query = query.where(libraries.c.name == library)
    if code is not None:
        query = query.where(files.c.code == code)
    rows = connection.execute(query.order_by(files.c.path).limit(limit)).all()
    return [Failure(*row[:5], job=str(row[5])) for row in rows]


def libraries_with_failures(connection: Connection) -> list[str]:
    """Names of the libraries that have failed files, sorted."""
    query = select(libraries.c.name).join(files).where(FAILED).distinct()
    return sorted(connection.execute(query).scalars())
