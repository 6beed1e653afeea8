"""API calls that start a backup, a migration to another store, or learning likeness curves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from web.api.operation import Operation
from web.api.ports import NodePort


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


@dataclass(frozen=True, slots=True)
class NewCalibration:
    """What to learn from.

    Attributes:
        folders: absolute paths, on the machine Likewise runs on, of folders with one folder a label in each, or with a
            manifest.csv of the columns path and label.
    """

    folders: tuple[str, ...]


def back_up(node: NodePort, new: NewBackup) -> JobProgress:
    """Write everything that is stored and known to a folder; the answer is the job that does it."""
    return node.ingest.progress(node.start_task(JobKind.BACKUP, {"to": new.to}))


def migrate(node: NodePort, new: NewMigration) -> JobProgress:
    """Copy the store to another one, which is to hold nothing yet, and compare every point; the answer is the job that
    does it. This store stays as it is, and in use."""
    return node.ingest.progress(node.start_task(JobKind.MIGRATE, {"to": new.to}))


def calibrate(node: NodePort, new: NewCalibration) -> JobProgress:
    """Learn likeness from labelled folders and use it for this library from then on, in every space they fill; the
    answer is the job that does it. The files are not stored."""
    return node.ingest.progress(node.start_task(JobKind.CALIBRATE, {"folders": json.dumps(new.folders)}))


OPERATIONS = (
    Operation(
        "POST",
        "/calibrations",
        calibrate,
        JobProgress,
        takes=(NewCalibration,),
        status=202,
        errors=(400, 404, 409, 503),
    ),
    Operation("POST", "/backups", back_up, JobProgress, takes=(NewBackup,), status=202, errors=(400, 409, 503)),
    Operation(
        "POST", "/migrations", migrate, JobProgress, takes=(NewMigration,), status=202, errors=(400, 409, 503, 507)
    ),
)
