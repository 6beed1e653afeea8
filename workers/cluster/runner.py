"""Run batches on the workers of a cluster, by Celery over Redis.

Each batch is reported once, whatever process dies. A batch that ends in an error is sent again, halved or given up,
depending on the error; one without a sign of life is looked up, and sent again when it is nowhere. Work may be done
twice, which changes nothing: ids are derived from content. The first of several reports of a batch counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Literal

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from search import metrics
from search.errors import (
    BrokerUnavailableError,
    DecoderCrashError,
    DecodeTimeoutError,
    LikewiseError,
    MessageRefusedError,
)
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store.base import Store
from workers.batch.delivery import deliver
from workers.batch.report import Batch, BatchReport, BatchSource
from workers.cluster.backoff import Backoff
from workers.cluster.batch_split import MOST_DEATHS, BatchPart, SplitBatch, check_report
from workers.cluster.checks import refuse
from workers.cluster.serialization import BatchOrder
from workers.cluster.task_queue import TaskQueue, TaskResult

log = logging.getLogger(__name__)

CHECK_SECONDS = 15.0
"""How long a batch may give no sign of life before it is looked up."""

CHECKS = 2
"""Look-ups in a row without finding a batch until it counts as lost; a single one may miss it in transit."""

RETRY_SECONDS = 120.0
"""How long a store or the broker may be unavailable before the job ends with that error."""

SHORTEST_REST, LONGEST_REST = 0.01, 0.25
"""Seconds between two rounds; the pause grows while nothing happens."""


def _ignore(message: str) -> None:
    """Drop the message of a job that nobody watches."""


class CeleryRunner:
    """Runs batches on workers, ``settings.in_flight`` of them at once.

    The collections must have been made (``Store.ensure``).

    Args:
        check_seconds: how long a batch may give no sign of life before it is looked up.
        retry_seconds: how long a store or the broker may be unavailable.
    """

    def __init__(
        self,
        settings: Settings,
        app: Celery,
        store: Store,
        choice: ModelChoice,
        *,
        check_seconds: float = CHECK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._settings, self._store, self._choice = settings, store, choice
        self._queue = TaskQueue(settings, app)
        self._check_seconds, self._retry_seconds = check_seconds, retry_seconds

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """One report per batch, as batches end, in any order.

        At most ``settings.in_flight`` batches are pulled at once. While a ``BatchSource`` is stopped, batches that no
        worker has begun are withdrawn and get no report.

        Raises:
            BrokerUnavailableError: the broker has been unavailable for too long.
            LikewiseError: the error that stops every file at some worker, as its own class (a model that cannot be
                loaded, a full disk). Batches without a report are to be done again.
        """
        run = _Run(
            self._queue,
            self._store,
            self._choice,
            in_flight=self._settings.in_flight,
            task_seconds=self._settings.task_seconds,
            check_seconds=self._check_seconds,
            retry_seconds=self._retry_seconds,
        )
        return run.reports(batches)


class _Run:
    """The state of one run over many batches; used by one thread."""

    def __init__(
        self,
        queue: TaskQueue,
        store: Store,
        choice: ModelChoice,
        *,
        in_flight: int,
        task_seconds: float,
        check_seconds: float,
        retry_seconds: float,
    ) -> None:
        self._queue, self._store, self._choice = queue, store, choice
        self._deliver: Literal["store", "report"] = "store" if store.engine == "server" else "report"
        self._in_flight, self._task_seconds = in_flight, task_seconds
        self._check_seconds, self._retry_seconds = check_seconds, retry_seconds
        self._broker_backoff = Backoff(retry_seconds)
        self._open: list[SplitBatch] = []
        self._out: dict[str, BatchPart] = {}  # tasks that may report yet, those of parts sent again or halved included
        self._sent: dict[str, Batch] = {}  # what each of those was given
        self._ended: set[str] = set()  # tasks whose results have been handled
        self._unwanted: set[str] = set()  # tasks that may still be queued, but are no longer needed
        self._jobs: set[str] = set()
        self._withdrawn = False
        self._notify_job: Callable[[str], None] = _ignore
        self._last_message = ""

    def reports(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        source = iter(batches)
        self._notify_job = batches.say if isinstance(batches, BatchSource) else _ignore
        rest = SHORTEST_REST
        try:
            while True:
                stopped = isinstance(batches, BatchSource) and batches.stopped
                if not stopped:
                    self._withdrawn = False
                    self._admit(source)
                if not self._open:
                    return
                self._round(stopped=stopped)
                done = [split for split in self._open if split.done]
                self._close(done)
                for split in done:
                    yield split.report()
                rest = SHORTEST_REST if done else min(2 * rest, LONGEST_REST)
                if not done:
                    time.sleep(rest)
        finally:
            self._shut_down()

    def _admit(self, source: Iterator[Batch]) -> None:
        while len(self._open) < self._in_flight and (batch := next(source, None)) is not None:
            self._open.append(SplitBatch(batch, self._retry_seconds))
            metrics.batches_in_flight(1)

    def _round(self, *, stopped: bool) -> None:
        """Send due parts, handle results, look up silent parts; nothing while the broker is unavailable."""
        if self._broker_backoff.waiting:
            if stopped:  # the job's next coordinator withdraws what an unreachable broker holds
                self._close(self._open)
            return
        try:
            if stopped:
                self._withdraw()
            else:
                self._send_due()
            for result in self._queue.results(self._out):
                self._handle(result)
            self._check_silent()
            self._clean_up()
        except BrokerUnavailableError as error:
            if not self._broker_backoff.failing:
                log.warning("%s Trying again until it answers.", error)
            self._notify(f"{error} Trying again until it answers.")
            self._broker_backoff.record_failure(error)
        else:
            self._broker_backoff.reset()

    def _send_due(self) -> None:
        now = time.monotonic()
        for split in self._open:
            for part in split.parts:
                if part.due is not None and part.due <= now:
                    self._send(part)

    def _send(self, part: BatchPart) -> None:
        batch = part.batch
        if batch.job not in self._jobs:
            if orphans := self._queue.withdraw_orphans(batch.job, self._out):
                log.info("Took back %d batches of job %s that an earlier process had sent.", len(orphans), batch.job)
            self._jobs.add(batch.job)
        task = self._queue.new_task(batch.job)
        self._queue.send(task, BatchOrder(batch, self._choice, self._deliver), deaths=part.deaths)
        part.task, part.due, part.checked, part.missed = task, None, time.monotonic(), 0
        self._out[task], self._sent[task] = part, batch

    def _handle(self, result: TaskResult) -> None:
        """Handle the result of a task: store its points, or send its part again, halve it, or give it up."""
        part, sent = self._out.pop(result.task), self._sent.pop(result.task)
        self._notify("")
        self._ended.add(result.task)
        split = part.split
        if result.report is not None:
            self._check(result.report, sent)
            deliver(self._store, result.report.deliveries, split.batch.into)
            split.add_report(part, result.report)
            if part in split.parts:  # it ran out of time and reports what is done
                self._timed_out(part, progressed=bool(result.report.outcomes))
        elif part not in split.parts or part.task != result.task:
            pass  # it was halved or sent again since
        elif result.error is None:  # revoked
            self._notify(
                f"Batch {part.batch.id} had expired when a worker came to it; are the clocks right? Sent again."
            )
            part.due = time.monotonic()
        elif isinstance(result.error, WorkerLostError):
            self._worker_died(part)
        elif isinstance(result.error, (SoftTimeLimitExceeded, TimeLimitExceeded)):
            self._timed_out(part, progressed=False)
        elif isinstance(result.error, LikewiseError) and result.error.retryable:
            if not part.backoff.failing:
                log.warning("Batch %s: %s Trying again until it works.", part.batch.id, result.error)
            part.due = part.backoff.record_failure(result.error)
        else:
            metrics.batch_ended(split.batch.kind, "failed")
            raise result.error

    def _check(self, report: BatchReport, sent: Batch) -> None:
        """Check the report of what was sent as this batch.

        Raises:
            MessageRefusedError: it is of something else; nothing of it is used.
        """
        try:
            check_report(report, sent)
            if report.deliveries and self._deliver == "store":
                refuse("report", f"{sent.id}, which has points although workers write into the store")
        except MessageRefusedError:
            metrics.batch_ended(sent.kind, "failed")
            raise

    def _worker_died(self, part: BatchPart) -> None:
        """Halve or give up a part with which two processes died, one of them possibly with a larger part around it."""
        log.warning("Batch %s of %d files ends the process that works on it.", part.batch.id, len(part.files))
        if len(part.files) > 1:
            self._halve(part)
        else:
            self._give_up(part, DecoderCrashError.code, "Each process that worked on it died.")

    def _timed_out(self, part: BatchPart, *, progressed: bool) -> None:
        if progressed:
            part.due = time.monotonic()
        elif len(part.files) > 1:
            log.warning("Batch %s of %d files takes longer than it may.", part.batch.id, len(part.files))
            self._halve(part)
        else:
            detail = f"It was not done in {self._task_seconds:g} s, alone with a worker."
            self._give_up(part, DecodeTimeoutError.code, detail)

    def _halve(self, part: BatchPart) -> None:
        part.split.halve(part)
        metrics.batch_ended(part.split.batch.kind, "cut")

    def _give_up(self, part: BatchPart, code: str, detail: str) -> None:
        outcome = part.split.give_up(part, code, detail)
        metrics.item_ended(part.split.batch.kind, outcome.status, outcome.code)

    def _notify(self, message: str) -> None:
        if message != self._last_message:
            self._last_message = message
            self._notify_job(message)

    def _check_silent(self) -> None:
        """Look up parts that have given no sign of life for long."""
        now = time.monotonic()
        silent = {
            part.task: part
            for split in self._open
            for part in split.parts
            if part.due is None and now - part.checked > self._check_seconds
        }
        if not silent:
            return
        found = self._queue.find(silent)
        if not any(map(self._queue.has_started, silent)):
            kinds = list(dict.fromkeys(part.batch.kind for part in silent.values()))
            if queues := self._queue.without_listener(kinds):
                self._notify(f"No worker is listening to {', '.join(queues)}. It goes on when `likewise worker` runs.")
        for task, part in silent.items():
            part.checked = time.monotonic()
            part.missed = 0 if task in found else part.missed + 1
            if part.missed >= CHECKS:
                self._lost(part)

    def _lost(self, part: BatchPart) -> None:
        """Send a lost part again: the machine of its worker died, or the broker restarted without it."""
        log.warning("Batch %s is in no queue and with no worker; sending it again.", part.batch.id)
        if self._queue.has_started(part.task):
            part.deaths += 1
        if part.deaths >= MOST_DEATHS:
            self._worker_died(part)
        else:
            part.due = time.monotonic()

    def _withdraw(self) -> None:
        """Withdraw batches that no worker has begun; begun ones run to their end."""
        if not self._withdrawn:
            for task in self._queue.withdraw(self._out):
                self._out[task].due = 0.0
            self._withdrawn = True
        self._close([split for split in self._open if any(part.due is not None for part in split.parts)])

    def _close(self, closed: list[SplitBatch]) -> None:
        """Forget batches that are done or withdrawn."""
        if closed:
            self._open = [split for split in self._open if split not in closed]
            metrics.batches_in_flight(-len(closed))
            left = {task for task, part in self._out.items() if part.split in closed}
            self._unwanted |= left
            for task in left:
                del self._out[task], self._sent[task]

    def _clean_up(self) -> None:
        """Delete queued messages and results of tasks that are no longer needed."""
        if self._unwanted:
            self._queue.withdraw(self._unwanted)
        if litter := self._ended | self._unwanted:
            self._queue.forget(litter)
        self._ended, self._unwanted = set(), set()

    def _shut_down(self) -> None:
        self._close(self._open)
        with suppress(BrokerUnavailableError):  # what stays there does no harm
            self._clean_up()
