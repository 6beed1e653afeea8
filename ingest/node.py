"""The composition root: opens and closes everything that one process needs to ingest and answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.background import BackgroundThread, KeyedThreads
from ingest.home import make_home, own_token
from ingest.jobs.kinds import JobKind
from ingest.jobs.service import JobProgress, JobService
from ingest.jobs.tasks import JobTask
from ingest.ledger.access import Access
from ingest.ledger.credits import aliases, edit_count
from ingest.ledger.database import Ledger
from ingest.ledger.request_keys import RequestKeys
from ingest.maintenance.backup.completeness import check_complete
from ingest.maintenance.backup.task import Backup
from ingest.maintenance.calibrate import Calibrate, make_provisional
from ingest.maintenance.migrate import Migrate
from ingest.maintenance.overlaps import FindOverlaps, FoundOverlaps
from ingest.maintenance.reembed import Reembed
from ingest.maintenance.upkeep import bring_up_to_date
from ingest.maintenance.verify.findings import Verification, load_verification
from ingest.maintenance.verify.scrub import Scrubber
from ingest.maintenance.verify.task import Verify
from ingest.photographers.desk import Desk
from ingest.photographers.facts import TellFacts
from ingest.photographers.fold_in import FoldIn
from ingest.photographers.labelling import Label
from ingest.photographers.training import Train
from ingest.scan.allowed import AllowedFolders
from ingest.scan.stored_files import StoredFiles
from search.errors import LikewiseError, StoreError
from search.logs import at_work
from search.photographers.library_photos import LibraryState
from search.photographers.model_registry import ModelKind
from search.photographers.service import PhotographerService
from search.settings import Settings
from search.store import open_store
from search.store.base import Store
from search.store.generation_switch import finish_switch
from search.store.measured import measured
from workers.batch.report import Batch, BatchReport, BatchSource, Priority
from workers.engines.local import Engine, EngineEncoder, LocalEngine
from workers.storage.shared_place import SCRATCH, UPLOADS, shared_place
from workers.training.shared_models import CACHE, SharedModels

if TYPE_CHECKING:
    from workers.cluster.broker import Broker

log = logging.getLogger(__name__)

CLOSING_SECONDS = 20.0
"""How long closing waits for the running batch; the next start repeats a batch that was cut off."""

WATCH_SECONDS = 10.0
"""How often a node that watches jobs looks for those whose coordinator has died."""

ORPHANED_SECONDS = 86_400.0
"""Age from which an upload belongs to no question any more: questions take minutes."""

JOBS_WATCHED = 30
"""So many of the latest jobs tell by their counters whether the library has changed."""


class Node:
    """The composition root.

    The store and the ledger are open from the start. Models and decoders are made when first used, so that a question
    for the status never loads a model. Thread-safe.

    Attributes:
        token: of the data directory, which its server accepts beside ``settings.token``; see ``ingest.home``.
        access, request_keys: other tokens, sessions and login codes; idempotency keys of requests that start jobs.
        allowed: where media may lie.
        stored_files: opens the files of records.
        ingest: the jobs.
        photographers: answers questions about photographers.
        desk: what people do by hand: credit, rename.
        overlaps: which spans of films and sounds are in others.
        broker: carries batches to workers; None where this process embeds by itself.
        closing: set when this process is about to end; whatever waits then stops waiting.
    """

    def __init__(
        self, settings: Settings, store: Store, ledger: Ledger, engine: Engine, broker: Broker | None, token: str
    ) -> None:
        self.settings, self.store, self.ledger, self.broker, self.token = settings, store, ledger, broker, token
        self.access, self.request_keys = Access(ledger), RequestKeys(ledger)
        self.allowed, self.stored_files = AllowedFolders(settings, ledger), StoredFiles(settings, ledger)
        self._engine = engine
        runner = _LazyRunner(engine)
        tasks: dict[JobKind, JobTask[Any]] = {
            JobKind.BACKUP: Backup(settings, store, ledger),
            JobKind.MIGRATE: Migrate(settings, store, ledger),
            JobKind.REEMBED: Reembed(settings, store, ledger, runner, engine.runner_for, engine.forget),
            JobKind.VERIFY: Verify(settings, store, ledger, runner),
            JobKind.OVERLAPS: FindOverlaps(settings, store, ledger),
            JobKind.CALIBRATE: Calibrate(store, lambda: engine.encoder, self.allowed),
            JobKind.LABEL: Label(store, ledger),
            JobKind.FACTS: TellFacts(store, ledger),
            JobKind.TRAIN_CLASSIFIER: Train(settings, store, lambda: engine.trainer, ModelKind.CLASSIFIER),
            JobKind.TRAIN_JOINT: Train(settings, store, lambda: engine.trainer, ModelKind.JOINT),
            JobKind.FOLD_IN: FoldIn(settings, store, lambda: engine.trainer, self._aliases),
        }
        self.ingest = JobService(settings, store, ledger, runner, tasks=tasks)
        self.desk, self.overlaps = Desk(store, ledger), FoundOverlaps(store, ledger)
        self.photographers = PhotographerService(
            store,
            SharedModels(settings),
            self._library_state,
            self._aliases,
            self.desk.displayed,
            settings.home / CACHE / "photographers.json",
            self.desk.shoot_names,
        )
        self._jobs = KeyedThreads("job")
        self._upkeep = BackgroundThread("upkeep")
        self._watch = BackgroundThread("watch")
        self._scrub = BackgroundThread("scrub")
        self._watches = False
        self.closing = threading.Event()

    @classmethod
    def open(cls, settings: Settings) -> Node:
        """Open the data directory that the settings name, its store and its ledger.

        Raises:
            StoreError: the data directory cannot be made, or is in use by another process (StoreLockedError).
            LedgerError: the ledger cannot be opened, or only part of a backup has been restored into it.
        """
        make_home(settings)
        store = measured(open_store(settings))
        try:
            finish_switch(store)
            ledger = Ledger(settings.ledger_url)
            check_complete(store, ledger)
        except BaseException:
            store.close()
            raise
        engine, broker = _make_engine(settings, store)
        return cls(settings, store, ledger, engine, broker, own_token(settings.home))

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people about the models in use; empty until they are chosen (:meth:`prepare`)."""
        return self._engine.notes

    @property
    def encoder(self) -> EngineEncoder:
        """Embeds files and words of queries."""
        return self._engine.encoder

    def prepare(self) -> None:
        """Choose the models and make or check the collections. May take seconds, to see whether weights can be had.

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
        reread: bool = False,
        priority: Priority = Priority.NORMAL,
        anywhere: bool = True,
    ) -> str:
        """Ingest ``paths`` in the background; the id of the new job.

        Raises:
            NotFoundError, NotAllowedError, UnreadableFileError, UsageError: as
                :meth:`ingest.jobs.service.JobService.start`.
        """
        job = self.ingest.start(
            paths, library=library, confirm_missing=confirm_missing, reread=reread, priority=priority, anywhere=anywhere
        )
        self._cancel_superseded(job)
        return self._submit(job)

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Run a job of another kind than ``ingest`` in the background; the id of the new job.

        Raises:
            NotFoundError, UsageError: as :meth:`ingest.jobs.service.JobService.start_task`.
        """
        job = self.ingest.start_task(name, options, priority=priority)
        self._cancel_superseded(job)
        return self._submit(job)

    def retry_failures(self) -> str | None:
        """Try the failed files again in the background; the job's id, or None when there are none."""
        job = self.ingest.retry_failures()
        return None if job is None else self._submit(job)

    def resume_unfinished(self) -> list[str]:
        """Resume, in the background, jobs that no living process runs; their ids."""
        return [self._submit(job) for job in self.ingest.waiting()]

    def resume(self, job: str) -> str:
        """Resume a paused job, or in the background one that a stopped process left unfinished; its id.

        Raises:
            NotFoundError: there is no such job.
        """
        self.ingest.resume(job)
        return job if self.ingest.progress(job).finished else self._submit(job)

    def watch_jobs(self) -> None:
        """Resume, from now until this node is closed, every job that loses its coordinator, and check what is stored at
        the rate that the settings say. The photographers are listed ahead of the first page that shows them."""
        self._watches = True
        self._upkeep.submit(self.ingest.tidy)
        self._upkeep.submit(self.delete_orphaned_uploads)
        self._upkeep.submit(self.bring_up_to_date)
        self._upkeep.submit(self.make_likeness_curves)
        self._upkeep.submit(lambda: self.photographers.list())
        self._watch.submit(self._resume_abandoned)
        self._scrub.submit(Scrubber(self.settings, self.store, self.ledger, self.closing).run)

    def delete_orphaned_uploads(self) -> None:
        """Delete uploads that processes which were killed have left in the shared place."""
        deleted = shared_place(self.settings).delete_older(UPLOADS, ORPHANED_SECONDS)
        if deleted:
            log.info("Deleted %d uploads that a process has left behind.", deleted)

    def run_job(self, job: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, then start the upkeep that its files make necessary."""
        with at_work(job=job):
            progress = self.ingest.run(job, on_progress)
        if progress.embedded and not self.closing.is_set():
            self._upkeep.submit(self.optimise)
            self._upkeep.submit(self.make_likeness_curves)
        if not self.closing.is_set():
            self._upkeep.submit(self.bring_up_to_date)
            if self._watches:
                self._upkeep.submit(lambda: self.photographers.list())
        return progress

    def wait_until_idle(self) -> None:
        """Wait for all jobs of this process and for the upkeep after them."""
        self._jobs.drain()
        self._upkeep.drain()

    def warm(self) -> None:
        """Load the models in the background, so that the first query by a file does not wait for them."""
        self._upkeep.submit(self._engine.warm)

    def bring_up_to_date(self) -> None:
        """Upgrade what an older version stored, until this node is closed."""
        bring_up_to_date(self.store, self.ledger, goes_on=lambda: not self.closing.is_set())

    def verification(self) -> Verification:
        """What the last verification and the checks in the background have found."""
        return load_verification(self.ledger)

    def make_likeness_curves(self) -> None:
        """Learn provisional likeness curves for models that ship without, until this node is closed. None are learnt
        where workers and this process share no folder.

        Raises:
            StoreError: the sample library cannot be made.
        """
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
        """Build the index of each collection where the store finds it worthwhile."""
        for name in self.store.collections():
            if self.store.optimise(name):
                log.info("Indexed %s.", name)

    def halt(self) -> None:
        """Begin to close: jobs stop after their running batches, and streams of progress end."""
        self.closing.set()
        self.ingest.halt()

    def close(self) -> None:
        """Stop the running job after its batch and close everything; the next start, or another node, resumes the job.

        A batch that takes longer than ``CLOSING_SECONDS`` ends with the process, as if that were killed. Store and
        ledger withstand that, and must not be closed while the batch uses them.
        """
        self.halt()
        self._watch.close(CLOSING_SECONDS)
        self._scrub.close(CLOSING_SECONDS)
        if not self._jobs.close(CLOSING_SECONDS):
            log.warning("Not waiting any longer for the running batch; it is repeated when the job is resumed.")
            return
        self._upkeep.close(0)  # closing the store ends an indexing in progress
        self._engine.close()
        self.ledger.close()
        self.store.close()

    def _library_state(self) -> LibraryState:
        """Only jobs change photos, so their counters show whether any has changed; credits are also edited by hand."""
        jobs = self.ingest.jobs(JOBS_WATCHED)
        points = sorted((name, info.points) for name, info in self.store.collections().items())
        with self.ledger.read() as connection:
            by_hand = edit_count(connection)
        finished = [job for job in jobs if job.finished]
        running = [job for job in jobs if not job.finished]
        return LibraryState((finished, by_hand), (points, running), at_rest=not running)

    def _aliases(self) -> Mapping[str, str]:
        with self.ledger.read() as connection:
            return aliases(connection)

    def _submit(self, job: str) -> str:
        self._jobs.submit(job, lambda: self.run_job(job))
        return job

    def _resume_abandoned(self) -> None:
        while not self.closing.is_set():
            try:
                self.resume_unfinished()
            except LikewiseError as error:
                log.warning("Jobs without a coordinator cannot be looked for now: %s", error)
            self.closing.wait(WATCH_SECONDS)

    def _cancel_superseded(self, job: str) -> None:
        """Cancel jobs of killed processes that ``job`` repeats: over the same paths, or of the same kind and title."""
        new = _work_of(self.ingest.progress(job))
        for other in self.ingest.waiting():
            if other not in self._jobs and other != job and _work_of(self.ingest.progress(other)) == new:
                self.ingest.cancel(other)


def _work_of(job: JobProgress) -> tuple[object, ...]:
    return (job.task, job.roots) if job.task == JobKind.INGEST else (job.task, job.library)


class _LazyRunner:
    """The engine's runner, made with the first batch: a rescan that finds nothing new loads no model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        iterator = iter(batches)
        for first in iterator:
            yield from self._engine.runner.run(_StartedBatches(batches, first, iterator))


class _StartedBatches:
    """A ``BatchSource`` whose first batch has already been taken from its iterator."""

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
