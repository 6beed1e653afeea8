"""Run a job's work again after errors that pass, with waiting times that grow."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from ingest.jobs.progress import JobState
from ingest.jobs.rows import LiveJob
from search.errors import LedgerUnavailableError, LikewiseError, WorkerUnavailableError

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *[60.0] * 10)
"""Seconds before each retry when store, ledger or broker cannot be reached, plus or minus a fifth, so that processes do
not all retry at once. A batch that succeeds starts the list over."""

WORKER_SECONDS = 60.0
"""Seconds between two retries after these, without end, while no worker is available."""


Result = TypeVar("Result")


def run_with_retries(
    live: LiveJob, work: Callable[[], Result], seconds: Sequence[float], state: JobState = JobState.RUNNING
) -> Result:
    """Call ``work`` until it returns, waiting between tries; progress between two errors starts the waiting times over.

    Args:
        seconds: how long to wait before each retry; after these only a missing worker is waited for.
        state: of the job while it waits.

    Raises:
        LikewiseError: an error that does not pass, or one too many.
    """
    delays = iter(seconds)
    while True:
        done_before = live.snapshot().done
        try:
            return work()
        except LikewiseError as error:
            if not error.retryable:
                raise
            if live.snapshot().done > done_before:
                delays = iter(seconds)
            # Workers that are started on demand may take long to appear; the message says what the job waits for.
            delay = next(delays, WORKER_SECONDS if isinstance(error, WorkerUnavailableError) else None)
            if delay is None:
                raise
            delay *= random.uniform(0.8, 1.2)
            with suppress(LedgerUnavailableError):  # the ledger may be what is unavailable
                live.enter(state, f"{error} Trying again in {delay:.0f} s.")
            live.sleep(delay)
