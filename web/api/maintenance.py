"""API calls that start a backup, a migration to another store, or learning likeness curves."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from ingest.ledger.access import Scope
from ingest.maintenance.places import check_backup_place, check_migration_place
from ingest.maintenance.verify.findings import Verification
from web.access.caller import current_caller
from web.api.jobs import job
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class NewBackup:
    """Where a backup is to be written.

    Attributes:
        to: absolute path, on the machine Likewise runs on, of a folder that is empty or not there yet, or that holds a
            backup which was cut off, or backups, whose parts are then used again.
        damaged: take damaged records along as they are, instead of ending at the first.
        keep: delete all backups in the folder but so many of the latest, once this one is written.
    """

    to: NonEmpty
    damaged: bool = False
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class NewMigration:
    """Where everything in the store is to be copied.

    Attributes:
        to: address of a Qdrant server, ``edge`` for the embedded store of the data directory, or ``edge:`` and the
            absolute path of another.
    """

    to: NonEmpty


@dataclass(frozen=True, slots=True)
class NewVerification:
    """How to verify what is stored.

    Attributes:
        repair: embed or write anew what is damaged.
        rate: records a second at most; without one, as fast as it goes.
    """

    repair: bool = False
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class NewCalibration:
    """What to learn from.

    Attributes:
        folders: absolute paths, on the machine Likewise runs on, of folders with one folder a label in each, or with a
            manifest.csv of the columns path and label.
    """

    folders: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]


def back_up(node: NodePort, new: NewBackup) -> JobProgress:
    """Write everything that is stored and known to a folder; the answer is the job that does it."""
    check_backup_place(node.settings, new.to, at_command_line=current_caller().at_command_line)
    options = {"to": new.to, "damaged": str(int(new.damaged)), "keep": "" if new.keep is None else str(new.keep)}
    return node.ingest.progress(node.start_task(JobKind.BACKUP, options))


def migrate(node: NodePort, new: NewMigration) -> JobProgress:
    """Copy the store to another one, which is to hold nothing yet, and compare every point; the answer is the job that
    does it. This store stays as it is, and in use."""
    check_migration_place(node.settings, new.to, at_command_line=current_caller().at_command_line)
    return node.ingest.progress(node.start_task(JobKind.MIGRATE, {"to": new.to}))


def verify(node: NodePort, new: NewVerification) -> JobProgress:
    """Read back everything that is stored and check it; the answer is the job that does it. What it finds is told by
    ``GET /verification``."""
    options = {"repair": str(int(new.repair)), "rate": "" if new.rate is None else str(new.rate)}
    return node.ingest.progress(node.start_task(JobKind.VERIFY, options))


def verification(node: NodePort) -> Verification:
    """What the last job ``verify`` and the checks in the background have found."""
    return node.verification()


def calibrate(node: NodePort, new: NewCalibration) -> JobProgress:
    """Learn likeness from labelled folders and use it for this library from then on, in every space they fill; the
    answer is the job that does it. The files are not stored."""
    for folder in new.folders:
        node.allowed.check(os.path.realpath(folder), anywhere=current_caller().at_command_line)
    return node.ingest.progress(node.start_task(JobKind.CALIBRATE, {"folders": json.dumps(new.folders)}))


OPERATIONS = (
    Operation(
        "POST",
        "/verifications",
        verify,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(NewVerification,),
        status=202,
        errors=(400, 409, 503),
        answer_of_job=job,
    ),
    Operation("GET", "/verification", verification, Verification, scope=Scope.READ),
    Operation(
        "POST",
        "/calibrations",
        calibrate,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(NewCalibration,),
        status=202,
        errors=(400, 404, 409, 503),
        answer_of_job=job,
    ),
    Operation(
        "POST",
        "/backups",
        back_up,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(NewBackup,),
        status=202,
        errors=(400, 409, 503),
        answer_of_job=job,
    ),
    Operation(
        "POST",
        "/migrations",
        migrate,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(NewMigration,),
        status=202,
        errors=(400, 409, 503, 507),
        answer_of_job=job,
    ),
)
