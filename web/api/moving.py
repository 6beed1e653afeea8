"""Backing up, and moving to another store: long-running work that questions do not wait for."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.progress import JobProgress
from web.api.operation import Operation
from web.api.ports import Node


@dataclass(frozen=True, slots=True)
class NewBackup:
    """Where a backup is to be written.

    Attributes:
        to: absolute path, on the machine Likewise runs on, of a folder that is empty or not there yet, or that holds a
            backup which was cut off.
    """

    to: str


@dataclass(frozen=True, slots=True)
class NewMigration:
    """Where everything in the store is to be copied.

    Attributes:
        to: address of a Qdrant server, ``edge`` for the embedded store of the data directory, or ``edge:`` and the
            absolute path of another.
    """

    to: str


def back_up(node: Node, new: NewBackup) -> JobProgress:
    """Write everything that is stored and known to a folder; the answer is the job that does it."""
    return node.ingest.progress(node.start_task("backup", {"to": new.to}))


def migrate(node: Node, new: NewMigration) -> JobProgress:
    """Copy the store to another one, which is to hold nothing yet, and compare every point; the answer is the job that
    does it. This store stays as it is, and in use."""
    return node.ingest.progress(node.start_task("migrate", {"to": new.to}))


OPERATIONS = (
    Operation("POST", "/backups", back_up, JobProgress, takes=(NewBackup,), status=202, errors=(400, 409, 503)),
    Operation(
        "POST", "/migrations", migrate, JobProgress, takes=(NewMigration,), status=202, errors=(400, 409, 503, 507)
    ),
)
