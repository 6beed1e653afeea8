"""Show the progress of a job until it ends: a bar on a terminal, plain lines elsewhere; Ctrl-C stops it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from web.commands.context import one_line, say

if TYPE_CHECKING:
    from ingest.jobs.service import JobProgress
    from web.client import Client

POLL_SECONDS = 0.2
CANCEL_SECONDS = 10.0
REMOTE_POLL_SECONDS = 1.0
"""How often a server on another machine is asked."""

ABANDONED_SECONDS = 25.0
"""How long a job may be without a living process until its follower gives up: a Likewise that watches jobs takes it up
within ten. It counts as abandoned half a minute after its process was last heard of, or at once when that is known to
have ended."""

LINE_SECONDS, NEWS_SECONDS = 5.0, 1.0
"""Seconds between plain lines; a line with a new message comes sooner."""


class Display(Protocol):
    """Shows progress."""

    def update(self, progress: JobProgress) -> None:
        """Show this progress."""


def prepare(client: Client) -> None:
    """Choose the models for a job, if this process runs it, and print the notes about them.

    Raises:
        SpaceMismatchError: a collection was made with other models than the settings demand.
    """
    if client.node is not None:
        client.node.prepare()
        for note in client.node.notes:
            say(note)


def follow(client: Client, job: str) -> JobProgress:
    """Show the progress of ``job`` until it ends, and wait for the upkeep that this process does after it.

    Raises:
        LikewiseError: the job failed, or no process runs it any more.
        click.Abort: interrupted; the job was cancelled after its running batch, and what it had done stays.
    """
    from search.errors import LikewiseError

    try:
        with _display() as display:
            ended = _watch(client, job, display)
    except KeyboardInterrupt:
        say("Stopping as soon as nothing is left half done (Ctrl-C again to stop at once).")
        client.post(f"/jobs/{job}/cancel")
        ended = _watch(client, job, None)
        kept = one_line(ended.message) or (
            f"{ended.done} of {ended.total} files are done, and stay done. "
            "Run the same command again to go on from there."
        )
        say(f"Cancelled. {kept}")
        raise click.Abort from None
    if ended.state == "failed":
        raise LikewiseError(f"The job could not go on: {ended.message}")
    if client.node is not None:
        client.node.wait_until_idle()
    return ended


def watch(client: Client, job: str) -> JobProgress:
    """Show the progress of ``job`` until it ends, without stopping it on Ctrl-C.

    Raises:
        LikewiseError: no process runs it any more.
        click.Abort: interrupted; the job goes on.
    """
    try:
        with _display() as display:
            return _watch(client, job, display)
    except KeyboardInterrupt:
        raise click.Abort from None


def cancel(client: Client, job: str) -> None:
    """Cancel a job and wait until it has ended, at most :data:`CANCEL_SECONDS`; then the next process ends it."""
    from ingest.jobs.service import JobProgress
    from web.plain import load

    client.post(f"/jobs/{job}/cancel")
    deadline = time.monotonic() + CANCEL_SECONDS
    while time.monotonic() < deadline and not load(JobProgress, client.get(f"/jobs/{job}")).finished:
        time.sleep(POLL_SECONDS)


def line(progress: JobProgress) -> str:
    """``120 of 500 done, 2 failed, 1 skipped, 31.5/s, 0:12 left``, and the job's message, if it has one."""
    parts = [f"{progress.done} of {progress.total} done", f"{progress.failed} failed", f"{progress.skipped} skipped"]
    if progress.rate:
        parts.append(f"{progress.rate:.1f}/s")
    if progress.eta_seconds is not None:
        parts.append(f"{duration(progress.eta_seconds)} left")
    counts = ", ".join(parts)
    return f"{counts}. {one_line(progress.message)}" if progress.message and not progress.finished else counts


def duration(seconds: float) -> str:
    """``1:05`` or ``2:01:05``"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _watch(client: Client, job: str, display: Display | None) -> JobProgress:
    """Raises:
    LikewiseError: no process runs the job any more, and none takes it up.
    """
    from ingest.jobs.service import JobProgress
    from search.errors import LikewiseError
    from web.plain import load

    alive = time.monotonic()
    while True:
        progress: JobProgress = load(JobProgress, client.get(f"/jobs/{job}"))
        if display is not None:
            display.update(progress)
        if progress.finished:
            return progress
        if not progress.abandoned:
            alive = time.monotonic()
        elif time.monotonic() - alive > ABANDONED_SECONDS:
            raise LikewiseError(
                f"No process runs job {job} any more: {progress.message}",
                "Run the same command again; what is stored stays.",
            )
        time.sleep(POLL_SECONDS if client.is_near else REMOTE_POLL_SECONDS)


@contextmanager
def _display() -> Iterator[Display]:
    if sys.stderr.isatty():
        with _bar() as bar:
            yield bar
    else:
        yield _Lines()


class _Lines:
    """One line every few seconds, sooner with a new message, and one for each change of state."""

    def __init__(self) -> None:
        self._state = ""
        self._message = ""
        self._last = 0.0

    def update(self, progress: JobProgress) -> None:
        now = time.monotonic()
        rest = LINE_SECONDS if progress.message == self._message else NEWS_SECONDS
        if progress.state == self._state and now - self._last < rest:
            return
        self._state, self._message, self._last = progress.state, progress.message, now
        say(f"{progress.state.replace('_', ' ')}: {line(progress)}")


@contextmanager
def _bar() -> Iterator[Display]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[line]}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("scanning", total=None, line="")

        class Bar:
            def update(self, progress: JobProgress) -> None:
                total = progress.total if progress.done else None  # it moves without saying how far the work is
                state = progress.state.replace("_", " ")
                bars.update(task, description=state, total=total, completed=progress.done, line=line(progress))

        yield Bar()
