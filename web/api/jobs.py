"""API calls about jobs: list, start, show, follow, pause, resume, cancel; and failed files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from flask import Response
from pydantic import Field

from ingest.jobs.progress import Failure, JobProgress
from ingest.ledger.access import Scope
from search import addresses
from search.errors import StoreUnavailableError, UsageError
from search.records.cursors import read_cursor, write_cursor
from web.access.caller import current_caller
from web.api.conventions.next_page import ListPage
from web.api.operation import Operation, held_threads
from web.api.params import Limit, NonEmpty, adapter
from web.api.ports import NodePort
from workers.batch.report import Priority

MOST_JOBS = 2**31
"""Numbers of jobs are below it, as PostgreSQL's ``integer`` is."""

EVENT_SECONDS = 0.5
STREAM_SECONDS = 60.0
"""How long one event stream lasts; a browser's EventSource then reconnects by itself."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Folders or files to import.

    Attributes:
        paths: absolute paths on the machine Likewise runs on, or addresses (``s3://bucket/folder``).
        library: name for what is below them; by default the folder's own.
        confirm_missing: yes, most of what was there has really gone.
        reread: read the bytes of every file, to find edits that left its size and times as they were.
        priority: which of several jobs comes first.
    """

    paths: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]
    library: str | None = None
    confirm_missing: bool = False
    reread: bool = False
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class JobListing:
    """Which jobs to list.

    Attributes:
        after: only jobs made before the last of a page, which the page's header ``Link`` names.
    """

    limit: Limit = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class FailureListing:
    """Which failures, in order of their paths.

    Attributes:
        code: only with this failure code.
        job: only those that this job tried last.
        after: only paths behind this one, the last of the page before.
    """

    code: str | None = None
    job: str | None = None
    limit: Limit = 200
    after: str = ""


def list_jobs(node: NodePort, listing: JobListing) -> ListPage[JobProgress]:
    """Jobs, newest first. The header 'Link' names the next page, which stays the same while new jobs are made."""
    before = None if listing.after is None else read_cursor(listing.after, _number_of)
    found = node.ingest.jobs(listing.limit + 1, before)
    page = found[: listing.limit]
    return ListPage(page, write_cursor({"job": int(page[-1].id)}) if len(found) > listing.limit else None)


def _number_of(said: Any) -> int | None:
    number = said["job"]
    return number if type(number) is int and 0 < number < MOST_JOBS else None


def start_job(node: NodePort, new: NewJob) -> JobProgress:
    """Start importing folders or files; the answer is the new job, which goes on in the background."""
    paths = [text if addresses.is_remote(text) else Path(text).expanduser() for text in new.paths]
    if not paths:
        raise UsageError("No folder is named.", "Name at least one folder or file to import.")
    for path in paths:
        if isinstance(path, Path) and not path.is_absolute():
            raise UsageError(f"'{path}' is not an absolute path.", "Name it from the root on, as /mnt/photos.")
    job = node.start_ingest(
        paths,
        library=new.library or None,
        confirm_missing=new.confirm_missing,
        reread=new.reread,
        priority=new.priority,
        anywhere=current_caller().at_command_line,
    )
    return node.ingest.progress(job)


def job(node: NodePort, job_id: str) -> JobProgress:
    """How far a job is."""
    return node.ingest.progress(job_id)


def pause_job(node: NodePort, job_id: str) -> JobProgress:
    """Stop a job after the batch in work, until it is resumed. It may run in another process or on another machine,
    which hears of it within seconds."""
    node.ingest.pause(job_id)
    return node.ingest.progress(job_id)


def resume_job(node: NodePort, job_id: str) -> JobProgress:
    """Go on with a paused job, or with one that a stopped process left behind."""
    node.resume(job_id)
    return node.ingest.progress(job_id)


def cancel_job(node: NodePort, job_id: str) -> JobProgress:
    """End a job after the batch in work, wherever it runs; what it has done stays."""
    node.ingest.cancel(job_id)
    return node.ingest.progress(job_id)


def job_events(node: NodePort, job_id: str) -> Response:
    """Progress as server-sent events until the job is done, a minute at most; connect anew to go on."""
    first = node.ingest.progress(job_id)
    release = held_threads().hold(for_events=True)
    if release is None:
        raise StoreUnavailableError("Too many are watching jobs already.", "Ask for the job itself once a second.")
    response = Response(_events(node, first), mimetype="text/event-stream")
    response.call_on_close(release)
    response.headers["Cache-Control"] = "no-store"
    return response


def list_failures(node: NodePort, listing: FailureListing) -> list[Failure]:
    """Files that could not be used, with the reason and how often they were tried."""
    return node.ingest.failures(job=listing.job, code=listing.code, limit=listing.limit, after=listing.after)


@dataclass(frozen=True, slots=True)
class Retry:
    """``job`` is the new job that tries them again; None when nothing had failed."""

    job: str | None


def retry_failures(node: NodePort) -> Retry:
    """Try every failed file once more."""
    return Retry(node.retry_failures())


def _events(node: NodePort, progress: JobProgress) -> Iterator[str]:
    ends = time.monotonic() + STREAM_SECONDS
    yield _event(progress)
    while not progress.finished and time.monotonic() < ends and not node.closing.wait(EVENT_SECONDS):
        latest = node.ingest.progress(progress.id)
        if latest != progress:
            progress = latest
            yield _event(progress)


def _event(progress: JobProgress) -> str:
    return f"data: {json.dumps(adapter(JobProgress).dump_python(progress, mode='json'))}\n\n"


OPERATIONS = (
    Operation("GET", "/jobs", list_jobs, list[JobProgress], scope=Scope.READ, takes=(JobListing,), paged=True),
    Operation(
        "POST",
        "/jobs",
        start_job,
        JobProgress,
        scope=Scope.INGEST,
        takes=(NewJob,),
        long_text=True,
        status=202,
        errors=(400, 404, 409, 503),
        answer_of_job=job,
    ),
    Operation("GET", "/jobs/<job_id>", job, JobProgress, scope=Scope.READ, errors=(404,)),
    Operation("POST", "/jobs/<job_id>/pause", pause_job, JobProgress, scope=Scope.INGEST, errors=(400, 404)),
    Operation("POST", "/jobs/<job_id>/resume", resume_job, JobProgress, scope=Scope.INGEST, errors=(400, 404)),
    Operation("POST", "/jobs/<job_id>/cancel", cancel_job, JobProgress, scope=Scope.INGEST, errors=(400, 404)),
    Operation("GET", "/jobs/<job_id>/events", job_events, None, scope=Scope.READ, errors=(404, 503)),
    Operation(
        "GET", "/failures", list_failures, list[Failure], scope=Scope.READ, takes=(FailureListing,), errors=(404,)
    ),
    Operation(
        "POST",
        "/failures/retry",
        retry_failures,
        Retry,
        scope=Scope.INGEST,
        answer_of_job=lambda _, job_id: Retry(job_id),
    ),
)
