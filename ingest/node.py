"""A node: everything one process needs to ingest and to answer, put together once and closed together."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.background import BackgroundThread, KeyedThreads
from ingest.jobs.kinds import JobKind
from ingest.jobs.service import JobProgress, JobService
from ingest.jobs.tasks import JobTask
from ingest.ledger.credits import Credits, aliases, edits
from ingest.ledger.database import Ledger
from ingest.maintenance.backup.completeness import check_whole
from ingest.maintenance.backup.task import Backup
from ingest.maintenance.calibrate import Calibrate, make_provisional
from ingest.maintenance.migrate import Migrate
from ingest.maintenance.reembed import Reembed
from ingest.maintenance.upkeep import bring_up_to_date
from ingest.photographers.fold_in import FoldIn
from ingest.photographers.labelling import Label
from ingest.photographers.training import Train
from search.errors import DiskFullError, LikewiseError, StoreError
from search.logs import at_work
from search.photographers.library_photos import LibraryState
from search.photographers.model_registry import ModelKind
from search.photographers.service import Desk
from search.settings import Settings
from search.store import open_store
from search.store.base import Store
from search.store.generation_switch import finish_switch
from search.store.measured import measured
from workers.batch.report import Batch, BatchReport, BatchSource, Priority
from workers.engines.local import Engine, EngineEncoder, LocalEngine
from workers.storage.shared_place import SCRATCH, shared_place
from workers.training.shared_models import SharedShelf

if TYPE_CHECKING:
    from workers.cluster.broker import Broker

log = logging.getLogger(__name__)

LEAST_FREE = 4 << 20
"""Bytes free below which nothing is opened: with the last page gone, the store's memory-mapped files end the process
with a bus error (seen at 388 kB, not at 2 MB) where everything else ends in a message."""

CLOSING_SECONDS = 20.0
"""How long closing waits for a batch in progress; whatever is cut off is done again by the next start."""

WATCH_SECONDS = 10.0
"""How often a node that stays looks for jobs whose coordinator has died."""

JOBS_WATCHED = 30
"""Jobs whose figures say whether the library has changed."""


class Node:
    """The composition root.

    The store and the ledger are open from the start. Models, decoders and what needs them are made when first used, so
    that asking for the status never loads a model. Safe to use from several threads.

    Attributes:
        token: secret of this process, accepted by its own server beside ``settings.token``; see ``web.running``.
        photographers: answers what is asked about them.
        broker: what carries batches to workers; None where this process embeds by itself.
        closing: set when this process is about to end, for what waits to stop waiting.
    """

    def __init__(
        self, settings: Settings, store: Store, ledger: Ledger, engine: Engine, broker: Broker | None, token: str
    ) -> None:
        self.settings, self.store, self.ledger, self.broker, self.token = settings, store, ledger, broker, token
        self._engine = engine
        tasks: dict[JobKind, JobTask[Any]] = {
            JobKind.BACKUP: Backup(settings, store, ledger),
            JobKind.MIGRATE: Migrate(settings, store, ledger),
            JobKind.REEMBED: Reembed(settings, store, ledger, engine.runner_for, engine.forget),
            JobKind.CALIBRATE: Calibrate(store, lambda: engine.encoder),
            JobKind.LABEL: Label(store, ledger),
            JobKind.TRAIN_CLASSIFIER: Train(settings, store, lambda: engine.trainer, ModelKind.CLASSIFIER),
            JobKind.TRAIN_JOINT: Train(settings, store, lambda: engine.trainer, ModelKind.JOINT),
            JobKind.FOLD_IN: FoldIn(settings, store, lambda: engine.trainer, self._aliases),
        }
        self.ingest = JobService(settings, store, ledger, _RunnerWhenNeeded(engine), tasks=tasks)
        self.photographers = Desk(store, SharedShelf(settings), self._library_state, self._aliases)
        self._jobs = KeyedThreads("job")
        self._upkeep = BackgroundThread("upkeep")
        self._watch = BackgroundThread("watch")
        self.closing = threading.Event()

    @classmethod
    def open(cls, settings: Settings, token: str | None = None) -> Node:
        """
        Args:
            token: secret of this node, where several processes are to accept the same one; by default its own.

        Raises:
            StoreError: the data directory cannot be made, or is in use by another process (StoreLockedError).
            LedgerError: the ledger cannot be opened, or only part of a backup has been restored into it.
        """
        make_home(settings.home)
        store = measured(open_store(settings))
        try:
            finish_switch(store)
            ledger = Ledger(settings.ledger_url)
            check_whole(store, ledger)
        except BaseException:
            store.close()
            raise
        engine, broker = _make_engine(settings, store)
        return cls(settings, store, ledger, engine, broker, token or secrets.token_urlsafe(32))

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell people about the models in use; empty until they are chosen (:meth:`prepare`)."""
        return self._engine.notes

    @property
    def encoder(self) -> EngineEncoder:
        return self._engine.encoder

    def prepare(self) -> None:
        """Choose the models and make or check the collections. May take seconds: it sees whether weights can be had.

        Raises:
            SpaceMismatchError: a collection was made with other models than the settings demand.
        """
        self._engine.prepare()

    def start_ingest(
        self,
        paths: Sequence[Path | str],
        *,
        library: str | None = None,
        confirm_missing: bool = False,
        priority: Priority = Priority.NORMAL,
    ) -> str:
        """Take in ``paths`` in the background, when it is their turn; the id of the new job."""
        job = self.ingest.start(paths, library=library, confirm_missing=confirm_missing, priority=priority)
        self._replace_left_behind(job)
        return self._submit(job)

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Do long-running work of another kind in the background, alone; the id of the new job."""
        job = self.ingest.start_task(name, options, priority=priority)
        self._replace_left_behind(job)
        return self._submit(job)

    def retry_failures(self) -> str | None:
        """Try the failed files again in the background; the job's id, or None when there are none."""
        job = self.ingest.retry_failures()
        return None if job is None else self._submit(job)

    def rename_photographer(self, old: str, new: str) -> int:
        """Call a photographer something else, also in what is taken in later; with a name that there is, make them one.

        Returns:
            The number of records looked at.

        Raises:
            UsageError: the new name names nobody.  NotFoundError: nobody is or was credited as ``old``.
        """
        return Credits(self.ledger, self.store).rename(old, new)

    def credit_photo(self, media_id: str, photographer: str | None) -> None:
        """Note, at once, whose work one record is; a person's word, which counts before every other.

        Args:
            photographer: None or empty says that it is nobody's whose name is known, whatever the file says.

        Raises:
            UsageError: the name names nobody.  NotFoundError: there is no such record.
        """
        Credits(self.ledger, self.store).by_hand([media_id], photographer or None)

    def resume_unfinished(self) -> list[str]:
        """Go on, in the background, with jobs that no living process has; their ids."""
        return [self._submit(job) for job in self.ingest.waiting()]

    def resume(self, job: str) -> str:
        """Go on with a paused job, or in the background with one that a stopped process left behind."""
        self.ingest.resume(job)
        return job if self.ingest.progress(job).finished else self._submit(job)

    def stay(self) -> None:
        """Take up, from now until this node is closed, whatever job loses its coordinator."""
        self._upkeep.submit(self.ingest.tidy)
        self._upkeep.submit(self.bring_up_to_date)
        self._upkeep.submit(self.make_likeness_curves)
        self._watch.submit(self._take_up)

    def run_job(self, job: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, then see to what its files changed."""
        with at_work(job=job):
            progress = self.ingest.run(job, on_progress)
        if progress.embedded and not self.closing.is_set():
            self._upkeep.submit(self.optimise)
            self._upkeep.submit(self.make_likeness_curves)
        if not self.closing.is_set():
            self._upkeep.submit(self.bring_up_to_date)
        return progress

    def later(self, work: Callable[[], object]) -> None:
        """Do ``work`` in the background, beside the jobs."""
        self._upkeep.submit(work)

    def settle(self) -> None:
        """Wait for the background work that finished jobs left."""
        self._jobs.drain()
        self._upkeep.drain()

    def warm(self) -> None:
        """Load the models in the background, so that the first question about a file need not wait for them."""
        self._upkeep.submit(self._engine.warm)

    def bring_up_to_date(self) -> None:
        """Do what an older version left to be done to what is stored, until this node is closed."""
        bring_up_to_date(self.store, self.ledger, goes_on=lambda: not self.closing.is_set())

    def make_likeness_curves(self) -> None:
        """Learn provisional likeness for models in use that none comes with, until this node is closed. Nothing is
        learnt where workers and this process share no folder."""
        scratch = shared_place(self.settings).path(SCRATCH)
        if scratch is None and self.broker is not None:
            return
        try:
            made = make_provisional(
                self.store, lambda: self._engine.encoder, lambda: not self.closing.is_set(), scratch
            )
        except OSError as error:
            raise StoreError(f"The sample library to learn likeness from cannot be made: {error}.") from error
        if made:
            log.info("Learnt provisional likeness in %s from the sample library.", ", ".join(made))

    def optimise(self) -> None:
        """Index what has been written, in each collection where the store finds it worth while."""
        for name in self.store.collections():
            if self.store.optimise(name):
                log.info("Indexed %s.", name)

    def halt(self) -> None:
        """Begin to close: jobs stop after their batches, and whoever watches one stops watching."""
        self.closing.set()
        self.ingest.halt()

    def close(self) -> None:
        """Stop the running job after its batch and let go of everything; the next start, or another node, goes on.

        A batch that takes longer than ``CLOSING_SECONDS`` ends with the process, as if that were killed: the store and
        the ledger are made for it, and must not be closed under its hands.
        """
        self.halt()
        self._watch.close(CLOSING_SECONDS)
        if not self._jobs.close(CLOSING_SECONDS):
            log.warning("Not waiting any longer for the batch in work; whoever takes the job up does it again.")
            return
        self._upkeep.close(0)  # closing the store ends an indexing in progress
        self._engine.close()
        self.ledger.close()
        self.store.close()

    def _library_state(self) -> LibraryState:
        """Jobs alone change photos, so their figures say whether any has changed; credits are also edited by hand."""
        jobs = self.ingest.jobs(JOBS_WATCHED)
        points = {name: info.points for name, info in self.store.collections().items()}
        with self.ledger.read() as connection:
            by_hand = edits(connection)
        finished = [job for job in jobs if job.finished]
        return LibraryState((finished, by_hand), (points, [job for job in jobs if not job.finished]))

    def _aliases(self) -> Mapping[str, str]:
        with self.ledger.read() as connection:
            return aliases(connection)

    def _submit(self, job: str) -> str:
        self._jobs.submit(job, lambda: self.run_job(job))
        return job

    def _take_up(self) -> None:
        while not self.closing.is_set():
            try:
                self.resume_unfinished()
            except LikewiseError as error:
                log.warning("Jobs that lost their coordinator cannot be looked for just now: %s", error)
            self.closing.wait(WATCH_SECONDS)

    def _replace_left_behind(self, job: str) -> None:
        """What a killed process left behind, over the same paths or of the same task, is what ``job`` now does."""
        new = _what_it_does(self.ingest.progress(job))
        for other in self.ingest.waiting():
            if other not in self._jobs and other != job and _what_it_does(self.ingest.progress(other)) == new:
                self.ingest.cancel(other)


def _what_it_does(job: JobProgress) -> tuple[object, ...]:
    return (job.task, job.roots) if job.task == JobKind.INGEST else (job.task, job.library)


class _RunnerWhenNeeded:
    """The engine's runner, made when the first batch comes: a rescan that finds nothing new loads no model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        iterator = iter(batches)
        for first in iterator:
            yield from self._engine.runner.run(_Begun(batches, first, iterator))


class _Begun:
    """A ``BatchSource`` whose first batch has been taken already."""

    def __init__(self, source: Iterable[Batch], first: Batch, rest: Iterator[Batch]) -> None:
        self._source, self._first, self._rest = source, first, rest

    def __iter__(self) -> Iterator[Batch]:
        yield self._first
        yield from self._rest

    @property
    def stopped(self) -> bool:
        return isinstance(self._source, BatchSource) and self._source.stopped

    def say(self, message: str) -> None:
        if isinstance(self._source, BatchSource):
            self._source.say(message)


def _make_engine(settings: Settings, store: Store) -> tuple[Engine, Broker | None]:
    if settings.broker_url is None:
        return LocalEngine(settings, store), None
    # Imported on demand: a node without a broker needs no Celery.
    from workers.engines.cluster import ClusterEngine

    engine = ClusterEngine(settings, store)
    return engine, engine.broker


def make_home(home: Path) -> None:
    """
    Raises:
        StoreError: it cannot be made, or may not be written.  DiskFullError: its disk has no room at all.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The data directory '{home}' cannot be made: {error.strerror}.",
            "Name another with --home or LIKEWISE_HOME.",
        ) from None
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise StoreError(
            f"The data directory '{home}' may not be read and written by this user.",
            "Change its owner or permissions, or name another with --home or LIKEWISE_HOME.",
        )
    if shutil.disk_usage(home).free < LEAST_FREE:
        raise DiskFullError(
            f"The disk of the data directory '{home}' is full.",
            "Free some space and run the command again; what was stored before is intact.",
        )
