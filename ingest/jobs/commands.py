"""What people ask of jobs, stored in the ledger for the processes that run them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select, update

from ingest.jobs.leases import JobCommand, is_free
from ingest.jobs.progress import JobState
from ingest.jobs.rows import load_job, progress_of
from ingest.ledger.entries import forget_plan
from ingest.ledger.tables import jobs


def store_command(
    connection: Connection, job_id: str, command: JobCommand, *, name: str, now: float, runs_here: bool = False
) -> None:
    """Store a command for a job, which has it already if it ``runs_here``. Cancelling a job that no living process runs
    ends it at once.

    Args:
        name: of the coordinator that stores it.
        now: time of the ledger, in seconds since the epoch.

    Raises:
        NotFoundError: there is no such job.
    """
    row = load_job(connection, job_id)
    if progress_of(row).finished or (row.wanted == JobCommand.CANCEL and command is not JobCommand.CANCEL):
        return
    values: dict[str, object] = {"wanted": command.value}
    if command is JobCommand.CANCEL and not runs_here and is_free(row, name, now):
        forget_plan(connection, row.id)
        values = {"wanted": "", "owner": "", "bulk": False, "state": JobState.CANCELLED.value}
    connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))


def read_commands(connection: Connection, numbers: Iterable[int]) -> dict[int, JobCommand]:
    """The commands of these jobs, by their numbers."""
    query = select(jobs.c.id, jobs.c.wanted).where(jobs.c.id.in_(list(numbers)))
    return {number: JobCommand(command) for number, command in connection.execute(query)}
