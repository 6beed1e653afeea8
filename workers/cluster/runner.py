"""Running batches on the workers of a cluster, by Celery over Redis.

Whatever dies, each batch is reported once. A batch that ends in an error is sent again, cut in two or given up by what
the error says; one that is heard of no more is looked for, and sent again when it is nowhere. Work may be done twice,
which changes nothing: ids follow from content. Of several reports of a batch the first one counts.
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
from search.errors import BrokerUnavailableError, DecoderCrashError, DecodeTimeoutError, LikewiseError
from search.model_descriptions.registry import ModelChoice
from search.settings import Settings
from search.store.base import Store
from workers.batch.delivery import deliver
from workers.batch.report import Batch, BatchReport, BatchSource
from workers.cluster.backoff import Outage
from workers.cluster.batch_split import MOST_DEATHS, Ordered, Piece
from workers.cluster.serialization import Order
from workers.cluster.task_queue import Ending, Post

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""How long nothing is heard of a batch until it is looked for."""

LOOKS = 2
"""Looks in a row that do not find a batch until it is taken for lost; one alone may miss it on its way."""

PATIENCE_SECONDS = 120.0
"""How long something that may come back, a store or the broker, is waited for until the job says so and ends."""

SHORTEST_REST, LONGEST_REST = 0.01, 0.25
"""Seconds between two rounds in which nothing happens; the longer, the longer nothing does."""


def _nobody(message: str) -> None:
    """Stands for a job that nobody looks at."""


class CeleryRunner:
    """Runs batches on workers, ``settings.in_flight`` of them at once.

    The collections must have been made (``Store.ensure``).

    Args:
        look_seconds: how long nothing is heard of a batch until it is looked for.
        patience: how long something that may come back is waited for.
    """

    def __init__(
        self,
        settings: Settings,
        app: Celery,
        store: Store,
        choice: ModelChoice,
        *,
        look_seconds: float = LOOK_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._settings, self._store, self._choice = settings, store, choice
        self._post = Post(settings, app)
        self._look_seconds, self._patience = look_seconds, patience

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """One report a batch, as batches end, in whatever order; never more batches are asked for than may be in
        flight. While a ``BatchSource`` is stopped, what no worker has begun is taken back and goes without a report.

        Raises:
            BrokerUnavailableError: it has been away for longer than is waited for.
            LikewiseError: what stops every file at some worker, as its own class (a model that cannot be loaded, a
                full disk). Batches without a report are to be done again.
        """
        run = _Run(
            self._post,
            self._store,
            self._choice,
            in_flight=self._settings.in_flight,
            task_seconds=self._settings.task_seconds,
            look_seconds=self._look_seconds,
            patience=self._patience,
        )
        return run.reports(batches)


class _Run:
    """The state of one run over many batches; used by one thread."""

    def __init__(
        self,
        post: Post,
        store: Store,
        choice: ModelChoice,
        *,
        in_flight: int,
        task_seconds: float,
        look_seconds: float,
        patience: float,
    ) -> None:
        self._post, self._store, self._choice = post, store, choice
        self._deliver: Literal["store", "report"] = "store" if store.engine == "server" else "report"
        self._in_flight, self._task_seconds = in_flight, task_seconds
        self._look_seconds, self._patience = look_seconds, patience
        self._broker = Outage(patience)
        self._open: list[Ordered] = []
        self._out: dict[str, Piece] = {}  # tasks that may report yet, those of pieces sent again or cut included
        self._ended: set[str] = set()  # tasks whose results have been taken in
        self._unwanted: set[str] = set()  # tasks that may still wait in a queue, and nobody waits for them any more
        self._jobs: set[str] = set()
        self._taken_back = False
        self._tell: Callable[[str], None] = _nobody
        self._told = ""

    def reports(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        source = iter(batches)
        self._tell = batches.say if isinstance(batches, BatchSource) else _nobody
        rest = SHORTEST_REST
        try:
            while True:
                stopped = isinstance(batches, BatchSource) and batches.stopped
                if not stopped:
                    self._taken_back = False
                    self._admit(source)
                if not self._open:
                    return
                self._round(stopped=stopped)
                done = [ordered for ordered in self._open if ordered.done]
                self._close(done)
                for ordered in done:
                    yield ordered.report()
                rest = SHORTEST_REST if done else min(2 * rest, LONGEST_REST)
                if not done:
                    time.sleep(rest)
        finally:
            self._leave()

    def _admit(self, source: Iterator[Batch]) -> None:
        while len(self._open) < self._in_flight and (batch := next(source, None)) is not None:
            self._open.append(Ordered(batch, self._patience))
            metrics.batches_in_flight(1)

    def _round(self, *, stopped: bool) -> None:
        """Send what is due, take in what has ended, look for what is silent; nothing while the broker is away."""
        if self._broker.waiting:
            if stopped:  # what an unreachable broker holds, the job's next coordinator takes back
                self._close(self._open)
            return
        try:
            if stopped:
                self._take_back()
            else:
                self._send_due()
            for ending in self._post.endings(self._out):
                self._end(ending)
            self._look()
            self._tidy()
        except BrokerUnavailableError as error:
            if not self._broker.lasts:
                log.warning("%s Trying again until it answers.", error)
            self._say(f"{error} Trying again until it answers.")
            self._broker.again(error)
        else:
            self._broker.over()

    def _send_due(self) -> None:
        now = time.monotonic()
        for ordered in self._open:
            for piece in ordered.pieces:
                if piece.due is not None and piece.due <= now:
                    self._send(piece)

    def _send(self, piece: Piece) -> None:
        batch = piece.batch
        if batch.job not in self._jobs:
            if orphans := self._post.withdraw_orphans(batch.job, self._out):
                log.info("Took back %d batches of job %s that an earlier process had sent.", len(orphans), batch.job)
            self._jobs.add(batch.job)
        task = self._post.new_task(batch.job)
        self._post.send(task, Order(batch, self._choice, self._deliver), deaths=piece.deaths)
        piece.task, piece.due, piece.seen, piece.unseen = task, None, time.monotonic(), 0
        self._out[task] = piece

    def _end(self, ending: Ending) -> None:
        """Do with a task's piece what the way it ended asks for."""
        piece = self._out.pop(ending.task)
        self._say("")
        self._ended.add(ending.task)
        ordered = piece.ordered
        if ending.report is not None:
            deliver(self._store, ending.report.deliveries, ordered.batch.into)
            ordered.take(piece, ending.report)
            if piece in ordered.pieces:  # it ran out of time, and says how far it came
                self._too_slow(piece, came_on=bool(ending.report.outcomes))
        elif piece not in ordered.pieces or piece.task != ending.task:
            pass  # it was cut, or sent again, since
        elif ending.error is None:  # revoked
            piece.due = time.monotonic()
        elif isinstance(ending.error, WorkerLostError):
            self._deadly(piece)
        elif isinstance(ending.error, (SoftTimeLimitExceeded, TimeLimitExceeded)):
            self._too_slow(piece, came_on=False)
        elif isinstance(ending.error, LikewiseError) and ending.error.retryable:
            if not piece.outage.lasts:
                log.warning("Batch %s: %s Trying again until it works.", piece.batch.id, ending.error)
            piece.due = piece.outage.again(ending.error)
        else:
            metrics.batch_ended(ordered.batch.kind, "failed")
            raise ending.error

    def _deadly(self, piece: Piece) -> None:
        """Two processes died with it, or one with something larger that held it and one with it."""
        log.warning("Batch %s of %d files ends the process that works on it.", piece.batch.id, len(piece.files))
        if len(piece.files) > 1:
            self._cut(piece)
        else:
            self._blame(piece, DecoderCrashError.code, "Each process that worked on it died.")

    def _too_slow(self, piece: Piece, *, came_on: bool) -> None:
        if came_on:
            piece.due = time.monotonic()
        elif len(piece.files) > 1:
            log.warning("Batch %s of %d files takes longer than it may.", piece.batch.id, len(piece.files))
            self._cut(piece)
        else:
            detail = f"It was not done in {self._task_seconds:g} s, alone with a worker."
            self._blame(piece, DecodeTimeoutError.code, detail)

    def _cut(self, piece: Piece) -> None:
        piece.ordered.cut(piece)
        metrics.batch_ended(piece.ordered.batch.kind, "cut")

    def _blame(self, piece: Piece, code: str, detail: str) -> None:
        outcome = piece.ordered.blame(piece, code, detail)
        metrics.item_ended(piece.ordered.batch.kind, outcome.status, outcome.code)

    def _say(self, message: str) -> None:
        if message != self._told:
            self._told = message
            self._tell(message)

    def _look(self) -> None:
        """Look for what has not been heard of for long."""
        now = time.monotonic()
        silent = {
            piece.task: piece
            for ordered in self._open
            for piece in ordered.pieces
            if piece.due is None and now - piece.seen > self._look_seconds
        }
        if not silent:
            return
        found = self._post.find(silent)
        if not any(map(self._post.was_begun, silent)):
            unheard = self._post.unheard(list(dict.fromkeys(piece.batch.kind for piece in silent.values())))
            if unheard:
                self._say(f"No worker is listening to {', '.join(unheard)}. It goes on when `likewise worker` runs.")
        for task, piece in silent.items():
            piece.seen = time.monotonic()
            piece.unseen = 0 if task in found else piece.unseen + 1
            if piece.unseen >= LOOKS:
                self._lost(piece)

    def _lost(self, piece: Piece) -> None:
        """It is nowhere: its machine died, or the broker came back without it, which is nobody's fault."""
        log.warning("Batch %s is in no queue and with no worker; sending it again.", piece.batch.id)
        if self._post.was_begun(piece.task):
            piece.deaths += 1
        if piece.deaths >= MOST_DEATHS:
            self._deadly(piece)
        else:
            piece.due = time.monotonic()

    def _take_back(self) -> None:
        """Give up what no worker has begun; what all workers have begun is waited for."""
        if not self._taken_back:
            for task in self._post.withdraw(self._out):
                self._out[task].due = 0.0
            self._taken_back = True
        self._close([ordered for ordered in self._open if any(piece.due is not None for piece in ordered.pieces)])

    def _close(self, closed: list[Ordered]) -> None:
        """Wait no longer for these batches, which are done or given up."""
        if closed:
            self._open = [ordered for ordered in self._open if ordered not in closed]
            metrics.batches_in_flight(-len(closed))
            left = {task for task, piece in self._out.items() if piece.ordered in closed}
            self._unwanted |= left
            for task in left:
                del self._out[task]

    def _tidy(self) -> None:
        """Leave nothing with the broker of tasks that nobody waits for."""
        if self._unwanted:
            self._post.withdraw(self._unwanted)
        if litter := self._ended | self._unwanted:
            self._post.forget(litter)
        self._ended, self._unwanted = set(), set()

    def _leave(self) -> None:
        self._close(self._open)
        with suppress(BrokerUnavailableError):  # whatever still waits there does no harm
            self._tidy()
