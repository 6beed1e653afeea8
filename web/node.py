"""A node: everything one process needs to ingest and to answer, put together once and closed together."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.job import Ingest, JobProgress
from ingest.ledger import Ledger
from search.errors import DiskFullError, StoreError
from search.media import COLLECTIONS
from search.settings import Settings
from search.store import open_store
from search.store.base import Store
from web.background import Background
from workers.embedders.registry import ModelChoice, choose_models
from workers.report import Batch, BatchReport

if TYPE_CHECKING:
    from workers.decode.pool import DecodePool
    from workers.embedders.models import Models
    from workers.encode import Encoder
    from workers.local import LocalRunner

log = logging.getLogger(__name__)

LEAST_FREE = 4 << 20
"""Bytes free below which nothing is opened: with the last page gone, the store's memory-mapped files end the process
with a bus error (seen at 388 kB, not at 2 MB) where everything else ends in a message."""

CLOSING_SECONDS = 20.0
"""How long closing waits for a batch in progress; whatever is cut off is done again by the next start."""


class Node:
    """The composition root.

    The store and the ledger are open from the start. Models, decoders and what needs them are made when first used, so
    that asking for the status never loads a model. Safe to use from several threads.

    Attributes:
        token: secret of this process, accepted by its own server beside ``settings.token``; see ``web.running``.
    """

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self.settings, self.store, self.ledger = settings, store, ledger
        self.token = secrets.token_urlsafe(32)
        self.ingest = Ingest(settings, store, ledger, _RunnerWhenNeeded(self))
        self._making = threading.RLock()
        self._jobs = Background("ingest")
        self._upkeep = Background("upkeep")
        self._submitted: set[str] = set()
        self._closing = threading.Event()

    @classmethod
    def open(cls, settings: Settings) -> Node:
        """
        Raises:
            StoreError: the data directory cannot be made, or is in use by another process (StoreLockedError).
            LedgerError: the ledger cannot be opened.
        """
        _make_home(settings.home)
        store = open_store(settings)
        try:
            return cls(settings, store, Ledger(settings.ledger_url))
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell people about the models in use; empty until they are chosen (:meth:`prepare`)."""
        return self._choice.notes if "_choice" in self.__dict__ else ()

    def prepare(self) -> None:
        """Choose the models and make or check the collections. May take seconds: it sees whether weights can be had.

        Raises:
            SpaceMismatchError: a collection was made with other models than the settings demand.
        """
        self.models  # noqa: B018  (made by being asked for)

    @property
    def models(self) -> Models:
        with self._making:
            return self._models

    @property
    def encoder(self) -> Encoder:
        with self._making:
            return self._encoder

    @property
    def runner(self) -> LocalRunner:
        with self._making:
            return self._runner

    def start_ingest(self, paths: Sequence[Path], *, library: str | None = None, confirm_missing: bool = False) -> str:
        """Take in ``paths`` in the background, after the jobs already waiting; the id of the new job."""
        job = self.ingest.start(paths, library=library, confirm_missing=confirm_missing)
        self._replace_left_behind(job)
        return self._submit(job)

    def retry_failures(self) -> str | None:
        """Try the failed files again in the background; the job's id, or None when there are none."""
        job = self.ingest.retry_failures()
        return None if job is None else self._submit(job)

    def resume_unfinished(self) -> list[str]:
        """Go on, in the background, with jobs that a stopped process left behind; their ids."""
        return [self.resume(job) for job in self.ingest.unfinished()]

    def resume(self, job: str) -> str:
        """Go on with a paused job, or in the background with one that a stopped process left behind."""
        self.ingest.resume(job)
        if job not in self._submitted and not self.ingest.progress(job).finished:
            self._submit(job)
        return job

    def run_job(self, job: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, then see to what its files changed."""
        progress = self.ingest.run(job, on_progress)
        if progress.embedded and not self._closing.is_set():
            self._refit_sound()
            self._upkeep.submit(self.optimise)
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
        self._upkeep.submit(lambda: self.models.load())

    def optimise(self) -> None:
        """Index what has been written, in each collection where the store finds it worth while."""
        for name in self.store.collections():
            if self.store.optimise(name):
                log.info("Indexed %s.", name)

    def close(self) -> None:
        """Stop the running job after its batch (the next start resumes it) and let go of everything.

        A batch that takes longer than ``CLOSING_SECONDS`` ends with the process, as if that were killed: the store and
        the ledger are made for it, and must not be closed under its hands.
        """
        self._closing.set()
        self.ingest.halt()
        if not self._jobs.close(CLOSING_SECONDS):
            log.warning("Not waiting any longer for the batch in work; the next start does it again.")
            return
        self._upkeep.close(0)  # closing the store ends an indexing in progress
        if "_pool" in self.__dict__:
            self._pool.close()
        self.ledger.close()
        self.store.close()

    def _submit(self, job: str) -> str:
        self._submitted.add(job)
        self._jobs.submit(lambda: self.run_job(job))
        return job

    def _replace_left_behind(self, job: str) -> None:
        """A job over the same paths that a killed process left behind is what ``job`` now does."""
        roots = self.ingest.progress(job).roots
        for other in self.ingest.unfinished():
            if other != job and other not in self._submitted and self.ingest.progress(other).roots == roots:
                self.ingest.cancel(other)

    @cached_property
    def _choice(self) -> ModelChoice:
        existing = {name: info.schema for name, info in self.store.collections().items() if name in COLLECTIONS}
        choice = choose_models(self.settings, existing)
        for note in choice.notes:
            log.info("%s", note)
        return choice

    @cached_property
    def _models(self) -> Models:
        from workers.embedders.models import Models

        models = Models(self.settings, self._choice)
        for schema in models.schemas:
            self.store.ensure(schema)
        self._refit_sound()
        return models

    @cached_property
    def _pool(self) -> DecodePool:
        from workers.decode.pool import DecodePool

        return DecodePool(self.settings, clips=self._choice.video == "r3d18")

    @cached_property
    def _encoder(self) -> Encoder:
        from workers.encode import Encoder

        return Encoder(self.settings, self.store, self._pool, self._models)

    @cached_property
    def _runner(self) -> LocalRunner:
        from workers.batch import BatchProcessor
        from workers.local import LocalRunner

        return LocalRunner(BatchProcessor(self.settings, self.store, self._pool, self._models))

    def _refit_sound(self) -> None:
        from workers.standardise import refit_sound

        if refit_sound(self.store):
            log.info("Standardised the sounds anew over the whole collection.")


class _RunnerWhenNeeded:
    """The node's runner, made when the first batch comes: a rescan that finds nothing new loads no model."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        iterator = iter(batches)
        for first in iterator:
            yield from self._node.runner.run(_chain(first, iterator))


def _chain(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def _make_home(home: Path) -> None:
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
